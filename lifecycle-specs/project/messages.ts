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
  if (rule.operation === "raw") return rule.raw.flatMap((id) => rawMessages(inventory.raw.get(id), protocol));
  if (rule.tags.length === 0) return protocol === "modbus" ? modbusMessages(rule) : opcUaMessages(rule);
  if (protocol === "modbus") return tags.flatMap((tag) => modbusTagMessages(rule, tag));
  return tags.flatMap((tag) => opcUaTagMessages(inventory, rule, tag));
}

function rawMessages(raw: RawFunction | undefined, protocol: Protocol): readonly RawMessage[] {
  if (raw?.protocol !== protocol) return [];
  const { id, length, answer } = raw;
  return [{ protocol, raw: id, code: raw.protocol === "modbus" ? raw.function : raw.service, length, answer }];
}

/** Sub-functions of 08 that only look: echo, diagnostic register, counters. The others restart, silence or clear. §6.8.1 */
export const LOOKING_SUB_FUNCTIONS: readonly number[] = [0, 2, 11, 12, 13, 14, 15, 16, 17, 18];
/** Restart communications, change the delimiter, force listen only, clear counters. §6.8.1 */
const ACTING_SUB_FUNCTIONS: readonly number[] = [1, 3, 4, 10, 20];
/** Read Device Identification; CANopen (13) can write, and nobody looks into it. §6.21 */
const IDENTIFICATION = 14;

/** What the filter takes for looking into a device and for programming it. MODBUS AP V1.1b3 §6.7 to §6.21. */
const DEVICE_MESSAGES: Readonly<Partial<Record<Operation, ModbusMessage>>> = {
  diagnose: {
    protocol: "modbus",
    functions: [7, 8, 11, 12, 17, 24, 43],
    subFunctions: { 8: LOOKING_SUB_FUNCTIONS, 43: [IDENTIFICATION] },
  },
  program: { protocol: "modbus", functions: [8, 20, 21], subFunctions: { 8: ACTING_SUB_FUNCTIONS } },
};

function modbusMessages({ operation }: Rule): readonly ModbusMessage[] {
  const message = DEVICE_MESSAGES[operation];
  return message === undefined ? [] : [message];
}

function modbusTagMessages(rule: Rule, tag: Tag): readonly ModbusTagMessage[] {
  const { modbus } = tag;
  if (modbus === undefined) return [];
  const functions = tagFunctions(rule.operation, modbus);
  if (functions.length === 0) return [];
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
function tagFunctions(operation: Operation, binding: ModbusBinding): readonly number[] {
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
