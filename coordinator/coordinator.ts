import { setTimeout as pause } from "node:timers/promises";
import {
  HEARTBEAT_MS,
  type LeaseMessage,
  type PointId,
  type ReceiptMessage,
  type StatusMessage,
  topic,
} from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { DeviceId, PhaseId, TagId } from "#specs/ids.ts";
import type { Zone } from "#specs/plant.ts";
import { candidates } from "./adoption.ts";
import type { Broker } from "./broker.ts";
import { readAnswer, readNotice, readReceipt, readStatus, readTags } from "./bus-schema.ts";
import { type ContainmentPolicy, follow, MONITOR_SAYS } from "./containment.ts";
import type { Noted } from "./detections.ts";
import { Detector, type Present } from "./detector.ts";
import { Readings } from "./evidence.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import { OtherBundles } from "./other-bundles.ts";
import type { ApiAnswer, ContainmentBody, Detection, RequestBody, StateView } from "./page-messages.ts";
import { PendingRequests } from "./pending-requests.ts";
import type { PhaseRecord } from "./phase-record.ts";
import { type ExpectedPoint, Points } from "./points.ts";
import { Proposals } from "./proposals.ts";
import { answerRequest, notYet } from "./recovery.ts";
import { stateView } from "./state-view.ts";
import { TagTrend, type TrendReadings } from "./tag-trend.ts";
import type { Vouched } from "./vouched.ts";
import { ZoneLead } from "./zone-lead.ts";

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
  /** Real ms per stage of a phase change. */
  readonly stageMs: number;
  readonly skewMs?: number;
}

/** Real ms that `close` waits for points to catch up, and in all. The plant's conductor drops who takes 5 s. */
const CATCH_UP_MS = 2000;
const CLOSE_MS = 4000;
const CATCH_UP_LOOK_MS = 4;
/** Real ms between two looks at what comes without a message: silence, receipts whose turn has come. */
const WATCH_MS = 100;
const ADOPT_ROLES: readonly string[] = ["engineer", "admin"];
const SHOWN = { detections: 50, proposals: 20, history: 30 } as const;

