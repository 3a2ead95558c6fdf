import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "#specs/bundle.ts";
import { commit, judgeBy } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import { compile, hasReports, type Tables } from "#specs/decide/tables.ts";
import { Epoch, type LinkId, type PhaseId, type TagId, type ZoneId } from "#specs/ids.ts";
import type { Locus } from "#specs/lifecycle.ts";
import { changesState } from "#specs/mask.ts";
import type { Mode } from "#specs/plant.ts";
import { regionOf } from "#specs/positions.ts";
import { HEARTBEAT_MS, type NoticeMessage, type ReceiptMessage, type StatusMessage, topic } from "./bus.ts";
import type { Bus } from "./bus-client.ts";
import { joinBus } from "./bus-client.ts";
import { readLease, readOrder, readPosition } from "./bus-read.ts";
import type { PlantClock } from "./clock.ts";
import { LoadedBundle } from "./loaded-bundle.ts";
import { MissedPeriods, missedInWords } from "./missed-periods.ts";
import type { Party } from "./observe/modbus.ts";
import { PhaseHolder } from "./phase-holder.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface PointOptions {
  readonly point: string;
  readonly layer: Layer;
  readonly bundle: Bundle;
  /** `enforce` follows the modes of links and rules; `monitor` never blocks; `off` does not judge. */
  readonly mode: Mode;
  /** Sees, but does not stand in the path: nothing it denies is blocked. */
  readonly passive?: boolean;
  readonly clock: PlantClock;
  /** Absent: runs alone, in the given phase. */
  readonly bus?: { readonly url: string; readonly password?: string };
  readonly standalonePhase?: PhaseId;
  /** Folder for what must survive a restart. */
  readonly runDir?: string;
}

/** A verdict and what follows from it here. */
export interface Judged {
  readonly observation: Observation;
  readonly verdict: Verdict;
  readonly action: "forwarded" | "blocked";
  readonly atMs: number;
  readonly epoch: Epoch | null;
  readonly phase: PhaseId | null;
}

/** Receipts of denied messages per second of real time; a flood beyond that is counted in the status, not sent one by one. */
export const MAX_DENY_RECEIPTS_PER_SECOND = 100;
/** Notices about connections per second of real time; whoever reconnects and babbles in a loop must not flood the bus. */
export const MAX_NOTICES_PER_SECOND = 50;

export type OwnNotice = Omit<NoticeMessage, "point" | "layer" | "atMs">;

/** Where an implausible reading may have come to be, by who saw it first. */
const SUSPECT_BEFORE_SWITCH: readonly Locus[] = ["field", "plc-logic", "path-switch-plc"];
const SUSPECT_BEFORE_HMI: readonly Locus[] = [...SUSPECT_BEFORE_SWITCH, "switch", "path-hmi-switch"];

/** A tag's value in an answer. */
interface ToldValue {
  readonly tag: TagId;
  readonly value: number;
}

/** What the enforcement points share: verified bundle, every phase compiled, place on the bus, lease, receipts, status. */
export class Point {
  readonly tables: Tables;
  readonly options: PointOptions;
  readonly #holder: PhaseHolder;
  readonly #history: History;
  readonly #zone: ZoneId;
  readonly #denyReceipts = new TokenBucket(MAX_DENY_RECEIPTS_PER_SECOND, MAX_DENY_RECEIPTS_PER_SECOND);
  readonly #missed = new MissedPeriods();
  readonly #notices = new TokenBucket(MAX_NOTICES_PER_SECOND, MAX_NOTICES_PER_SECOND);
  #bus: Bus | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seq = 0;
  #judged = 0;
  #denied = 0;
  #lost = 0;
  #savedText = "";
  #blindSince: string | undefined;
  #judgedUpTo: () => number;

  constructor(options: PointOptions) {
    this.options = options;
    this.tables = compile(options.bundle, options.layer);
    this.#history = createHistory(this.tables);
    const zone = options.bundle.plant.zones[0];
    if (zone === undefined) throw new Error(`plant \`${options.bundle.plant.id}\` has no zone`);
    this.#zone = zone.id;
    this.#holder = new PhaseHolder(this.tables, this.#zone, options.layer);
    this.#judgedUpTo = () => options.clock.now();
  }

