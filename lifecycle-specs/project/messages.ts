import {
  codesLeft,
  type FileRange,
  type FormRule,
  LOOKING_SUB_FUNCTIONS,
  MAX_QUANTITY,
  MEI_IDENTIFICATION,
  READ_FILE,
  type Span,
  WRITE_FILE,
} from "../form.ts";
import type { RawId, TagId } from "../ids.ts";
import type { Operation, Rule } from "../lifecycle.ts";
import type { ModbusBinding, ModbusTable, ModbusType, OpcUaType, Protocol, RawFunction, Tag } from "../plant.ts";
import { type RawBounds, rawOf, registersOf, toleranceOf, typedBoundsOf } from "../raw.ts";
import { boundsOf, carriesValue, type Inventory } from "./inventory.ts";

/** A message, or the part of one that is about one tag. A message about several may cross when each part may. */
export type SwitchMessage = ModbusMessage | ModbusTagMessage | OpcUaMessage | OpcUaTagMessage | OpcUaCall | RawMessage;

/** Function codes about a device as a whole. */
export interface ModbusMessage {
  readonly protocol: "modbus";
  /** MODBUS AP V1.1b3 §6. */
  readonly functions: readonly number[];
  /** Of function 08: its sub-functions (§6.8.1); of function 43: the MEI types (§6.19). The others may not cross. */
  readonly subFunctions?: Readonly<Record<number, readonly number[]>>;
  /** Of functions 20 and 21: the records that may be named (§6.14, §6.15). Absent: any. */
  readonly files?: readonly FileRange[];
  /** Of 43/14: the objects that an answer may show (§6.21). Absent: any. */
  readonly objects?: readonly Span[];
}

export interface ModbusTagMessage extends ModbusMessage {
  readonly tag: TagId;
  readonly unit: number;
  readonly table: ModbusTable;
  /** Zero-based, as on the wire. */
  readonly address: number;
  /** Registers or bits. */
  readonly quantity: number;
  readonly type: ModbusType;
  /** Registers only. */
  readonly wordOrder?: "big" | "little";
  readonly byteOrder?: "big" | "little";
  readonly value?: RawBounds;
}

/** Services about a device as a whole. */
export interface OpcUaMessage {
  readonly protocol: "opcua";
  /** OPC 10000-4. Of `Read` without a NodeId: attributes other than Value, and nodes of namespace 0. */
  readonly services: readonly string[];
}

export interface OpcUaTagMessage extends OpcUaMessage {
  readonly tag: TagId;
  readonly nodeId: string;
  readonly attribute: "Value";
  readonly type: OpcUaType;
  readonly value?: RawBounds;
}

/** A method call in its parts: the method itself, and each input argument. */
export interface OpcUaCall extends OpcUaMessage {
  readonly tag: TagId;
  readonly objectId: string;
  readonly methodId: string;
  /** Of the method itself: its input arguments in their order, each of which needs a rule as well. */
  readonly arguments?: readonly TagId[];
  /** Of an argument: which of the method's it is, from 0. */
  readonly index?: number;
  readonly value?: RawBounds;
}

export interface RawMessage {
  readonly protocol: Protocol;
  readonly raw: RawId;
  /** Function code, or id of the request's binary encoding. */
  readonly code: number;
  /** Of function 43: the MEI type, the first of the bytes that follow. */
  readonly mei?: number;
  /** Bytes that follow, both ends included. */
  readonly length: readonly [least: number, most: number];
  readonly answer: readonly [least: number, most: number];
}

/** What of a rule can cross a link of this protocol to the server that holds these tags. Empty: nothing. */
export function messagesOf(
  inventory: Inventory,
  protocol: Protocol,
  rule: Rule,
  tags: readonly Tag[],
): readonly SwitchMessage[] {
  // Functions, files and objects are Modbus' own: a rule that names them allows nothing over OPC UA.
  if (protocol === "opcua" && namesModbus(rule)) return [];
  if (rule.operation === "raw") return rule.raw.flatMap((id) => rawMessages(inventory.raw.get(id), protocol));
  if (rule.tags.length === 0) return protocol === "modbus" ? modbusMessages(rule) : opcUaMessages(rule);
  if (protocol === "modbus") return tags.flatMap((tag) => modbusTagMessages(rule, tag));
  return tags.flatMap((tag) => opcUaTagMessages(inventory, rule, tag));
}

