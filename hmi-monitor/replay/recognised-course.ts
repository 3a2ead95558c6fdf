import { decide } from "#specs/decide/decide.ts";
import type { History } from "#specs/decide/history.ts";
import type { Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import { type Permit, permit } from "#specs/decide/permit.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { NONE, readDeny, ruleIn } from "#specs/decide/verdict-id.ts";
import type { PhaseId, StepId, ZoneId } from "#specs/ids.ts";
import type { Phase } from "#specs/lifecycle.ts";
import { changesState } from "#specs/mask.ts";
import { StepTracker } from "#specs/steps.ts";
import { brief } from "./brief.ts";
import {
  type Cause,
  type Moment,
  outcomeForSteps,
  type PhaseCourse,
  type Possible,
  placeName,
  type TakesChange,
} from "./phase-course.ts";
import { Ways } from "./ways.ts";

/** So many commands in a row that another possible phase allows, and this one does not, rule a phase out. */
export const CONTRADICTIONS = 3;
/** Reasons that tell one phase from another. Cadence, order and what was not seen yet may fail in the right phase too. */
const SPEAKS_AGAINST: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ...(["NO_RULE", "PHASE_FORBIDS", "STEP_FORBIDS", "SOURCE_FORBIDS", "CONTAINED"] as const),
  ...(["VALUE_BELOW", "VALUE_ABOVE", "VALUE_NOT_LISTED"] as const),
]);
/** ms of capture time between two looks at what follows from time alone. */
const LOOK_MS = 100;

/** A phase, and where it has steps one of them. */
export interface Place {
  readonly phase: PhaseId;
  readonly step: StepId | undefined;
}

/** One place where the plant may stand. */
class Hypothesis implements Possible {
  readonly tracker: StepTracker;
  readonly phase: PhaseId;
  readonly sinceMs: number;
  /** Commands in a row that speak against it. */
  against = 0;
  /** The plant has gone on from here; until then messages may still be judged by it. */
  leavesMs = Number.POSITIVE_INFINITY;
  /** Steps that have joined the set, and when they are taken to be the only ones. */
  joined: readonly StepId[] = [];
  settlesMs = Number.POSITIVE_INFINITY;
  #permit: { readonly steps: readonly StepId[]; readonly permit: Permit } | undefined;
  readonly #tables: Tables;

  constructor(tables: Tables, phase: PhaseId, step: StepId | undefined, nowMs: number) {
    this.#tables = tables;
    this.phase = phase;
    this.sinceMs = nowMs;
    this.tracker = new StepTracker(tables);
    this.tracker.enter(phase, step === undefined ? undefined : [step], nowMs);
  }

  get steps(): readonly StepId[] {
    return this.tracker.position?.steps ?? [];
  }

  get permit(): Permit {
    const { steps } = this;
    if (this.#permit?.steps !== steps) {
      const position = { phase: this.phase, steps };
      this.#permit = { steps, permit: permit(this.#tables, { kind: "phase", position }) };
    }
    return this.#permit.permit;
  }

  get place(): string {
    return placeName(this.phase, this.steps);
  }
}

/**
 * Phases as the traffic itself shows them. At the first frame every written phase and step is possible. Then the lifecycle leads on:
 * what leads out of a phase or step by conditions and time is followed as the coordinator follows it, and the place that was left stays
 * possible for as long as a change of phase may take. What people request and what is contained does not show in the traffic; it is
 * assumed where a command is seen that no possible phase allows: for those possible phases that have no rule about it, if a phase that may
 * be reached from there so allows it. A phase that does not allow several commands in a row, while another possible one does, is given up.
 *
 * Generated containments are not assumed: they allow nothing that their origin does not.
 */
export class RecognisedCourse implements PhaseCourse {
  readonly #tables: Tables;
  readonly #changed: TakesChange;
  readonly #ways: Ways;
  readonly #graceMs: number;
  readonly #written: ReadonlySet<PhaseId>;
  readonly #begins: readonly Place[];
  #hypotheses: readonly Hypothesis[];
  #lookedMs = Number.NEGATIVE_INFINITY;
  #deniedMs = Number.NEGATIVE_INFINITY;
  #begun = false;

