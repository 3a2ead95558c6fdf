import type {
  Detection,
  ProposalView,
  SnapshotMessage,
  StateDelta,
  ToPage,
  VerdictView,
} from "#coordinator/page-messages.ts";
import { NORMAL, PLANT, pointView, readings, START_REAL_MS } from "./water-treatment-view.ts";

// A session as the coordinator sends it: ten quiet minutes in `normal`, then a compromised operator station raises the dose.

const ATTACK_MS = 603_500;

function wave(atMs: number, period: number, size: number): number {
  return size * Math.sin(atMs / period);
}

function trend(): NonNullable<SnapshotMessage["trend"]> {
  const rows = (value: (t: number) => number): [number, number][] =>
    Array.from({ length: 590 }, (_, i) => [10_000 + i * 1000, value(10_000 + i * 1000)]);
  const since = (t: number, start: number, ramp: number): number => Math.min(1, Math.max(0, (t - start) / ramp));
  return {
    LIT101: rows((t) => 1.5 * since(t, 0, 90_000) + wave(t, 23_000, 0.03)),
    LIT401: rows((t) => 0.7 + 0.68 * since(t, 60_000, 260_000) + wave(t, 41_000, 0.02)),
    FIT101: rows((t) => 10 * since(t, 60_000, 5_000) + 20 * since(t, 130_000, 60_000) + wave(t, 5_000, 0.3)),
    FIT401: rows((t) => 28 * since(t, 160_000, 50_000) + wave(t, 7_000, 0.25)),
    AIT201: rows((t) => 1.98 * since(t, 95_000, 20_000) + wave(t, 9_000, 0.04)),
    AIT401: rows((t) => 1.7 * since(t, 120_000, 200_000) + wave(t, 13_000, 0.02)),
  };
}

export function verdict(seq: number, atMs: number, more: Partial<VerdictView> = {}): VerdictView {
  return {
    point: "switch-filter",
    layer: "switch",
    seq,
    atMs,
    source: "hmi-1",
    sourceAddress: "127.10.1.11:40112",
    target: "plc-1",
    operation: "write",
    message: "Write Single Register (06)",
    items: [{ tag: "FIC101.SP", address: "unit 1 holding register 0", value: 30 }],
    verdict: "allow",
    rule: "nm-feed-sp",
    reason: null,
    says: "",
    action: "forwarded",
    ...more,
  };
}

const LAYERS_DOWN = [
  ["hmi-monitor", "hmi"],
  ["switch-filter", "switch"],
  ["guard-plc-1", "plc"],
] as const;

/** One allowed command, as each layer saw it; newest first. */
function allowed(seq: number, atMs: number, more: Partial<VerdictView>): VerdictView[] {
  return LAYERS_DOWN.map(([point, layer], i) => verdict(seq, atMs + i * 40, { point, layer, ...more })).toReversed();
}

const BEFORE: readonly VerdictView[] = [
  ...allowed(70, 588_000, { items: [{ tag: "FIC101.SP", address: "unit 1 holding register 0", value: 30 }] }),
  ...allowed(69, 552_500, {
    target: "plc-2",
    rule: "nm-dist-sp",
    message: "WriteRequest",
    items: [{ tag: "FIC401.SP", address: "ns=1;s=FIC401.SP", value: 28 }],
  }),
  ...allowed(68, 497_000, {
    rule: "nm-dose-sp",
    items: [{ tag: "DOS201.SP", address: "unit 1 holding register 1", value: 2 }],
  }),
  ...allowed(67, 451_500, {
    rule: "nm-level-sp",
    items: [{ tag: "LIT101.SP", address: "unit 1 holding register 2", value: 1.5 }],
  }),
];

const OVERDOSE = { tag: "DOS201.SP", address: "unit 1 holding register 1", value: 8.2 };
const TOO_HIGH = "DOS201.SP 8.2 mg/L is above 3 mg/L (nm-dose-sp)";
const denied = {
  verdict: "deny",
  rule: "nm-dose-sp",
  reason: "VALUE_ABOVE",
  says: TOO_HIGH,
  items: [OVERDOSE],
} as const;

export const DETECTION: Detection = {
  id: "d-1",
  atMs: ATTACK_MS,
  lastMs: ATTACK_MS,
  count: 1,
  judgedMs: ATTACK_MS + 400,
  realMs: START_REAL_MS + 3500,
  severity: "alarm",
  locus: ["hmi"],
  confidence: 1,
  says: "The operator station asked for a dose of 8.2 mg/L; at most 3 mg/L is allowed in normal",
  row: "violating-at-hmi",
  sight: { hmi: "seen-violating", switch: "seen-violating", plc: "not-seen" },
  reason: "VALUE_ABOVE",
  rule: "nm-dose-sp",
  tags: ["DOS201.SP"],
  source: "hmi-1",
  target: "plc-1",
  phase: "normal",
  epoch: 2,
  blocked: true,
  evidence: [
    {
      point: "hmi-monitor",
      layer: "hmi",
      seq: 71,
      atMs: ATTACK_MS,
      says: `Write Single Register (06) DOS201.SP = 8.2 from 127.10.1.11:40112: denied, ${TOO_HIGH}`,
    },
    {
      point: "switch-filter",
      layer: "switch",
      seq: 71,
      atMs: ATTACK_MS + 40,
      says: `Write Single Register (06) DOS201.SP = 8.2 from 127.10.1.11:40112: denied and blocked, ${TOO_HIGH}`,
    },
  ],
  technique: "T0836",
  containment: "degraded.hmi-quarantined",
};