function rawMessages(raw: RawFunction | undefined, protocol: Protocol): readonly RawMessage[] {
  if (raw?.protocol !== protocol) return [];
  const { id, length, answer } = raw;
  if (raw.protocol === "opcua") return [{ protocol, raw: id, code: raw.service, length, answer }];
  const mei = raw.mei === undefined ? {} : { mei: raw.mei };
  return [{ protocol, raw: id, code: raw.function, ...mei, length, answer }];
}

/** Restart communications, change the delimiter, force listen only, clear counters. §6.8.1 */
const ACTING_SUB_FUNCTIONS: readonly number[] = [1, 3, 4, 10, 20];

/** What the filter takes for looking into a device and for programming it. MODBUS AP V1.1b3 §6.7 to §6.21; CANopen (43/13) can write. */
const DEVICE_FUNCTIONS: Readonly<Partial<Record<Operation, readonly number[]>>> = {
  diagnose: [7, 8, 11, 12, 17, 24, 43],
  program: [8, WRITE_FILE],
};
const SUB_FUNCTIONS: Readonly<Partial<Record<Operation, Readonly<Record<number, readonly number[]>>>>> = {
  diagnose: { 8: LOOKING_SUB_FUNCTIONS, 43: [MEI_IDENTIFICATION] },
  program: { 8: ACTING_SUB_FUNCTIONS },
};

function namesModbus({ form }: Rule): boolean {
  return form?.functions !== undefined || form?.files !== undefined || form?.objects !== undefined;
}

function modbusMessages({ operation, form = {} }: Rule): readonly ModbusMessage[] {
  const { files, objects } = form;
  if (files !== undefined)
    return [{ protocol: "modbus", functions: [operation === "read" ? READ_FILE : WRITE_FILE], files }];
  if (objects !== undefined)
    return [{ protocol: "modbus", functions: [43], subFunctions: { 43: [MEI_IDENTIFICATION] }, objects }];
  const functions = codesLeft(DEVICE_FUNCTIONS[operation] ?? [], form);
  if (functions.length === 0) return [];
  const subFunctions = Object.fromEntries(
    Object.entries(SUB_FUNCTIONS[operation] ?? {}).flatMap(([code, all]) => {
      const left = functions.includes(Number(code)) ? subsLeft(Number(code), all, form) : [];
      return left.length === 0 ? [] : [[code, left] as const];
    }),
  );
  return [{ protocol: "modbus", functions, ...(Object.keys(subFunctions).length === 0 ? {} : { subFunctions }) }];
}

/** What a rule leaves of the sub-functions of a code; it may also name reserved ones, which nothing else does. */
function subsLeft(code: number, all: readonly number[], { functions }: FormRule): readonly number[] {
  const named = functions?.filter((each) => each.code === code);
  if (named === undefined || named.some(({ sub }) => sub === undefined)) return all;
  return named.flatMap(({ sub }) => sub ?? []);
}

function modbusTagMessages(rule: Rule, tag: Tag): readonly ModbusTagMessage[] {
  const { modbus } = tag;
  if (modbus === undefined) return [];
  const functions = codesLeft(tagFunctions(rule.operation, modbus), rule.form ?? {});
  if (functions.length === 0 || registersOf(modbus) > (rule.form?.quantity ?? MAX_QUANTITY)) return [];
  const { unit, table, address, type, wordOrder, byteOrder } = modbus;
  return [
    {
      protocol: "modbus",
      functions,
      tag: tag.id,
      unit,
      table,
      address,
      quantity: registersOf(modbus),
      type,
      ...(isOfRegisters(table) ? { wordOrder, byteOrder } : {}),
      ...(carriesValue(rule, tag) ? { value: rawOf(modbus, boundsOf(rule, tag), toleranceOf(tag.range)) } : {}),
    },
  ];
}

