import type { AnswerMessage, OrderMessage, PointId } from "#point/bus.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { Epoch, PhaseId, RuleId, StepId, ZoneId } from "#specs/ids.ts";

/**
 * The protocol by which one zone goes from one phase to the next. Pure: answers and real time go in, orders come out.
 *
 * Planned: prepare (everybody) → window hmi, switch, plc → commit record → take plc, switch, hmi → done.
 * Emergency: commit record → take, everywhere at once → done.
 *
 * INVARIANT (commit point): before the commit record is durable a change aborts to old whole; afterwards it only rolls forward.
 */
export interface ChangePlan {
  readonly change: string;
  readonly zone: ZoneId;
  readonly epoch: Epoch;
  readonly from: PhaseId;
  readonly to: PhaseId;
  readonly steps: readonly StepId[];
  /** Rules whose commands belong to the transition itself. */
  readonly window: readonly RuleId[];
  readonly emergency: boolean;
  /** True for a change that only narrows or leads to a safer phase: absent or refusing points are reported, not waited for. */
  readonly withoutAbsent: boolean;
  readonly participants: readonly Participant[];
  /** The event of the lifecycle machine that is taken at the commit. */
  readonly event: string;
  /** What led to it, in words, for the record. */
  readonly cause: string;
}

export interface Participant {
  readonly point: PointId;
  readonly layer: Layer;
  readonly reachable: boolean;
}

export type ChangeStage =
  | { readonly stage: "prepare" }
  | { readonly stage: "window"; readonly layer: Layer }
  | { readonly stage: "commit" }
  | { readonly stage: "take"; readonly layer: Layer | "all" }
  | { readonly stage: "abort"; readonly because: string }
  | { readonly stage: "done" }
  | { readonly stage: "aborted"; readonly because: string };

export interface ChangeState {
  readonly plan: ChangePlan;
  readonly at: ChangeStage;
  /** Points whose answer the stage still waits for. */
  readonly waiting: readonly PointId[];
  /** Points the change goes on without: absent, silent or refusing, each with the reason. */
  readonly without: ReadonlyMap<PointId, string>;
  readonly stageEndsMs: number;
  readonly repeatAtMs: number;
}

export type ChangeInput =
  | { readonly kind: "answer"; readonly answer: AnswerMessage }
  | { readonly kind: "time" }
  /** The point's connection ended. */
  | { readonly kind: "gone"; readonly point: PointId }
  /** The commit record is on stable storage. */
  | { readonly kind: "durable" }
  /** The commit record could not be written, or something more urgent takes the place of this change. */
  | { readonly kind: "cancel"; readonly because: string };

export type ChangeOutput =
  | { readonly kind: "order"; readonly order: OrderMessage }
  /** Write the commit record, then feed `durable` (or `cancel`). */
  | { readonly kind: "commit" }
  | { readonly kind: "done" }
  | { readonly kind: "aborted"; readonly because: string };

export interface ChangeStep {
  readonly state: ChangeState;
  readonly outputs: readonly ChangeOutput[];
}

/** Real ms that one stage may take. */
export const STAGE_MS = 2000;
/** Real ms after which an unanswered order is sent again. */
export const REPEAT_MS = 400;

const FROM_THE_TOP: readonly Layer[] = ["hmi", "switch", "plc"];
const FROM_THE_BOTTOM: readonly Layer[] = ["plc", "switch", "hmi"];

export interface ChangeTimes {
  readonly realMs: number;
  /** Plant time, stamped on orders. */
  readonly atMs: number;
  readonly stageMs: number;
  /** Real ms by which the HMI layer may answer its `window` later: it judges a copy, and first all that was before. */
  readonly drainMs?: number;
}

export function beginChange(plan: ChangePlan, times: ChangeTimes): ChangeStep {
  const absent = plan.participants.filter((p) => !p.reachable);
  const without = new Map(absent.map((p) => [p.point, "not reachable"]));
  const state: ChangeState = { plan, at: { stage: "prepare" }, waiting: [], without, stageEndsMs: 0, repeatAtMs: 0 };
  if (plan.emergency) return { state: { ...state, at: { stage: "commit" } }, outputs: [{ kind: "commit" }] };
  if (absent.length > 0 && !plan.withoutAbsent) {
    const because = `${names(absent.map((p) => p.point))} cannot be reached, and this change allows more than before`;
    return { state: { ...state, at: { stage: "aborted", because } }, outputs: [{ kind: "aborted", because }] };
  }
  return enter(state, { stage: "prepare" }, times);
}

/** A change whose commit record is durable but which was not finished: a coordinator that restarts takes it up here. */
export function resumeChange(plan: ChangePlan, times: ChangeTimes): ChangeStep {
  const absent = plan.participants.filter((p) => !p.reachable);
  const without = new Map(absent.map((p) => [p.point, "not reachable"]));
  const state: ChangeState = { plan, at: { stage: "commit" }, waiting: [], without, stageEndsMs: 0, repeatAtMs: 0 };
  return afterCommit(state, times);
}

