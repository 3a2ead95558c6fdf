import type { Detection } from "#coordinator/page-messages.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { Locus } from "#specs/lifecycle.ts";
import type { Mode } from "#specs/plant.ts";
import type { Attack } from "../attacks/catalogue.ts";
import { judgeHarm, type PlantRecord, productionKept } from "../water/harm.ts";
import type { AttackResult, ExerciseResult } from "./result.ts";

/** A value that an attacker put on the wire, from the attacker's own log. */
export interface AttackAction {
  readonly atMs: number;
  readonly tag: string;
  readonly value: number;
}

export interface AttackRun {
  readonly attack: Attack;
  /** Plant time from the attacker's start to its end. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly actions: readonly AttackAction[];
}

/** One command of the benign operator, from the operator's own log: the observer outside the product. */
export interface OperatorCommand {
  readonly atMs: number;
  readonly tag: string;
  readonly value: number;
  readonly result: "ok" | "exception" | "error";
  /** What the operator was told, unless it went well: the code of the exception, or what became of the connection. */
  readonly told?: string;
}

/** What reached a PLC's memory in one scan, from the PLC's own scan log. */
export interface AcceptedWrites {
  readonly atMs: number;
  readonly accepted: Readonly<Record<string, number>>;
}

export interface PhaseChange {
  readonly atMs: number;
  readonly to: string;
  readonly emergency: boolean;
}

export interface Evidence {
  readonly exercise: string;
  readonly seed: number;
  readonly mode: Mode;
  readonly attacks: readonly AttackRun[];
  readonly detections: readonly Detection[];
  readonly denials: number;
  readonly operator: readonly OperatorCommand[];
  readonly accepted: readonly AcceptedWrites[];
  readonly changes: readonly PhaseChange[];
  readonly plant: readonly PlantRecord[];
  readonly undisturbed: readonly PlantRecord[];
  readonly endMs: number;
  /** The least share of the undisturbed run's water with which the exercise is passed, 0..1. */
  readonly productionAtLeast: number;
}

/** Plant ms after an attack's end within which what was seen is still counted as of that attack. */
const AFTERMATH_MS = 3000;
/** An operator's command and the same value in PLC memory belong together within this many plant ms. */
const SAME_COMMAND_MS = 1000;
/** Plant ms after an emergency change within which a command of the operator counts as cut, not as falsely blocked. */
const CUT_MS = 1500;

/** Judges an exercise from logs that the defence did not write, save for what it says it detected. */
export function score(evidence: Evidence): ExerciseResult {
  const attacks = evidence.attacks.map((run) => scoreAttack(evidence, run));
  const containTimes = evidence.attacks.map((run) => containTime(evidence, run));
  const recoverTimes = evidence.attacks.map((run) => recoverTime(evidence, run));
  const { refused, cut } = blockedCommands(evidence);
  const attackedFromMs = evidence.attacks[0]?.fromMs ?? 0;
  const result: Omit<ExerciseResult, "passed" | "failures"> = {
    exercise: evidence.exercise,
    seed: evidence.seed,
    mode: evidence.mode,
    attacks,
    timeToContainMs: worst(containTimes),
    timeToRecoverMs: worst(recoverTimes),
    falseBlocks: refused.length,
    cut,
    denials: evidence.denials,
    detections: evidence.detections.length,
    plant: {
      harm: judgeHarm(evidence.plant),
      productionKept: round3(productionKept(evidence.plant, evidence.undisturbed, attackedFromMs, evidence.endMs)),
    },
  };
  const failures = failuresOf(evidence, result, refused, recoverTimes);
  return { ...result, passed: failures.length === 0, failures };
}

function scoreAttack(evidence: Evidence, run: AttackRun): AttackResult {
  const mine = detectionsOf(evidence, run);
  // A notice says itself that it is no sign of an attack.
  const telling = mine.filter((d) => d.severity !== "notice");
  const first = telling.at(0);
  const began = firstAction(run);
  return {
    id: run.attack.id,
    row: run.attack.row,
    technique: run.attack.technique,
    prevented: !run.actions.some((action) => reachedMemory(evidence, run, action)),
    detected: first !== undefined,
    timeToDetectMs: first === undefined ? null : Math.max(0, Math.min(...telling.map((d) => d.judgedMs)) - began),
    layer: first === undefined ? null : firstLayer(first),
    locus: union(mine),
    expectedLocus: run.attack.expectedLocus,
    containment: containmentOf(evidence, run)?.to ?? null,
  };
}

function detectionsOf(evidence: Evidence, run: AttackRun): readonly Detection[] {
  return evidence.detections
    .filter((d) => d.lastMs >= run.fromMs && d.atMs <= run.toMs + AFTERMATH_MS)
    .toSorted((a, b) => a.atMs - b.atMs);
}

/** The attacker's value stands in a PLC's memory, and the operator did not write the same at that time. */
function reachedMemory(evidence: Evidence, run: AttackRun, action: AttackAction): boolean {
  const byOperator = evidence.operator.some(
    (c) => c.tag === action.tag && c.value === action.value && Math.abs(c.atMs - action.atMs) <= SAME_COMMAND_MS,
  );
  if (byOperator) return false;
  return evidence.accepted.some(
    ({ atMs, accepted }) =>
      atMs >= action.atMs - SAME_COMMAND_MS &&
      atMs <= run.toMs + AFTERMATH_MS &&
      near(accepted[action.tag], action.value),
  );
}

function blockedCommands(evidence: Evidence): { readonly refused: readonly OperatorCommand[]; readonly cut: number } {
  const refused: OperatorCommand[] = [];
  let cut = 0;
  for (const command of evidence.operator) {
    // The last round of the operator may run while everything is being stopped, his servers too: the plant has no record of it.
    if (command.result === "ok" || command.atMs > evidence.endMs || tampered(evidence, command)) continue;
    const afterEmergency = evidence.changes.some(
      (c) => c.emergency && command.atMs >= c.atMs - CUT_MS && command.atMs <= c.atMs + CUT_MS,
    );
    if (afterEmergency) cut += 1;
    else if (command.result === "exception") refused.push(command);
    else if (!evidence.attacks.some((run) => command.atMs >= run.fromMs && command.atMs <= run.toMs + AFTERMATH_MS))
      refused.push(command);
  }
  return { refused, cut };
}

/** `2 benign commands were refused, first LIT101.SP = 1.5 at 812 s of plant time (error: Timed out)`. */
function refusedWords(refused: readonly OperatorCommand[]): string {
  const [first] = refused;
  if (first === undefined) return "no benign command was refused";
  const { tag, value, atMs, result, told } = first;
  const why = told === undefined ? result : `${result}: ${told}`;
  const count = refused.length === 1 ? "1 benign command was" : `${refused.length} benign commands were`;
  return `${count} refused, first ${tag} = ${value} at ${Math.round(atMs / 1000)} s of plant time (${why})`;
}

/** A man in the middle changed it: what was refused was not what the operator sent. */
function tampered(evidence: Evidence, command: OperatorCommand): boolean {
  return evidence.attacks.some(
    (run) =>
      run.attack.id === "mitm-setpoint" &&
      run.actions.some(
        (action) => action.tag === command.tag && Math.abs(action.atMs - command.atMs) <= SAME_COMMAND_MS,
      ),
  );
}

function containmentOf(evidence: Evidence, run: AttackRun): PhaseChange | undefined {
  return evidence.changes.find(
    (c) => c.emergency && c.to.startsWith("degraded.") && c.atMs >= run.fromMs && c.atMs <= run.toMs + AFTERMATH_MS,
  );
}

function containTime(evidence: Evidence, run: AttackRun): number | null {
  const change = containmentOf(evidence, run);
  return change === undefined ? null : Math.max(0, change.atMs - firstAction(run));
}

function recoverTime(evidence: Evidence, run: AttackRun): number | null {
  const contained = containmentOf(evidence, run);
  if (contained === undefined) return null;
  const back = evidence.changes.find((c) => c.to === "normal" && c.atMs > contained.atMs);
  return back === undefined ? null : back.atMs - contained.atMs;
}

function failuresOf(
  evidence: Evidence,
  result: Omit<ExerciseResult, "passed" | "failures">,
  refused: readonly OperatorCommand[],
  recoverTimes: readonly (number | null)[],
): readonly string[] {
  const failures: string[] = [];
  const expect = (holds: boolean, says: string): void => {
    if (!holds) failures.push(says);
  };
  if (evidence.mode === "off") {
    if (evidence.attacks.length > 0)
      expect(result.plant.harm.length > 0, "nothing was harmed although nothing stood in the way");
    return failures;
  }
  for (const attack of result.attacks) {
    expect(attack.detected, `${attack.id} was not detected`);
    const exact = attack.locus.join(" ") === attack.expectedLocus.join(" ");
    expect(
      exact,
      `${attack.id} was located at ${attack.locus.join(", ") || "no place"}, not at ${attack.expectedLocus.join(", ")}`,
    );
  }
  expect(refused.length === 0, refusedWords(refused));
  if (evidence.attacks.length === 0) {
    expect(result.denials === 0, `${result.denials} denials without an attack`);
    expect(result.detections === 0, `${result.detections} detections without an attack`);
    expect(result.plant.harm.length === 0, "the plant was harmed without an attack");
    return failures;
  }
  if (evidence.mode === "monitor") {
    expect(
      evidence.detections.every((d) => !d.blocked),
      "something was blocked in monitor mode",
    );
    expect(!evidence.changes.some((c) => c.emergency), "a containment was taken in monitor mode");
    return failures;
  }
  result.attacks.forEach((attack, i) => {
    expect(attack.prevented, `${attack.id} put a value into a PLC`);
    expect(attack.containment !== null, `${attack.id} was not contained`);
    expect(recoverTimes[i] !== null, `the plant was not led back to normal after ${attack.id}`);
  });
  expect(result.plant.harm.length === 0, "the plant was harmed");
  expect(
    result.plant.productionKept >= evidence.productionAtLeast,
    `only ${result.plant.productionKept} of the water was produced`,
  );
  return failures;
}

function firstAction(run: AttackRun): number {
  return run.actions[0]?.atMs ?? run.fromMs;
}

const LAYERS: readonly Layer[] = ["hmi", "switch", "plc"];

function firstLayer(detection: Detection): Layer | null {
  const violating = LAYERS.find((layer) => detection.sight?.[layer] === "seen-violating");
  return violating ?? detection.evidence[0]?.layer ?? null;
}

function union(detections: readonly Detection[]): readonly Locus[] {
  return [...new Set(detections.flatMap((d) => d.locus))].sort();
}

function worst(times: readonly (number | null)[]): number | null {
  const known = times.filter((t) => t !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Values are compared as the wire carries them: the finest scale of the plant is 0.001. */
function near(a: number | undefined, b: number): boolean {
  return a !== undefined && Math.abs(a - b) < 0.0006;
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
