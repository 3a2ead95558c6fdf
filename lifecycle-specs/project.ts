import type { Layer } from "./decide/observation.ts";
import { isAboutTags } from "./decide/operations.ts";
import type { DeviceId, LinkId, PhaseId, RuleId, StepId, TagId } from "./ids.ts";
import type { CadenceRule, Condition, Lifecycle, Operation, Rule } from "./lifecycle.ts";
import type { Link, ModbusTable, ModbusType, Mode, OpcUaBinding, Plant, Tag } from "./plant.ts";
import { effectiveRules } from "./positions.ts";
import { type Bounds, rawOf, registersOf } from "./raw.ts";

/** One layer's share of the lifecycle as readable data: per phase and step everything that may happen, and nothing else may. */
export interface Projection<Entry = HmiEntry | SwitchEntry | PlcEntry> {
  readonly layer: Layer;
  /** Phases in the order of the file; a phase with steps has one position for each. */
  readonly positions: readonly ProjectedPosition<Entry>[];
}

interface ProjectedPosition<Entry> {
  readonly phase: PhaseId;
  /** null: the phase has no steps. */
  readonly step: StepId | null;
  /** Inherited ones first, then those of the phase, then those of the step. */
  readonly entries: readonly Entry[];
}

interface CommonEntry {
  readonly rule: RuleId;
  readonly mode: Mode;
  readonly safety: boolean;
  readonly cadence?: CadenceRule;
  /** What must hold before. */
  readonly cause?: Condition;
}

/** HMI layer: what may be commanded, in engineering units. */
export interface HmiEntry extends CommonEntry {
  readonly source: DeviceId;
  readonly target: DeviceId;
  readonly operation: Operation;
  /** null: the operation is about the device. */
  readonly tag: TagId | null;
  readonly unit: string;
  readonly value?: Bounds;
}

/** Switch layer: which messages may cross, in the protocol's own terms. */
export interface SwitchEntry extends CommonEntry {
  readonly link: LinkId;
  readonly source: DeviceId;
  readonly target: DeviceId;
  readonly message: ModbusMessage | OpcUaMessage;
}

interface ModbusMessage {
  readonly protocol: "modbus";
  /** Function codes, MODBUS AP V1.1b3 §6. */
  readonly functions: readonly number[];
  readonly unit: number;
  readonly table: ModbusTable;
  /** Zero-based, as on the wire. */
  readonly address: number;
  readonly quantity: number;
  readonly type: ModbusType;
  /** Raw bounds: whole numbers for integer types. */
  readonly raw?: Bounds;
}

interface OpcUaMessage {
  readonly protocol: "opcua";
  /** Services of OPC 10000-4 that carry the operation. */
  readonly services: readonly string[];
  readonly nodeId: string | null;
  readonly attribute: "Value" | null;
  readonly type: OpcUaBinding["type"] | null;
  readonly value?: Bounds;
}

/** PLC layer: which variables may change, whoever changes them, and which outputs the program may set. */
export interface PlcEntry extends CommonEntry {
  readonly device: DeviceId;
  readonly variable: TagId;
  readonly operation: "write" | "output";
  readonly unit: string;
  readonly value: Bounds;
}

export function projectHmi(plant: Plant, lifecycle: Lifecycle): Projection<HmiEntry> {
  return project("hmi", lifecycle, (rule) => (rule.operation === "output" ? [] : hmiEntries(plant, rule)));
}

export function projectSwitch(plant: Plant, lifecycle: Lifecycle): Projection<SwitchEntry> {
  return project("switch", lifecycle, (rule) => (rule.operation === "output" ? [] : switchEntries(plant, rule)));
}

export function projectPlc(plant: Plant, lifecycle: Lifecycle): Projection<PlcEntry> {
  return project("plc", lifecycle, (rule) => plcEntries(plant, rule));
}

function project<Entry>(
  layer: Layer,
  lifecycle: Lifecycle,
  entriesOf: (rule: Rule) => readonly Entry[],
): Projection<Entry> {
  const positions = lifecycle.phases.flatMap((phase) => {
    const steps = phase.steps.length === 0 ? [undefined] : phase.steps;
    return steps.map((step) => ({
      phase: phase.id,
      step: step?.id ?? null,
      entries: effectiveRules(lifecycle, phase, step).flatMap(entriesOf),
    }));
  });
  return { layer, positions };
}

function hmiEntries(plant: Plant, rule: Rule): readonly HmiEntry[] {
  return devicesOf(rule).flatMap((source) =>
    subjectsOf(plant, rule).map(({ target, tag }) => ({
      ...common(rule),
      source,
      target,
      operation: rule.operation,
      tag: tag?.id ?? null,
      unit: tag?.unit ?? "",
      ...boundsIn(rule, tag),
    })),
  );
}

