import type { Layer, Outcome } from "#specs/decide/observation.ts";
import { changesState } from "#specs/mask.ts";
import { type AnswerMessage, type NoticeMessage, type StatusMessage, topic } from "./bus.ts";
import type { Bus } from "./bus-client.ts";
import { cut, MAX_SAYS, MAX_WORDS } from "./bus-limits.ts";
import type { PlantClock } from "./clock.ts";
import { MessageLog } from "./message-log.ts";
import { type Judged, receiptOf, type SelectRef } from "./receipt.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Receipts of denied messages per second of real time; a flood beyond that is counted in the status, not sent one by one. */
export const MAX_DENY_RECEIPTS_PER_SECOND = 100;
/** Notices about connections per second of real time; whoever reconnects and babbles in a loop must not flood the bus. */
export const MAX_NOTICES_PER_SECOND = 50;

/** Real ms after which a status is logged though only its counts have changed. */
const LOG_STATUS_MS = 60_000;

export type OwnNotice = Omit<NoticeMessage, "point" | "layer" | "atMs">;

export interface PointMessagesOptions {
  readonly point: string;
  readonly layer: Layer;
  readonly clock: PlantClock;
  /** File to which it all goes as JSON lines, beside the bus or in its place. */
  readonly logFile?: string;
}

/** What a point tells, over the bus and into its log: receipts, notices, its status. What a limit holds back is counted as lost. */
export class PointMessages {
  readonly #options: PointMessagesOptions;
  readonly #log: MessageLog | undefined;
  readonly #denyReceipts = new TokenBucket(MAX_DENY_RECEIPTS_PER_SECOND, MAX_DENY_RECEIPTS_PER_SECOND);
  readonly #notices = new TokenBucket(MAX_NOTICES_PER_SECOND, MAX_NOTICES_PER_SECOND);
  #bus: Bus | undefined;
  #seq = 0;
  #lost = 0;
  #logged = { what: "", realMs: 0 };

  /** @throws Error in one sentence when the log cannot be made */
  constructor(options: PointMessagesOptions) {
    this.#options = options;
    const { logFile } = options;
    this.#log =
      logFile === undefined ? undefined : new MessageLog(logFile, { onFault: (says) => this.#logFault(says) });
  }

  /** From now on what is told goes over the bus too. */
  join(bus: Bus): void {
    this.#bus = bus;
  }

  /** Messages that were not told, and what this point could not see. */
  get lost(): number {
    return this.#lost + (this.#bus?.dropped ?? 0) + (this.#log?.lost ?? 0);
  }

  countLost(n: number): void {
    this.#lost += n;
  }

  /**
   * A receipt, where one is due: for a state-changing command, and for every deny within the limit.
   *
   * @param select the receipt of what this operates
   * @returns its number; undefined: none was due
   */
  receipt(judged: Judged, outcome: Outcome, select?: SelectRef): number | undefined {
    const { observation, verdict } = judged;
    if (verdict.verdict === "allow" && !changesState(observation.operation)) return undefined;
    if (verdict.verdict === "deny" && !this.#denyReceipts.take(performance.now())) {
      this.#lost += 1;
      return undefined;
    }
    this.#seq += 1;
    if (this.#bus === undefined && this.#log === undefined) return this.#seq;
    const { point, layer } = this.#options;
    const receipt = receiptOf(judged, outcome, select, { point, layer, seq: this.#seq });
    this.#log?.add("receipt", receipt);
    this.#bus?.publish(topic.receipt(point), receipt);
    return this.#seq;
  }

  /** What was noticed about a connection, within the limit. */
  notice(notice: OwnNotice): void {
    if (this.#notices.take(performance.now())) this.#send(notice);
    else this.#lost += 1;
  }

  /** What concerns the point itself, and comes seldom: without a limit. */
  say(code: OwnNotice["code"], says: string): void {
    this.#send({ code, severity: "info", locus: [], source: "", target: "", says });
  }

  answer(answer: Omit<AnswerMessage, "point" | "layer">): void {
    const { point, layer } = this.#options;
    this.#bus?.publish(topic.answer(point), { point, layer, ...answer });
  }

  status(status: StatusMessage): void {
    this.#logStatus(status);
    this.#bus?.publish(topic.status(this.#options.point), status, { retain: true });
  }

  /** Says the last word, and leaves the bus. */
  async close(last: StatusMessage): Promise<void> {
    this.#logStatus(last);
    await this.#log?.close();
    this.#bus?.publish(topic.status(this.#options.point), last, { retain: true });
    await this.#bus?.close();
  }

  #send(notice: OwnNotice): void {
    const { point, layer, clock } = this.#options;
    const message: NoticeMessage = {
      ...{ point, layer, atMs: clock.now(), ...notice },
      ...{
        source: cut(notice.source, MAX_WORDS),
        target: cut(notice.target, MAX_WORDS),
        says: cut(notice.says, MAX_SAYS),
      },
    };
    this.#log?.add("notice", message);
    this.#bus?.publish(topic.notice(point), message);
  }

  /** Counts alone are not worth a line with each heartbeat. */
  #logStatus(status: StatusMessage): void {
    if (this.#log === undefined) return;
    const { state, says, phase, steps, epoch, bundle } = status;
    const what = JSON.stringify([state, says, phase, steps, epoch, bundle]);
    const realMs = performance.now();
    if (what === this.#logged.what && realMs - this.#logged.realMs < LOG_STATUS_MS) return;
    this.#logged = { what, realMs };
    this.#log.add("status", status);
  }

  #logFault(says: string): void {
    if (this.#bus === undefined) process.stderr.write(`sekisho: ${says}\n`);
    this.say("INTERNAL", says);
  }
}
