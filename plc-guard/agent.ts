import { type BundleAnswer, shortId } from "#point/bundle-change.ts";
import {
  HEARTBEAT_MS,
  type LeaseMessage,
  type NoticeMessage,
  type PointState,
  type PositionMessage,
  type StatusMessage,
  topic,
} from "#point/bus.ts";
import { type Bus, joinBus } from "#point/bus-client.ts";
import { readLease, readOrder, readPosition } from "#point/bus-read.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import { type DeviceId, Epoch, PhaseId, StepId, type ZoneId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { pointOf } from "./guard.ts";
import { GuardClient } from "./guard-client.ts";
import type { ReadReport } from "./link-messages.ts";

export interface GuardAddress {
  readonly device: DeviceId;
  readonly host: string;
  readonly port: number;
}

export interface GuardPointOptions {
  readonly guard: GuardAddress;
  readonly bundle: Bundle;
  /** Shown until the guard has said its own. */
  readonly mode: Mode;
  readonly clock: PlantClock;
  readonly bus: { readonly url: string; readonly password?: string };
  readonly localAddress?: string;
  /** Tags of this PLC, for the guards of the others. */
  readonly onTags: (atMs: number, tags: Readonly<Record<string, number>>) => void;
  readonly log?: (says: string) => void;
}

/** Real ms without a sign of life after which a PLC counts as silent. */
export const SILENT_MS = 1500;
/** Plant ms between two messages with tags, and between two passed on to the other guards. */
const TAGS_MS = 500;
const WATCH_MS = 100;

type Notice = Pick<NoticeMessage, "code" | "severity" | "locus" | "says">;

/** The bus point of one guard: it carries reports, answers, orders and leases between the two. It decides nothing. */
export class GuardPoint {
  readonly device: DeviceId;
  readonly #options: GuardPointOptions;
  readonly #point: string;
  readonly #zone: ZoneId;
  readonly #client: GuardClient;
  #bundle: Bundle;
  readonly #waiting = new Set<() => void>();
  readonly #timers: readonly NodeJS.Timeout[];
  #bus: Bus | undefined;
  #report: ReadReport | undefined;
  #heardAtMs = performance.now();
  #everHeard = false;
  #silent = false;
  #tagsAtMs = Number.NEGATIVE_INFINITY;
  #position: PositionMessage | undefined;
  #leaseUntilMs = 0;
  #tick: number | undefined;