const READ_FUNCTIONS = {
  coil: [1],
  "discrete-input": [2],
  "holding-register": [3, 23],
  "input-register": [4],
} as const;

/** A write of one register (06) would touch only a part of a value of several. Function 23 writes, then reads. */
export function tagFunctions(operation: Operation, binding: ModbusBinding): readonly number[] {
  const { table } = binding;
  if (operation === "read" || operation === "report") return READ_FUNCTIONS[table];
  if (operation !== "write") return [];
  if (table === "coil") return [5, 15];
  if (table === "holding-register") return registersOf(binding) === 1 ? [6, 16, 22, 23] : [16, 23];
  return [];
}

function isOfRegisters(table: ModbusTable): boolean {
  return table === "holding-register" || table === "input-register";
}

/**
 * Which services the filter takes for which operation, OPC 10000-4 v1.05: §5.5 discovery, §5.6 SecureChannel, §5.7 Session, §5.8
 * NodeManagement, §5.9 View, §5.10 Query, §5.11 Attribute, §5.12 Method, §5.13 and §5.14 subscriptions.
 */
const SERVICES: Readonly<Partial<Record<Operation, readonly string[]>>> = {
  read: ["Read"],
  write: ["Write"],
  call: ["Call"],
  report: ["Read", "Publish"],
  subscribe: [
    "CreateMonitoredItems",
    "ModifyMonitoredItems",
    "SetMonitoringMode",
    "SetTriggering",
    "DeleteMonitoredItems",
    "CreateSubscription",
    "ModifySubscription",
    "SetPublishingMode",
    "Publish",
    "Republish",
    "TransferSubscriptions",
    "DeleteSubscriptions",
  ],
  browse: ["Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds", "RegisterNodes", "UnregisterNodes", "Read"],
  session: [
    "FindServers",
    "FindServersOnNetwork",
    "GetEndpoints",
    "OpenSecureChannel",
    "CloseSecureChannel",
    "CreateSession",
    "ActivateSession",
    "CloseSession",
    "Cancel",
  ],
  program: [
    "AddNodes",
    "AddReferences",
    "DeleteNodes",
    "DeleteReferences",
    "RegisterServer",
    "RegisterServer2",
    "QueryFirst",
    "QueryNext",
    "HistoryRead",
    "HistoryUpdate",
  ],
};

function opcUaMessages({ operation }: Rule): readonly OpcUaMessage[] {
  const services = SERVICES[operation];
  return services === undefined ? [] : [{ protocol: "opcua", services }];
}

function opcUaTagMessages(inventory: Inventory, rule: Rule, tag: Tag): readonly (OpcUaTagMessage | OpcUaCall)[] {
  const services = SERVICES[rule.operation];
  if (services === undefined) return [];
  if (rule.operation === "call") return calls(inventory, services, rule, tag);
  if (tag.opcua === undefined || tag.kind === "method") return [];
  const { nodeId, type } = tag.opcua;
  const value = carriesValue(rule, tag)
    ? { value: typedBoundsOf(type, boundsOf(rule, tag), toleranceOf(tag.range)) }
    : {};
  return [{ protocol: "opcua", services, tag: tag.id, nodeId, attribute: "Value", type, ...value }];
}

function calls(inventory: Inventory, services: readonly string[], rule: Rule, tag: Tag): readonly OpcUaCall[] {
  const common = { protocol: "opcua", services, tag: tag.id } as const;
  if (tag.kind === "method") {
    const { objectId, nodeId, arguments: inputs = [] } = tag.opcua ?? {};
    if (objectId === undefined || nodeId === undefined) return [];
    return [{ ...common, objectId, methodId: nodeId, arguments: inputs }];
  }
  // An argument has no type of its own: whatever number or truth value is given is taken as a double.
  const value = typedBoundsOf("Double", boundsOf(rule, tag), toleranceOf(tag.range));
  return (inventory.argumentsOf.get(tag.id) ?? []).flatMap(({ method, index }): OpcUaCall[] => {
    const { objectId, nodeId } = method.opcua ?? {};
    return objectId === undefined || nodeId === undefined
      ? []
      : [{ ...common, objectId, methodId: nodeId, index, value }];
  });
}
