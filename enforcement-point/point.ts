import type { Bundle } from "#specs/bundle.ts";
import { commit, judgeBy } from "#specs/decide/decide.ts";
import { observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Outcome } from "#specs/decide/observation.ts";
import { hasReports, type Tables } from "#specs/decide/tables.ts";
import { Epoch, type LinkId, type PhaseId, type TagId, type ZoneId } from "#specs/ids.ts";
import type { Locus } from "#specs/lifecycle.ts";
import { changesState } from "#specs/mask.ts";
import type { Mode, UaWay } from "#specs/plant.ts";
import { regionOf } from "#specs/positions.ts";
import { err, ok, type Result } from "#specs/result.ts";
import {
  type BundleAnswer,
  exchange,
  firstInForce,
  type InForce,
  nextInForce,
  type PlantFollower,
  type TakesBundles,
} from "./bundle-change.ts";
import { HEARTBEAT_MS, type NoticeMessage, type StatusMessage, topic } from "./bus.ts";
import type { Bus } from "./bus-client.ts";
import { joinBus } from "./bus-client.ts";
import { readLease, readOrder, readPosition } from "./bus-read.ts";
import { carriedOver } from "./carry-history.ts";
import type { PlantClock } from "./clock.ts";
import { LoadedBundle } from "./loaded-bundle.ts";
import { MessageLog } from "./message-log.ts";
import { MissedPeriods, missedInWords } from "./missed-periods.ts";
import type { Party } from "./observe/modbus.ts";
import { PhaseHolder } from "./phase-holder.ts";
import { type Judged, receiptOf } from "./receipt.ts";
import { SavedPhase } from "./saved-phase.ts";
import { TokenBucket } from "./token-bucket.ts";

export type { Judged } from "./receipt.ts";

export interface PointOptions {
  readonly point: string;
  readonly layer: Layer;
  /** The one to begin with; see `Point.bundle`. */
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
  /** File to which what this point tells goes as JSON lines, beside the bus or in its place. */
  readonly logFile?: string;
}

/** Receipts of denied messages per second of real time; a flood beyond that is counted in the status, not sent one by one. */
export const MAX_DENY_RECEIPTS_PER_SECOND = 100;
/** Notices about connections per second of real time; whoever reconnects and babbles in a loop must not flood the bus. */
export const MAX_NOTICES_PER_SECOND = 50;

/** Real ms after which a status is logged though only its counts have changed. */
const LOG_STATUS_MS = 60_000;

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
export class Point implements TakesBundles {
  readonly options: PointOptions;
  readonly #holder: PhaseHolder;
  readonly #zone: ZoneId;
  readonly #loaded: LoadedBundle | undefined;
  readonly #saved: SavedPhase;
  readonly #denyReceipts = new TokenBucket(MAX_DENY_RECEIPTS_PER_SECOND, MAX_DENY_RECEIPTS_PER_SECOND);
  readonly #missed = new MissedPeriods();
  readonly #log: MessageLog | undefined;
  readonly #notices = new TokenBucket(MAX_NOTICES_PER_SECOND, MAX_NOTICES_PER_SECOND);
  /** Of links of the plant alone. */
  readonly #ways = new Map<LinkId, UaWay>();
  #inForce: InForce;
  #follower: PlantFollower = () => ok(() => undefined);
  #bus: Bus | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seq = 0;
  #judged = 0;
  #denied = 0;
  #lost = 0;
  #logged = { what: "", realMs: 0 };
  #blindSince: string | undefined;
  #judgedUpTo: () => number;