  constructor(options: GuardPointOptions) {
    const { guard, bundle, localAddress } = options;
    const device = bundle.plant.devices.find((d) => d.id === guard.device);
    if (device === undefined)
      throw new Error(`device \`${guard.device}\` is not in plant \`${bundle.plant.id}\`; name one of its PLCs`);
    this.#bundle = bundle;
    this.device = guard.device;
    this.#options = options;
    this.#point = pointOf(guard.device);
    this.#zone = device.zone;
    this.#client = new GuardClient({
      host: guard.host,
      port: guard.port,
      ...(localAddress === undefined ? {} : { localAddress }),
      onConnect: () => this.#onLink(),
      onHeard: () => this.#onHeard(),
      onReport: (report) => this.#onReport(report),
      onAnswer: (answer) => this.#bus?.publish(topic.answer(this.#point), { ...answer, point: this.#point }),
    });
    this.#timers = [setInterval(() => this.publishStatus(), HEARTBEAT_MS), setInterval(() => this.#watch(), WATCH_MS)];
  }

  async join(): Promise<void> {
    const will: StatusMessage = { ...this.#status(), state: "down", says: "the agent has gone" };
    const bus = await joinBus({ ...this.#options.bus, point: this.#point, will });
    this.#bus = bus;
    bus.subscribe(topic.order(this.#zone), (payload) => this.#onOrder(payload));
    bus.subscribe(topic.position(this.#zone), (payload) => this.#onPosition(payload));
    bus.subscribe(topic.lease, (payload) => this.#onLease(payload));
    bus.onState((state) => {
      if (state === "connected") this.publishStatus();
    });
  }

  /** Why this point cannot go on with a bundle, in one sentence; undefined: it can. */
  whyNot({ plant }: Bundle): string | undefined {
    const zone = plant.devices.find(({ id }) => id === this.device)?.zone;
    if (zone === undefined) return `device \`${this.device}\`, whose guard this is, is not in the bundle`;
    return zone === this.#zone
      ? undefined
      : `device \`${this.device}\` is in zone \`${zone}\`, and was in \`${this.#zone}\``;
  }

  /** What became of a bundle that was offered. The guard itself goes on with the one in its PLC, and its status says which that is. */
  bundleOffered({ taken, says }: BundleAnswer, bundle: Bundle): void {
    this.#bundle = bundle;
    const held = this.#report?.bundle;
    const guard =
      held === undefined || held === bundle.id ? "" : `; the guard in ${this.device} holds bundle ${shortId(held)}`;
    this.#notice({ code: taken ? "BUNDLE_TAKEN" : "BUNDLE_REFUSED", severity: "info", locus: [], says: says + guard });
    this.publishStatus();
  }

  /** Plant time up to which this PLC's scans have been published. */
  get judgedUpToMs(): number {
    return this.#report?.atMs ?? 0;
  }

  /** Resolves when the scan of `atMs` has been published, when the PLC is silent, or after `waitMs` real ms. */
  reached(atMs: number, waitMs: number): Promise<void> {
    if (this.judgedUpToMs >= atMs || this.#silent) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.judgedUpToMs < atMs && !this.#silent) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        resolve();
      }, waitMs);
      this.#waiting.add(look);
    });
  }

  finished(tick: number): void {
    this.#tick = tick;
    this.publishStatus();
  }

  /** What another PLC reported, for the conditions that speak of it. */
  passTags(atMs: number, tags: Readonly<Record<string, number>>): void {
    this.#client.send({ atMs, tags });
  }

  publishStatus(): void {
    this.#bus?.publish(topic.status(this.#point), this.#status(), { retain: true });
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#client.close();
    this.#bus?.publish(
      topic.status(this.#point),
      { ...this.#status(), state: "down", says: "stopped" },
      { retain: true },
    );
    await this.#bus?.close();
  }

  #onLink(): void {
    this.#options.log?.(`${this.#point}: linked to the guard`);
    // A position of the past must not lead an isolated guard back: only while the coordinator vouches is it handed on.
    const leaseMs = this.#leaseUntilMs - performance.now();
    if (leaseMs <= 0) return;
    this.#client.send({ leaseMs });
    if (this.#position !== undefined) this.#client.send({ position: this.#position });
  }

  #onHeard(): void {
    this.#heardAtMs = performance.now();
    this.#everHeard = true;
    if (!this.#silent) return;
    this.#silent = false;
    this.#notice({ code: "PLC_BACK", severity: "info", locus: [], says: `the guard of ${this.device} reports again` });
    this.publishStatus();
  }

  #watch(): void {
    if (this.#silent || performance.now() - this.#heardAtMs <= SILENT_MS) return;
    this.#silent = true;
    for (const look of this.#waiting) look();
    // Before the first word it is not a loss but a start; the status says `blind` all the same.
    if (this.#everHeard) {
      const says = `the guard of ${this.device} has been silent for ${SILENT_MS} ms`;
      this.#notice({ code: "PLC_SILENT", severity: "detection", locus: ["plc-logic", "coordinator-link"], says });
    }
    this.publishStatus();
  }

  #onReport(report: ReadReport): void {
    const before = this.#report;
    for (const receipt of report.receipts) this.#bus?.publish(topic.receipt(this.#point), receipt);
    const moved = before?.phase !== report.phase || before.state !== report.state || before.epoch !== report.epoch;
    if (moved || Math.floor(report.atMs / TAGS_MS) !== Math.floor(this.#tagsAtMs / TAGS_MS)) this.#publishTags(report);
    this.#report = report;
    this.#noticeChanges(before, report);
    if (moved) this.publishStatus();
    for (const look of this.#waiting) look();
  }

  #publishTags(report: ReadReport): void {
    this.#tagsAtMs = report.atMs;
    const { scan, atMs, tags } = report;
    this.#bus?.publish(topic.tags(this.#point), { point: this.#point, device: this.device, scan, atMs, values: tags });
    this.#options.onTags(atMs, tags);
  }

  #noticeChanges(before: ReadReport | undefined, now: ReadReport): void {
    if (before === undefined) return;
    const info = { severity: "info", locus: [] } as const;
    if (now.scan < before.scan) this.#notice({ ...info, code: "RESTARTED", says: `${this.device} has started anew` });
    if (now.state === "isolated" && before.state !== "isolated")
      this.#notice({ ...info, code: "ISOLATED", says: now.says });
    if (now.state === "in-force" && before.state === "isolated") {
      this.#notice({ ...info, code: "LEASE_BACK", says: `the coordinator has led ${this.device} back` });
    }
  }

  #onOrder(payload: unknown): void {
    const order = readOrder(payload);
    if (order !== undefined) this.#client.send({ order });
  }

  #onPosition(payload: unknown): void {
    const position = readPosition(payload);
    if (position === undefined) return;
    this.#position = position;
    this.#client.send({ position });
  }

  #onLease(payload: unknown): void {
    const lease: LeaseMessage | undefined = readLease(payload);
    if (lease === undefined) return;
    this.#leaseUntilMs = performance.now() + lease.leaseMs;
    this.#client.send({ leaseMs: lease.leaseMs });
  }

  #notice(notice: Notice): void {
    const message: NoticeMessage = {
      point: this.#point,
      layer: "plc",
      atMs: this.#options.clock.now(),
      source: "",
      target: this.device,
      ...notice,
    };
    this.#bus?.publish(topic.notice(this.#point), message);
  }

  #status(): StatusMessage {
    const report = this.#report;
    return {
      point: this.#point,
      layer: "plc",
      state: this.#state(),
      says: this.#silent
        ? `the guard of ${this.device} does not report`
        : (report?.says ?? "the guard has not reported yet"),
      mode: report?.mode ?? this.#options.mode,
      zone: this.#zone,
      ...held(report),
      bundle: report?.bundle ?? this.#bundle.id,
      pid: process.pid,
      atMs: this.#options.clock.now(),
      judgedUpToMs: this.judgedUpToMs,
      ...(this.#tick === undefined ? {} : { tick: this.#tick }),
      judged: report?.judged ?? 0,
      denied: report?.denied ?? 0,
      lost: (report?.lost ?? 0) + (this.#bus?.dropped ?? 0),
    };
  }

  #state(): PointState {
    if (this.#silent) return "blind";
    return this.#report?.state ?? "joining";
  }
}

function held(report: ReadReport | undefined): Pick<StatusMessage, "phase" | "steps" | "epoch"> {
  if (report === undefined) return { phase: null, steps: [], epoch: null };
  return {
    phase: report.phase === null ? null : PhaseId(report.phase),
    steps: report.steps.map(StepId),
    epoch: report.epoch === null ? null : Epoch(report.epoch),
  };
}
