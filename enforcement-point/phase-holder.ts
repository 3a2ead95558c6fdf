import type { History } from "#specs/decide/history.ts";
import type { Layer, Outcome, Position, Verdict } from "#specs/decide/observation.ts";
import { type Permit, type Permitted, permit } from "#specs/decide/permit.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { Epoch, PhaseId, RuleId, StepId, type ZoneId } from "#specs/ids.ts";
import { regionOf } from "#specs/positions.ts";
import { StepTracker } from "#specs/steps.ts";
import { shortId } from "./bundle-change.ts";
import type { OrderMessage, PositionMessage } from "./bus.ts";

/** What a point does with an order: it agrees or refuses, and says why. */
export interface OrderAnswer {
  readonly agreed: boolean;
  readonly says: string;
}

interface Pending {
  readonly change: string;
  readonly epoch: Epoch;
  readonly to: PhaseId;
  readonly steps: readonly StepId[];
  readonly window: readonly RuleId[];
  /** True from the `window` order of this layer on: only what old and new both allow may pass. */
  narrowed: boolean;
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
  #tables: Tables;
  #isolatedPosition: Position;
  /** Holds nothing while nothing is held, and where what is held is not in these tables. */
  #tracker: StepTracker;
  #phases: ReadonlySet<PhaseId>;
  #firstLeaseMs: number;
  #epoch: Epoch | undefined;
  #held: PhaseId | undefined;
  #pending: Pending | undefined;
  #isolated = false;
  #leaseUntilMs: number | undefined;
  /** The last permit, and what it was made from. */
  #permit:
    | { readonly position: Position | undefined; readonly window: Pending | undefined; readonly permit: Permit }
    | undefined;