const PROPOSAL: ProposalView = {
  id: "p-1",
  atMs: ATTACK_MS + 100,
  to: "degraded.hmi-quarantined",
  toSays: "The operator station may look but not touch; the PLCs hold their set-points.",
  says: "The operator station is suspect; it may look but not touch.",
  detections: ["d-1"],
  state: "proposed",
  takable: true,
  whyNot: "",
  roles: ["operator", "engineer"],
};

export const SNAPSHOT: SnapshotMessage = {
  kind: "snapshot",
  seq: 1,
  plant: PLANT,
  state: NORMAL,
  realMs: START_REAL_MS,
  verdicts: BEFORE,
  trend: trend(),
};

function delta(seq: number, changed: StateDelta["changed"], atMs: number): StateDelta {
  return { kind: "state", seq, changed: { atMs, ...changed }, realMs: START_REAL_MS + atMs - 600_000 };
}

/** From quiet to a proposed containment. */
export const ATTACK: readonly ToPage[] = [
  delta(2, { tags: readings(601_000, { FIT101: 30.1 }) }, 601_000),
  delta(3, { tags: readings(602_000, { FIT101: 29.9, LIT101: 1.511 }) }, 602_000),
  {
    kind: "verdicts",
    seq: 4,
    verdicts: [
      verdict(71, ATTACK_MS + 40, { ...denied, action: "blocked" }),
      verdict(71, ATTACK_MS, { point: "hmi-monitor", layer: "hmi", ...denied, action: "forwarded" }),
    ],
    omitted: 0,
  },
  { kind: "detection", seq: 5, detection: DETECTION },
  delta(
    6,
    {
      proposals: [PROPOSAL],
      points: [
        pointView("hmi-monitor", "hmi", { mode: "monitor", judged: 4190, denied: 1, seenRealMs: START_REAL_MS + 4000 }),
        pointView("switch-filter", "switch", { judged: 4190, denied: 1, seenRealMs: START_REAL_MS + 4000 }),
        pointView("guard-plc-1", "plc", { judged: 6031, seenRealMs: START_REAL_MS + 4000 }),
        pointView("guard-plc-2", "plc", { judged: 6030, seenRealMs: START_REAL_MS + 4000 }),
      ],
      tags: readings(604_000),
      counts: { receipts: 216, denied: 2, detections: 1 },
    },
    604_000,
  ),
];

/** The containment was approved: emergency change, then the degraded phase with what the way back still lacks. */
export const CONTAINED: readonly ToPage[] = [
  delta(
    7,
    {
      changing: {
        change: "c-3",
        from: "normal",
        to: "degraded.hmi-quarantined",
        epoch: 3,
        emergency: true,
        stage: "take",
        waitingFor: ["guard-plc-2"],
      },
    },
    606_000,
  ),
  delta(
    8,
    {
      changing: null,
      phase: "degraded.hmi-quarantined",
      phaseSays: PROPOSAL.toSays,
      steps: [],
      epoch: 3,
      sinceMs: 606_200,
      proposals: [{ ...PROPOSAL, state: "taken", decidedBy: "anna (operator)" }],
      requests: [
        {
          request: "return-to-normal",
          to: "recovery.verify",
          toSays: "Nothing may be written while readings are checked.",
          roles: ["operator"],
          persons: 1,
          missing: ["No new detection for 5 s; the last one was 3 s ago."],
        },
        {
          request: "stop",
          to: "shutdown",
          toSays: "The plant is brought to a standstill.",
          roles: ["operator"],
          persons: 1,
          missing: [],
        },
      ],
      points: [
        pointView("hmi-monitor", "hmi", {
          mode: "monitor",
          phase: "degraded.hmi-quarantined",
          steps: [],
          epoch: 3,
          seenRealMs: START_REAL_MS + 6500,
        }),
        pointView("switch-filter", "switch", {
          phase: "degraded.hmi-quarantined",
          steps: [],
          epoch: 3,
          seenRealMs: START_REAL_MS + 6500,
        }),
        pointView("guard-plc-1", "plc", {
          phase: "degraded.hmi-quarantined",
          steps: [],
          epoch: 3,
          seenRealMs: START_REAL_MS + 6500,
        }),
        pointView("guard-plc-2", "plc", {
          health: "silent",
          says: "no heartbeat for 1.6 s",
          agrees: false,
          seenRealMs: START_REAL_MS + 4800,
        }),
      ],
      history: [
        {
          atMs: 606_200,
          from: "normal",
          to: "degraded.hmi-quarantined",
          epoch: 3,
          emergency: true,
          cause: "detection d-1",
          outcome: "done",
          says: "",
        },
        ...NORMAL.history,
      ],
      tags: readings(606_500),
    },
    606_500,
  ),
];
