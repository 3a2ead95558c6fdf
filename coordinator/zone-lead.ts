import { type PositionMessage, type ReceiptMessage, topic } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import { Epoch, type PhaseId } from "#specs/ids.ts";
import { type ContainmentChoice, MIRROR_DELAY_MS } from "#specs/lifecycle.ts";
import type { Zone } from "#specs/plant.ts";
import { containmentEvent, type Exit, findPhase, regionOf, stepEvent } from "#specs/positions.ts";
import { mayGoWithoutAbsent } from "#specs/widening.ts";
import type { Broker } from "./broker.ts";
import { ChangeHistory } from "./change-history.ts";
import { type ChangeResult, ChangeRunner } from "./change-runner.ts";
import { Commands } from "./commands.ts";
import { type ExitState, exitStates, openByItself, type Readings, stepTaken } from "./evidence.ts";
import type { EvidenceEntry } from "./evidence-log.ts";
import { type Earlier, EarlierPositions } from "./explained.ts";
import { LifecycleActor } from "./lifecycle-actor.ts";
import type { ChangeRecordView } from "./page-messages.ts";
import type { ChangePlan, ChangeState, Participant } from "./phase-change.ts";
import type { PhaseRecord } from "./phase-record.ts";
import { beginOf, enterPhase, enterStep, type Standing, takeUp } from "./standing.ts";

export interface ZoneLeadParts {
  readonly bundle: Bundle;
  readonly zone: Zone;
  readonly clock: PlantClock;
  readonly broker: Broker;
  readonly record: PhaseRecord;
  readonly readings: Readings;
  /** With no record: begin in the lifecycle's initial phase instead of waiting for an engineer. */
  readonly fresh: boolean;
  /** Real ms per stage of a phase change. */
  readonly stageMs: number;
  readonly participants: () => readonly Participant[];
  readonly lastDetectionMs: () => number | undefined;
  /** For the evidence log. */
  readonly note: (entry: EvidenceEntry) => void;
  /** For people: a code and a sentence. */
  readonly remark: (code: string, says: string) => void;
  readonly onLeft: (phase: PhaseId) => void;
}

/** Real ms between two positions sent because a point lags behind. */
const REMIND_MS = 300;
/** Steps that may be passed within one round of plant time. */
const MAX_STEPS_PER_ROUND = 32;
/** A point that names a higher epoch than this is not believed: the counter must not be used up by a lie. */
const MAX_CREDIBLE_EPOCH = 2 ** 40;

/** Leads one zone: keeps where it stands, on record and on the bus, and has its phase changes carried out. */
export class ZoneLead {
  readonly #parts: ZoneLeadParts;
  readonly #runner: ChangeRunner;
  readonly #actor: LifecycleActor;
  readonly #earlier = new EarlierPositions();
  readonly #history = new ChangeHistory();
  readonly #commands: Commands;
  #standing: Standing | undefined;
  #remindedMs = Number.NEGATIVE_INFINITY;
  #overdue: string | undefined;

