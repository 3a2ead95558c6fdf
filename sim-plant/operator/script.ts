import type { Hands } from "./hands.ts";
import { atMost, MAINTENANCE_LIST, shows } from "./procedures.ts";
import type { PhaseRequest } from "./view.ts";

/** A line of the day's script: in this phase, after this long and when ready, this is requested; the next phase ends the line. */
export interface ScriptLine {
  readonly phase: string;
  readonly afterMs: number;
  readonly ready?: (h: Hands) => boolean;
  readonly request: PhaseRequest;
}

const operator = (request: string): PhaseRequest => ({ request, role: "operator", person: "A. Minato" });
const engineer = (request: string): PhaseRequest => ({ request, role: "engineer", person: "K. Sawa" });

/** Nothing is under way that a change of phase would cut in half. */
const calm = (h: Hands): boolean =>
  h.step === "produce" && shows(h, "V301.OPEN", 0) && shows(h, "BW301.CMD", 0) && atMost(h, "PDT301", 19);
const listDone = (h: Hands): boolean => h.state.maintenanceDone >= MAINTENANCE_LIST.length && atMost(h, "MV101.POS", 1);

/** A drill: the plant is put into a degraded phase and led back. */
const drill = (request: string, phase: string, afterMs: number): readonly ScriptLine[] => [
  { phase: "normal", afterMs, ready: calm, request: operator(request) },
  { phase, afterMs: 25_000, request: operator("return-to-normal") },
];

/** Through every phase: maintenance, a start that is broken off and one that is not, an hour's work in small, three drills, and a shutdown. It begins again at its end. */
const QUIET_DAY: readonly ScriptLine[] = [
  { phase: "stopped", afterMs: 8_000, request: engineer("maintain") },
  { phase: "maintenance", afterMs: 5_000, ready: listDone, request: engineer("end-maintenance") },
  { phase: "stopped", afterMs: 8_000, request: operator("start") },
  { phase: "startup", afterMs: 12_000, request: operator("hold-start") },
  { phase: "stopped", afterMs: 8_000, request: operator("start") },
  ...drill("local-control", "degraded.local-control", 260_000),
  ...drill("hold-dosing", "degraded.dosing-held", 60_000),
  ...drill("quarantine-hmi", "degraded.hmi-quarantined", 60_000),
  { phase: "normal", afterMs: 240_000, ready: calm, request: operator("stop") },
  { phase: "stopped", afterMs: 15_000, request: operator("start") },
  { phase: "normal", afterMs: 300_000, ready: calm, request: operator("stop") },
];

/** Start, and stay in normal running. */
const PRODUCE: readonly ScriptLine[] = [{ phase: "stopped", afterMs: 2_000, request: operator("start") }];

/**
 * `quiet-day`: every phase, for half an hour of plant time and more. `produce`: start and stay. `none`: no requests; the procedures of
 * whatever phase the console shows are carried out all the same.
 */
export type ScriptName = "quiet-day" | "produce" | "none";

export const SCRIPTS: Readonly<Record<ScriptName, readonly ScriptLine[]>> = {
  "quiet-day": QUIET_DAY,
  produce: PRODUCE,
  none: [],
};