  /** @param begins where the plant may stand at the first frame; absent: anywhere */
  constructor(tables: Tables, zone: ZoneId, changed: TakesChange, begins?: readonly Place[]) {
    const { lifecycle } = tables;
    this.#begins =
      begins ?? placesOf(lifecycle.phases.filter((phase) => phase.zone === zone && phase.mask === undefined));
    this.#tables = tables;
    this.#changed = changed;
    this.#ways = new Ways(tables, zone);
    this.#graceMs = lifecycle.changeMs;
    this.#written = new Set(
      lifecycle.phases.filter((p) => p.zone === zone && p.mask === undefined).map(({ id }) => id),
    );
    this.#hypotheses = [];
  }

  get possible(): readonly Possible[] {
    return this.#hypotheses;
  }

  begin(at: Moment, history: History): void {
    if (!this.#begun) this.#start(at);
    // A capture whose time goes back begins to wait anew.
    if (Math.abs(at.timeMs - this.#lookedMs) >= LOOK_MS) this.#look(history, at);
  }

  /** A command is evidence: for a phase that allows it, and against one that has no rule about it. */
  asked(observation: Observation, history: History, at: Moment): void {
    if (!changesState(observation.operation)) return;
    const ids = this.#hypotheses.map((h) => decide(this.#tables, h.permit, observation, history, at.timeMs));
    const count = this.#tables.rules.length;
    if (ids.some((id) => id >= 0)) {
      if (this.#hypotheses.length > 1) this.#weigh(ids, at);
      return;
    }
    this.#deniedMs = at.timeMs;
    // Where a rule of the phase is about it, and not kept, it is a violation and no sign of another phase. A phase that has been left
    // leads nowhere any more.
    const silent = this.#hypotheses.filter(
      ({ leavesMs }, n) => leavesMs === Number.POSITIVE_INFINITY && ruleIn(count, ids[n] ?? NONE) === NONE,
    );
    if (silent.length > 0) this.#assume(silent, observation, history, at);
  }

  happened(verdict: Verdict, outcome: Outcome, at: Moment): void {
    const counted = outcomeForSteps(outcome);
    if (verdict.verdict === "deny" || counted === undefined) return;
    for (const hypothesis of this.#hypotheses) {
      const before = hypothesis.steps;
      let changed = hypothesis.tracker.command(verdict.rule, counted, at.timeMs);
      for (const rule of verdict.also ?? []) if (hypothesis.tracker.command(rule, counted, at.timeMs)) changed = true;
      if (changed) this.#joined(hypothesis, before, at, `a message of rule ${verdict.rule} leads on`);
    }
  }

  observe(history: History, at: Moment): void {
    this.#look(history, at);
  }

  #start(at: Moment): void {
    this.#begun = true;
    this.#hypotheses = this.#begins.map(({ phase, step }) => new Hypothesis(this.#tables, phase, step, at.timeMs));
    this.#tell(at, "start", "nothing was seen yet");
  }

  #look(history: History, at: Moment): void {
    const nowMs = at.timeMs;
    this.#lookedMs = nowMs;
    for (const hypothesis of this.#hypotheses) {
      const before = hypothesis.steps;
      if (hypothesis.tracker.observe(history, nowMs)) this.#joined(hypothesis, before, at, "what was seen leads on");
      if (nowMs >= hypothesis.settlesMs) this.#settle(hypothesis, at);
      if (hypothesis.leavesMs === Number.POSITIVE_INFINITY) this.#leave(hypothesis, history, at);
    }
    if (this.#hypotheses.some(({ leavesMs }) => nowMs >= leavesMs))
      this.#keep(
        this.#hypotheses.filter(({ leavesMs }) => nowMs < leavesMs),
        at,
        "settled",
        "the phase before is over",
      );
  }

  #joined(hypothesis: Hypothesis, before: readonly StepId[], at: Moment, says: string): void {
    hypothesis.joined = hypothesis.steps.filter((step) => !before.includes(step));
    hypothesis.settlesMs = at.timeMs + this.#graceMs;
    this.#tell(at, "step", `${says}, in ${hypothesis.phase} to ${hypothesis.joined.join(" or ")}`);
  }

  #settle(hypothesis: Hypothesis, at: Moment): void {
    hypothesis.settlesMs = Number.POSITIVE_INFINITY;
    if (!hypothesis.tracker.record(hypothesis.joined, at.timeMs)) return;
    const twin = this.#hypotheses.find((other) => other !== hypothesis && isSame(other, hypothesis));
    if (twin === undefined) this.#tell(at, "settled", `the step before is over in ${hypothesis.phase}`);
    else
      this.#keep(
        this.#hypotheses.filter((other) => other !== hypothesis),
        at,
        "settled",
        `one way to ${twin.place} less`,
      );
  }

  #leave(hypothesis: Hypothesis, history: History, at: Moment): void {
    const taken = this.#ways.open(hypothesis.phase, history, hypothesis.sinceMs, this.#deniedMs, at.timeMs);
    if (taken === undefined || !this.#written.has(taken.to)) return;
    hypothesis.leavesMs = at.timeMs + this.#graceMs;
    this.#enter([taken.to], at, taken.cause, taken.says);
  }

  #weigh(ids: readonly number[], at: Moment): void {
    // What a phase that has been left allows may have been under way: that is no sign against the phase it was left for.
    const isSign = this.#hypotheses.some(
      ({ leavesMs }, n) => leavesMs === Number.POSITIVE_INFINITY && (ids[n] ?? NONE) >= 0,
    );
    if (!isSign) return;
    const count = this.#tables.rules.length;
    const silent = this.#hypotheses.filter((_, n) => {
      const id = ids[n] ?? 0;
      return id < 0 && SPEAKS_AGAINST.has(readDeny(count, id).reason);
    });
    if (silent.length === 0) return;
    for (const [n, hypothesis] of this.#hypotheses.entries()) if ((ids[n] ?? NONE) >= 0) hypothesis.against = 0;
    for (const hypothesis of silent) hypothesis.against += 1;
    const refuted = silent.filter(({ against }) => against >= CONTRADICTIONS);
    if (refuted.length === 0) return;
    const says = `${CONTRADICTIONS} commands in a row are not allowed in ${refuted.map(({ place }) => place).join(", ")}`;
    this.#keep(
      this.#hypotheses.filter((hypothesis) => !refuted.includes(hypothesis)),
      at,
      "contradicted",
      says,
    );
  }

  /** Takes up every phase that may have been entered unseen from one of these, and allows this. */
  #assume(from: readonly Hypothesis[], observation: Observation, history: History, at: Moment): void {
    const reached = new Map<PhaseId, PhaseId>();
    for (const { phase } of from)
      for (const to of this.#ways.hidden(phase, history, at.timeMs)) if (!reached.has(to)) reached.set(to, phase);
    const fits = [...reached.keys()].filter((phase) => {
      if (!this.#written.has(phase)) return false;
      const { permit } = new Hypothesis(this.#tables, phase, undefined, at.timeMs);
      return decide(this.#tables, permit, observation, history, at.timeMs) >= 0;
    });
    if (fits.length === 0) return;
    const what = brief(
      `${observation.message} ${observation.items.map(({ tag, address }) => tag ?? address).join(", ")}`.trim(),
    );
    this.#enter(fits, at, "command", `${what} has a rule there, and what leads there does not show in the traffic`);
  }

  /** What is not possible yet becomes so, in its initial step. */
  #enter(phases: readonly PhaseId[], at: Moment, cause: Cause, says: string): void {
    const entered = phases
      .map((phase) => new Hypothesis(this.#tables, phase, undefined, at.timeMs))
      .filter((one) => !this.#hypotheses.some((other) => isSame(other, one)));
    if (entered.length > 0) this.#keep([...entered, ...this.#hypotheses], at, cause, says);
  }

  #keep(hypotheses: readonly Hypothesis[], at: Moment, cause: Cause, says: string): void {
    if (hypotheses.length === 0) return;
    this.#hypotheses = hypotheses;
    this.#tell(at, cause, says);
  }

  #tell({ frame, timeMs }: Moment, cause: Cause, says: string): void {
    // Whoever keeps what is possible sees that it is another.
    this.#hypotheses = [...this.#hypotheses];
    this.#changed({ frame, timeMs, cause, says, possible: this.#hypotheses.map(({ place }) => place) });
  }
}

function placesOf(phases: readonly Phase[]): readonly Place[] {
  return phases.flatMap(({ id, steps }) =>
    (steps.length === 0 ? [undefined] : steps).map((step) => ({ phase: id, step: step?.id })),
  );
}

/** In the same phase and steps, and neither about to be left. */
function isSame(a: Hypothesis, b: Hypothesis): boolean {
  const stays = a.leavesMs === Number.POSITIVE_INFINITY && b.leavesMs === Number.POSITIVE_INFINITY;
  return stays && a.place === b.place;
}
