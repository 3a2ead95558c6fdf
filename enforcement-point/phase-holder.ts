import type { History } from "#specs/decide/history.ts";
import type { Layer, Outcome, Position, Verdict } from "#specs/decide/observation.ts";
import type { Permit, Permitted } from "#specs/decide/permit.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { Epoch, PhaseId, RuleId, StepId, type ZoneId } from "#specs/ids.ts";
import { MIRROR_DELAY_MS } from "#specs/lifecycle.ts";
import { regionOf } from "#specs/positions.ts";
import { StepTracker } from "#specs/steps.ts";
import { shortId } from "./bundle-change.ts";
import type { OrderMessage, PositionMessage } from "./bus.ts";
import { FormerPhases, type Lateness } from "./former-phases.ts";
import { HeldPhase, type JudgedBy, type Window, type Words } from "./held-phase.ts";

/** What a point does with an order: it agrees or refuses, and says why. */
export interface OrderAnswer {
  readonly agreed: boolean;
  readonly says: string;
}

/** A change that was prepared here. From the `window` order of this layer on, its window is in force. */
interface Pending {
  readonly change: string;
  readonly window: Window;
}

const AGREED: OrderAnswer = { agreed: true, says: "" };

/**
 * Which phase one layer holds of one zone, and how it follows the coordinator from phase to phase. Pure: messages and times
 * go in, what is permitted comes out.
 *
 * INVARIANT (phase epoch): the held epoch never decreases; an order or position with an older one is refused.
 * INVARIANT (lease): without renewal for the lease's length the point leaves its phase for the lifecycle's isolated one, and
 * returns only on a position that the coordinator sends after that.
 */
export class PhaseHolder {
  readonly #zone: ZoneId;
  readonly #layer: Layer;
  readonly #judgedBy: JudgedBy;
  #tables: Tables;
  #isolatedPosition: Position;
  #phases: ReadonlySet<PhaseId>;
  #firstLeaseMs: number;
  #phase: PhaseId | undefined;
  #pending: Pending | undefined;
  #held: HeldPhase;
  /** undefined: everything is judged as it happens. */
  #former: FormerPhases | undefined;
  #leaseUntilMs: number | undefined;

  /** @param isLate a copy is judged, by the time at which it was captured: orders come before all that was before them has been seen */
  constructor(tables: Tables, zone: ZoneId, layer: Layer, isLate = false) {
    this.#zone = zone;
    this.#layer = layer;
    this.#former = isLate ? new FormerPhases(latenessIn(tables)) : undefined;
    this.#tables = tables;
    this.#isolatedPosition = isolatedIn(tables, zone);
    this.#firstLeaseMs = tables.lifecycle.leaseMs;
    this.#phases = phasesIn(tables, zone);
    this.#judgedBy = isLate ? "either" : "both";
    this.#held = new HeldPhase(tables, this.#judgedBy, new StepTracker(tables), NOTHING);
  }

  get epoch(): Epoch | undefined {
    return this.#held.words.epoch;
  }

  /** A change was prepared here and is not over. */
  get isChanging(): boolean {
    return this.#pending !== undefined;
  }

  get state(): "joining" | "in-force" | "isolated" {
    if (this.#isIsolated) return "isolated";
    return this.#phase === undefined ? "joining" : "in-force";
  }

  get whyIsolated(): string {
    const isHere = this.#held.tracker.position !== undefined;
    return isHere
      ? "the coordinator has not been heard for the lease's length"
      : `phase \`${this.#phase ?? ""}\`, which is held, is not in this point's bundle`;
  }

  /** What is in force here: the held phase with its set of possible steps, or the isolated phase. */
  get position(): Position | undefined {
    return this.#held.position;
  }

  /** What is permitted now, ready for `decide`. The same object until the phase, a step or the course of a change is another. */
  get permit(): Permit {
    return this.#held.permit;
  }

  get permitted(): Permitted {
    return this.#held.permitted;
  }

  get #isIsolated(): boolean {
    return this.#held.words.isolated !== undefined;
  }

  /** What was in force when this was captured. Where nothing is judged late it is what is in force now. */
  heldAt(atMs: number): HeldPhase {
    return this.#former?.at(atMs) ?? this.#held;
  }

  /** What else was in force within the skew of that time. */
  heldNear(atMs: number): readonly HeldPhase[] {
    return this.#former === undefined || this.#former.size === 0 ? NONE : this.#former.near(atMs, this.#held);
  }

