import { isDeepStrictEqual } from "node:util";
import type { CompiledNext } from "./decide/compile-automaton.ts";
import type { PhaseTable } from "./decide/compile-phases.ts";
import { compiledTruth, type History, seenSince } from "./decide/history.ts";
import type { Position } from "./decide/observation.ts";
import type { Tables } from "./decide/tables.ts";
import type { PhaseId, RuleId, StepId } from "./ids.ts";

/**
 * The set of possible steps as one layer holds it. A step that the layer sees to have begun joins the set; the coordinator's
 * record settles which one it is. In between both are possible, and what either allows is allowed.
 *
 * A step begins when it joins the set; as long as it stays there, a record that confirms it does not begin it anew. Before its
 * least time has passed nothing that would lead on counts.
 *
 * INVARIANT (possible steps): the set is never empty in a phase with steps, and never leaves the phase.
 */
export class StepTracker {
  readonly #tables: Tables;
  #phase: PhaseTable | undefined;
  /** Used again for each look, which comes with every message: nothing is allocated. */
  readonly #asked: number[] = [];
  /** By step index: since when it is possible, plant ms; NaN: it is not. */
  #begun = new Float64Array(0);
  #position: Position | undefined;
  #sinceMs = 0;
  /** When the set was last told by the coordinator: what was seen before that is in its word already, and says nothing new. */
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /**
   * @param steps undefined: the phase begins in its initial step. An empty list, or one without a step of this phase, means
   * that the step is not known: every step of the phase is possible.
   * @returns false: the tables have no such phase, and nothing is held
   */
  enter(phase: PhaseId, steps: readonly StepId[] | undefined, nowMs: number): boolean {
    this.#toldMs = nowMs;
    this.#phase = this.#tables.phases.get(phase);
    const all = this.#phase?.automaton.steps ?? [];
    this.#begun = new Float64Array(all.length).fill(Number.NaN);
    const initial = this.#phase?.phase.initial;
    const known = this.#indices(steps ?? (initial === undefined ? [] : [initial]));
    for (const step of known.length > 0 ? known : all.keys()) this.#begun[step] = nowMs;
    this.#changed(nowMs);
    return this.#phase !== undefined;
  }

  /**
   * Goes on where a tracker of other tables stands: in the phase of the same name, and in those of its possible steps that are there
   * too. A step that leads on as before keeps its beginning, another begins now.
   *
   * @returns false: the tables have no such phase, or none of the steps, and nothing is held
   */
  goOn(other: StepTracker, nowMs: number): boolean {
    const before = other.#phase;
    const phase = before && this.#tables.phases.get(before.phase.id);
    if (before === undefined || phase === undefined) return false;
    const begun = phase.automaton.steps.map(({ id }) => {
      const begunMs = other.#begun[before.automaton.steps.findIndex((step) => step.id === id)] ?? Number.NaN;
      return Number.isNaN(begunMs) || isDeepStrictEqual(waysOn(before, id), waysOn(phase, id)) ? begunMs : nowMs;
    });
    if (begun.length > 0 && begun.every(Number.isNaN)) return false;
    this.#phase = phase;
    this.#begun = Float64Array.from(begun);
    this.#toldMs = other.#toldMs;
    return this.#changed(other.#sinceMs);
  }

