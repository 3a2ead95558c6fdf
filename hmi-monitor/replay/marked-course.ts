import type { History } from "#specs/decide/history.ts";
import type { Outcome, Verdict } from "#specs/decide/observation.ts";
import { permit } from "#specs/decide/permit.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { PhaseId, StepId } from "#specs/ids.ts";
import { StepTracker } from "#specs/steps.ts";
import {
  type Moment,
  outcomeForSteps,
  type PhaseCourse,
  type Possible,
  placeName,
  type TakesChange,
} from "./phase-course.ts";

/** From where on a phase holds, as somebody says. */
export interface PhaseMark {
  readonly at:
    | { readonly kind: "start" }
    | { readonly kind: "frame"; readonly frame: number }
    | { readonly kind: "time"; readonly timeMs: number }
    /** since the first frame */
    | { readonly kind: "after"; readonly ms: number };
  readonly phase: PhaseId;
  /** Absent: see `MarkedCourse`. */
  readonly step?: StepId;
}

const NOTHING: readonly Possible[] = [];

/**
 * Phases as they are given: one for the whole capture, or marks, each of which holds until the next. Steps are followed from what is seen,
 * as an enforcement point does that waits for the coordinator's word: the set of possible steps grows, and a mark with a step is that word.
 * A phase that holds from the first frame on, without a step, may be in any of them; one that begins later begins in its initial step.
 */
export class MarkedCourse implements PhaseCourse {
  readonly #tables: Tables;
  readonly #marks: readonly PhaseMark[];
  readonly #tracker: StepTracker;
  readonly #changed: TakesChange;
  #next = 0;
  #firstMs: number | undefined;
  #possible: readonly Possible[] = NOTHING;

  /** @param marks in their order, each of a phase that the tables have */
  constructor(tables: Tables, marks: readonly PhaseMark[], changed: TakesChange) {
    this.#tables = tables;
    this.#marks = marks;
    this.#tracker = new StepTracker(tables);
    this.#changed = changed;
  }

  get possible(): readonly Possible[] {
    return this.#possible;
  }

  /** Marks that no frame of the capture has reached. */
  get ahead(): number {
    return this.#marks.length - this.#next;
  }

  begin(at: Moment): void {
    const isFirst = this.#firstMs === undefined;
    this.#firstMs ??= at.timeMs;
    for (;;) {
      const mark = this.#marks[this.#next];
      if (mark === undefined || !isDue(mark, at, this.#firstMs)) return;
      this.#next += 1;
      this.#take(mark, at, isFirst);
    }
  }

  asked(): void {
    // What is asked changes nothing about the phase that somebody gave.
  }

  happened(verdict: Verdict, outcome: Outcome, at: Moment): void {
    const counted = outcomeForSteps(outcome);
    if (verdict.verdict === "deny" || counted === undefined) return;
    let changed = this.#tracker.command(verdict.rule, counted, at.timeMs);
    for (const rule of verdict.also ?? []) if (this.#tracker.command(rule, counted, at.timeMs)) changed = true;
    if (changed) this.#hold(at, "step", `a message of rule ${verdict.rule} leads on`);
  }

  observe(history: History, at: Moment): void {
    if (this.#possible.length === 0) return;
    if (this.#tracker.observe(history, at.timeMs)) this.#hold(at, "step", "what was seen leads on");
  }

  #take({ phase, step }: PhaseMark, at: Moment, isFirst: boolean): void {
    const held = this.#tracker.position?.phase;
    if (held === phase && step !== undefined) this.#tracker.record([step], at.timeMs);
    else if (held !== phase)
      this.#tracker.enter(phase, step === undefined ? (isFirst ? [] : undefined) : [step], at.timeMs);
    else return;
    this.#hold(at, isFirst ? "start" : "mark", "as given");
  }

  #hold(at: Moment, cause: "start" | "mark" | "step", says: string): void {
    const position = this.#tracker.position;
    if (position === undefined) return;
    this.#possible = [{ ...position, permit: permit(this.#tables, { kind: "phase", position }) }];
    this.#changed({ ...at, cause, says, possible: [placeName(position.phase, position.steps)] });
  }
}

function isDue({ at: due }: PhaseMark, at: Moment, firstMs: number): boolean {
  switch (due.kind) {
    case "start":
      return true;
    case "frame":
      return at.frame >= due.frame;
    case "time":
      return at.timeMs >= due.timeMs;
    case "after":
      return at.timeMs - firstMs >= due.ms;
    default: {
      const never: never = due;
      throw new Error(`unreachable: ${JSON.stringify(never)}`);
    }
  }
}