/** The shell around the pure parts: it hears the points and people, and lets what follows happen. */
export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #points: Points;
  readonly #readings: Readings;
  readonly #trend: TagTrend;
  readonly #detector: Detector;
  readonly #proposals: Proposals;
  readonly #lead: ZoneLead;
  readonly #tags: ReadonlyMap<string, { readonly id: TagId; readonly device: DeviceId }>;
  /** The PLC each point has spoken for first; it may not speak for another one. */
  readonly #devices = new Map<PointId, DeviceId>();
  readonly #pending = new PendingRequests();
  readonly #otherBundles: OtherBundles;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #listeners: ((detection: Detection) => void)[] = [];
  readonly #receiptListeners: ((receipt: ReceiptMessage) => void)[] = [];
  #closing = false;
  #logFailure: string | undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { plant, lifecycle } = parts.bundle;
    this.#points = new Points(parts.expected);
    this.#otherBundles = new OtherBundles(parts.bundle.id);
    this.#tags = new Map(plant.tags.map(({ id, device }) => [id, { id, device }]));
    this.#readings = new Readings(
      lifecycle,
      plant.tags.map((tag) => tag.id),
    );
    this.#trend = new TagTrend(plant.tags.filter((tag) => tag.kind === "measurement").map((tag) => tag.id));
    this.#detector = new Detector(plant, lifecycle, parts.skewMs);
    this.#proposals = new Proposals(lifecycle);
    this.#lead = new ZoneLead({
      ...parts,
      readings: this.#readings,
      participants: () => this.#points.participants(performance.now()),
      lastDetectionMs: () => this.#detector.list.lastMs,
      note: (entry) => parts.log.append(entry),
      remark: (code, says) => this.#noted([this.#detector.remark(code, says, this.#present())]),
      onLeft: (phase) => {
        this.#proposals.leave(phase);
        this.#pending.clear();
      },
    });
  }

  start(): void {
    const { broker, clock, log, bundle, policy, fresh } = this.#parts;
    log.append({ kind: "start", atMs: clock.now(), bundle: bundle.id, ...policy, fresh });
    broker.onMessage((point, channel, payload) => this.#onMessage(point, channel, payload));
    broker.onPresence((point, present) => this.#onPresence(point, present));
    clock.on("close", (_tick, atMs) => this.#onClose(atMs));
    const resumed = this.#lead.begin();
    if (resumed !== undefined) this.#background(resumed);
    this.#lease();
    this.#timers.push(
      setInterval(() => this.#lease(), HEARTBEAT_MS),
      setInterval(() => this.#watch(), WATCH_MS),
    );
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#lead.close();
    this.#parts.log.append({ kind: "stop", atMs: this.#parts.clock.now() });
  }

  onDetection(listener: (detection: Detection) => void): void {
    this.#listeners.push(listener);
  }

  /** Every receipt that counts for the point it comes from. */
  onReceipt(listener: (receipt: ReceiptMessage) => void): void {
    this.#receiptListeners.push(listener);
  }

  /** Measurements of the last minutes. */
  trend(): TrendReadings {
    return this.#trend.view();
  }

  detections(count: number): readonly Detection[] {
    return this.#detector.list.latest(count);
  }

  state(): StateView {
    const { bundle, clock, policy } = this.#parts;
    const { standing } = this.#lead;
    return stateView({
      lifecycle: bundle.lifecycle,
      nowMs: clock.now(),
      standing,
      change: this.#lead.runner.current,
      policy,
      points: this.#points.views(performance.now(), standing),
      detections: this.#detector.list.latest(SHOWN.detections),
      proposals: this.#proposals.views(SHOWN.proposals),
      readings: this.#readings,
      exits: this.#lead.exits(),
      pending: (exit) => this.#pending.of(exit.event, clock.now()),
      candidates: standing === undefined ? candidates(bundle.lifecycle, (tag) => this.#readings.get(tag)) : [],
      history: this.#lead.history.slice(0, SHOWN.history),
      counts: this.#detector.counts,
    });
  }

  /** Answers when the phase change is over. */
  async request(body: RequestBody): Promise<ApiAnswer> {
    const answer = body.request === "adopt" ? this.#adopt(body) : await this.#change(body);
    this.#parts.log.append({ kind: "request", atMs: this.#parts.clock.now(), ...body, ...answer });
    return answer;
  }

  async containment(body: ContainmentBody): Promise<ApiAnswer> {
    const answer = await this.#decideProposal(body);
    this.#parts.log.append({ kind: "containment", atMs: this.#parts.clock.now(), ...body, ...answer });
    return answer;
  }

  async #change(body: RequestBody): Promise<ApiAnswer> {
    const { standing } = this.#lead;
    if (standing === undefined) {
      return refusal("no phase has been adopted yet; an engineer confirms one with the request `adopt`");
    }
    const answer = answerRequest(standing.phase, this.#lead.exits(), body.request, body.role);
    if (!answer.accepted) return answer;
    const asked = this.#pending.ask(answer.exit, answer.missing, body.person, this.#parts.clock.now());
    if (asked.answer === "refuse") return refusal(notYet(body.request, answer.missing));
    if (asked.answer === "wait") return { accepted: true, says: asked.says };
    const by = asked.people.join(" and ");
    const result = await this.#lead.go(answer.exit, `request ${body.request} by ${by} (${body.role})`);
    return { accepted: result.outcome === "done", says: result.says };
  }

  /** A request whose people have all asked and whose condition has come to hold is carried out now. */
  async #carryOut(): Promise<void> {
    const due = this.#pending.due(this.#lead.exits(), this.#parts.clock.now());
    if (due === undefined || this.#lead.runner.current !== undefined) return;
    const { transition } = due.exit;
    const name = transition.event === "operator" ? transition.request : due.exit.event;
    await this.#lead.go(due.exit, `request ${name} by ${due.people.join(" and ")}`);
  }

  #adopt(body: RequestBody): ApiAnswer {
    const { standing } = this.#lead;
    if (standing !== undefined) return refusal(`\`${standing.phase}\` is in force; there is nothing to adopt`);
    if (!ADOPT_ROLES.includes(body.role))
      return refusal(`\`adopt\` needs the role engineer or admin, not ${body.role}`);
    const phase = this.#parts.bundle.lifecycle.phases.find((candidate) => candidate.id === body.phase)?.id;
    if (phase === undefined || !this.#lead.adopt(phase)) {
      return refusal(`\`${body.phase ?? ""}\` is no phase of this lifecycle; name one in \`phase\``);
    }
    return { accepted: true, says: `\`${phase}\` is adopted and in force` };
  }

  async #decideProposal(body: ContainmentBody): Promise<ApiAnswer> {
    const proposal = this.#proposals.find(body.proposal);
    if (proposal === undefined) return refusal(`there is no proposal \`${body.proposal}\``);
    if (proposal.state !== "proposed") return refusal(`proposal \`${proposal.id}\` is ${proposal.state} already`);
    if (!proposal.roles.includes(body.role)) {
      return refusal(`a containment needs the role ${proposal.roles.join(" or ")}, not ${body.role}`);
    }
    const by = `${body.person} (${body.role})`;
    if (!body.approve) {
      this.#proposals.decide(proposal.id, "refused", by);
      return { accepted: true, says: `the containment \`${proposal.to}\` was refused by ${by}` };
    }
    if (this.#parts.policy.mode === "monitor") return refusal(MONITOR_SAYS);
    this.#proposals.decide(proposal.id, "taken", by);
    const result = await this.#lead.contain(proposal.choice, `containment approved by ${by}`);
    for (const id of proposal.detections) this.#mark(id, proposal.choice.to);
    return { accepted: result.outcome === "done", says: result.says };
  }

  /** INVARIANT (own name): a message counts only for the point that the broker knows its sender to be. */
  #onMessage(point: PointId, channel: string, payload: unknown): void {
    switch (channel) {
      case "status":
        this.#onStatus(point, payload);
        break;
      case "tags":
        this.#onTags(point, payload);
        break;
      case "answer": {
        const answer = readAnswer(payload);
        if (answer?.point === point) this.#lead.runner.onAnswer(answer);
        break;
      }
      case "receipt": {
        const receipt = readReceipt(payload);
        if (receipt?.point !== point || !this.#speaksFor(point, receipt.layer)) break;
        this.#detector.receipt(receipt);
        this.#lead.commanded(receipt);
        for (const listener of this.#receiptListeners) listener(receipt);
        this.#judge();
        break;
      }
      case "notice": {
        const notice = readNotice(payload);
        if (notice?.point !== point) break;
        this.#parts.log.append({ kind: "notice", ...notice });
        this.#noted([this.#detector.notice(notice, this.#present())]);
        break;
      }
      default:
        break;
    }
  }

  #onStatus(point: PointId, payload: unknown): void {
    const status = readStatus(payload);
    if (status?.point !== point || status.zone !== this.#parts.zone.id || !this.#speaksFor(point, status.layer)) return;
    const changed = this.#points.onStatus(status, performance.now(), Date.now());
    if (changed) this.#parts.log.append({ kind: "status", ...status });
    this.#lookAtBundle(status);
    if (status.state === "down") this.#lead.runner.onGone(point);
    else this.#lead.remind(status.phase, status.epoch, status.state);
    this.#judge();
  }

  #lookAtBundle(status: StatusMessage): void {
    const says = this.#otherBundles.heard(status);
    if (says === undefined) return;
    const { point, layer, atMs } = status;
    const about = { code: "BUNDLE_DIFFERS", severity: "info", locus: [], source: point, target: "" } as const;
    this.#noted([this.#detector.notice({ point, layer, atMs, says, ...about }, this.#present())]);
  }

  /** A point keeps the layer that is expected of it, or that it first named. */
  #speaksFor(point: PointId, layer: string): boolean {
    const known = this.#parts.expected.find((expected) => expected.point === point)?.layer;
    return (known ?? this.#points.status(point)?.layer ?? layer) === layer;
  }

  #onTags(point: PointId, payload: unknown): void {
    const message = readTags(payload);
    if (message?.point !== point || this.#points.status(point)?.layer !== "plc") return;
    if ((this.#devices.get(point) ?? message.device) !== message.device) return;
    this.#devices.set(point, message.device);
    for (const [name, value] of Object.entries(message.values)) {
      const tag = this.#tags.get(name);
      // Only the guard in a PLC may say what is in that PLC: one lying device cannot obtain a wider list.
      if (tag === undefined || tag.device !== message.device) continue;
      this.#readings.observe(tag.id, value, message.atMs);
      this.#trend.observe(tag.id, value, message.atMs);
      this.#detector.tag(tag.id, value, message.atMs);
    }
  }

  #onPresence(point: PointId, present: boolean): void {
    this.#points.onPresence(point, present);
    if (present) this.#lead.returned();
    else this.#lead.runner.onGone(point);
  }

  /** End of a round of plant time: everything seen is judged, and what the evidence asks for is done before time goes on. */
  async #onClose(atMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const round = this.#round(atMs).finally(() => {
      this.#closing = false;
    });
    if (!this.#parts.lockstep) return this.#background(round);
    await Promise.race([round, pause(CLOSE_MS)]);
  }

  async #round(atMs: number): Promise<void> {
    const changeOver = () => this.#lead.runner.current === undefined;
    if (this.#parts.lockstep) {
      await lookUntil(() => this.#points.behind(atMs, performance.now()).length === 0, CATCH_UP_MS);
    }
    this.#judge();
    await lookUntil(changeOver, CATCH_UP_MS);
    await this.#lead.follow();
    await this.#carryOut();
  }

  #judge(): void {
    this.#noted(this.#detector.judge(this.#vouched(), this.#present()));
  }

  #noted(list: readonly Noted[]): void {
    for (const { detection, fresh } of list) {
      if (fresh) this.#parts.log.append({ kind: "detection", ...detection });
      this.#tell(detection);
      this.#follow(detection);
    }
  }

  #follow(detection: Detection): void {
    const { standing } = this.#lead;
    if (standing === undefined) return;
    const tags = detection.tags.flatMap((name) => this.#tags.get(name)?.id ?? []);
    const { lifecycle } = this.#parts.bundle;
    const then = follow(lifecycle, standing.phase, { ...detection, tags }, this.#parts.policy);
    if (then.follow === "nothing") return;
    const { choice } = then;
    if (then.follow === "propose") {
      this.#proposals.propose(choice, standing.phase, detection.id, detection.atMs, then.takable, then.whyNot);
      return;
    }
    const atMs = this.#parts.clock.now();
    this.#parts.log.append({ kind: "containment", atMs, detection: detection.id, to: choice.to, says: choice.says });
    this.#background(this.#lead.contain(choice, `detection ${detection.id}`));
    this.#mark(detection.id, choice.to);
  }

  #mark(id: string, to: PhaseId): void {
    const marked = this.#detector.list.markContainment(id, to);
    if (marked !== undefined) this.#tell(marked);
  }

  #tell(detection: Detection): void {
    for (const listener of this.#listeners) listener(detection);
  }

  #watch(): void {
    const views = this.#points.views(performance.now(), this.#lead.standing);
    for (const view of views) {
      if (view.health === "silent" || view.health === "down") this.#lead.runner.onGone(view.point);
    }
    this.#noted(this.#detector.health(views, this.#present()));
    this.#judge();
    const { failure } = this.#parts.log;
    const news = failure !== undefined && failure !== this.#logFailure;
    this.#logFailure = failure;
    if (news) this.#noted([this.#detector.remark("EVIDENCE_UNWRITABLE", failure, this.#present())]);
  }

  #lease(): void {
    const { broker, clock, bundle, zone } = this.#parts;
    const { leaseMs } = bundle.lifecycle;
    const lease: LeaseMessage = { coordinator: `coordinator-${zone.id}`, atMs: clock.now(), leaseMs };
    broker.publish(topic.lease, lease);
  }

  #present(): Present {
    const nowMs = this.#parts.clock.now();
    const { standing } = this.#lead;
    return { standing, earlier: this.#lead.earlier(nowMs), nowMs, wallMs: Date.now() };
  }

  #vouched(): Vouched {
    const realMs = performance.now();
    return {
      judgedUpToMs: (layer) => this.#points.judgedUpToMs(layer, realMs),
      saw: (layer, atMs) => this.#points.saw(layer, atMs, realMs),
    };
  }

  /** Work whose end nobody waits for; that it failed is told. */
  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#noted([this.#detector.remark("INTERNAL", String(error), this.#present())]));
  }
}

function refusal(says: string): ApiAnswer {
  return { accepted: false, says };
}

/** Looks again and again until it holds, for at most `ms` of real time. */
async function lookUntil(holds: () => boolean, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (!holds() && performance.now() < until) await pause(CATCH_UP_LOOK_MS);
}
