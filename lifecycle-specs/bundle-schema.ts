import type { PackedBundle } from "./bundle.ts";
import {
  type FileRange,
  type FormRule,
  MAX_FILE,
  MAX_FUNCTION,
  MAX_OBJECT,
  MAX_QUANTITY,
  MAX_RECORD,
  MAX_SUB_FUNCTION,
  type ModbusFunction,
  ROLE_NAME,
} from "./form.ts";
import {
  type CadenceRule,
  type CausalityRule,
  type Comparison,
  type Condition,
  type ContainmentChoice,
  LEVELS,
  LOCI,
  type Mask,
  OPERATIONS,
  type Region,
  type Rule,
  type SafeState,
  type StepTransition,
  type Transition,
  type ValueRule,
} from "./lifecycle.ts";
import type { ContainedPhase, OwnPhase, PackedLifecycle, PackedStep } from "./pack.ts";
import {
  type Device,
  type EssentialFunction,
  type Link,
  type ModbusBinding,
  OPCUA_TYPES,
  type OpcUaBinding,
  type Plant,
  type RawFunction,
  type Tag,
  type Zone,
} from "./plant.ts";
import {
  byKey,
  integer,
  list,
  map,
  number,
  optional,
  type Problem,
  pair,
  pattern,
  positive,
  record,
  type Shape,
  text,
  truth,
  variants,
  words,
} from "./shape.ts";

/** The shape of a bundle file's plant and lifecycle. Its projections are not described: they follow from these two. */
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;
const name = <T extends string>(): Shape<T> => pattern<T>(NAME, "is not a name");
const names = <T extends string>(least = 0): Shape<readonly T[]> => list(name<T>(), least);
const says = text(1000);
const ms = integer(0, 30 * 24 * 3_600_000);
const mode = words(["off", "monitor", "enforce"]);
const order = words(["big", "little"]);
/** State names may also be words of other languages and dialects. */
const STATE = /^[^\p{Cc}\p{Cs}]{1,64}$/u;

const modbus = map<ModbusBinding>({
  unit: integer(0, 255),
  table: words(["coil", "discrete-input", "holding-register", "input-register"]),
  address: integer(0, 0xffff),
  type: words(["bool", "uint16", "int16", "uint32", "int32", "float32", "float64"]),
  wordOrder: order,
  byteOrder: order,
  scale: positive,
});

const nodeId = text(4200);
const opcua = map<OpcUaBinding>({
  nodeId,
  type: words(OPCUA_TYPES),
  objectId: optional(nodeId),
  arguments: optional(names()),
});

const tag = map<Tag>({
  id: name(),
  title: says,
  kind: words(["command", "set-point", "measurement", "status", "output", "method", "argument"]),
  device: name(),
  unit: text(32),
  range: pair(number),
  modbus: optional(modbus),
  opcua: optional(opcua),
  states: optional(record(STATE, number)),
  safe: optional(number),
});

const device = map<Device>({
  id: name(),
  title: says,
  role: words(["hmi", "engineering", "historian", "plc", "rtu", "opcua-server", "test"]),
  zone: name(),
  addresses: list(text(64)),
  guard: truth,
});

const link = map<Link>({
  id: name(),
  client: name(),
  server: name(),
  protocol: words(["modbus", "opcua"]),
  mode,
  mirror: truth,
  failOpen: truth,
  opaque: truth,
  tls: optional(truth),
});

const bytes = pair(integer(0, 64 * 1024 * 1024));
const rawCommon = { id: name<RawFunction["id"]>(), says, length: bytes, answer: bytes, changes: truth };
const raw = variants<RawFunction, "protocol">("protocol", {
  modbus: map<Extract<RawFunction, { protocol: "modbus" }>>({
    ...rawCommon,
    protocol: words(["modbus"]),
    function: integer(1, MAX_FUNCTION),
    mei: optional(integer(0, 255)),
  }),
  opcua: map<Extract<RawFunction, { protocol: "opcua" }>>({
    ...rawCommon,
    protocol: words(["opcua"]),
    service: integer(1, 0xffff_ffff),
  }),
});

const plant = map<Plant>({
  id: name(),
  title: says,
  zones: list(map<Zone>({ id: name(), title: says }), 1),
  devices: list(device),
  links: list(link),
  tags: list(tag),
  essential: list(map<EssentialFunction>({ id: name(), says, tags: names() })),
  raw: list(raw),
});

const comparison = map<Comparison>({
  tag: name(),
  test: words(["at-least", "at-most", "is"]),
  value: number,
  release: optional(number),
});

const condition = map<Condition>({ all: list(comparison), forMs: ms, freshMs: optional(ms) });

const value = map<ValueRule>({
  min: optional(number),
  max: optional(number),
  oneOf: optional(list(number)),
  maxStep: optional(number),
  rampPerS: optional(number),
  staleMs: optional(ms),
});