  /**
   * Comes back on the persisted epoch, then joins the bus. Resolves once a phase is held, or after `waitMs` without one.
   * @throws Error in one sentence when a newer bundle than this one was loaded here before
   */
  async start(waitMs = 1500): Promise<void> {
    const { standalonePhase, clock, bundle, runDir, point } = this.options;
    const loaded = runDir === undefined ? undefined : new LoadedBundle(runDir, point);
    loaded?.refuseOlder(bundle);
    const notKept = loaded?.keep(bundle);
    if (standalonePhase !== undefined) {
      this.#holder.adopt(
        { zone: this.#zone, phase: standalonePhase, steps: [], epoch: Epoch(1), atMs: clock.now() },
        clock.now(),
      );
      return;
    }
    this.#restore();
    await this.#join();
    if (notKept !== undefined) this.#sayInternal(notKept);
    await this.#firstPosition(waitMs);
  }

  get state(): PhaseHolder["state"] {
    return this.#holder.state;
  }

  get phase(): PhaseId | null {
    return this.#holder.position?.phase ?? null;
  }

  get epoch(): Epoch | null {
    return this.#holder.epoch ?? null;
  }

  /** Sources that know better than the clock how far they have judged (a mirror that lags) say so here. */
  setJudgedUpTo(judgedUpTo: () => number): void {
    this.#judgedUpTo = judgedUpTo;
  }

  /** Whether anything may be blocked here. A link in monitor mode blocks nothing, whatever the mode of a rule; no link: yes. */
  enforces(link: LinkId | undefined): boolean {
    if (this.options.passive === true || this.options.mode !== "enforce") return false;
    return link === undefined || (this.tables.links.get(link)?.mode ?? "enforce") === "enforce";
  }