  /** Former phases of which no frame can come any more are forgotten. Call about once a second. */
  forget(nowMs: number): void {
    this.#former?.forget(nowMs);
  }

  /** Whether what is held is there in other tables too: the phase in this zone, and one of its possible steps. */
  isIn(tables: Tables, nowMs: number): boolean {
    if (this.#phase === undefined) return true;
    return phasesIn(tables, this.#zone).has(this.#phase) && new StepTracker(tables).goOn(this.#held.tracker, nowMs);
  }

  /**
   * Goes by other tables from now on, under the same epoch. Where what is held is not in them, the isolated phase is in force, and the
   * coordinator's next position leads out of it. Not while a change is under way.
   */
  take(tables: Tables, nowMs: number): void {
    const stays = this.isIn(tables, nowMs);
    const tracker = new StepTracker(tables);
    if (stays) tracker.goOn(this.#held.tracker, nowMs);
    this.#tables = tables;
    this.#phases = phasesIn(tables, this.#zone);
    this.#isolatedPosition = isolatedIn(tables, this.#zone);
    this.#firstLeaseMs = tables.lifecycle.leaseMs;
    const isolated = this.#isIsolated || !stays ? this.#isolatedPosition : undefined;
    this.#held = new HeldPhase(tables, this.#judgedBy, tracker, { ...this.#held.words, isolated });
    // What was before is of the tables before, and nobody judges by those any more.
    this.#former = this.#former && new FormerPhases(latenessIn(tables));
  }

  /** Follows one order of a phase change. Orders may come late, doubled or not at all. undefined: not for this layer. */
  order(message: OrderMessage, nowMs: number): OrderAnswer | undefined {
    if (message.zone !== this.#zone) return undefined;
    if ("layer" in message && message.layer !== this.#layer && message.layer !== "all") return undefined;
    if (this.epoch !== undefined && message.epoch <= this.epoch) return this.#repeated(message);
    if (!this.#phases.has(message.to)) return refused(`phase \`${message.to}\` is not in this point's bundle`);
    switch (message.order) {
      case "prepare":
        return this.#prepare(message, nowMs);
      case "window":
        if (this.#pending?.change !== message.change) return refused("this change was never prepared here");
        this.#say({ window: this.#pending.window }, nowMs);
        return AGREED;
      case "take":
        this.#enter(message.epoch, message.to, message.steps, nowMs);
        return AGREED;
      case "abort":
        if (this.#pending?.change !== message.change) return AGREED;
        this.#pending = undefined;
        this.#say({ window: undefined }, nowMs);
        return AGREED;
      default: {
        const never: never = message;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  /** Adopts where the coordinator says the zone stands. False: older than what is held, or unknown here, and refused. */
  adopt(message: PositionMessage, nowMs: number): boolean {
    const { epoch } = this;
    if (message.zone !== this.#zone || !this.#phases.has(message.phase)) return false;
    if (epoch !== undefined && message.epoch < epoch) return false;
    if (epoch === message.epoch && this.#phase !== message.phase) return false;
    if (epoch === message.epoch && this.#held.tracker.position !== undefined) this.#record(message.steps, nowMs);
    else this.#enter(message.epoch, message.phase, message.steps, nowMs);
    return true;
  }

  /** @param leaseMs real ms from now for which the coordinator vouches */
  renew(leaseMs: number, realMs: number): void {
    this.#leaseUntilMs = realMs + leaseMs;
  }

  /**
   * @param nowMs capture time of a frame that would be captured now; for layers that judge late
   * @returns true: the lease has just ended and the isolated phase is in force from now on
   */
  checkLease(realMs: number, nowMs = 0): boolean {
    if (this.#isIsolated || this.#phase === undefined) return false;
    this.#leaseUntilMs ??= realMs + this.#firstLeaseMs;
    if (realMs < this.#leaseUntilMs) return false;
    this.#pending = undefined;
    this.#say({ isolated: this.#isolatedPosition, window: undefined }, nowMs);
    return true;
  }

  /** Advances the set of possible steps by what was observed here. True: it changed. */
  observe(history: History, atMs: number): boolean {
    return this.heldAt(atMs).observe(history, atMs);
  }

  /** Advances the set of possible steps by what became of a message. True: it changed. */
  happened(verdict: Verdict, outcome: Outcome, atMs: number): boolean {
    return this.heldAt(atMs).happened(verdict, outcome, atMs);
  }

  /** The state to come back on after a restart. A phase that is not in the present tables is none to come back on. */
  save(): string {
    const { phase = null, steps = [] } = this.#held.tracker.position ?? {};
    return JSON.stringify({ epoch: this.epoch ?? null, phase, steps });
  }

  /** Takes up a saved state; false, and nothing changed, when it is not one that this bundle knows. */
  restore(text: string, nowMs: number): boolean {
    const saved = readSaved(text);
    if (saved === undefined || !this.#phases.has(saved.phase)) return false;
    this.#enter(saved.epoch, saved.phase, saved.steps, nowMs);
    return true;
  }

  #prepare(message: OrderMessage & { readonly order: "prepare" }, nowMs: number): OrderAnswer {
    const { bundle } = this.#tables;
    if (message.bundle !== undefined && message.bundle !== bundle)
      return refused(
        `this point holds bundle ${shortId(bundle)}, and the coordinator leads by bundle ${shortId(message.bundle)}`,
      );
    if (this.#isIsolated) return refused("this point is isolated");
    if (this.#phase !== message.from)
      return refused(`this point holds \`${this.#phase ?? "no phase"}\`, not \`${message.from}\``);
    const { change, to, steps } = message;
    // The coordinator has given up any other change, though its abort never came here.
    if (this.#pending?.change !== change) this.#say({ window: undefined }, nowMs);
    this.#pending = { change, window: { to, steps, rules: message.window.map(RuleId) } };
    return AGREED;
  }

  /** An order for an epoch not newer than the held one: agreed when it is a doubled `take` of what is held, else refused. */
  #repeated(message: OrderMessage): OrderAnswer {
    if (message.order === "take" && message.epoch === this.epoch && message.to === this.#phase) return AGREED;
    return refused(`epoch ${message.epoch} is not newer than ${this.epoch ?? "none"}`);
  }

  #enter(epoch: Epoch, phase: PhaseId, steps: readonly StepId[], nowMs: number): void {
    const tracker = new StepTracker(this.#tables);
    tracker.enter(phase, steps, nowMs);
    this.#pending = undefined;
    this.#hold(new HeldPhase(this.#tables, this.#judgedBy, tracker, { ...NOTHING, epoch }), nowMs);
    this.#phase = phase;
  }

  /** The word about the steps ends what was possible before only where it says something else. */
  #record(steps: readonly StepId[], nowMs: number): void {
    const next = this.#held.under({ isolated: undefined }, nowMs);
    if (next.tracker.record(steps, nowMs) || this.#isIsolated) this.#hold(next, nowMs);
    else this.#held.tracker.record(steps, nowMs);
  }

  /** The same phase under other words, unless they are the same. */
  #say(words: Partial<Words>, nowMs: number): void {
    const { window, isolated } = { ...this.#held.words, ...words };
    const { words: before } = this.#held;
    if (window !== before.window || isolated !== before.isolated) this.#hold(this.#held.goOn(words, nowMs), nowMs);
  }

  #hold(held: HeldPhase, nowMs: number): void {
    // What was captured before the first word is judged by it: no phase is none that was ever in force.
    if (this.#phase !== undefined) this.#former?.ended(this.#held, nowMs);
    this.#held = held;
  }
}

const NOTHING: Words = { epoch: undefined, window: undefined, isolated: undefined };
const NONE: readonly HeldPhase[] = [];

function latenessIn({ lifecycle: { skewMs, mirrorDelayMs = MIRROR_DELAY_MS } }: Tables): Lateness {
  return { skewMs, mirrorDelayMs };
}

function phasesIn({ lifecycle }: Tables, zone: ZoneId): ReadonlySet<PhaseId> {
  return new Set(lifecycle.phases.filter((phase) => phase.zone === zone).map((phase) => phase.id));
}

function isolatedIn({ lifecycle }: Tables, zone: ZoneId): Position {
  return { phase: regionOf(lifecycle, zone).isolated, steps: [] };
}

function refused(says: string): OrderAnswer {
  return { agreed: false, says };
}

function readSaved(text: string): { epoch: Epoch; phase: PhaseId; steps: readonly StepId[] } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("epoch" in value) || !("phase" in value) || !("steps" in value)) return undefined;
    const { epoch, phase, steps } = value;
    if (typeof epoch !== "number" || typeof phase !== "string" || !Array.isArray(steps)) return undefined;
    return { epoch: Epoch(epoch), phase: PhaseId(phase), steps: steps.map((step) => StepId(String(step))) };
  } catch {
    return undefined;
  }
}