/** A point remembers so many times of a rule. */
const MAX_COUNT = 1000;
const cadence = map<CadenceRule>({
  rate: optional(map({ most: integer(1, MAX_COUNT), perMs: ms })),
  period: optional(map({ everyMs: ms, jitterMs: ms })),
});

const causality = map<CausalityRule>({
  after: optional(condition),
  notWhile: optional(condition),
  follows: optional(map({ rule: name(), withinMs: ms, once: truth })),
  apart: optional(map({ rules: names(), withinMs: ms })),
});

const form = map<FormRule>({
  functions: optional(
    list(map<ModbusFunction>({ code: integer(1, MAX_FUNCTION), sub: optional(integer(0, MAX_SUB_FUNCTION)) }), 1),
  ),
  quantity: optional(integer(1, MAX_QUANTITY)),
  files: optional(
    list(map<FileRange>({ files: pair(integer(1, MAX_FILE)), records: pair(integer(0, MAX_RECORD)) }), 1),
  ),
  objects: optional(list(pair(integer(0, MAX_OBJECT)), 1)),
});

const rule = map<Rule>({
  id: name(),
  says,
  from: names(),
  roles: optional(list(pattern(ROLE_NAME, "is not the name of a role"), 1)),
  operation: words(OPERATIONS),
  targets: names(),
  tags: names(),
  raw: names(),
  form: optional(form),
  value: optional(value),
  cadence: optional(cadence),
  causality: optional(causality),
  mode,
  safety: truth,
});

const stepTransition = variants<StepTransition, "event">("event", {
  condition: map({ to: name(), event: words(["condition"]), when: condition }),
  command: map({ to: name(), event: words(["command"]), rule: name(), outcome: words(["forwarded", "answered-ok"]) }),
  after: map({ to: name(), event: words(["after"]), ms }),
});

const step = map<PackedStep>({
  id: name(),
  says,
  rules: names(),
  next: list(stepTransition),
  minMs: optional(ms),
  maxMs: optional(ms),
});

const exit = {
  to: name<Transition["to"]>(),
  with: names<Transition["to"]>(),
  cleanMs: optional(ms),
  window: names<Rule["id"]>(),
};
type TransitionBy<E extends Transition["event"]> = Extract<Transition, { readonly event: E }>;
const transition = variants<Transition, "event">("event", {
  operator: map<TransitionBy<"operator">>({
    ...exit,
    event: words(["operator"]),
    request: text(128),
    roles: list(words(["viewer", "operator", "engineer", "admin"])),
    persons: words([1, 2]),
    ttlMs: optional(ms),
    when: optional(condition),
  }),
  condition: map<TransitionBy<"condition">>({
    ...exit,
    event: words(["condition"]),
    when: condition,
    withinMs: optional(ms),
  }),
  after: map<TransitionBy<"after">>({
    ...exit,
    event: words(["after"]),
    ms,
    when: optional(condition),
    withinMs: optional(ms),
  }),
});

const ownPhase = map<OwnPhase>({
  id: name(),
  zone: name(),
  says,
  rules: names(),
  steps: list(step),
  initial: optional(name()),
  transitions: list(transition),
  containment: truth,
  because: optional(says),
});

const subject: Shape<Mask["subject"]> = byKey(
  "device",
  map<{ readonly device: Device["id"] }>({ device: name() }),
  map<{ readonly link: Link["id"] }>({ link: name() }),
);
const containedPhase = map<ContainedPhase>({
  id: name(),
  says,
  mask: map<Mask>({ origin: name(), level: words(LEVELS), subject }),
  transitions: list(transition),
  because: optional(says),
});

const region = map<Region>({
  zone: name(),
  initial: name(),
  isolated: name(),
  safe: optional(map<SafeState>({ phase: name(), withinMs: ms })),
});

const containment = map<ContainmentChoice>({
  from: names(),
  locus: list(words(LOCI)),
  tags: optional(names()),
  to: name(),
  says,
});

const lifecycle = map<PackedLifecycle>({
  plant: name(),
  version: integer(0, Number.MAX_SAFE_INTEGER),
  regions: list(region, 1),
  leaseMs: ms,
  skewMs: ms,
  changeMs: ms,
  everywhere: names(),
  rules: list(rule),
  phases: list(byKey("mask", containedPhase, ownPhase)),
  containments: list(containment),
});

const core = map<Omit<PackedBundle, "projections">>({
  schema: words(["sekisho-bundle/2"]),
  id: pattern(/^[0-9a-f]{64}$/, "is not a SHA-256 hash in hex"),
  plant,
  lifecycle,
});

/** Whether a value is a packed bundle without its projections; if not, the first place and what is wrong there. */
export function shapeProblem(given: unknown): Problem | undefined {
  return core.problem(given);
}
