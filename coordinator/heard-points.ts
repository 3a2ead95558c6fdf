import type { PointId, ReceiptMessage, StatusMessage } from "#point/bus.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { DeviceId, TagId } from "#specs/ids.ts";
import type { Zone } from "#specs/plant.ts";
import { readAnswer, readNotice, readReceipt, readStatus, readTags } from "./bus-schema.ts";
import type { DetectionResponse } from "./detection-response.ts";
import type { Detector } from "./detector.ts";
import type { Readings } from "./evidence.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import { OtherBundles } from "./other-bundles.ts";
import type { ExpectedPoint, Points } from "./points.ts";
import type { TagTrend } from "./tag-trend.ts";
import type { ZoneLead } from "./zone-lead.ts";

export interface HeardPointsParts {
  readonly bundle: Bundle;
  readonly zone: Zone;
  readonly expected: readonly ExpectedPoint[];
  readonly log: EvidenceLog;
  readonly points: Points;
  readonly readings: Readings;
  readonly trend: TagTrend;
  readonly detector: Detector;
  readonly lead: ZoneLead;
  readonly response: DetectionResponse;
}

/**
 * What the points say, as far as each may say it: for itself, for the layer it has, and for the tags of its own PLC.
 *
 * INVARIANT (own name): a message counts only for the point that the broker knows its sender to be.
 */
export class HeardPoints {
  readonly #parts: HeardPointsParts;
  readonly #tags: ReadonlyMap<string, { readonly id: TagId; readonly device: DeviceId }>;
  /** The PLC each point has spoken for first; it may not speak for another one. */
  readonly #devices = new Map<PointId, DeviceId>();
  readonly #otherBundles: OtherBundles;
  readonly #listeners: ((receipt: ReceiptMessage) => void)[] = [];

  constructor(parts: HeardPointsParts) {
    this.#parts = parts;
    this.#tags = new Map(parts.bundle.plant.tags.map(({ id, device }) => [id, { id, device }]));
    this.#otherBundles = new OtherBundles(parts.bundle.id);
  }

  /** Every receipt that counts for the point it comes from. */
  onReceipt(listener: (receipt: ReceiptMessage) => void): void {
    this.#listeners.push(listener);
  }

  message(point: PointId, channel: string, payload: unknown): void {
    switch (channel) {
      case "status":
        this.#onStatus(point, payload);
        break;
      case "tags":
        this.#onTags(point, payload);
        break;
      case "answer": {
        const answer = readAnswer(payload);
        if (answer?.point === point) this.#parts.lead.runner.onAnswer(answer);
        break;
      }
      case "receipt":
        this.#onReceipt(point, payload);
        break;
      case "notice": {
        const notice = readNotice(payload);
        if (notice?.point !== point) break;
        this.#parts.log.append({ kind: "notice", ...notice });
        this.#parts.response.notice(notice);
        break;
      }
      default:
        break;
    }
  }

  presence(point: PointId, present: boolean): void {
    const { points, lead } = this.#parts;
    points.onPresence(point, present);
    if (present) lead.returned();
    else lead.runner.onGone(point);
  }

  #onReceipt(point: PointId, payload: unknown): void {
    const receipt = readReceipt(payload);
    if (receipt?.point !== point || !this.#speaksFor(point, receipt.layer)) return;
    this.#parts.detector.receipt(receipt);
    this.#parts.lead.commanded(receipt);
    for (const listener of this.#listeners) listener(receipt);
    this.#parts.response.judge();
  }

  #onStatus(point: PointId, payload: unknown): void {
    const { zone, points, log, lead, response } = this.#parts;
    const status = readStatus(payload);
    if (status?.point !== point || status.zone !== zone.id || !this.#speaksFor(point, status.layer)) return;
    const changed = points.onStatus(status, performance.now(), Date.now());
    if (changed) log.append({ kind: "status", ...status });
    this.#lookAtBundle(status);
    if (status.state === "down") lead.runner.onGone(point);
    else lead.remind(status.phase, status.epoch, status.state);
    response.judge();
  }

  #lookAtBundle(status: StatusMessage): void {
    const says = this.#otherBundles.heard(status);
    if (says === undefined) return;
    const { point, layer, atMs } = status;
    const about = { code: "BUNDLE_DIFFERS", severity: "info", locus: [], source: point, target: "" } as const;
    this.#parts.response.notice({ point, layer, atMs, says, ...about });
  }

  #onTags(point: PointId, payload: unknown): void {
    const { points, readings, trend, detector } = this.#parts;
    const message = readTags(payload);
    if (message?.point !== point || points.status(point)?.layer !== "plc") return;
    if ((this.#devices.get(point) ?? message.device) !== message.device) return;
    this.#devices.set(point, message.device);
    for (const [name, value] of Object.entries(message.values)) {
      const tag = this.#tags.get(name);
      // Only the guard in a PLC may say what is in that PLC: one lying device cannot obtain a wider list.
      if (tag === undefined || tag.device !== message.device) continue;
      readings.observe(tag.id, value, message.atMs);
      trend.observe(tag.id, value, message.atMs);
      detector.tag(tag.id, value, message.atMs);
    }
  }

  /** A point keeps the layer that is expected of it, or that it first named. */
  #speaksFor(point: PointId, layer: string): boolean {
    const known = this.#parts.expected.find((expected) => expected.point === point)?.layer;
    return (known ?? this.#parts.points.status(point)?.layer ?? layer) === layer;
  }
}
