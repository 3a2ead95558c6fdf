import { DeviceId, LinkId, PhaseId, PlantId, RawId, RuleId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Condition, Lifecycle, Mask, Phase, Rule } from "#specs/lifecycle.ts";
import { containedPhaseId } from "#specs/mask.ts";
import type { Device, Link, ModbusBinding, Plant, Tag } from "#specs/plant.ts";

// One of everything that the types can say: two zones, both protocols, every operation, every limit, every kind of way out.

const [works, power] = [ZoneId("works"), ZoneId("power")];
const [hmi, ews, plc, ua] = [DeviceId("hmi-1"), DeviceId("ews-1"), DeviceId("plc-1"), DeviceId("ua-1")];
const device = (id: DeviceId, role: Device["role"], zone: ZoneId, addresses: readonly string[]): Device => ({
  id,
  title: `Device ${id}`,
  role,
  zone,
  addresses,
  guard: role === "plc",
});
const link = (id: string, client: DeviceId, server: DeviceId, over: Partial<Link>): Link => ({
  ...{ id: LinkId(id), client, server, protocol: "modbus", mode: "enforce" },
  ...{ mirror: true, failOpen: false, opaque: false },
  ...over,
});
const modbus = (table: ModbusBinding["table"], address: number, over: Partial<ModbusBinding> = {}): ModbusBinding => ({
  ...{ unit: 1, table, address, type: table === "coil" ? "bool" : "uint16" },
  ...{ wordOrder: "big", byteOrder: "big", scale: 1 },
  ...over,
});
const tag = (id: string, kind: Tag["kind"], over: Partial<Tag>): Tag => ({
  ...{ id: TagId(id), title: `Tag ${id}`, kind, device: plc, unit: "", range: [0, 1] },
  ...over,
});

export const PLANT: Plant = {
  id: PlantId("everything"),
  title: "One of everything – Ünïcode “quotes” and a \\ backslash",
  zones: [
    { id: works, title: "Works" },
    { id: power, title: "Power" },
  ],
  devices: [
    device(hmi, "hmi", works, ["10.0.0.1", "127.0.0.1:21000-21099"]),
    device(ews, "engineering", works, ["10.0.0.2"]),
    device(plc, "plc", works, ["10.0.1.1", "10.0.1.2:1502-1502"]),
    device(ua, "opcua-server", power, ["10.0.2.1"]),
  ],
  links: [
    link("hmi-plc", hmi, plc, {}),
    link("ews-plc", ews, plc, { mode: "monitor", failOpen: true, tls: true }),
    link("hmi-ua", hmi, ua, { protocol: "opcua", mirror: false }),
    link("ews-ua", ews, ua, { protocol: "opcua", opaque: true }),
  ],
  tags: [
    tag("PUMP", "command", { modbus: modbus("coil", 0) }),
    tag("FLOW", "set-point", {
      unit: "m³/h",
      range: [0, 60],
      modbus: modbus("holding-register", 0, { scale: 0.1, byteOrder: "little" }),
    }),
    tag("TOTAL", "set-point", {
      unit: "L",
      range: [0, 100_000],
      modbus: modbus("holding-register", 1, { type: "float32", wordOrder: "little" }),
    }),
    tag("MASS", "set-point", {
      unit: "kg",
      range: [-5, 5],
      modbus: modbus("holding-register", 3, { type: "float64" }),
    }),
    tag("COUNT", "set-point", { range: [0, 5_000_000], modbus: modbus("holding-register", 7, { type: "uint32" }) }),
    tag("LEVEL", "measurement", { unit: "m", range: [0, 3], modbus: modbus("input-register", 0, { scale: 0.001 }) }),
    tag("MODE", "status", {
      range: [0, 17],
      modbus: modbus("input-register", 1),
      states: { idle: 4, execute: 6, "hand betrieb": 17 },
    }),
    tag("PUMP.OUT", "output", { unit: "%", range: [0, 100], safe: 0 }),
    tag("HEAT", "set-point", {
      device: ua,
      unit: "°C",
      range: [0, 90],
      opcua: { nodeId: "ns=1;s=HEAT", type: "Double" },
    }),
    tag("TURNS", "set-point", { device: ua, range: [0, 300], opcua: { nodeId: "ns=1;i=7", type: "Int16" } }),
    tag("PURGE", "method", {
      device: ua,
      opcua: {
        nodeId: "ns=1;s=Purge",
        type: "Boolean",
        objectId: "ns=1;s=Burner",
        arguments: [TagId("PURGE.T"), TagId("PURGE.ALL")],
      },
    }),
    tag("PURGE.T", "argument", { device: ua, unit: "s", range: [0, 600] }),
    tag("PURGE.ALL", "argument", { device: ua }),
  ],
  essential: [{ id: "hold-level", says: "The tank keeps its level.", tags: [TagId("PUMP"), TagId("LEVEL")] }],
  raw: [
    {
      ...{ id: RawId("vendor-clock"), says: "Sets the clock.", protocol: "modbus", function: 100 },
      ...{ length: [0, 10], answer: [0, 12], changes: false },
    },
    {
      ...{ id: RawId("canopen"), says: "Reaches into drives.", protocol: "modbus", function: 43, mei: 13 },
      ...{ length: [2, 60], answer: [2, 60], changes: true },
    },
    {
      ...{ id: RawId("query"), says: "Asks for much.", protocol: "opcua", service: 615 },
      ...{ length: [4, 400], answer: [0, 4000], changes: true },
    },
  ],
};

