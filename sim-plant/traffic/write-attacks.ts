import type { TagId } from "#specs/ids.ts";
import { between, type Random } from "../random.ts";

/** What an attacker writes. Known addresses are those of declared devices; `rogue` is none of them. */
export interface AttackWrite {
  readonly from: "hmi-1" | "ews-1" | "plc-1" | "rogue";
  /** Ms after the write before it. */
  readonly afterMs: number;
  readonly form:
    | { readonly kind: "tag"; readonly tag: string; readonly value: number; readonly by: "modbus" | "opcua" }
    /** Function 16 from a holding register of PLC 1 on, raw words. */
    | { readonly kind: "registers"; readonly address: number; readonly words: readonly number[] }
    /** A program download: function 21, or a maker's own function. */
    | { readonly kind: "file" }
    | { readonly kind: "vendor"; readonly functionCode: number };
  /** The attack has succeeded when this write takes effect. The others lead there. */
  readonly goal: boolean;
}

export interface AttackScene {
  readonly phase: string;
  readonly rng: Random;
  read(tag: string): number;
  /** Ms for which the tag has had its value. */
  heldMs(tag: string): number;
}

/** One row of the attack library, as writes. */
export interface WriteAttack {
  readonly row: number;
  readonly title: string;
  /** undefined: in every phase. */
  readonly phases: readonly string[] | undefined;
  /** Whether this is a moment for it. */
  readonly when?: (scene: AttackScene) => boolean;
  /** Values that it forges in what the operator station, and whoever listens, is told before. */
  readonly forges?: readonly { readonly tag: TagId | string; readonly value: number }[];
  /** Inside a change of phase: judged by what old and new both allow. */
  readonly inWindow?: true;
  readonly writes: (scene: AttackScene) => readonly AttackWrite[];
}

type From = AttackWrite["from"];

function set(from: From, tag: string, value: number, goal = true, afterMs = 1000): AttackWrite {
  const by = from === "hmi-1" && tag === "FIC401.SP" ? "opcua" : "modbus";
  return { from, afterMs, form: { kind: "tag", tag, value, by }, goal };
}

const NOT_BACKWASHING = ({ read }: AttackScene): boolean => read("BW301.ACTIVE") === 0;
const IDLE = [
  "maintenance",
  "stopped",
  "recovery.verify",
  "degraded.local-control",
  "degraded.hmi-quarantined",
  "degraded.start-held",
];
const RUNNING = ["normal", "degraded.dosing-held", "recovery.probation"];