  /** Adds every step that follows from what this layer has seen, and from the time. @returns whether the set changed */
  observe(history: History, nowMs: number): boolean {
    const asked = this.#asked;
    asked.length = 0;
    for (let step = 0; step < this.#begun.length; step += 1) if (this.#isPossible(step)) asked.push(step);
    const before = asked.length;
    // The list grows while it is walked: a step that joins is asked for its own successors in the same pass.
    for (const at of asked) {
      for (const next of this.#nextOf(at, nowMs)) {
        if (this.#isPossible(next.to) || !this.#follows(next, at, history, nowMs)) continue;
        this.#begun[next.to] = nowMs;
        asked.push(next.to);
      }
    }
    return asked.length > before && this.#changed(nowMs);
  }

  /**
   * A message that a rule allowed was forwarded, or answered with success. One message leads one step on. In a PLC a change that
   * is let through has happened: `forwarded` is the answer too, and no other is awaited.
   *
   * @returns whether the set changed
   */
  command(rule: RuleId, outcome: "forwarded" | "answered-ok", nowMs: number): boolean {
    const isPlc = this.#tables.layer === "plc";
    if (isPlc && outcome === "answered-ok") return false;
    if (this.#phase?.automaton.commands.has(rule) !== true) return false;
    const joining = this.#possible()
      .flatMap((at) => this.#nextOf(at, nowMs))
      .filter((next) => next.event === "command" && next.rule === rule && (isPlc || next.outcome === outcome))
      .filter(({ to }) => !this.#isPossible(to));
    for (const { to } of joining) this.#begun[to] = nowMs;
    return joining.length > 0 && this.#changed(nowMs);
  }

  /** The coordinator's word: these steps only. Steps of another phase are ignored. @returns whether the set changed */
  record(steps: readonly StepId[], nowMs: number): boolean {
    const known = this.#indices(steps);
    if (known.length === 0) return false;
    this.#toldMs = nowMs;
    const begun = this.#begun.map((begunMs, step) => {
      if (!known.includes(step)) return Number.NaN;
      return Number.isNaN(begunMs) ? nowMs : begunMs;
    });
    const same = begun.every((begunMs, step) => Number.isNaN(begunMs) === !this.#isPossible(step));
    this.#begun = begun;
    if (!same) this.#changed(nowMs);
    return !same;
  }

  /** The same object until the set changes. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Since when the set is what it is, plant ms. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Possible steps in which the plant has been for longer than they may last. */
  overstayed(nowMs: number): readonly StepId[] {
    return (this.#phase?.phase.steps ?? [])
      .filter(({ maxMs }, step) => maxMs !== undefined && nowMs - (this.#begun[step] ?? Number.NaN) > maxMs)
      .map(({ id }) => id);
  }

  #follows(next: CompiledNext, from: number, history: History, nowMs: number): boolean {
    switch (next.event) {
      case "condition":
        return (
          seenSince(history, next.when.condition, this.#toldMs) && compiledTruth(history, next.when, nowMs) === "holds"
        );
      case "after":
        return nowMs - (this.#begun[from] ?? Number.NaN) >= next.ms;
      case "command":
        return false;
      default: {
        const never: never = next;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  /** The ways on from a possible step; none before its least time has passed. */
  #nextOf(step: number, nowMs: number): readonly CompiledNext[] {
    const compiled = this.#phase?.automaton.steps[step];
    if (compiled === undefined || nowMs - (this.#begun[step] ?? Number.NaN) < compiled.minMs) return [];
    return compiled.next;
  }

  #possible(): number[] {
    return [...this.#begun.keys()].filter((step) => this.#isPossible(step));
  }

  #isPossible(step: number): boolean {
    return !Number.isNaN(this.#begun[step] ?? Number.NaN);
  }

  #indices(steps: readonly StepId[]): readonly number[] {
    const all = this.#phase?.automaton.steps ?? [];
    return [...all.keys()].filter((index) => steps.some((step) => step === all[index]?.id));
  }

  #changed(nowMs: number): true {
    this.#sinceMs = nowMs;
    const steps = (this.#phase?.automaton.steps ?? []).filter((_, step) => this.#isPossible(step)).map(({ id }) => id);
    this.#position = this.#phase === undefined ? undefined : { phase: this.#phase.phase.id, steps };
    return true;
  }
}

/** What leads on from a step, and when, as it is written. */
function waysOn({ phase }: PhaseTable, id: StepId) {
  const { minMs, next } = phase.steps.find((step) => step.id === id) ?? {};
  return { minMs, next };
}