export function stepChange(state: ChangeState, input: ChangeInput, times: ChangeTimes): ChangeStep {
  if (isOver(state)) return { state, outputs: [] };
  switch (input.kind) {
    case "answer":
      return onAnswer(state, input.answer, times);
    case "gone":
      return state.waiting.includes(input.point)
        ? onMissing(state, input.point, "its connection ended", times)
        : same(state);
    case "durable":
      return state.at.stage === "commit" ? afterCommit(state, times) : same(state);
    case "cancel":
      return isCommitted(state) || state.at.stage === "abort" ? same(state) : abort(state, input.because, times);
    case "time":
      return onTime(state, times);
    default: {
      const never: never = input;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

export function isOver(state: ChangeState): boolean {
  return state.at.stage === "done" || state.at.stage === "aborted";
}

/** True once the commit record is durable: from here the change only rolls forward. */
export function isCommitted(state: ChangeState): boolean {
  return state.at.stage === "take" || state.at.stage === "done";
}

function onAnswer(state: ChangeState, answer: AnswerMessage, times: ChangeTimes): ChangeStep {
  const expected = state.at.stage === answer.order && answer.change === state.plan.change;
  if (!expected || !state.waiting.includes(answer.point)) return same(state);
  if (!answer.agreed) return onMissing(state, answer.point, answer.says || "refused", times);
  return proceed({ ...state, waiting: state.waiting.filter((point) => point !== answer.point) }, times);
}

/** A point that was waited for will not agree. */
function onMissing(state: ChangeState, point: PointId, why: string, times: ChangeTimes): ChangeStep {
  const beforeCommit = state.at.stage === "prepare" || state.at.stage === "window";
  if (beforeCommit && !state.plan.withoutAbsent) return abort(state, `${point}: ${why}`, times);
  const without = new Map(state.without).set(point, why);
  return proceed({ ...state, without, waiting: state.waiting.filter((p) => p !== point) }, times);
}

function onTime(state: ChangeState, times: ChangeTimes): ChangeStep {
  if (state.at.stage === "commit" || state.waiting.length === 0) return same(state);
  if (times.realMs >= state.stageEndsMs) {
    const why = `no answer to \`${state.at.stage}\` within ${times.stageMs} ms`;
    const first = state.waiting[0];
    if (first === undefined) return same(state);
    const beforeCommit = state.at.stage === "prepare" || state.at.stage === "window";
    if (beforeCommit && !state.plan.withoutAbsent) return abort(state, `${names(state.waiting)}: ${why}`, times);
    const without = new Map(state.without);
    for (const point of state.waiting) without.set(point, why);
    return proceed({ ...state, without, waiting: [] }, times);
  }
  if (times.realMs < state.repeatAtMs) return same(state);
  const order = orderOf(state, times);
  return {
    state: { ...state, repeatAtMs: times.realMs + REPEAT_MS },
    outputs: order === undefined ? [] : [{ kind: "order", order }],
  };
}

/** Goes on to the next stage once nobody is waited for. */
function proceed(state: ChangeState, times: ChangeTimes): ChangeStep {
  if (state.waiting.length > 0) return same(state);
  switch (state.at.stage) {
    case "prepare":
      return enter(state, { stage: "window", layer: "hmi" }, times);
    case "window": {
      const next = FROM_THE_TOP[FROM_THE_TOP.indexOf(state.at.layer) + 1];
      if (next !== undefined) return enter(state, { stage: "window", layer: next }, times);
      return { state: { ...state, at: { stage: "commit" } }, outputs: [{ kind: "commit" }] };
    }
    case "take": {
      const next = state.at.layer === "all" ? undefined : FROM_THE_BOTTOM[FROM_THE_BOTTOM.indexOf(state.at.layer) + 1];
      if (next !== undefined) return enter(state, { stage: "take", layer: next }, times);
      return { state: { ...state, at: { stage: "done" } }, outputs: [{ kind: "done" }] };
    }
    case "abort": {
      const because = state.at.because;
      return { state: { ...state, at: { stage: "aborted", because } }, outputs: [{ kind: "aborted", because }] };
    }
    default:
      return same(state);
  }
}

function afterCommit(state: ChangeState, times: ChangeTimes): ChangeStep {
  return enter(state, { stage: "take", layer: state.plan.emergency ? "all" : "plc" }, times);
}

function abort(state: ChangeState, because: string, times: ChangeTimes): ChangeStep {
  return enter(state, { stage: "abort", because }, times);
}

function enter(state: ChangeState, at: ChangeStage, times: ChangeTimes): ChangeStep {
  const drainMs = at.stage === "window" && at.layer === "hmi" ? (times.drainMs ?? 0) : 0;
  const entered: ChangeState = {
    ...state,
    at,
    waiting: askedIn(state, at),
    stageEndsMs: times.realMs + times.stageMs + drainMs,
    repeatAtMs: times.realMs + REPEAT_MS,
  };
  const order = orderOf(entered, times);
  const asked: ChangeOutput[] = order === undefined ? [] : [{ kind: "order", order }];
  const next = proceed(entered, times);
  return { state: next.state, outputs: [...asked, ...next.outputs] };
}

/**
 * Who must answer. A point once given up is not waited for again, so that a change takes one time-out and not seven; `take`
 * still reaches it, since orders go to everybody.
 */
function askedIn(state: ChangeState, at: ChangeStage): readonly PointId[] {
  const layer = "layer" in at && at.layer !== "all" ? at.layer : undefined;
  return state.plan.participants
    .filter((p) => !state.without.has(p.point) && (layer === undefined || p.layer === layer))
    .map((p) => p.point);
}

function orderOf(state: ChangeState, times: ChangeTimes): OrderMessage | undefined {
  const { zone, change, epoch, to, steps, from, window } = state.plan;
  const base = { zone, change, epoch, to, steps, atMs: times.atMs };
  switch (state.at.stage) {
    case "prepare":
      return { ...base, order: "prepare", from, window };
    case "window":
      return { ...base, order: "window", layer: state.at.layer };
    case "take":
      return { ...base, order: "take", layer: state.at.layer };
    case "abort":
      return { ...base, order: "abort", from };
    default:
      return undefined;
  }
}

function same(state: ChangeState): ChangeStep {
  return { state, outputs: [] };
}

export function names(points: readonly string[]): string {
  return points.length === 0 ? "nobody" : points.join(", ");
}