  judge(observation: Observation, atMs = this.options.clock.now()): Judged {
    const verdict = judgeBy(this.tables, this.#holder.permit, observation, this.#history, atMs);
    this.#judged += 1;
    if (verdict.verdict === "deny") this.#denied += 1;
    const blocks = verdict.verdict === "deny" && verdict.mode === "enforce" && this.enforces(observation.link);
    return {
      observation,
      verdict,
      action: blocks ? "blocked" : "forwarded",
      atMs,
      epoch: this.#holder.epoch ?? null,
      phase: this.phase,
    };
  }

  /** Counts a forwarded message against its rule's cadence, before its answer is known. */
  forwarded(judged: Judged): void {
    this.#became(judged, "forwarded");
  }

  /** Takes the answer into the history: order and causality count what was answered ok. */
  answered(judged: Judged, outcome: Outcome): void {
    this.#became(judged, outcome);
  }

  #became({ observation, verdict }: Judged, outcome: Outcome): void {
    const atMs = this.options.clock.now();
    commit(this.#history, observation, verdict, outcome, atMs);
    if (this.#holder.happened(verdict, outcome, atMs)) this.#save();
  }

  /** Records what became of a judged observation, and reports it. `forwarded`: it was never answered. */
  settle(judged: Judged, outcome: Outcome): void {
    if (outcome !== "forwarded") this.answered(judged, outcome);
    this.report(judged, outcome);
  }

  /** Sends a receipt where one is due: for a state-changing command, and for every deny within the limit. */
  report(judged: Judged, outcome: Outcome): void {
    const { observation, verdict } = judged;
    if (verdict.verdict === "allow" && !changesState(observation.operation)) return;
    if (verdict.verdict === "deny" && !this.#denyReceipts.take(performance.now())) {
      this.#lost += 1;
      return;
    }
    this.#publishReceipt(judged, outcome);
  }

  /** A tag's value was seen here: it feeds conditions, steps and largest-step rules. */
  sawTag(tag: TagId, value: number, atMs = this.options.clock.now()): void {
    observeTag(this.#history, tag, value, atMs);
  }

  /**
   * A server tells a client values. Where a rule is about that, it is judged: what fails is noticed, and withheld only by a rule in
   * enforce mode. What passes, suspect or not, has been seen here.
   *
   * @returns false: the answer must not reach the client
   */
  told(party: Party, values: readonly ToldValue[], atMs = this.options.clock.now()): boolean {
    const suspect = values.flatMap((value) => this.#suspicion(party, value, atMs) ?? []);
    for (const { judged } of suspect) {
      const withheld = judged.action === "blocked";
      this.notice({
        code: withheld ? "READING_WITHHELD" : "READING_SUSPECT",
        severity: "detection",
        locus: this.options.layer === "hmi" ? SUSPECT_BEFORE_HMI : SUSPECT_BEFORE_SWITCH,
        source: party.target,
        target: party.source ?? "",
        says: judged.verdict.verdict === "deny" ? judged.verdict.says : "",
      });
    }
    if (suspect.some(({ judged }) => judged.action === "blocked")) return false;
    for (const { tag, value } of values) this.sawTag(tag, value, atMs);
    this.sawTags(atMs);
    return true;
  }

  #suspicion({ source, target, link }: Party, { tag, value }: ToldValue, atMs: number): { judged: Judged } | undefined {
    if (source === undefined || source === "program" || !hasReports(this.tables, target, source, tag)) return undefined;
    const told = {
      source: target,
      sourceAddress: "",
      target: source,
      link,
      operation: "report",
      message: "report",
    } as const;
    const judged = this.judge({ ...told, items: [{ tag, address: tag, value }] }, atMs);
    if (judged.verdict.verdict === "deny") return { judged };
    this.forwarded(judged);
    return undefined;
  }

  /** Call after a batch of `sawTag`. */
  sawTags(atMs = this.options.clock.now()): void {
    if (this.#holder.observe(this.#history, atMs)) this.#save();
  }

  /** What was noticed about a connection. Within a limit: beyond it, counted as lost. */
  notice(notice: OwnNotice): void {
    if (this.#notices.take(performance.now())) this.#say(notice);
    else this.#lost += 1;
  }

  #say(notice: OwnNotice): void {
    const { point, layer, clock } = this.options;
    this.#bus?.publish(topic.notice(point), { point, layer, atMs: clock.now(), ...notice } satisfies NoticeMessage);
  }

  #sayInternal(says: string): void {
    this.#say({ code: "INTERNAL", severity: "info", locus: [], source: "", target: "", says });
  }

  /** The layer cannot see; undefined: it sees again. */
  setBlind(says: string | undefined): void {
    if (this.#blindSince === says) return;
    const before = this.#blindSince;
    this.#blindSince = says;
    if (before === undefined || says === undefined) {
      this.#say({
        code: says === undefined ? "TAP_BACK" : "TAP_BLIND",
        severity: "info",
        locus: [],
        source: "",
        target: "",
        says: says ?? "this layer sees again",
      });
    }
    this.publishStatus();
  }

  countLost(n: number): void {
    this.#lost += n;
  }

  publishStatus(): void {
    this.#bus?.publish(topic.status(this.options.point), this.#status(), { retain: true });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#bus === undefined) return;
    this.#bus.publish(
      topic.status(this.options.point),
      { ...this.#status(), state: "down", says: "stopped" },
      { retain: true },
    );
    await this.#bus.close();
  }

  async #join(): Promise<void> {
    const { bus, point } = this.options;
    if (bus === undefined) return;
    const will = { ...this.#status(), state: "down", says: "the process has gone" } as const;
    this.#bus = await joinBus({ ...bus, point, will });
    this.#bus.subscribe(topic.order(this.#zone), (payload) => this.#onOrder(payload));
    this.#bus.subscribe(topic.position(this.#zone), (payload) => this.#onPosition(payload));
    this.#bus.subscribe(topic.lease, (payload) => this.#onLease(payload));
    this.#bus.onState((state) => {
      if (state === "connected") this.publishStatus();
    });
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  #firstPosition(waitMs: number): Promise<void> {
    const until = performance.now() + waitMs;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#holder.state !== "joining" || performance.now() > until) resolve();
        else setTimeout(look, 20);
      };
      look();
    });
  }

  #beat(): void {
    if (this.#holder.checkLease(performance.now())) {
      this.#say({
        code: "ISOLATED",
        severity: "info",
        locus: [],
        source: "",
        target: "",
        says: `no word from the coordinator for the lease's length; ${regionOf(this.tables.lifecycle, this.#zone).isolated} is in force here`,
      });
    }
    // Steps follow from time too, where nothing is seen.
    this.sawTags();
    const { lifecycle } = this.tables;
    for (const rule of this.#missed.look(this.#history, lifecycle, this.#holder.position, this.options.clock.now())) {
      const [source = "", target = ""] = [rule.from[0], rule.targets[0]];
      const says = missedInWords(rule);
      this.notice({ code: "PERIOD_MISSED", severity: "detection", locus: [], source, target, says });
    }
    this.publishStatus();
  }

  #onOrder(payload: unknown): void {
    const order = readOrder(payload);
    if (order === undefined) return;
    const answer = this.#holder.order(order, this.options.clock.now());
    if (answer === undefined) return;
    this.#save();
    const { point, layer } = this.options;
    this.#bus?.publish(topic.answer(point), { point, layer, change: order.change, order: order.order, ...answer });
    if (order.order === "take") this.publishStatus();
  }

  #onPosition(payload: unknown): void {
    const position = readPosition(payload);
    if (position === undefined) return;
    const before = `${this.#holder.state} ${this.#holder.epoch ?? ""}`;
    if (!this.#holder.adopt(position, this.options.clock.now())) return;
    this.#save();
    if (before !== `${this.#holder.state} ${this.#holder.epoch ?? ""}`) this.publishStatus();
  }

  #onLease(payload: unknown): void {
    const lease = readLease(payload);
    if (lease !== undefined) this.#holder.renew(lease.leaseMs, performance.now());
  }

  #publishReceipt(judged: Judged, outcome: Outcome): void {
    const { observation, verdict } = judged;
    this.#seq += 1;
    const receipt: ReceiptMessage = {
      point: this.options.point,
      layer: this.options.layer,
      seq: this.#seq,
      atMs: judged.atMs,
      epoch: judged.epoch,
      phase: judged.phase,
      source: observation.source ?? null,
      sourceAddress: observation.sourceAddress,
      target: observation.target,
      link: observation.link ?? null,
      operation: observation.operation,
      message: observation.message,
      items: observation.items.map((item) => ({
        tag: item.tag ?? null,
        address: item.address,
        value: item.value ?? null,
      })),
      verdict: verdict.verdict,
      rule: verdict.rule ?? null,
      reason: verdict.verdict === "deny" ? verdict.reason : null,
      says: verdict.verdict === "deny" ? verdict.says : "",
      action: judged.action,
      outcome,
    };
    this.#bus?.publish(topic.receipt(this.options.point), receipt);
  }

  #status(): StatusMessage {
    const { point, layer, mode, bundle, clock } = this.options;
    const state = this.#holder.state;
    const position = this.#holder.position;
    return {
      point,
      layer,
      state: state === "in-force" && this.#blindSince !== undefined ? "blind" : state,
      says:
        this.#blindSince ?? (state === "isolated" ? "the coordinator has not been heard for the lease's length" : ""),
      mode,
      zone: this.#zone,
      phase: position?.phase ?? null,
      steps: position?.steps ?? [],
      epoch: this.#holder.epoch ?? null,
      bundle: bundle.id,
      pid: process.pid,
      atMs: clock.now(),
      judgedUpToMs: this.#judgedUpTo(),
      judged: this.#judged,
      denied: this.#denied,
      lost: this.#lost + (this.#bus?.dropped ?? 0),
    };
  }

  #file(): string | undefined {
    const { runDir, point } = this.options;
    return runDir === undefined ? undefined : join(runDir, `${point}.phase.json`);
  }

  #restore(): void {
    const file = this.#file();
    if (file === undefined) return;
    try {
      this.#holder.restore(readFileSync(file, "utf8"), this.options.clock.now());
    } catch {
      // Nothing was saved: the first start. The point holds no phase, and denies, until the coordinator says where the zone stands.
    }
  }

  /** Persists the held phase before anything is forwarded under it; write-then-rename, so that a crash leaves old or new. */
  #save(): void {
    const file = this.#file();
    const text = this.#holder.save();
    if (file === undefined || text === this.#savedText) return;
    this.#savedText = text;
    try {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    } catch (error) {
      this.#sayInternal(
        `the phase cannot be saved to ${file} (${error instanceof Error ? error.message : String(error)})`,
      );
    }
  }
}