  constructor(options: PointOptions) {
    const { bundle, layer, runDir, point, logFile } = options;
    this.options = options;
    this.#log =
      logFile === undefined ? undefined : new MessageLog(logFile, { onFault: (says) => this.#logFault(says) });
    this.#inForce = firstInForce(bundle, layer);
    this.#loaded = runDir === undefined ? undefined : new LoadedBundle(runDir, point);
    this.#saved = new SavedPhase(runDir, point);
    const zone = bundle.plant.zones[0];
    if (zone === undefined) throw new Error(`plant \`${bundle.plant.id}\` has no zone`);
    this.#zone = zone.id;
    this.#holder = new PhaseHolder(this.tables, this.#zone, layer);
    this.#judgedUpTo = () => options.clock.now();
  }

  /**
   * Comes back on the persisted epoch, then joins the bus. Resolves once a phase is held, or after `waitMs` without one.
   * @throws Error in one sentence when a newer bundle than this one was loaded here before
   */
  async start(waitMs = 1500): Promise<void> {
    const { standalonePhase, clock, bundle } = this.options;
    this.#loaded?.refuseOlder(bundle);
    const notKept = this.#loaded?.keep(bundle);
    if (standalonePhase !== undefined) {
      this.#holder.adopt(
        { zone: this.#zone, phase: standalonePhase, steps: [], epoch: Epoch(1), atMs: clock.now() },
        clock.now(),
      );
      this.#timer = setInterval(() => this.#look(), HEARTBEAT_MS);
      this.#timer.unref();
      return;
    }
    this.#restore();
    await this.#join();
    if (notKept !== undefined) this.#sayInternal(notKept);
    await this.#firstPosition(waitMs);
  }

  /** The bundle that is in force, and its tables for this layer. */
  get bundle(): Bundle {
    return this.#inForce.bundle;
  }

  get tables(): Tables {
    return this.#inForce.tables;
  }

  /** What else goes by the plant here changes with the tables, in the same breath. */
  setFollower(follower: PlantFollower): void {
    this.#follower = follower;
  }

  /**
   * Puts another bundle in the place of the one in force, between two messages. Whatever speaks against it, the present one stays. The
   * held phase and epoch are kept; where the phase is not in the bundle, the isolated one is in force, and alone it is refused.
   */
  takeBundle(open: () => Bundle): BundleAnswer {
    const answer = exchange(this.bundle, open, (bundle) => this.#prepare(bundle));
    const code = answer.taken ? "BUNDLE_TAKEN" : "BUNDLE_REFUSED";
    this.#say({ code, severity: "info", locus: [], source: "", target: "", says: answer.says });
    this.publishStatus();
    return answer;
  }

  /** Everything that may fail, before anything changes. */
  #prepare(bundle: Bundle): Result<() => string, string> {
    const older = this.#loaded?.whyOlder(bundle);
    if (older !== undefined) return err(older);
    const next = nextInForce(this.#inForce, bundle, this.#zone);
    if (!next.ok) return next;
    if (this.#holder.isChanging) return err("a change of phase is under way; offer the bundle again when it is over");
    const isAlone = this.options.standalonePhase !== undefined;
    if (isAlone && !this.#holder.isIn(next.value.tables, this.options.clock.now()))
      return err(
        `phase \`${this.phase ?? "none"}\`, in which this point stands alone, is not in the bundle as it is held`,
      );
    const follow = this.#follower(bundle);
    return follow.ok ? ok(() => this.#change(next.value, follow.value)) : follow;
  }

  /** @returns what else is to be said of it */
  #change(next: InForce, follow: () => void): string {
    const notKept = this.#loaded?.keep(next.bundle);
    const before = this.#holder.state;
    this.#inForce = next;
    this.#holder.take(next.tables, this.options.clock.now());
    for (const link of this.#ways.keys()) if (!next.tables.links.has(link)) this.#ways.delete(link);
    follow();
    this.#save();
    if (notKept !== undefined) this.#sayInternal(notKept);
    if (this.#holder.state === before || before === "isolated") return "";
    return `; the phase that was held is not in it, and \`${this.phase ?? ""}\` is in force here`;
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
    const { tables, history } = this.#inForce;
    const verdict = judgeBy(tables, this.#holder.permit, observation, history, atMs);
    this.#judged += 1;
    if (verdict.verdict === "deny") this.#denied += 1;
    const blocks = verdict.verdict === "deny" && verdict.mode === "enforce" && this.enforces(observation.link);
    return {
      tables,
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

  #became(judged: Judged, outcome: Outcome): void {
    const atMs = this.options.clock.now();
    const { tables, history } = this.#inForce;
    const { observation, verdict } = judged.tables === tables ? judged : carriedOver(judged, judged.tables, tables);
    commit(history, observation, verdict, outcome, atMs);
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
    observeTag(this.#inForce.history, tag, value, atMs);
  }

  /**
   * A server tells a client values. Where a rule is about that, it is judged: what fails is noticed, and withheld only by a rule in
   * enforce mode. What passes, suspect or not, has been seen here.
   *
   * @returns false: the answer must not reach the client
   */
  told(party: Party, values: readonly ToldValue[], atMs = this.options.clock.now()): boolean {
    if (!this.mayTell(party, values, atMs)) return false;
    for (const { tag, value } of values) this.sawTag(tag, value, atMs);
    this.sawTags(atMs);
    return true;
  }

  /** False: no rule is about what clients are told, and `mayTell` need not be asked. */
  get judgesReports(): boolean {
    return this.tables.judgesReports;
  }

  /** The judgement of `told` alone, for whoever then shows the values one by one. */
  mayTell(party: Party, values: readonly ToldValue[], atMs = this.options.clock.now()): boolean {
    if (!this.judgesReports) return true;
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
    return !suspect.some(({ judged }) => judged.action === "blocked");
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
    if (this.#holder.observe(this.#inForce.history, atMs)) this.#save();
  }

  /** What was noticed about a connection. Within a limit: beyond it, counted as lost. */
  notice(notice: OwnNotice): void {
    if (this.#notices.take(performance.now())) this.#say(notice);
    else this.#lost += 1;
  }

  #say(notice: OwnNotice): void {
    const { point, layer, clock } = this.options;
    const message: NoticeMessage = { point, layer, atMs: clock.now(), ...notice };
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
    this.#sayInternal(says);
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

  /** A channel of this link was opened in this way. */
  opened(link: LinkId, way: UaWay): void {
    this.#ways.set(link, way);
  }

  countLost(n: number): void {
    this.#lost += n;
  }

  publishStatus(): void {
    const status = this.#status();
    this.#logStatus(status);
    this.#bus?.publish(topic.status(this.options.point), status, { retain: true });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const last: StatusMessage = { ...this.#status(), state: "down", says: "stopped" };
    this.#logStatus(last);
    await this.#log?.close();
    if (this.#bus === undefined) return;
    this.#bus.publish(topic.status(this.options.point), last, { retain: true });
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
    this.#look();
  }

  /** What follows from time alone: steps, and messages that should have come. */
  #look(): void {
    this.sawTags();
    const { lifecycle } = this.tables;
    for (const rule of this.#missed.look(
      this.#inForce.history,
      lifecycle,
      this.#holder.position,
      this.options.clock.now(),
    )) {
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
    this.#seq += 1;
    const { point, layer } = this.options;
    if (this.#bus === undefined && this.#log === undefined) return;
    const receipt = receiptOf(judged, outcome, { point, layer, seq: this.#seq });
    this.#log?.add("receipt", receipt);
    this.#bus?.publish(topic.receipt(point), receipt);
  }

  #status(): StatusMessage {
    const { point, layer, mode, clock } = this.options;
    const state = this.#holder.state;
    const position = this.#holder.position;
    return {
      point,
      layer,
      state: state === "in-force" && this.#blindSince !== undefined ? "blind" : state,
      says: this.#blindSince ?? (state === "isolated" ? this.#holder.whyIsolated : ""),
      mode,
      zone: this.#zone,
      phase: position?.phase ?? null,
      steps: position?.steps ?? [],
      epoch: this.#holder.epoch ?? null,
      bundle: this.bundle.id,
      pid: process.pid,
      atMs: clock.now(),
      judgedUpToMs: this.#judgedUpTo(),
      judged: this.#judged,
      denied: this.#denied,
      lost: this.#lost + (this.#bus?.dropped ?? 0) + (this.#log?.lost ?? 0),
      ...(this.#ways.size === 0 ? {} : { ways: Object.fromEntries(this.#ways) }),
    };
  }

  #restore(): void {
    const text = this.#saved.read();
    if (text !== undefined) this.#holder.restore(text, this.options.clock.now());
  }

  /** Persists the held phase before anything is forwarded under it. */
  #save(): void {
    const notKept = this.#saved.keep(this.#holder.save());
    if (notKept !== undefined) this.#sayInternal(notKept);
  }
}