  constructor(parts: ZoneLeadParts) {
    this.#parts = parts;
    const { zone, record, broker, clock, stageMs, participants } = parts;
    this.#actor = new LifecycleActor(parts.bundle.lifecycle);
    this.#commands = new Commands(parts.bundle.lifecycle);
    this.#runner = new ChangeRunner(
      {
        zone: zone.id,
        record,
        stageMs,
        drainMs: parts.bundle.lifecycle.mirrorDelayMs ?? MIRROR_DELAY_MS,
        participants,
        order: (order) =>
          broker.publish(
            topic.order(zone.id),
            order.order === "prepare" ? { ...order, bundle: parts.bundle.id } : order,
          ),
        now: () => clock.now(),
        onCommitted: (plan) => this.#onCommitted(plan),
        onOver: (state) => this.#onOver(state),
      },
      record.left(zone.id).epoch,
    );
  }

  /** undefined: no phase has been adopted yet. */
  get standing(): Standing | undefined {
    return this.#standing;
  }

  get runner(): ChangeRunner {
    return this.#runner;
  }

  /** Newest first. */
  get history(): readonly ChangeRecordView[] {
    return this.#history.entries;
  }

  earlier(nowMs: number): readonly Earlier[] {
    return this.#earlier.recent(nowMs);
  }

  /** Takes up where the record says the zone stands; with no record a fresh run begins, else an engineer must say. */
  begin(): Promise<ChangeResult> | undefined {
    const { record, zone, bundle, fresh, clock } = this.#parts;
    const left = record.left(zone.id);
    if (left.opened !== undefined) this.#runner.takeBack(left.opened);
    if (left.committed !== undefined && findPhase(bundle.lifecycle, left.committed.to) !== undefined) {
      return this.#runner.resume(left.committed);
    }
    const at = left.standing && takeUp(bundle.lifecycle, left.standing.phase, left.standing.steps);
    if (left.standing !== undefined && at !== undefined) {
      this.#standing = enterPhase(at, left.standing.epoch, clock.now());
      this.#actor.start(at);
      this.publishPosition();
    } else if (fresh) {
      this.adopt(regionOf(bundle.lifecycle, zone.id).initial);
    }
    return undefined;
  }

  /** Stands in a phase from now on, without a change that leads there. False: the lifecycle has no such phase. */
  adopt(phase: PhaseId): boolean {
    const { bundle, clock, record, zone, note } = this.#parts;
    const begin = beginOf(bundle.lifecycle, phase);
    if (begin === undefined) return false;
    const epoch = this.#runner.nextEpoch();
    record.append({ entry: "standing", zone: zone.id, epoch, phase, steps: [...begin.steps] });
    this.#standing = enterPhase(begin, epoch, clock.now());
    this.#actor.start(begin);
    this.publishPosition();
    note({ kind: "adoption", atMs: clock.now(), phase, epoch });
    return true;
  }

  close(): void {
    this.#runner.close();
    this.#actor.stop();
  }

  /** The ways out of the present phase and what stands in the way of each. */
  exits(): readonly ExitState[] {
    const standing = this.#standing;
    if (standing === undefined) return [];
    const nowMs = this.#parts.clock.now();
    return exitStates(this.#parts.bundle.lifecycle, standing.phase, {
      nowMs,
      enteredMs: standing.sinceMs,
      lastDetectionMs: this.#parts.lastDetectionMs(),
      view: this.#parts.readings.view(nowMs),
    });
  }

  /** A planned change along one way out. */
  go(exit: Exit, cause: string): Promise<ChangeResult> {
    const standing = this.#standing;
    const target = this.#actor.leadsTo(exit.event);
    if (standing === undefined || target === undefined) return Promise.resolve(impossible(standing, exit.event));
    const { phase: to, steps } = target;
    const withoutAbsent = mayGoWithoutAbsent(this.#parts.bundle.lifecycle, standing.phase, to);
    const { window } = exit.transition;
    const planned = { window, emergency: false, withoutAbsent, event: exit.event, cause };
    return this.#runner.run({ from: standing.phase, to, steps, ...planned });
  }

  /** An emergency change. The zone stands in the new phase when this returns; the promise ends when every point has it. */
  contain(choice: ContainmentChoice, cause: string): Promise<ChangeResult> {
    const standing = this.#standing;
    const name = containmentEvent(choice.to);
    const target = this.#actor.leadsTo(name);
    if (standing === undefined || target === undefined) return Promise.resolve(impossible(standing, name));
    const { phase: to, steps } = target;
    const urgent = { window: [], emergency: true, withoutAbsent: true, event: name, cause };
    return this.#runner.run({ from: standing.phase, to, steps, ...urgent });
  }

  /** A message of a rule was forwarded, or answered: some steps begin with one. */
  commanded(receipt: ReceiptMessage): void {
    this.#commands.receipt(receipt);
  }

  /** Takes the steps and then the one phase change that the evidence asks for. */
  async follow(): Promise<void> {
    this.#walkSteps();
    const exit = openByItself(this.exits());
    if (exit !== undefined && this.#runner.current === undefined) await this.go(exit, exit.event);
  }

  /** A point that holds no phase, an older epoch, or fell back to the isolated phase is told again where the zone stands. */
  remind(phase: string | null, epoch: Epoch | null, state: string): void {
    const standing = this.#standing;
    if (epoch !== null && standing === undefined) this.#outrank(undefined, epoch);
    if (standing === undefined || this.#runner.current !== undefined) return;
    if (epoch !== null && epoch > standing.epoch) {
      this.#outrank(standing, epoch);
      return;
    }
    const follows = epoch === standing.epoch && phase === standing.phase && state !== "isolated";
    if (follows || performance.now() - this.#remindedMs < REMIND_MS) return;
    this.#remindedMs = performance.now();
    this.publishPosition();
  }

  /** A point that was away may have missed that a change was taken back. */
  returned(): void {
    const abort = this.#runner.lastAbort;
    if (abort === undefined || abort.epoch <= (this.#standing?.epoch ?? 0)) return;
    this.#parts.broker.publish(topic.order(this.#parts.zone.id), abort);
  }

  publishPosition(): void {
    const standing = this.#standing;
    if (standing === undefined) return;
    const { broker, clock, zone } = this.#parts;
    const { phase, steps, epoch } = standing;
    const position: PositionMessage = { zone: zone.id, phase, steps, epoch, atMs: clock.now() };
    broker.publish(topic.position(zone.id), position, true);
  }

  /** A point holds a newer epoch than any on record (the record was lost): the same phase goes out under a higher one. */
  #outrank(standing: Standing | undefined, epoch: Epoch): void {
    if (epoch > MAX_CREDIBLE_EPOCH) return;
    this.#runner.outrank(epoch);
    if (standing === undefined) return;
    const next = this.#runner.nextEpoch();
    const { record, zone } = this.#parts;
    const { phase, steps } = standing;
    this.#recorded(() => record.append({ entry: "standing", zone: zone.id, epoch: next, phase, steps: [...steps] }));
    this.#standing = { ...standing, epoch: next };
    this.publishPosition();
  }

  #walkSteps(): void {
    const { bundle, clock, record, zone, readings, note } = this.#parts;
    for (let passed = 0; passed < MAX_STEPS_PER_ROUND; passed += 1) {
      const standing = this.#standing;
      const step = standing?.steps[0];
      if (standing === undefined || step === undefined || this.#runner.current !== undefined) return;
      const nowMs = clock.now();
      const { phase, epoch } = standing;
      const index = stepTaken(bundle.lifecycle, phase, step, {
        nowMs,
        view: readings.view(nowMs),
        stepSinceMs: standing.stepSinceMs,
        commanded: (rule, outcome) => this.#commands.last(rule, outcome),
      });
      if (index === undefined) {
        this.#checkStepTime(standing, nowMs);
        return;
      }
      this.#actor.send(stepEvent(bundle.lifecycle, zone.id, index));
      const next = this.#actor.position?.steps[0] ?? step;
      this.#earlier.leave(standing, nowMs);
      this.#standing = enterStep(standing, next, nowMs);
      this.#recorded(() => record.append({ entry: "standing", zone: zone.id, epoch, phase, steps: [next] }));
      note({ kind: "change", atMs: nowMs, phase, epoch, step: next, before: step });
      this.publishPosition();
    }
  }

  #checkStepTime(standing: Standing, nowMs: number): void {
    const phase = findPhase(this.#parts.bundle.lifecycle, standing.phase);
    const step = phase?.steps.find((candidate) => candidate.id === standing.steps[0]);
    const stay = `${standing.epoch} ${step?.id ?? ""} ${standing.stepSinceMs}`;
    if (step?.maxMs === undefined || nowMs - standing.stepSinceMs <= step.maxMs || this.#overdue === stay) return;
    this.#overdue = stay;
    const says = `step \`${step.id}\` of \`${standing.phase}\` has taken longer than ${step.maxMs / 1000} s`;
    this.#parts.remark("STEP_OVERDUE", says);
  }

  #onCommitted(plan: ChangePlan): void {
    const nowMs = this.#parts.clock.now();
    if (this.#standing !== undefined) this.#earlier.leave(this.#standing, nowMs);
    this.#standing = enterPhase({ phase: plan.to, steps: plan.steps }, plan.epoch, nowMs);
    this.#actor.send(plan.event);
    // A change taken up after a restart finds no running actor: it begins where the record says.
    if (this.#actor.position?.phase !== plan.to) this.#actor.start(this.#standing);
    this.#parts.onLeft(plan.from);
  }

  #onOver(state: ChangeState): void {
    const entry = this.#history.over(state, this.#parts.clock.now());
    this.#parts.note({ kind: "change", ...entry });
    if (entry.outcome === "done") this.publishPosition();
  }

  #recorded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#parts.remark("RECORD_UNWRITABLE", `where the zone stands cannot be recorded (${String(error)})`);
    }
  }
}

function impossible(standing: Standing | undefined, name: string): ChangeResult {
  const says = `\`${standing?.phase ?? "no phase"}\` knows no event \`${name}\``;
  return { outcome: "aborted", epoch: standing?.epoch ?? Epoch(0), says };
}
