import type { AnswerMessage, OrderMessage, PointId } from "#point/bus.ts";
import { Epoch, type PhaseId, type RuleId, type StepId, type ZoneId } from "#specs/ids.ts";
import {
  beginChange,
  type ChangeInput,
  type ChangePlan,
  type ChangeState,
  type ChangeStep,
  isCommitted,
  isOver,
  type Participant,
  resumeChange,
  stepChange,
} from "./phase-change.ts";
import type { CommittedEntry, PhaseRecord } from "./phase-record.ts";

export interface Wanted {
  readonly from: PhaseId;
  readonly to: PhaseId;
  readonly steps: readonly StepId[];
  readonly window: readonly RuleId[];
  readonly emergency: boolean;
  readonly withoutAbsent: boolean;
  /** The event of the lifecycle machine that is taken at the commit. */
  readonly event: string;
  /** What led to it, in words. */
  readonly cause: string;
}

export interface ChangeResult {
  readonly outcome: "done" | "aborted";
  readonly epoch: Epoch;
  readonly says: string;
}

export interface RunnerOptions {
  readonly zone: ZoneId;
  readonly record: PhaseRecord;
  /** Real ms per stage. */
  readonly stageMs: number;
  /** Real ms that the HMI layer has besides, to judge what its mirror shows late. */
  readonly drainMs: number;
  readonly participants: () => readonly Participant[];
  readonly order: (order: OrderMessage) => void;
  /** Plant time. */
  readonly now: () => number;
  /** The commit record is durable: from here on the zone stands in the new phase. */
  readonly onCommitted: (plan: ChangePlan) => void;
  /** Every reachable point has taken it, or it was aborted. */
  readonly onOver: (state: ChangeState) => void;
}

interface Running {
  state: ChangeState;
  readonly finish: (result: ChangeResult) => void;
}

/** Real ms between two looks at the time-outs of a running change. */
const LOOK_MS = 50;

/** Drives the phase change protocol of one zone: sends its orders, feeds it answers and time, and writes the commit record. */
export class ChangeRunner {
  readonly #options: RunnerOptions;
  #running: Running | undefined;
  #timer: NodeJS.Timeout | undefined;
  #epoch: number;
  #seq = 0;
  #lastAbort: OrderMessage | undefined;

  constructor(options: RunnerOptions, lastEpoch: number) {
    this.#options = options;
    this.#epoch = lastEpoch;
  }

  get current(): ChangeState | undefined {
    return this.#running?.state;
  }

  /** The order that took back the last aborted change: a point that was away meanwhile needs it. */
  get lastAbort(): OrderMessage | undefined {
    return this.#lastAbort;
  }

