import { setTimeout as pause } from "node:timers/promises";
import { HEARTBEAT_MS, topic, type LeaseMessage, type PointId, type PositionMessage } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import { Epoch, PhaseId, type TagId } from "#specs/ids.ts";
import type { ContainmentChoice } from "#specs/lifecycle.ts";
import type { Zone } from "#specs/plant.ts";
import { findPhase, type Exit } from "#specs/positions.ts";
import { candidates } from "./adoption.ts";
import type { Broker } from "./broker.ts";
import { readAnswer, readNotice, readReceipt, readStatus, readTags } from "./bus-schema.ts";
import { ChangeRunner, type ChangeResult } from "./change-runner.ts";
import { follow, MONITOR_SAYS, type ContainmentPolicy } from "./containment.ts";
import type { Noted } from "./detections.ts";
import { Detector, type Present } from "./detector.ts";
import { exitStates, openByItself, Readings, stepTaken, type ExitState } from "./evidence.ts";
import type { EvidenceEntry, EvidenceLog } from "./evidence-log.ts";
import { event, LifecycleActor } from "./lifecycle-actor.ts";
import type { ApiAnswer, ChangeRecordView, ContainmentBody, Detection, RequestBody, StateView } from "./page-messages.ts";
import type { ChangePlan, ChangeState } from "./phase-change.ts";
import type { PhaseRecord } from "./phase-record.ts";
import { Points, type ExpectedPoint } from "./points.ts";
import { Proposals } from "./proposals.ts";
import { answerRequest } from "./recovery.ts";
import { beginOf, EarlierPositions, enterPhase, enterStep, takeUp, type Standing } from "./standing.ts";
import { stateView } from "./state-view.ts";
import type { Vouched } from "./vouched.ts";
import { mayGoWithoutAbsent } from "./widening.ts";

export interface CoordinatorParts {
  readonly bundle: Bundle;
  readonly zone: Zone;
  readonly clock: PlantClock;
  readonly broker: Broker;
  readonly record: PhaseRecord;
  readonly log: EvidenceLog;
  readonly expected: readonly ExpectedPoint[];
  readonly policy: ContainmentPolicy;
  /** With no record: begin in the lifecycle's initial phase instead of waiting for an engineer. */
  readonly fresh: boolean;
  /** Plant time is simulated and waits for the coordinator at `close`. */
  readonly lockstep: boolean;
  readonly stageMs: number;
  readonly skewMs?: number;
}

/** Real ms that `close` waits for points to catch up, and in all. The plant's conductor drops who takes 5 s. */
const CATCH_UP_MS = 2000;
const CLOSE_MS = 4000;
const CATCH_UP_LOOK_MS = 4;
const WATCH_MS = 100;
/** Real ms between two positions sent because one point lags behind. */
const REMIND_MS = 300;
const MAX_HISTORY = 100;
const ADOPT_ROLES = ["engineer", "admin"];