const level = (atLeast: number, over: Partial<Condition> = {}): Condition => ({
  all: [{ tag: TagId("LEVEL"), test: "at-least", value: atLeast }],
  forMs: 0,
  ...over,
});
const rule = (id: string, operation: Rule["operation"], over: Partial<Rule>): Rule => ({
  id: RuleId(id),
  says: `Rule ${id}.`,
  from: [hmi],
  operation,
  targets: [plc],
  tags: [],
  raw: [],
  mode: "enforce",
  safety: false,
  ...over,
});

const R = {
  stop: rule("stop", "write", {
    tags: [TagId("PUMP")],
    value: { oneOf: [0] },
    cadence: { rate: { most: 3, perMs: 1000 } },
    safety: true,
  }),
  reads: rule("reads", "read", {
    from: [hmi, ews],
    tags: ["PUMP", "FLOW", "TOTAL", "MASS", "COUNT", "LEVEL"].map(TagId),
    form: { quantity: 5 },
  }),
  told: rule("told", "report", {
    ...{ from: [plc], targets: [hmi], tags: [TagId("LEVEL")], mode: "monitor" },
    value: { min: 0.1, maxStep: 0.5, staleMs: 60_000 },
  }),
  flow: rule("flow", "write", {
    tags: [TagId("FLOW")],
    value: { min: 5, max: 40, maxStep: 5, rampPerS: 2.5 },
    cadence: { rate: { most: 2, perMs: 5000 }, period: { everyMs: 1000, jitterMs: 200 } },
    causality: {
      after: level(1.2, { forMs: 3000, freshMs: 10_000 }),
      notWhile: { all: [{ tag: TagId("MODE"), test: "is", value: 6 }], forMs: 500 },
      follows: { rule: RuleId("start"), withinMs: 60_000, once: true, select: true },
      apart: { rules: [RuleId("total"), RuleId("count")], withinMs: 2000 },
    },
  }),
  start: rule("start", "write", { tags: [TagId("PUMP")] }),
  total: rule("total", "write", {
    tags: [TagId("TOTAL")],
    form: { functions: [{ code: 16 }] },
    value: { min: 100, max: 5000.3 },
  }),
  mass: rule("mass", "write", {
    from: [ews],
    roles: ["engineer", "tester"],
    tags: [TagId("MASS")],
    value: { max: 2.5 },
    mode: "off",
  }),
  count: rule("count", "write", { tags: [TagId("COUNT")], value: { oneOf: [7, 70_000] } }),
  output: rule("output", "output", {
    from: ["program"],
    tags: [TagId("PUMP.OUT")],
    causality: { after: { all: [{ tag: TagId("LEVEL"), test: "at-most", value: 2.5, release: 2.8 }], forMs: 0 } },
  }),
  clock: rule("clock", "raw", { from: [ews], raw: [RawId("vendor-clock")] }),
  look: rule("look", "diagnose", { from: [ews] }),
  load: rule("load", "program", { from: [ews] }),
  drives: rule("drives", "raw", { from: [ews], raw: [RawId("canopen")] }),
  echo: rule("echo", "diagnose", { form: { functions: [{ code: 8, sub: 0 }, { code: 17 }] } }),
  plate: rule("plate", "diagnose", {
    form: {
      objects: [
        [0, 2],
        [128, 128],
      ],
    },
  }),
  files: rule("files", "read", { form: { quantity: 20, files: [{ files: [4, 4], records: [0, 99] }] } }),
  recipes: rule("recipes", "program", { form: { files: [{ files: [4, 9], records: [0, 9999] }] } }),
  session: rule("session", "session", { targets: [ua] }),
  around: rule("around", "browse", { targets: [ua] }),
  watch: rule("watch", "subscribe", { targets: [ua], tags: [TagId("HEAT"), TagId("TURNS")] }),
  heat: rule("heat", "write", { targets: [ua], tags: [TagId("HEAT"), TagId("TURNS")], value: { min: 9.5, max: 60 } }),
  purge: rule("purge", "call", {
    targets: [ua],
    tags: ["PURGE", "PURGE.T", "PURGE.ALL"].map(TagId),
    value: { max: 1 },
  }),
  query: rule("query", "raw", { targets: [ua], raw: [RawId("query")] }),
};

