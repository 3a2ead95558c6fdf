import type { Bundle } from "#specs/bundle.ts";
import type { Observation, Outcome } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { Epoch, type LinkId, type PhaseId, type TagId } from "#specs/ids.ts";
import { MIRROR_DELAY_MS } from "#specs/lifecycle.ts";
import type { UaWay } from "#specs/plant.ts";
import { regionOf } from "#specs/positions.ts";
import type { BundleAnswer, PlantFollower, TakesBundles } from "./bundle-change.ts";
import { HEARTBEAT_MS, type StatusMessage } from "./bus.ts";
import { wordAtMs } from "./clock.ts";
import { Drain } from "./drain.ts";
import { Judge, type JudgeOptions } from "./judge.ts";
import { MissedPeriods } from "./missed-periods.ts";
import type { Party } from "./observe/party.ts";
import { overdueNotices } from "./overdue.ts";
import type { PhaseHolder } from "./phase-holder.ts";
import { PointBundle } from "./point-bundle.ts";
import { type OwnNotice, PointMessages, type PointMessagesOptions } from "./point-messages.ts";
import { PointStatus } from "./point-status.ts";
import { mayTell, type Reading, stillShows } from "./readings.ts";
import type { Judged } from "./receipt.ts";
import { SavedPhase } from "./saved-phase.ts";
import { Selects } from "./selects.ts";

export type { OwnNotice } from "./point-messages.ts";
export type { Judged } from "./receipt.ts";

export interface PointOptions extends JudgeOptions, PointMessagesOptions {
  /** Absent: runs alone, in the given phase. */
  readonly bus?: { readonly url: string; readonly password?: string };
  readonly standalonePhase?: PhaseId;
  /** Folder for what must survive a restart. */
  readonly runDir?: string;
}

/**
 * One enforcement point, as its layer sees it: it judges by a verified bundle and the phase in force, follows the coordinator, tells
 * what it judged, and comes back from a restart on what it held.
 */