  /** INVARIANT (phase epoch): each epoch is given out once, also across restarts. */
  nextEpoch(): Epoch {
    this.#epoch += 1;
    return Epoch(this.#epoch);
  }

  /** A point holds an epoch that this coordinator has no record of: the next one must be higher. */
  outrank(epoch: Epoch): void {
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  /**
   * Resolves when the change is over. An emergency takes the place of a planned change: before its commit that one is
   * dropped, after it the zone already stands in its phase and the emergency starts from there.
   */
  run(wanted: Wanted): Promise<ChangeResult> {
    if (this.#running !== undefined) {
      if (!wanted.emergency) return Promise.resolve(refused(this.#epoch, "another phase change is under way"));
      this.#supersede();
    }
    const plan = this.#plan(wanted);
    try {
      const { zone, change, epoch, from, to } = plan;
      if (!plan.emergency) this.#options.record.append({ entry: "opened", zone, change, epoch, from, to });
    } catch (error) {
      return Promise.resolve(refused(plan.epoch, `the change cannot be recorded (${reasonOf(error)}); free the disk`));
    }
    return this.#start(plan, () => beginChange(plan, this.#times()));
  }

  /** Rolls a change forward that was committed before a restart. */
  resume(entry: CommittedEntry): Promise<ChangeResult> {
    const { zone, change, epoch, from, to, steps, window, emergency } = entry;
    const participants = this.#options.participants();
    const words = { event: "restart", cause: "taken up after a restart" };
    const plan: ChangePlan = {
      zone,
      change,
      epoch,
      from,
      to,
      steps,
      window,
      emergency,
      withoutAbsent: true,
      participants,
      ...words,
    };
    return this.#start(plan, () => resumeChange(plan, this.#times()));
  }

  /** Takes back a change that a coordinator before this one had opened and not committed. */
  takeBack(opened: {
    readonly change: string;
    readonly epoch: Epoch;
    readonly from: PhaseId;
    readonly to: PhaseId;
  }): void {
    const { zone, record } = this.#options;
    record.append({
      entry: "aborted",
      zone,
      change: opened.change,
      epoch: opened.epoch,
      from: opened.from,
      to: opened.to,
    });
    this.#sendAbort({ order: "abort", zone, ...pick(opened), steps: [], atMs: this.#options.now() });
  }

  onAnswer(answer: AnswerMessage): void {
    this.#feed({ kind: "answer", answer });
  }

  onGone(point: PointId): void {
    this.#feed({ kind: "gone", point });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #plan(wanted: Wanted): ChangePlan {
    this.#seq += 1;
    const epoch = this.nextEpoch();
    const participants = this.#options.participants();
    return { ...wanted, zone: this.#options.zone, change: `c-${epoch}-${this.#seq}`, epoch, participants };
  }

  #start(plan: ChangePlan, first: () => ChangeStep): Promise<ChangeResult> {
    return new Promise((resolve) => {
      const step = first();
      this.#running = { state: step.state, finish: resolve };
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.#feed({ kind: "time" }), LOOK_MS);
      // A plan resumed after a restart is committed from its first step on.
      if (isCommitted(step.state)) this.#options.onCommitted(plan);
      this.#apply(step);
    });
  }

  #feed(input: ChangeInput): void {
    const running = this.#running;
    if (running !== undefined) this.#apply(stepChange(running.state, input, this.#times()));
  }

  #apply(step: ChangeStep): void {
    const running = this.#running;
    if (running === undefined) return;
    running.state = step.state;
    for (const output of step.outputs) {
      switch (output.kind) {
        case "order":
          if (output.order.order === "abort") this.#sendAbort(output.order);
          else this.#options.order(output.order);
          break;
        case "commit":
          this.#commit(step.state.plan);
          break;
        case "done":
        case "aborted":
          this.#over(running);
          break;
        default: {
          const never: never = output;
          throw new Error(`unreachable: ${String(never)}`);
        }
      }
    }
  }

  #commit(plan: ChangePlan): void {
    const { zone, change, epoch, from, to, emergency } = plan;
    try {
      const [steps, window] = [[...plan.steps], [...plan.window]];
      this.#options.record.append({ entry: "committed", zone, change, epoch, from, to, steps, window, emergency });
    } catch (error) {
      if (!emergency) {
        this.#feed({ kind: "cancel", because: `the commit record cannot be written (${reasonOf(error)})` });
        return;
      }
      // A containment narrows; that it may be forgotten by a restart is the lesser harm.
    }
    this.#options.onCommitted(plan);
    this.#feed({ kind: "durable" });
  }

  #over(running: Running): void {
    clearInterval(this.#timer);
    this.#running = undefined;
    const { state } = running;
    const { zone, change, epoch, from, to, steps } = state.plan;
    const aborted = state.at.stage === "aborted";
    try {
      this.#options.record.append(
        aborted
          ? { entry: "aborted", zone, change, epoch, from, to }
          : { entry: "standing", zone, epoch, phase: to, steps: [...steps] },
      );
    } catch {
      // Both entries only spare the next start some work: it would abort or roll forward again, to the same end.
    }
    this.#options.onOver(state);
    running.finish({ outcome: aborted ? "aborted" : "done", epoch, says: wordsFor(state) });
  }

  #supersede(): void {
    const running = this.#running;
    if (running === undefined || isOver(running.state)) return;
    const because = "an emergency change took its place";
    const at = isCommitted(running.state) ? ({ stage: "done" } as const) : ({ stage: "aborted", because } as const);
    running.state = { ...running.state, at };
    this.#over(running);
  }

  #sendAbort(order: OrderMessage): void {
    this.#lastAbort = order;
    this.#options.order(order);
  }

  #times() {
    const { stageMs, drainMs } = this.#options;
    return { realMs: performance.now(), atMs: this.#options.now(), stageMs, drainMs };
  }
}

function pick(o: { readonly change: string; readonly epoch: Epoch; readonly from: PhaseId; readonly to: PhaseId }) {
  return { change: o.change, epoch: o.epoch, from: o.from, to: o.to };
}

function refused(epoch: number, says: string): ChangeResult {
  return { outcome: "aborted", epoch: Epoch(epoch), says };
}

function wordsFor(state: ChangeState): string {
  const { from, to } = state.plan;
  if (state.at.stage === "aborted") return `\`${from}\` stays in force: ${state.at.because}`;
  const absent = [...state.without].map(([point, why]) => `${point} (${why})`);
  const done = `\`${to}\` is in force under epoch ${state.plan.epoch}`;
  return absent.length === 0 ? done : `${done}, without ${absent.join(", ")}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
