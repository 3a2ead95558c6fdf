import type { PhaseInfo, PlantView, PointView, RuleInfo, StateView, TagInfo } from "#coordinator/page-messages.ts";

// The water-treatment plant as the coordinator describes it to the page, cut to what the page shows.

const tag = (id: string, title: string, kind: TagInfo["kind"], unit = "", high = 1): TagInfo => {
  const device = /^(P401|BW301|V301|FIC401|LIT401|FIT401|AIT401|PDT301|ESTOP2)/.test(id) ? "plc-2" : "plc-1";
  return { id, title, kind, device, unit, low: 0, high };
};

const writes = (id: string, says: string, tags: readonly string[], safety = false, from = ["hmi-1"]): RuleInfo => ({
  id,
  says,
  from,
  operation: "write",
  tags,
  safety,
});

type Way = PhaseInfo["transitions"][number];
const asked = (request: string, to: string): Way => ({ to, event: "operator", says: `request ${request}`, request });
const seen = (to: string, says: string): Way => ({ to, event: "condition", says });
const stop = asked("stop", "shutdown");

function phase(
  id: string,
  says: string,
  transitions: readonly Way[],
  rules: readonly RuleInfo[] = [],
  steps: PhaseInfo["steps"] = [],
): PhaseInfo {
  return { id, says, containment: id.startsWith("degraded."), rules, steps, transitions };
}

const back = [asked("return-to-normal", "recovery.verify"), stop];
const feed = writes(
  "nm-feed-sp",
  "The operator may set the feed flow between 20 and 40 m³/h in steps of 5 m³/h at most.",
  ["FIC101.SP"],
);
const dose = writes("nm-dose-sp", "The operator may set the dose between 1 and 3 mg/L in steps of 0.5 mg/L at most.", [
  "DOS201.SP",
]);
const level = writes(
  "nm-level-sp",
  "The operator may set the raw-water level between 1.0 and 2.0 m in steps of 0.5 m at most.",
  ["LIT101.SP"],
);
const dist = writes(
  "nm-dist-sp",
  "The operator may set the distribution flow between 15 and 45 m³/h in steps of 5 m³/h at most.",
  ["FIC401.SP"],
);

export const PLANT: PlantView = {
  id: "water-treatment",
  title: "Water treatment, 30 m³/h",
  zone: "works",
  zoneTitle: "Raw water to distribution",
  bundle: "5b1f0a9c77d14e02",
  version: 1,
  initial: "stopped",
  isolated: "degraded.local-control",
  devices: [
    { id: "hmi-1", title: "Operator station", role: "hmi", addresses: ["127.10.1.11"] },
    { id: "ews-1", title: "Engineering workstation", role: "engineering", addresses: ["127.10.1.21"] },
    { id: "plc-1", title: "Raw water and dosing", role: "plc", addresses: ["127.10.2.1"] },
    { id: "plc-2", title: "Filtration and distribution", role: "plc", addresses: ["127.10.2.2"] },
  ],
  links: [
    { id: "hmi-plc1", client: "hmi-1", server: "plc-1", protocol: "modbus", mode: "enforce" },
    { id: "hmi-plc2", client: "hmi-1", server: "plc-2", protocol: "modbus", mode: "enforce" },
    { id: "hmi-plc2-ua", client: "hmi-1", server: "plc-2", protocol: "opcua", mode: "enforce" },
  ],
  tags: [
    tag("ESTOP1", "emergency stop of PLC 1", "command"),
    tag("ESTOP2", "emergency stop of PLC 2", "command"),
    tag("BW301.CMD", "backwash start", "command"),
    tag("FIC101.SP", "feed flow set-point", "set-point", "m³/h", 60),
    tag("DOS201.SP", "chlorine dose set-point", "set-point", "mg/L", 10),
    tag("LIT101.SP", "raw-water level set-point", "set-point", "m", 3),
    tag("FIC401.SP", "distribution flow set-point", "set-point", "m³/h", 60),
    tag("LIT101", "raw-water level", "measurement", "m", 3),
    tag("FIT101", "feed flow", "measurement", "m³/h", 80),
    tag("AIT201", "chlorine after dosing", "measurement", "mg/L", 20),
    tag("PDT301", "filter head loss", "measurement", "kPa", 200),
    tag("LIT401", "clean-water level", "measurement", "m", 2.8),
    tag("FIT401", "distribution flow", "measurement", "m³/h", 80),
    tag("AIT401", "chlorine in clean water", "measurement", "mg/L", 20),
    tag("MV101.OPEN", "inlet valve open", "status"),
    tag("P101.RUN", "feed pump running", "status"),
    tag("P201.RUN", "dosing pump running", "status"),
    tag("P401.RUN", "distribution pump running", "status"),
    tag("BW301.ACTIVE", "backwash in progress", "status"),
    tag("V301.OPEN", "filter drain valve open", "status"),
  ],
  essential: [{ id: "deliver-water", says: "Clean water is delivered to the network", tags: ["FIC401.SP"] }],
  rules: [writes("estop", "The operator station may stop either PLC at any time.", ["ESTOP1", "ESTOP2"], true)],
  phases: [
    phase("stopped", "Everything is off and closed.", [asked("start", "startup"), asked("maintain", "maintenance")]),
    phase(
      "startup",
      "The plant is filled and brought to its working flow.",
      [seen("normal", "when FIT101 at least 26 m³/h and FIT401 at least 20 m³/h, for 3 s"), stop],
      [],
      [
        { id: "fill", says: "The raw-water tank is filled.", rules: [] },
        { id: "prime", says: "The feed pump is started at low flow.", rules: [] },
        { id: "dose-check", says: "Dosing is started and its effect is checked.", rules: [] },
        { id: "ramp", says: "Feed and distribution are brought to the working flow.", rules: [] },
      ],
    ),
    phase(
      "normal",
      "Water is produced, and the filter is backwashed from time to time.",
      [
        stop,
        asked("quarantine-hmi", "degraded.hmi-quarantined"),
        asked("hold-dosing", "degraded.dosing-held"),
        asked("local-control", "degraded.local-control"),
      ],
      [feed, dose, level, dist],
      [
        {
          id: "produce",
          says: "Water is filtered, dosed and delivered.",
          rules: [
            writes("produce-backwash", "The operator may start a backwash when the filter has clogged.", ["BW301.CMD"]),
          ],
        },
        {
          id: "backwash",
          says: "The filter is washed with clean water; distribution goes on from the tank.",
          rules: [],
        },
      ],
    ),
    phase(
      "degraded.hmi-quarantined",
      "The operator station may look but not touch; the PLCs hold their set-points.",
      back,
    ),
    phase(
      "degraded.dosing-held",
      "The dose stays where it is; flows may still be adjusted from the operator station.",
      back,
      [feed, dist],
    ),
    phase(
      "degraded.local-control",
      "Nobody writes over the network; the PLCs keep the plant running by themselves.",
      back,
    ),
    phase("recovery.verify", "Nothing may be written while readings are checked.", [
      seen("recovery.probation", "when levels and chlorine are plausible, for 3 s"),
      stop,
    ]),
    phase(
      "recovery.probation",
      "The operator station may make small changes, one at a time.",
      [{ to: "normal", event: "after", says: "after 10 s" }, stop],
      [feed, dose, dist],
    ),
    phase("shutdown", "The plant is brought to a standstill.", [
      seen("stopped", "when all pumps are off and the inlet is closed, for 2 s"),
    ]),
    phase("maintenance", "The engineering workstation tests devices one by one.", [
      asked("end-maintenance", "stopped"),
    ]),
  ],
};