  constructor(tables: Tables, zone: ZoneId, layer: Layer) {
    this.#zone = zone;
    this.#layer = layer;
    this.#tables = tables;
    this.#isolatedPosition = isolatedIn(tables, zone);
    this.#firstLeaseMs = tables.lifecycle.leaseMs;
    this.#phases = phasesIn(tables, zone);
    this.#tracker = new StepTracker(tables);
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** A change was prepared here and is not over. */
  get isChanging(): boolean {
    return this.#pending !== undefined;
  }

  get state(): "joining" | "in-force" | "isolated" {
    if (this.#isolated) return "isolated";
    return this.#held === undefined ? "joining" : "in-force";
  }

  /** In words. */
  get whyIsolated(): string {
    const isHere = this.#tracker.position !== undefined;
    return isHere
      ? "the coordinator has not been heard for the lease's length"
      : `phase \`${this.#held ?? ""}\`, which is held, is not in this point's bundle`;
  }

  /** What is in force here: the held phase with its set of possible steps, or the isolated phase. */
  get position(): Position | undefined {
    if (this.#isolated) return this.#isolatedPosition;
    return this.#held === undefined ? undefined : this.#tracker.position;
  }

  /** What is permitted now, ready for `decide`. The same object until the phase, a step or the course of a change is another. */
  get permit(): Permit {
    const position = this.position;
    const window = this.#window;
    if (this.#permit?.position !== position || this.#permit?.window !== window || this.#permit === undefined) {
      this.#permit = { position, window, permit: permit(this.#tables, this.permitted) };
    }
    return this.#permit.permit;
  }

  get permitted(): Permitted {
    const position = this.position;
    if (position === undefined) return { kind: "none" };
    const pending = this.#window;
    if (pending !== undefined) {
      // A passive layer does not gate: it reports only what neither the old nor the new phase allows.
      const judgedBy = this.#layer === "hmi" ? "either" : "both";
      return {
        kind: "window",
        old: position,
        new: { phase: pending.to, steps: pending.steps },
        window: pending.window,
        judgedBy,
      };
    }
    return { kind: "phase", position };
  }

  get #window(): Pending | undefined {
    return this.#pending?.narrowed && !this.#isolated ? this.#pending : undefined;
  }

  /** Whether what is held is there in other tables too: the phase in this zone, and one of its possible steps. */
  isIn(tables: Tables, nowMs: number): boolean {
    if (this.#held === undefined) return true;
    return phasesIn(tables, this.#zone).has(this.#held) && new StepTracker(tables).goOn(this.#tracker, nowMs);
  }

  /**
   * Goes by other tables from now on, under the same epoch. Where what is held is not in them, the isolated phase is in force, and the
   * coordinator's next position leads out of it. Not while a change is under way.
   */
  take(tables: Tables, nowMs: number): void {
    const stays = this.isIn(tables, nowMs);
    const tracker = new StepTracker(tables);
    if (stays) tracker.goOn(this.#tracker, nowMs);
    else this.#isolated = true;
    this.#tables = tables;
    this.#tracker = tracker;
    this.#phases = phasesIn(tables, this.#zone);
    this.#isolatedPosition = isolatedIn(tables, this.#zone);
    this.#firstLeaseMs = tables.lifecycle.leaseMs;
    this.#permit = undefined;
  }

  /** Follows one order of a phase change. Orders may come late, doubled or not at all. undefined: not for this layer. */
  order(message: OrderMessage, nowMs: number): OrderAnswer | undefined {
    if (message.zone !== this.#zone) return undefined;
    if ("layer" in message && message.layer !== this.#layer && message.layer !== "all") return undefined;
    if (this.#epoch !== undefined && message.epoch <= this.#epoch) return this.#repeated(message);
    if (!this.#phases.has(message.to)) return refused(`phase \`${message.to}\` is not in this point's bundle`);
    switch (message.order) {
      case "prepare":
        return this.#prepare(message);
      case "window":
        if (this.#pending?.change !== message.change) return refused("this change was never prepared here");
        this.#pending.narrowed = true;
        return AGREED;
      case "take":
        this.#enter(message.epoch, message.to, message.steps, nowMs);
        return AGREED;
      case "abort":
        if (this.#pending?.change === message.change) this.#pending = undefined;
        return AGREED;
      default: {
        const never: never = message;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  /** Adopts where the coordinator says the zone stands. False: older than what is held, or unknown here, and refused. */
  adopt(message: PositionMessage, nowMs: number): boolean {
    if (message.zone !== this.#zone || !this.#phases.has(message.phase)) return false;
    if (this.#epoch !== undefined && message.epoch < this.#epoch) return false;
    if (this.#epoch === message.epoch && this.#held === message.phase && this.#tracker.position !== undefined) {
      this.#isolated = false;
      this.#tracker.record(message.steps, nowMs);
      return true;
    }
    if (this.#epoch === message.epoch && this.#held !== message.phase) return false;
    this.#enter(message.epoch, message.phase, message.steps, nowMs);
    return true;
  }

  /** @param leaseMs real ms from now for which the coordinator vouches */
  renew(leaseMs: number, realMs: number): void {
    this.#leaseUntilMs = realMs + leaseMs;
  }

  /** True: the lease has just ended and the isolated phase is in force from now on. */
  checkLease(realMs: number): boolean {
    if (this.#isolated || this.#held === undefined) return false;
    this.#leaseUntilMs ??= realMs + this.#firstLeaseMs;
    if (realMs < this.#leaseUntilMs) return false;
    this.#isolated = true;
    this.#pending = undefined;
    return true;
  }

  /** Advances the set of possible steps by what was observed here. True: it changed. */
  observe(history: History, nowMs: number): boolean {
    if (this.#isolated || this.#held === undefined) return false;
    return this.#tracker.observe(history, nowMs);
  }

  /** Advances the set of possible steps by what became of a message. True: it changed. */
  happened(verdict: Verdict, outcome: Outcome, nowMs: number): boolean {
    if (this.#isolated || this.#held === undefined || verdict.verdict === "deny") return false;
    if (outcome !== "forwarded" && outcome !== "answered-ok") return false;
    let changed = this.#tracker.command(verdict.rule, outcome, nowMs);
    for (const rule of verdict.also ?? []) if (this.#tracker.command(rule, outcome, nowMs)) changed = true;
    return changed;
  }

  /** The state to come back on after a restart. A phase that is not in the present tables is none to come back on. */
  save(): string {
    const { phase = null, steps = [] } = this.#tracker.position ?? {};
    return JSON.stringify({ epoch: this.#epoch ?? null, phase, steps });
  }

  /** Takes up a saved state; false, and nothing changed, when it is not one that this bundle knows. */
  restore(text: string, nowMs: number): boolean {
    const saved = readSaved(text);
    if (saved === undefined || !this.#phases.has(saved.phase)) return false;
    this.#enter(saved.epoch, saved.phase, saved.steps, nowMs);
    return true;
  }

  #prepare(message: OrderMessage & { readonly order: "prepare" }): OrderAnswer {
    const { bundle } = this.#tables;
    if (message.bundle !== undefined && message.bundle !== bundle)
      return refused(
        `this point holds bundle ${shortId(bundle)}, and the coordinator leads by bundle ${shortId(message.bundle)}`,
      );
    if (this.#isolated) return refused("this point is isolated");
    if (this.#held !== message.from)
      return refused(`this point holds \`${this.#held ?? "no phase"}\`, not \`${message.from}\``);
    this.#pending = {
      change: message.change,
      epoch: message.epoch,
      to: message.to,
      steps: message.steps,
      window: message.window.map(RuleId),
      narrowed: false,
    };
    return AGREED;
  }

  /** An order for an epoch not newer than the held one: agreed when it is a doubled `take` of what is held, else refused. */
  #repeated(message: OrderMessage): OrderAnswer {
    if (message.order === "take" && message.epoch === this.#epoch && message.to === this.#held) return AGREED;
    return refused(`epoch ${message.epoch} is not newer than ${this.#epoch ?? "none"}`);
  }

  #enter(epoch: Epoch, phase: PhaseId, steps: readonly StepId[], nowMs: number): void {
    this.#epoch = epoch;
    this.#held = phase;
    this.#pending = undefined;
    this.#isolated = false;
    this.#tracker.enter(phase, steps, nowMs);
  }
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
