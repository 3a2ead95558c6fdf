import type { Layer, Position } from "#specs/decide/observation.ts";
import type { PhaseId, RuleId, StepId } from "#specs/ids.ts";
import type { Lifecycle, Phase, Step, StepTransition } from "#specs/lifecycle.ts";
import type { TwinLog } from "./twin-log.ts";

interface Possible {
  readonly step: Step;
  readonly sinceMs: number;
}

/** The slow twin of `StepTracker`: a list of possible steps, each with the time at which it joined, made anew at each change. */
export class TwinSteps {
  readonly #lifecycle: Lifecycle;
  readonly #layer: Layer;
  readonly #log: TwinLog;
  #phase: Phase | undefined;
  #possible: readonly Possible[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;
  sinceMs = 0;

  constructor(lifecycle: Lifecycle, layer: Layer, log: TwinLog) {
    this.#lifecycle = lifecycle;
    this.#layer = layer;
    this.#log = log;
  }

  get position(): Position | undefined {
    if (this.#phase === undefined) return undefined;
    const steps = this.#phase.steps.map(({ id }) => id).filter((id) => this.#since(id) !== undefined);
    return { phase: this.#phase.id, steps };
  }

  enter(phase: PhaseId, steps: readonly StepId[] | undefined, nowMs: number): boolean {
    this.#phase = this.#lifecycle.phases.find(({ id }) => id === phase);
    const all = this.#phase?.steps ?? [];
    const named = all.filter(({ id }) => steps?.includes(id) ?? id === this.#phase?.initial);
    this.#toldMs = nowMs;
    this.#possible = (named.length > 0 ? named : all).map((step) => ({ step, sinceMs: nowMs }));
    this.sinceMs = nowMs;
    return this.#phase !== undefined;
  }

  /** Goes round until nothing joins any more. */
  observe(nowMs: number): boolean {
    let changed = false;
    while (this.#join((next, from) => this.#hasCome(next, from, nowMs), nowMs)) changed = true;
    return changed;
  }

  /** One message leads one step on. */
  command(rule: RuleId, outcome: "forwarded" | "answered-ok", nowMs: number): boolean {
    if (this.#layer === "plc" && outcome === "answered-ok") return false;
    const leads = (next: StepTransition) =>
      next.event === "command" && next.rule === rule && (this.#layer === "plc" || next.outcome === outcome);
    return this.#join(leads, nowMs);
  }

  record(steps: readonly StepId[], nowMs: number): boolean {
    const named = (this.#phase?.steps ?? []).filter(({ id }) => steps.includes(id));
    if (named.length === 0) return false;
    const before = JSON.stringify(this.position);
    this.#toldMs = nowMs;
    this.#possible = named.map((step) => ({ step, sinceMs: this.#since(step.id) ?? nowMs }));
    if (JSON.stringify(this.position) === before) return false;
    this.sinceMs = nowMs;
    return true;
  }

  overstayed(nowMs: number): readonly StepId[] {
    const late = this.#possible.filter(({ step, sinceMs }) => step.maxMs !== undefined && nowMs - sinceMs > step.maxMs);
    return (this.#phase?.steps ?? []).map(({ id }) => id).filter((id) => late.some(({ step }) => step.id === id));
  }

  /** Every step joins that a possible one, which has lasted long enough, leads to. */
  #join(leads: (next: StepTransition, from: Possible) => boolean, nowMs: number): boolean {
    const joining = this.#possible
      .filter(({ step, sinceMs }) => nowMs - sinceMs >= (step.minMs ?? 0))
      .flatMap((from) => from.step.next.filter((next) => leads(next, from)))
      .flatMap(({ to }) => this.#phase?.steps.find(({ id }) => id === to) ?? [])
      .filter(({ id }) => this.#since(id) === undefined);
    if (joining.length === 0) return false;
    this.#possible = [...this.#possible, ...new Set(joining)].map((one) =>
      "step" in one ? one : { step: one, sinceMs: nowMs },
    );
    this.sinceMs = nowMs;
    return true;
  }

  /** What was seen before the coordinator last spoke is in its word already. */
  #hasCome(next: StepTransition, { sinceMs }: Possible, nowMs: number): boolean {
    if (next.event === "after") return nowMs - sinceMs >= next.ms;
    if (next.event === "command") return false;
    const anew = next.when.all.every(({ tag }) => this.#log.seenAfter(tag, this.#toldMs));
    return anew && this.#log.truth(next.when, nowMs) === "holds";
  }

  #since(id: StepId): number | undefined {
    return this.#possible.find(({ step }) => step.id === id)?.sinceMs;
  }
}