export class Point implements TakesBundles {
  readonly options: PointOptions;
  readonly #judge: Judge;
  readonly #messages: PointMessages;
  readonly #status: PointStatus;
  readonly #bundle: PointBundle;
  readonly #saved: SavedPhase;
  readonly #missed = new MissedPeriods();
  readonly #drain = new Drain();
  #selects: Selects;
  #judgedUpTo: () => number = () => this.options.clock.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PointOptions) {
    const { runDir, point, mode } = options;
    this.options = options;
    this.#judge = new Judge(options);
    this.#selects = new Selects(options.bundle.lifecycle);
    this.#messages = new PointMessages(options);
    this.#status = new PointStatus(point, mode, this.#judge);
    this.#bundle = new PointBundle(this.#judge, {
      ...options,
      changed: (next) => {
        this.#selects = new Selects(next.bundle.lifecycle);
        this.#status.forgetLinks();
        this.#keepPhase();
      },
      notKept: (says) => this.#messages.say("INTERNAL", says),
    });
    this.#saved = new SavedPhase(runDir, point);
  }

  /**
   * Comes back on the persisted epoch, then joins the bus. Resolves once a phase is held, or after `waitMs` without one.
   * @throws Error in one sentence when a newer bundle than this one was loaded here before
   */
  async start(waitMs = 1500): Promise<void> {
    const { standalonePhase, clock } = this.options;
    const notKept = this.#bundle.begin();
    if (standalonePhase !== undefined) {
      const { zone, holder } = this.#judge;
      holder.adopt({ zone, phase: standalonePhase, steps: [], epoch: Epoch(1), atMs: clock.now() }, clock.now());
      this.#timer = setInterval(() => this.#heartbeat(), HEARTBEAT_MS).unref();
      return;
    }
    const saved = this.#saved.read();
    if (saved !== undefined) this.#judge.holder.restore(saved, clock.now());
    await this.#join();
    if (notKept !== undefined) this.#messages.say("INTERNAL", notKept);
    const { firstPhase } = await import("./coordinator-link.ts");
    await firstPhase(this.#judge.holder, waitMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#messages.close({ ...this.status(), state: "down", says: "stopped" });
  }

  /** The bundle that is in force, and its tables for this layer. */
  get bundle(): Bundle {
    return this.#judge.bundle;
  }

  get tables(): Tables {
    return this.#judge.tables;
  }

  get state(): PhaseHolder["state"] {
    return this.#judge.holder.state;
  }

  get phase(): PhaseId | null {
    return this.#judge.holder.position?.phase ?? null;
  }

  get epoch(): Epoch | null {
    return this.#judge.holder.epoch ?? null;
  }

  /** Whether anything may be blocked here. A link in monitor mode blocks nothing, whatever the mode of a rule; no link: yes. */
  enforces(link: LinkId | undefined): boolean {
    return this.#judge.enforces(link);
  }

  judge(observation: Observation, atMs = this.options.clock.now()): Judged {
    return this.#judge.judge(observation, atMs);
  }

  /**
   * Counts a forwarded message against its rule's cadence, before its answer is known.
   *
   * @param atMs when it passed; what is judged late passed before now, or the next one would look early
   */
  forwarded(judged: Judged, atMs = this.options.clock.now()): void {
    this.#became(judged, "forwarded", atMs);
  }

  /** Takes the answer, which passed at that time, into the history: order and causality count what was answered ok. */
  answered(judged: Judged, outcome: Outcome, atMs = this.options.clock.now()): void {
    this.#selects.answered(judged, outcome, atMs);
    this.#became(judged, outcome, atMs);
  }

  #became(judged: Judged, outcome: Outcome, atMs: number): void {
    if (this.#judge.became(judged, outcome, atMs)) this.#keepPhase();
  }

  /** Records what became of a judged observation, and reports it. `forwarded`: it was never answered. */
  settle(judged: Judged, outcome: Outcome): void {
    if (outcome !== "forwarded") this.answered(judged, outcome);
    this.report(judged, outcome);
  }

  /** Sends a receipt where one is due: for a state-changing command, and for every deny within the limit. */
  report(judged: Judged, outcome: Outcome): void {
    const seq = this.#messages.receipt(judged, outcome, this.#selects.operatedBy(judged));
    if (seq !== undefined) this.#selects.reported(judged, outcome, seq, this.options.clock.now());
  }

  /** A tag's value was seen here: it feeds conditions, steps and largest-step rules. */
  sawTag(tag: TagId, value: number, atMs = this.options.clock.now()): void {
    this.#judge.sawTag(tag, value, atMs);
  }

  /** Call after a batch of `sawTag`. */
  sawTags(atMs = this.options.clock.now()): void {
    if (this.#judge.sawTags(atMs)) this.#keepPhase();
  }

  /**
   * A server tells a client values: they are judged as by `mayTell`. What passes, suspect or not, has been seen here.
   *
   * @returns false: the answer must not reach the client
   */
  told(party: Party, readings: readonly Reading[], atMs = this.options.clock.now()): boolean {
    if (!this.mayTell(party, readings, atMs)) return false;
    for (const { tag, value } of readings) this.sawTag(tag, value, atMs);
    this.sawTags(atMs);
    return true;
  }

  /** False: no rule is about what clients are told, and `mayTell` need not be asked. */
  get judgesReports(): boolean {
    return this.tables.judgesReports;
  }

  /** The judgement of `told` alone, for whoever then shows the values one by one. */
  mayTell(party: Party, readings: readonly Reading[], atMs = this.options.clock.now()): boolean {
    return !this.judgesReports || mayTell(this, party, readings, atMs);
  }

  /** What is suspect by now of a reading that a client was told before and still shows. Nothing is counted, or said. */
  stillShows(party: Party, reading: Reading, atMs: number): OwnNotice | undefined {
    return stillShows(this.tables, party, reading, (told) => this.#judge.verdictOn(told, atMs));
  }

  /** What was noticed about a connection. Within a limit: beyond it, counted as lost. */
  notice(notice: OwnNotice): void {
    this.#messages.notice(notice);
  }

  countLost(n: number): void {
    this.#messages.countLost(n);
  }

  /** A channel of this link was opened in this way. */
  opened(link: LinkId, way: UaWay): void {
    this.#status.opened(link, way);
  }

  /** The layer cannot see; undefined: it sees again. */
  setBlind(says: string | undefined): void {
    const before = this.#status.blindSince;
    if (before === says) return;
    this.#status.setBlind(says);
    if (says === undefined) this.#messages.say("TAP_BACK", "this layer sees again");
    else if (before === undefined) this.#messages.say("TAP_BLIND", says);
    this.publishStatus();
  }

  /** Sources that know better than the clock how far they have judged (a mirror that lags) say so here. */
  setJudgedUpTo(judgedUpTo: () => number): void {
    this.#judgedUpTo = judgedUpTo;
  }

  /** More of what was mirrored has been judged: whoever waits for that is answered. */
  judgedFurther(): void {
    this.#drain.look(this.#judgedUpTo(), performance.now());
  }

  publishStatus(): void {
    this.judgedFurther();
    this.#messages.status(this.status());
  }

  /** How the point stands now. */
  status(): StatusMessage {
    const [atMs, judgedUpToMs] = [this.options.clock.now(), this.#judgedUpTo()];
    return this.#status.message({ atMs, judgedUpToMs, lost: this.#messages.lost });
  }

  /** What else goes by the plant here changes with the tables, in the same breath. */
  setFollower(follower: PlantFollower): void {
    this.#bundle.setFollower(follower);
  }

  /**
   * Puts another bundle in the place of the one in force, between two messages. Whatever speaks against it, the present one stays. The
   * held phase and epoch are kept; where the phase is not in the bundle, the isolated one is in force, and alone it is refused.
   */
  takeBundle(open: () => Bundle): BundleAnswer {
    const answer = this.#bundle.take(open);
    this.#messages.say(answer.taken ? "BUNDLE_TAKEN" : "BUNDLE_REFUSED", answer.says);
    this.publishStatus();
    return answer;
  }

  async #join(): Promise<void> {
    const { bus: broker, point, clock } = this.options;
    if (broker === undefined) return;
    // Who judges a capture never joins, and shall not wait until the bus is loaded.
    const [{ joinBus }, { followCoordinator }] = await Promise.all([
      import("./bus-client.ts"),
      import("./coordinator-link.ts"),
    ]);
    const will = { ...this.status(), state: "down", says: "the process has gone" } as const;
    const bus = await joinBus({ ...broker, point, will });
    this.#messages.join(bus);
    const { zone, holder } = this.#judge;
    followCoordinator(bus, {
      ...{ zone, holder, clock },
      keep: () => this.#keepPhase(),
      answer: (answer) => this.#messages.answer(answer),
      publishStatus: () => this.publishStatus(),
      ...(this.options.passive === true ? { whenDrained: this.#whenDrained } : {}),
    });
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  readonly #whenDrained = (change: string, upToMs: number, answer: () => void): void => {
    const { mirrorDelayMs = MIRROR_DELAY_MS } = this.tables.lifecycle;
    const untilMs = performance.now() + mirrorDelayMs;
    this.#drain.begin({ change, upToMs, untilMs, answer });
    // A timer may come a part of a ms too early to see by the clock that its time is over.
    setTimeout(() => this.#drain.look(this.#judgedUpTo(), untilMs), mirrorDelayMs).unref();
    this.judgedFurther();
  };

  #beat(): void {
    const atMs = wordAtMs(this.options.clock);
    this.#judge.holder.forget(atMs);
    if (this.#judge.holder.checkLease(performance.now(), atMs)) {
      const { isolated } = regionOf(this.tables.lifecycle, this.#judge.zone);
      const says = `no word from the coordinator for the lease's length; ${isolated} is in force here`;
      this.#messages.say("ISOLATED", says);
    }
    this.#heartbeat();
  }

  #heartbeat(): void {
    this.look();
    this.publishStatus();
  }

  /**
   * What follows from time alone: steps, messages that should have come, and selects that were not operated. A point looks by itself at each
   * heartbeat; who reads a file calls it as time goes by there.
   */
  look(): void {
    this.sawTags();
    const nowMs = this.options.clock.now();
    const sees = this.#status.blindSince === undefined;
    for (const notice of overdueNotices(this.#judge, this.#missed, this.#selects, nowMs, sees)) this.notice(notice);
  }

  /** Before anything is forwarded under it. */
  #keepPhase(): void {
    const notKept = this.#saved.keep(this.#judge.holder.save());
    if (notKept !== undefined) this.#messages.say("INTERNAL", notKept);
  }
}