/** The shell around the pure parts: it hears the points, keeps the zone's standing, and lets what follows happen. */
export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #points: Points;
  readonly #readings: Readings;
  readonly #detector: Detector;
  readonly #proposals: Proposals;
  readonly #runner: ChangeRunner;
  readonly #actor: LifecycleActor;
  readonly #earlier = new EarlierPositions();
  readonly #tags: ReadonlyMap<string, TagId>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #listeners: ((detection: Detection) => void)[] = [];
  #standing: Standing | undefined;
  #history: readonly ChangeRecordView[] = [];
  #closing = false;
  #remindedMs = 0;
  #overdue: string | undefined;
  #logFailure: string | undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { plant, lifecycle } = parts.bundle;
    this.#points = new Points(parts.expected);
    this.#tags = new Map(plant.tags.map((tag) => [tag.id, tag.id]));
    this.#readings = new Readings(lifecycle, plant.tags.map((tag) => tag.id));
    this.#detector = new Detector(plant, lifecycle, parts.skewMs);
    this.#proposals = new Proposals(lifecycle);
    this.#actor = new LifecycleActor(lifecycle);
    this.#runner = new ChangeRunner(
      {
        zone: parts.zone.id,
        record: parts.record,
        stageMs: parts.stageMs,
        participants: () => this.#points.participants(performance.now()),
        order: (order) => parts.broker.publish(topic.order(parts.zone.id), order),
        now: () => parts.clock.now(),
        onCommitted: (plan) => this.#onCommitted(plan),
        onOver: (state) => this.#onOver(state),
      },
      parts.record.left(parts.zone.id).epoch,
    );
  }

  start(): void {
    const { broker, clock } = this.#parts;
    broker.onMessage((point, channel, payload) => this.#onMessage(point, channel, payload));
    broker.onPresence((point, present) => this.#onPresence(point, present));
    clock.on("close", (_tick, atMs) => this.#onClose(atMs));
    this.#begin();
    this.#lease();
    this.#timers.push(setInterval(() => this.#lease(), HEARTBEAT_MS), setInterval(() => this.#watch(), WATCH_MS));
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#runner.close();
    this.#actor.stop();
    this.#note({ kind: "stop", atMs: this.#parts.clock.now() });
  }

  onDetection(listener: (detection: Detection) => void): void {
    this.#listeners.push(listener);
  }

  detections(count: number): readonly Detection[] {
    return this.#detector.list.latest(count);
  }

  state(): StateView {
    const { bundle, clock, policy } = this.#parts;
    const standing = this.#standing;
    return stateView({
      lifecycle: bundle.lifecycle,
      nowMs: clock.now(),
      standing,
      change: this.#runner.current,
      policy,
      points: this.#points.views(performance.now(), standing),
      detections: this.#detector.list.latest(50),
      proposals: this.#proposals.views(20),
      readings: this.#readings,
      exits: this.#exits(),
      candidates: standing === undefined ? candidates(bundle.lifecycle, (tag) => this.#readings.get(tag)) : [],
      history: this.#history.slice(0, 30),
      counts: this.#detector.counts,
    });
  }

  /** Answers when the phase change is over. */
  async request(body: RequestBody): Promise<ApiAnswer> {
    const answer = await this.#request(body);
    this.#note({ kind: "request", atMs: this.#parts.clock.now(), ...body, ...answer });
    return answer;
  }

  async containment(body: ContainmentBody): Promise<ApiAnswer> {
    const answer = await this.#decideProposal(body);
    this.#note({ kind: "containment", atMs: this.#parts.clock.now(), ...body, ...answer });
    return answer;
  }

  /** Takes up where the record says the zone stands; with no record a fresh run begins, else an engineer must say. */
  #begin(): void {
    const { record, zone, bundle, fresh, clock, policy } = this.#parts;
    const left = record.left(zone.id);
    this.#note({ kind: "start", atMs: clock.now(), bundle: bundle.id, ...policy, fresh, standing: left.standing ?? null });
    if (left.opened !== undefined) this.#runner.takeBack(left.opened);
    if (left.committed !== undefined && findPhase(bundle.lifecycle, left.committed.to) !== undefined) {
      this.#background(this.#runner.resume(left.committed));
      return;
    }
    const at = left.standing && takeUp(bundle.lifecycle, left.standing.phase, left.standing.steps);
    if (left.standing !== undefined && at !== undefined) {
      this.#standing = enterPhase(at, left.standing.epoch, clock.now());
    } else if (fresh) {
      this.#adopt(bundle.lifecycle.initial);
    }
    if (this.#standing !== undefined) this.#actor.start(this.#standing);
    this.#publishPosition();
  }

  #adopt(phase: PhaseId): boolean {
    const { bundle, clock, record, zone } = this.#parts;
    const begin = beginOf(bundle.lifecycle, phase);
    if (begin === undefined) return false;
    const epoch = this.#runner.nextEpoch();
    record.append({ entry: "standing", zone: zone.id, epoch, phase, steps: [...begin.steps] });
    this.#standing = enterPhase(begin, epoch, clock.now());
    this.#actor.start(begin);
    this.#publishPosition();
    this.#note({ kind: "adoption", atMs: clock.now(), phase, epoch });
    return true;
  }

  async #request(body: RequestBody): Promise<ApiAnswer> {
    if (body.request === "adopt") return this.#requestAdoption(body);
    const standing = this.#standing;
    if (standing === undefined) {
      return { accepted: false, says: "no phase has been adopted yet; an engineer confirms one with the request `adopt`" };
    }
    const answer = answerRequest(standing.phase, this.#exits(), body.request, body.role);
    if (!answer.accepted) return answer;
    const result = await this.#go(standing, answer.exit, `request ${body.request} by ${body.person} (${body.role})`);
    return { accepted: result.outcome === "done", says: result.says };
  }

  #requestAdoption(body: RequestBody): ApiAnswer {
    if (this.#standing !== undefined) return { accepted: false, says: `\`${this.#standing.phase}\` is in force; there is nothing to adopt` };
    if (!ADOPT_ROLES.includes(body.role)) return { accepted: false, says: `\`adopt\` needs the role engineer or admin, not ${body.role}` };
    const phase = this.#parts.bundle.lifecycle.phases.find((p) => p.id === body.phase)?.id;
    if (phase === undefined) return { accepted: false, says: `\`${body.phase ?? ""}\` is no phase of this lifecycle; name one in \`phase\`` };
    this.#adopt(phase);
    return { accepted: true, says: `\`${phase}\` is adopted and in force` };
  }

  async #decideProposal(body: ContainmentBody): Promise<ApiAnswer> {
    const proposal = this.#proposals.find(body.proposal);
    if (proposal === undefined) return { accepted: false, says: `there is no proposal \`${body.proposal}\`` };
    if (proposal.state !== "proposed") return { accepted: false, says: `proposal \`${proposal.id}\` is ${proposal.state} already` };
    if (!proposal.roles.includes(body.role)) return { accepted: false, says: `a containment needs the role ${proposal.roles.join(" or ")}, not ${body.role}` };
    const by = `${body.person} (${body.role})`;
    if (!body.approve) {
      this.#proposals.decide(proposal.id, "refused", by);
      return { accepted: true, says: `the containment \`${proposal.to}\` was refused by ${by}` };
    }
    if (this.#parts.policy.mode === "monitor") return { accepted: false, says: MONITOR_SAYS };
    this.#proposals.decide(proposal.id, "taken", by);
    const result = await this.#contain(proposal.choice, `containment approved by ${by}`);
    for (const id of proposal.detections) this.#mark(id, proposal.to);
    return { accepted: result.outcome === "done", says: result.says };
  }

  #onMessage(point: PointId, channel: string, payload: unknown): void {
    switch (channel) {
      case "status":
        return this.#onStatus(point, payload);
      case "tags":
        return this.#onTags(point, payload);
      case "answer": {
        const answer = readAnswer(payload);
        if (answer?.point === point) this.#runner.onAnswer(answer);
        return;
      }
      case "receipt": {
        const receipt = readReceipt(payload);
        if (receipt?.point !== point) return;
        this.#detector.receipt(receipt);
        return this.#judge();
      }
      case "notice": {
        const notice = readNotice(payload);
        if (notice?.point !== point) return;
        this.#note({ kind: "notice", ...notice });
        return this.#noted([this.#detector.notice(notice, this.#present())]);
      }
      default:
        return;
    }
  }

  #onStatus(point: PointId, payload: unknown): void {
    const status = readStatus(payload);
    if (status?.point !== point || status.zone !== this.#parts.zone.id) return;
    const changed = this.#points.onStatus(status, performance.now(), Date.now());
    if (changed) this.#note({ kind: "status", ...status });
    if (status.state === "down") this.#runner.onGone(point);
    else this.#remind(status.phase, status.epoch, status.state);
    this.#judge();
  }

  #onTags(point: PointId, payload: unknown): void {
    const message = readTags(payload);
    // Only the point in a PLC may say what is in that PLC: a tag of another device is not evidence.
    if (message?.point !== point || this.#points.status(point)?.layer !== "plc") return;
    for (const [name, value] of Object.entries(message.values)) {
      const tag = this.#tags.get(name);
      if (tag !== undefined && this.#deviceOf(tag) === message.device) this.#readings.observe(tag, value, message.atMs);
    }
    this.#detector.tags(message, (name) => this.#tags.get(name));
  }

  #deviceOf(tag: TagId): string | undefined {
    return this.#parts.bundle.plant.tags.find((t) => t.id === tag)?.device;
  }

  #onPresence(point: PointId, present: boolean): void {
    this.#points.onPresence(point, present);
    if (!present) return this.#runner.onGone(point);
    // It may have missed that a change was taken back while it was away.
    const abort = this.#runner.lastAbort;
    if (abort !== undefined && abort.epoch > (this.#standing?.epoch ?? 0)) {
      this.#parts.broker.publish(topic.order(this.#parts.zone.id), abort);
    }
  }

  /** A point that holds no phase, an older epoch, or fell back to the isolated phase is told again where the zone stands. */
  #remind(phase: string | null, epoch: Epoch | null, state: string): void {
    const standing = this.#standing;
    if (standing === undefined || this.#runner.current !== undefined) return;
    if (epoch !== null && epoch > standing.epoch) return this.#outrank(standing, epoch);
    const follows = epoch === standing.epoch && phase === standing.phase && state !== "isolated";
    if (follows || performance.now() - this.#remindedMs < REMIND_MS) return;
    this.#remindedMs = performance.now();
    this.#publishPosition();
  }

  /** A point holds a newer epoch than any on record (the record was lost): the same phase goes out under a higher one. */
  #outrank(standing: Standing, epoch: Epoch): void {
    if (epoch > 2 ** 40) return;
    this.#runner.outrank(epoch);
    const next = this.#runner.nextEpoch();
    const { record, zone } = this.#parts;
    record.append({ entry: "standing", zone: zone.id, epoch: next, phase: standing.phase, steps: [...standing.steps] });
    this.#standing = { ...standing, epoch: next };
    this.#publishPosition();
  }

  /** End of a round of plant time: everything seen is judged, and what the evidence asks for is done before time goes on. */
  async #onClose(atMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const round = this.#round(atMs).finally(() => {
      this.#closing = false;
    });
    await (this.#parts.lockstep ? Promise.race([round, pause(CLOSE_MS)]) : round);
  }

  async #round(atMs: number): Promise<void> {
    if (this.#parts.lockstep) await this.#caughtUp(atMs);
    this.#judge();
    await this.#changeOver();
    this.#walkSteps();
    const standing = this.#standing;
    if (standing === undefined) return;
    const exit = openByItself(this.#exits());
    if (exit !== undefined) await this.#go(standing, exit, exit.event);
  }

  async #caughtUp(atMs: number): Promise<void> {
    const until = performance.now() + CATCH_UP_MS;
    while (this.#points.behind(atMs, performance.now()).length > 0 && performance.now() < until) await pause(CATCH_UP_LOOK_MS);
  }

  /** Waits for a change that is under way, be it a person's or a containment. */
  async #changeOver(): Promise<void> {
    const until = performance.now() + CATCH_UP_MS;
    while (this.#runner.current !== undefined && performance.now() < until) await pause(CATCH_UP_LOOK_MS);
  }

  /** The record of steps: several may have been passed within one round. */
  #walkSteps(): void {
    const { bundle, clock, record, zone } = this.#parts;
    for (let passed = 0; passed < 32; passed += 1) {
      const standing = this.#standing;
      const step = standing?.steps[0];
      if (standing === undefined || step === undefined || this.#runner.current !== undefined) return;
      const nowMs = clock.now();
      const index = stepTaken(bundle.lifecycle, standing.phase, step, { nowMs, view: this.#readings.view(nowMs) });
      if (index === undefined) return this.#checkStepTime(standing, nowMs);
      this.#actor.send(event.step(index));
      const next = this.#actor.position?.steps[0] ?? step;
      this.#earlier.leave(standing, nowMs);
      this.#standing = enterStep(standing, next, nowMs);
      this.#attempt(() => record.append({ entry: "standing", zone: zone.id, epoch: standing.epoch, phase: standing.phase, steps: [next] }));
      this.#note({ kind: "change", atMs: nowMs, phase: standing.phase, epoch: standing.epoch, step: next, before: step });
      this.#publishPosition();
    }
  }

  #checkStepTime(standing: Standing, nowMs: number): void {
    const phase = findPhase(this.#parts.bundle.lifecycle, standing.phase);
    const step = phase?.steps.find((candidate) => candidate.id === standing.steps[0]);
    const key = `${standing.epoch} ${step?.id ?? ""} ${standing.stepSinceMs}`;
    if (step?.maxMs === undefined || nowMs - standing.stepSinceMs <= step.maxMs || this.#overdue === key) return;
    this.#overdue = key;
    const says = `step \`${step.id}\` of \`${standing.phase}\` has taken longer than ${step.maxMs / 1000} s`;
    this.#noted([this.#detector.remark("STEP_OVERDUE", says, this.#present())]);
  }

  #go(standing: Standing, exit: Exit, cause: string): Promise<ChangeResult> {
    const target = this.#actor.leadsTo(exit.event);
    if (target === undefined) return Promise.resolve(impossible(standing, exit.event));
    const { phase: to, steps } = target;
    const withoutAbsent = mayGoWithoutAbsent(this.#parts.bundle.lifecycle, standing.phase, to);
    const { window } = exit.transition;
    return this.#runner.run({ from: standing.phase, to, steps, window, emergency: false, withoutAbsent, event: exit.event, cause });
  }

  #contain(choice: ContainmentChoice, cause: string): Promise<ChangeResult> {
    const standing = this.#standing;
    const name = event.containment(choice.to);
    const target = this.#actor.leadsTo(name);
    if (standing === undefined || target === undefined) return Promise.resolve(impossible(standing, name));
    const { phase: to, steps } = target;
    return this.#runner.run({ from: standing.phase, to, steps, window: [], emergency: true, withoutAbsent: true, event: name, cause });
  }

  #onCommitted(plan: ChangePlan): void {
    const nowMs = this.#parts.clock.now();
    if (this.#standing !== undefined) this.#earlier.leave(this.#standing, nowMs);
    this.#standing = enterPhase({ phase: plan.to, steps: plan.steps }, plan.epoch, nowMs);
    this.#actor.send(plan.event);
    // A change taken up after a restart finds no running actor: it begins where the record says.
    if (this.#actor.position?.phase !== plan.to) this.#actor.start(this.#standing);
    this.#proposals.leave(plan.from);
  }

  #onOver(state: ChangeState): void {
    const { from, to, epoch, emergency, cause } = state.plan;
    const aborted = state.at.stage === "aborted";
    const because = state.at.stage === "aborted" ? state.at.because : [...state.without].map(([p, why]) => `without ${p}: ${why}`).join("; ");
    const entry: ChangeRecordView = {
      atMs: this.#parts.clock.now(),
      from,
      to,
      epoch,
      emergency,
      cause,
      outcome: aborted ? "aborted" : "done",
      says: because,
    };
    this.#history = [entry, ...this.#history].slice(0, MAX_HISTORY);
    this.#note({ kind: "change", ...entry });
    if (!aborted) this.#publishPosition();
  }

  #judge(): void {
    this.#noted(this.#detector.judge(this.#vouched(), this.#present()));
  }

  #noted(list: readonly Noted[]): void {
    for (const { detection, fresh } of list) {
      if (fresh) this.#note({ kind: "detection", ...detection });
      this.#tell(detection);
      this.#follow(detection);
    }
  }

  #follow(detection: Detection): void {
    const standing = this.#standing;
    if (standing === undefined) return;
    const tags = detection.tags.flatMap((name) => this.#tags.get(name) ?? []);
    const then = follow(this.#parts.bundle.lifecycle, standing.phase, { ...detection, tags }, this.#parts.policy);
    if (then.follow === "nothing") return;
    if (then.follow === "propose") {
      const { choice, takable, whyNot } = then;
      this.#proposals.propose(choice, standing.phase, detection.id, detection.atMs, takable, whyNot);
      return;
    }
    this.#note({ kind: "containment", atMs: this.#parts.clock.now(), detection: detection.id, to: then.choice.to, says: then.choice.says });
    this.#background(this.#contain(then.choice, `detection ${detection.id}`));
    this.#mark(detection.id, then.choice.to);
  }

  #mark(id: string, to: PhaseId): void {
    const marked = this.#detector.list.markContainment(id, to);
    if (marked !== undefined) this.#tell(marked);
  }

  #tell(detection: Detection): void {
    for (const listener of this.#listeners) listener(detection);
  }

  /** What came without a message: silence, time-outs, receipts whose turn has come. */
  #watch(): void {
    const realMs = performance.now();
    const views = this.#points.views(realMs, this.#standing);
    for (const view of views) {
      if (view.health === "silent" || view.health === "down") this.#runner.onGone(view.point);
    }
    this.#noted(this.#detector.health(views, this.#present()));
    this.#judge();
    const { failure } = this.#parts.log;
    if (failure !== undefined && failure !== this.#logFailure) this.#noted([this.#detector.remark("EVIDENCE_UNWRITABLE", failure, this.#present())]);
    this.#logFailure = failure;
  }

  #lease(): void {
    const { broker, clock, bundle, zone } = this.#parts;
    const lease: LeaseMessage = { coordinator: `coordinator-${zone.id}`, atMs: clock.now(), leaseMs: bundle.lifecycle.leaseMs };
    broker.publish(topic.lease, lease);
  }

  #publishPosition(): void {
    const standing = this.#standing;
    if (standing === undefined) return;
    const { broker, clock, zone } = this.#parts;
    const { phase, steps, epoch } = standing;
    const position: PositionMessage = { zone: zone.id, phase, steps, epoch, atMs: clock.now() };
    broker.publish(topic.position(zone.id), position, true);
  }

  #exits(): readonly ExitState[] {
    const standing = this.#standing;
    if (standing === undefined) return [];
    const nowMs = this.#parts.clock.now();
    const lastDetectionMs = this.#detector.list.lastMs;
    return exitStates(this.#parts.bundle.lifecycle, standing.phase, {
      nowMs,
      enteredMs: standing.sinceMs,
      lastDetectionMs,
      view: this.#readings.view(nowMs),
    });
  }

  #present(): Present {
    const nowMs = this.#parts.clock.now();
    return { standing: this.#standing, earlier: this.#earlier.recent(nowMs), nowMs, wallMs: Date.now() };
  }

  #vouched(): Vouched {
    const realMs = performance.now();
    return {
      judgedUpToMs: (layer) => this.#points.judgedUpToMs(layer, realMs),
      saw: (layer, atMs) => this.#points.saw(layer, atMs, realMs),
    };
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#noted([this.#detector.remark("INTERNAL", String(error), this.#present())]));
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#noted([this.#detector.remark("RECORD_UNWRITABLE", String(error), this.#present())]);
    }
  }

  #note(entry: EvidenceEntry): void {
    this.#parts.log.append(entry);
  }
}

function impossible(standing: Standing | undefined, name: string): ChangeResult {
  const says = `\`${standing?.phase ?? "no phase"}\` knows no event \`${name}\``;
  return { outcome: "aborted", epoch: standing?.epoch ?? Epoch(0), says };
}