function switchEntries(plant: Plant, rule: Rule): readonly SwitchEntry[] {
  return devicesOf(rule).flatMap((source) =>
    subjectsOf(plant, rule).flatMap(({ target, tag }) =>
      plant.links
        .filter((link) => link.client === source && link.server === target)
        .flatMap((link) => {
          const message = messageOf(link, rule, tag);
          return message === undefined ? [] : [{ ...common(rule), link: link.id, source, target, message }];
        }),
    ),
  );
}

function plcEntries(plant: Plant, rule: Rule): readonly PlcEntry[] {
  const { operation } = rule;
  if (operation !== "write" && operation !== "output") return [];
  return subjectsOf(plant, rule).flatMap(({ target, tag }) =>
    tag === undefined
      ? []
      : [{ ...common(rule), device: target, variable: tag.id, operation, unit: tag.unit, value: boundsOf(rule, tag) }],
  );
}

function messageOf(link: Link, rule: Rule, tag: Tag | undefined): ModbusMessage | OpcUaMessage | undefined {
  if (link.protocol === "opcua") return opcUaMessage(rule, tag);
  if (tag?.modbus === undefined) return undefined;
  const { unit, table, address, type } = tag.modbus;
  const functions = functionsOf(rule.operation, table, registersOf(tag.modbus));
  if (functions.length === 0) return undefined;
  const raw = isWritten(rule) ? { raw: rawOf(tag.modbus, boundsOf(rule, tag)) } : {};
  return { protocol: "modbus", functions, unit, table, address, quantity: registersOf(tag.modbus), type, ...raw };
}

const READ_FUNCTIONS = { coil: [1], "discrete-input": [2], "holding-register": [3], "input-register": [4] } as const;

/** A write of one register (06) would touch only a part of a 32-bit value. */
function functionsOf(operation: Operation, table: ModbusTable, quantity: number): readonly number[] {
  if (operation === "read") return READ_FUNCTIONS[table];
  if (operation !== "write") return [];
  if (table === "coil") return [5, 15];
  if (table === "holding-register") return quantity === 1 ? [6, 16] : [16];
  return [];
}

/** OPC 10000-4 v1.05: §5.6 SecureChannel, §5.7 Session, §5.9 View, §5.11 Attribute, §5.12 Method, §5.13 and §5.14 subscriptions. */
const SERVICES: Readonly<Partial<Record<Operation, readonly string[]>>> = {
  read: ["Read"],
  write: ["Write"],
  call: ["Call"],
  subscribe: ["CreateSubscription", "CreateMonitoredItems", "Publish"],
  browse: ["Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds"],
  session: ["OpenSecureChannel", "CreateSession", "ActivateSession", "CloseSession", "CloseSecureChannel"],
};

function opcUaMessage(rule: Rule, tag: Tag | undefined): OpcUaMessage | undefined {
  const services = SERVICES[rule.operation];
  if (services === undefined) return undefined;
  if (!isAboutTags(rule.operation)) return { protocol: "opcua", services, nodeId: null, attribute: null, type: null };
  if (tag?.opcua === undefined) return undefined;
  const { nodeId, type } = tag.opcua;
  return { protocol: "opcua", services, nodeId, attribute: "Value", type, ...boundsIn(rule, tag) };
}

function common(rule: Rule): CommonEntry {
  const { id, mode, safety, cadence, causality } = rule;
  return {
    rule: id,
    mode,
    safety,
    ...(cadence === undefined || safety ? {} : { cadence }),
    ...(causality === undefined || safety ? {} : { cause: causality.after }),
  };
}

function devicesOf(rule: Rule): readonly DeviceId[] {
  return rule.from.flatMap((source) => (source === "program" ? [] : source));
}

function subjectsOf(plant: Plant, rule: Rule): readonly { target: DeviceId; tag: Tag | undefined }[] {
  if (rule.tags.length === 0) return rule.targets.map((target) => ({ target, tag: undefined }));
  return rule.tags.flatMap((id) => {
    const tag = plant.tags.find((candidate) => candidate.id === id);
    return tag === undefined ? [] : { target: tag.device, tag };
  });
}

function isWritten({ operation, value }: Rule): boolean {
  return operation === "write" || operation === "output" || (operation === "call" && value !== undefined);
}

function boundsIn(rule: Rule, tag: Tag | undefined): { value?: Bounds } {
  return tag !== undefined && isWritten(rule) ? { value: boundsOf(rule, tag) } : {};
}

function boundsOf({ value }: Rule, { range: [low, high] }: Tag): Bounds {
  return {
    min: Math.max(low, value?.min ?? low),
    max: Math.min(high, value?.max ?? high),
    ...(value?.oneOf === undefined ? {} : { oneOf: value.oneOf }),
    ...(value?.maxStep === undefined ? {} : { maxStep: value.maxStep }),
  };
}