/** Every rule by its name. */
export const RULES: Readonly<Record<keyof typeof R, Rule>> = R;

const off: Phase = {
  id: PhaseId("works.off"),
  zone: works,
  says: "Everything is off.",
  rules: [R.start],
  steps: [],
  transitions: [
    {
      ...{ to: PhaseId("works.run"), with: [PhaseId("power.on")], window: [R.flow.id], cleanMs: 5000 },
      ...{ event: "operator", request: "start", roles: ["operator", "engineer"], persons: 2, ttlMs: 60_000 },
      when: level(0.5),
    },
  ],
  containment: false,
};

const run: Phase = {
  id: PhaseId("works.run"),
  zone: works,
  says: "The tank is filled, then kept.",
  rules: [R.flow, R.output, R.clock],
  steps: [
    {
      id: StepId("fill"),
      says: "The tank is filled.",
      rules: [R.start, R.total],
      next: [
        { to: StepId("keep"), event: "condition", when: level(2, { forMs: 1000 }) },
        { to: StepId("keep"), event: "command", rule: R.total.id, outcome: "forwarded" },
      ],
      minMs: 1000,
      maxMs: 600_000,
    },
    {
      id: StepId("keep"),
      says: "The level is kept.",
      rules: [R.mass, R.count],
      next: [
        { to: StepId("fill"), event: "after", ms: 30_000 },
        { to: StepId("fill"), event: "command", rule: R.start.id, outcome: "answered-ok" },
      ],
    },
  ],
  initial: StepId("fill"),
  transitions: [
    {
      ...{ to: off.id, with: [], window: [] },
      ...{ event: "condition", when: { all: [{ tag: TagId("LEVEL"), test: "at-most", value: 0.1 }], forMs: 2000 } },
      withinMs: 90_000,
    },
    { to: off.id, with: [], window: [], event: "after", ms: 3_600_000, when: level(0), withinMs: 1000 },
  ],
  containment: false,
  because: "It is a test plant.",
};

const service: Phase = {
  id: PhaseId("works.limited.service"),
  zone: works,
  says: "The engineering workstation looks.",
  rules: [R.look, R.load, R.drives, R.echo, R.plate, R.files, R.recipes],
  steps: [],
  transitions: [
    { to: off.id, with: [], window: [], event: "operator", request: "end", roles: ["admin", "viewer"], persons: 1 },
  ],
  containment: true,
};

const on: Phase = {
  id: PhaseId("power.on"),
  zone: power,
  says: "There is power.",
  rules: [R.session, R.around, R.watch, R.heat, R.purge, R.query],
  steps: [],
  transitions: [],
  containment: false,
};

const contained = (origin: Phase, level: Mask["level"], subject: Mask["subject"]): Phase => {
  const mask: Mask = { origin: origin.id, level, subject };
  return {
    ...origin,
    id: containedPhaseId(`${origin.zone}.`, mask),
    says: `${origin.says} The subject is held to ${level}.`,
    transitions: [
      {
        ...{ to: origin.id, with: [], window: [] },
        ...{ event: "operator", request: "lift-containment", roles: ["operator"], persons: 1 },
      },
    ],
    containment: true,
    mask,
  };
};

const masks = [
  contained(run, "read-only", { device: hmi }),
  contained(run, "quarantine", { device: plc }),
  contained(run, "cut", { link: LinkId("ews-plc") }),
  contained(run, "rate-limit", { device: hmi }),
  contained(on, "cut", { device: ews }),
  contained(on, "observe", { device: hmi }),
];

export const LIFECYCLE: Lifecycle = {
  plant: PLANT.id,
  version: 7,
  regions: [
    { zone: works, initial: off.id, isolated: service.id, safe: { phase: off.id, withinMs: 60_000 } },
    { zone: power, initial: on.id, isolated: on.id },
  ],
  leaseMs: 10_000,
  skewMs: 100,
  changeMs: 5000,
  mirrorDelayMs: 1000,
  rules: [R.stop, R.reads, R.told],
  phases: [off, run, service, on, ...masks],
  containments: [
    ...masks.map(({ id, mask }) => ({
      from: mask === undefined ? [] : [mask.origin],
      locus: ["hmi", "path-hmi-switch"] as const,
      to: id,
      says: "The operator station is suspect.",
    })),
    {
      from: [run.id],
      locus: ["unknown-device"],
      tags: [TagId("FLOW")],
      to: service.id,
      says: "The flow was reached for.",
    },
  ],
};