export const START_REAL_MS = 1_760_000_000_000;

export function pointView(point: string, layer: PointView["layer"], more: Partial<PointView> = {}): PointView {
  return {
    point,
    layer,
    health: "up",
    says: "",
    mode: "enforce",
    phase: "normal",
    steps: ["produce"],
    epoch: 2,
    agrees: true,
    judged: 4182,
    denied: 0,
    lost: 0,
    judgedUpToMs: 600_000,
    seenRealMs: START_REAL_MS,
    expected: true,
    ...more,
  };
}

const VALUES: Readonly<Record<string, number>> = {
  "FIC101.SP": 30,
  "DOS201.SP": 2,
  "LIT101.SP": 1.5,
  "FIC401.SP": 28,
  LIT101: 1.514,
  FIT101: 30.2,
  AIT201: 1.98,
  PDT301: 14.6,
  LIT401: 1.382,
  FIT401: 28.1,
  AIT401: 1.71,
  "MV101.OPEN": 1,
  "P101.RUN": 1,
  "P201.RUN": 1,
  "P401.RUN": 1,
  "BW301.ACTIVE": 0,
  "V301.OPEN": 0,
};

export function readings(atMs: number, changed: Readonly<Record<string, number>> = {}): StateView["tags"] {
  return Object.fromEntries(Object.entries({ ...VALUES, ...changed }).map(([id, value]) => [id, { value, atMs }]));
}

export const NORMAL: StateView = {
  atMs: 600_000,
  standing: "running",
  phase: "normal",
  phaseSays: "Water is produced, and the filter is backwashed from time to time.",
  steps: ["produce"],
  epoch: 2,
  sinceMs: 215_000,
  changing: null,
  mode: "enforce",
  policy: "propose",
  points: [
    pointView("hmi-monitor", "hmi", { mode: "monitor" }),
    pointView("switch-filter", "switch"),
    pointView("guard-plc-1", "plc"),
    pointView("guard-plc-2", "plc"),
  ],
  detections: [],
  proposals: [],
  tags: readings(600_000),
  onward: [],
  requests: [
    {
      request: "stop",
      to: "shutdown",
      toSays: "The plant is brought to a standstill.",
      roles: ["operator"],
      persons: 1,
      missing: [],
    },
    {
      request: "quarantine-hmi",
      to: "degraded.hmi-quarantined",
      toSays: "The operator station may look but not touch; the PLCs hold their set-points.",
      roles: ["operator", "engineer"],
      persons: 1,
      missing: [],
    },
    {
      request: "hold-dosing",
      to: "degraded.dosing-held",
      toSays: "The dose stays where it is; flows may still be adjusted from the operator station.",
      roles: ["operator", "engineer"],
      persons: 1,
      missing: [],
    },
    {
      request: "local-control",
      to: "degraded.local-control",
      toSays: "Nobody writes over the network; the PLCs keep the plant running by themselves.",
      roles: ["operator", "engineer"],
      persons: 1,
      missing: [],
    },
  ],
  candidates: [],
  history: [
    {
      atMs: 215_000,
      from: "startup",
      to: "normal",
      epoch: 2,
      emergency: false,
      cause: "condition",
      outcome: "done",
      says: "",
    },
    {
      atMs: 4_000,
      from: "stopped",
      to: "startup",
      epoch: 1,
      emergency: false,
      cause: "request start by anna (operator)",
      outcome: "done",
      says: "",
    },
  ],
  counts: { receipts: 214, denied: 0, detections: 0 },
};