/** The write attacks of the library. Rows that write nothing (floods, scans, drops, reads, field and PLC attacks) are not here. */
export const WRITE_ATTACKS: readonly WriteAttack[] = [
  {
    ...{ row: 1, title: "start command in a phase without starts", phases: IDLE },
    writes: () => [set("hmi-1", "P101.CMD", 1), set("hmi-1", "P401.CMD", 1)],
  },
  {
    ...{ row: 2, title: "dosing started before the feed", phases: ["startup"] },
    when: ({ read }) => read("FIT101") < 1 && read("P201.CMD") === 0,
    writes: () => [set("hmi-1", "P201.CMD", 1)],
  },
  {
    ...{ row: 2, title: "filter drain opened while producing", phases: [...RUNNING, "startup"] },
    when: NOT_BACKWASHING,
    writes: () => [set("hmi-1", "V301.CMD", 1)],
  },
  {
    ...{ row: 3, title: "feed pump started before the inlet has been open for long enough", phases: ["startup"] },
    when: ({ read, heldMs }) => read("MV101.OPEN") === 1 && heldMs("MV101.OPEN") < 2000 && read("P101.CMD") === 0,
    writes: () => [set("hmi-1", "P101.CMD", 1, true, 0)],
  },
  {
    ...{ row: 4, title: "overdose inside the device's range", phases: undefined },
    writes: ({ rng }) => [set("hmi-1", "DOS201.SP", hundredths(between(rng, 6, 9.5)))],
  },
  {
    ...{ row: 4, title: "flows inside the device's range, outside the phase's", phases: undefined },
    writes: ({ rng }) => [
      set("hmi-1", "FIC101.SP", tenths(between(rng, 50, 60))),
      set("hmi-1", "FIC401.SP", tenths(between(rng, 50, 60))),
    ],
  },
  {
    ...{ row: 5, title: "dose ramped up slowly, to 4 mg/L", phases: RUNNING },
    writes: ({ read }) =>
      Array.from({ length: 50 }, (_, n) => {
        const value = hundredths(Math.min(4, read("DOS201.SP") + 0.05 * (n + 1)));
        return set("hmi-1", "DOS201.SP", value, value >= 3, 12_000);
      }),
  },
  {
    ...{ row: 6, title: "distribution pump switched on and off at the poll rate", phases: undefined },
    writes: () => Array.from({ length: 10 }, (_, n) => set("hmi-1", "P401.CMD", n % 2, n % 2 === 1)),
  },
  {
    ...{ row: 6, title: "filter drain opened and closed at the poll rate", phases: ["normal", "shutdown"] },
    when: NOT_BACKWASHING,
    writes: () => Array.from({ length: 10 }, (_, n) => set("hmi-1", "V301.CMD", (n + 1) % 2, n % 2 === 0)),
  },
  {
    ...{ row: 8, title: "PLC 1 writes to PLC 2", phases: undefined },
    writes: () => [set("plc-1", "V301.CMD", 1), set("plc-1", "FIC401.SP", 0)],
  },
  {
    ...{ row: 9, title: "timed list of function 16 from the engineering workstation", phases: undefined },
    writes: () => [0, 1, 2].map(() => registers("ews-1", 0, [0, 900, 300])),
  },
  {
    ...{ row: 10, title: "function 16 with the address of the operator station", phases: undefined },
    writes: ({ rng }) => [registers("hmi-1", 0, [Math.round(between(rng, 500, 600)), 850])],
  },
  {
    ...{ row: 11, title: "start-up writes replayed in another phase", phases: [...RUNNING, ...IDLE, "shutdown"] },
    writes: () => [
      set("hmi-1", "MV101.CMD", 1, true, 4000),
      set("hmi-1", "FIC101.SP", 10, true, 4000),
      set("hmi-1", "P101.CMD", 1, true, 4000),
      set("hmi-1", "DOS201.SP", 2, false, 4000),
      set("hmi-1", "AUTO101", 1, true, 4000),
      set("hmi-1", "P401.CMD", 1, true, 4000),
    ],
  },
  {
    ...{ row: 12, title: "backwash replayed while the filter is clean", phases: ["normal"] },
    when: ({ read }) => read("PDT301") < 14 && read("BW301.ACTIVE") === 0,
    writes: () => [set("hmi-1", "BW301.CMD", 1)],
  },
  {
    ...{ row: 12, title: "rinse replayed without a backwash", phases: ["normal"] },
    when: NOT_BACKWASHING,
    writes: () => [set("hmi-1", "V301.CMD", 1)],
  },
  {
    ...{
      row: 26,
      title: "program download outside maintenance",
      phases: [...RUNNING, "stopped", "startup", "shutdown"],
    },
    writes: () => [
      { from: "ews-1", afterMs: 1000, form: { kind: "file" }, goal: true },
      { from: "ews-1", afterMs: 1000, form: { kind: "vendor", functionCode: 90 }, goal: true },
    ],
  },
  {
    ...{ row: 31, title: "threshold of the raw-water level rewritten", phases: undefined },
    writes: () => [set("hmi-1", "LIT101.SP", 0.2), set("hmi-1", "LIT101.SP", 2.9)],
  },
  {
    ...{ row: 35, title: "drain opened behind a forged backwash", phases: ["normal"] },
    when: NOT_BACKWASHING,
    forges: [{ tag: "BW301.ACTIVE", value: 1 }],
    writes: () => [set("hmi-1", "V301.CMD", 1, true, 8000)],
  },
  {
    ...{ row: 37, title: "writes inside a change of phase", phases: undefined, inWindow: true },
    writes: () => [set("hmi-1", "V301.CMD", 1, true, 0), set("hmi-1", "P401.CMD", 1), set("hmi-1", "DOS201.SP", 8)],
  },
  {
    ...{
      row: 42,
      title: "a device back in recovery writes as before",
      phases: ["recovery.verify", "recovery.probation"],
    },
    writes: ({ read }) => [
      set("hmi-1", "FIC101.SP", read("FIC101.SP") + 4.5),
      set("hmi-1", "DOS201.SP", 3),
      set("hmi-1", "MV101.CMD", 0),
    ],
  },
  {
    ...{ row: 45, title: "logic fragments as register data, one word per packet", phases: undefined },
    writes: () => Array.from({ length: 8 }, (_, n) => registers("ews-1", 100 + n, [0x4100 + n])),
  },
  {
    ...{ row: 7, title: "foreign master", phases: undefined },
    writes: () => [set("rogue", "AUTO101", 0), set("rogue", "FIC101.SP", 55), registers("rogue", 0, [550, 900])],
  },
  {
    ...{ row: 40, title: "foreign OPC UA client stops distribution", phases: undefined },
    writes: () => [{ ...set("rogue", "FIC401.SP", 0), form: { kind: "tag", tag: "FIC401.SP", value: 0, by: "opcua" } }],
  },
];

/** Row 13: what a man in the middle makes of a set-point on its way; undefined: he lets it pass. */
export function tampered(tag: string, value: number, rng: Random): number | undefined {
  const highest: Readonly<Record<string, number>> = { "FIC101.SP": 60, "FIC401.SP": 60, "DOS201.SP": 10 };
  const high = highest[tag];
  if (high === undefined || value === 0) return undefined;
  const factor = tag === "DOS201.SP" ? between(rng, 3, 4.5) : between(rng, 1.7, 1.95);
  return hundredths(Math.min(high, value * factor));
}

function registers(from: From, address: number, words: readonly number[]): AttackWrite {
  return { from, afterMs: 1000, form: { kind: "registers", address, words }, goal: true };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
