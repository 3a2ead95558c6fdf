import { setTimeout as pause } from "node:timers/promises";
import { HEARTBEAT_MS, type LeaseMessage, type ReceiptMessage, topic } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Zone } from "#specs/plant.ts";
import { candidates } from "./adoption.ts";
import type { Broker } from "./broker.ts";
import type { ContainmentPolicy } from "./containment.ts";
import { DetectionResponse } from "./detection-response.ts";
import { Detector } from "./detector.ts";
import { Readings } from "./evidence.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import { HeardPoints } from "./heard-points.ts";
import type { ApiAnswer, ContainmentBody, Detection, RequestBody, StateView } from "./page-messages.ts";
import type { PhaseRecord } from "./phase-record.ts";
import { type ExpectedPoint, Points } from "./points.ts";
import { Proposals } from "./proposals.ts";
import { Requests } from "./requests.ts";
import { stateView } from "./state-view.ts";
import { TagTrend, type TrendReadings } from "./tag-trend.ts";
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
  readonly #response: DetectionResponse;
  readonly #requests: Requests;
  readonly #heard: HeardPoints;
  readonly #timers: NodeJS.Timeout[] = [];
  #closing = false;
  #logFailure: string | undefined;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    const { plant, lifecycle } = parts.bundle;
    this.#points = new Points(parts.expected);
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
      remark: (code, says) => this.#response.remark(code, says),
      onLeft: (phase) => {
        this.#proposals.leave(phase);
        this.#requests.clear();
      },
    });
    const shared = {
      ...parts,
      ...{ points: this.#points, readings: this.#readings, trend: this.#trend, detector: this.#detector },
      ...{ proposals: this.#proposals, lead: this.#lead },
    };
    this.#response = new DetectionResponse(shared);
    this.#requests = new Requests({ ...shared, response: this.#response });
    this.#heard = new HeardPoints({ ...shared, response: this.#response });
  }

  start(): void {
    const { broker, clock, log, bundle, policy, fresh } = this.#parts;
    log.append({ kind: "start", atMs: clock.now(), bundle: bundle.id, ...policy, fresh });
    broker.onMessage((point, channel, payload) => this.#heard.message(point, channel, payload));
    broker.onPresence((point, present) => this.#heard.presence(point, present));
    clock.on("close", (_tick, atMs) => this.#onClose(atMs));
    const resumed = this.#lead.begin();
    if (resumed !== undefined) this.#response.background(resumed);
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
    this.#response.onDetection(listener);
  }

  /** Every receipt that counts for the point it comes from. */
  onReceipt(listener: (receipt: ReceiptMessage) => void): void {
    this.#heard.onReceipt(listener);
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
      pending: (exit) => this.#requests.pending(exit.event),
      candidates: standing === undefined ? candidates(bundle.lifecycle, (tag) => this.#readings.get(tag)) : [],
      history: this.#lead.history.slice(0, SHOWN.history),
      counts: this.#detector.counts,
    });
  }

  /** Answers when the phase change is over. */
  request(body: RequestBody): Promise<ApiAnswer> {
    return this.#requests.request(body);
  }

  containment(body: ContainmentBody): Promise<ApiAnswer> {
    return this.#requests.containment(body);
  }

  /** End of a round of plant time: everything seen is judged, and what the evidence asks for is done before time goes on. */
  async #onClose(atMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const round = this.#round(atMs).finally(() => {
      this.#closing = false;
    });
    if (!this.#parts.lockstep) return this.#response.background(round);
    await Promise.race([round, pause(CLOSE_MS)]);
  }

  async #round(atMs: number): Promise<void> {
    const changeOver = () => this.#lead.runner.current === undefined;
    if (this.#parts.lockstep) {
      await lookUntil(() => this.#points.behind(atMs, performance.now()).length === 0, CATCH_UP_MS);
    }
    this.#response.judge();
    await lookUntil(changeOver, CATCH_UP_MS);
    await this.#lead.follow();
    await this.#requests.carryOut();
  }

  #watch(): void {
    const views = this.#points.views(performance.now(), this.#lead.standing);
    for (const view of views) {
      if (view.health === "silent" || view.health === "down") this.#lead.runner.onGone(view.point);
    }
    this.#response.health(views);
    this.#response.judge();
    const { failure } = this.#parts.log;
    const news = failure !== undefined && failure !== this.#logFailure;
    this.#logFailure = failure;
    if (news) this.#response.remark("EVIDENCE_UNWRITABLE", failure);
  }

  #lease(): void {
    const { broker, clock, bundle, zone } = this.#parts;
    const { leaseMs } = bundle.lifecycle;
    const lease: LeaseMessage = { coordinator: `coordinator-${zone.id}`, atMs: clock.now(), leaseMs };
    broker.publish(topic.lease, lease);
  }
}

/** Looks again and again until it holds, for at most `ms` of real time. */
async function lookUntil(holds: () => boolean, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (!holds() && performance.now() < until) await pause(CATCH_UP_LOOK_MS);
}
