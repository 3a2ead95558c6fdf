import type { Heard } from "./heartbeat.ts";

/** How two filters before the same links keep watch over each other. Times in real ms. */
export interface PairTimes {
  /** From one heartbeat to the next. */
  readonly beatMs: number;
  /** Silence of the other after which the standby takes over. */
  readonly takeOverMs: number;
  /** How long the active one keeps the links without having said so again; shorter than `takeOverMs`. */
  readonly holdMs: number;
}

export const DEFAULT_TIMES: PairTimes = { beatMs: 100, takeOverMs: 450, holdMs: 300 };

export type Role = "standby" | "active";

/** Which phase is held here; null: none, and then nothing may be taken over. */
export interface HeldPhase {
  readonly phase: string;
  readonly epoch: number;
}

export interface PairView {
  readonly role: Role;
  /** Why it is not active though it should be; undefined: nothing is wrong. */
  readonly waitsFor: string | undefined;
}

/**
 * Which of two filters holds the links. Pure: heartbeats and times go in.
 *
 * INVARIANT (one holder): the active one gives the links up `holdMs` after it last renewed its hold, by a process of its own that
 * ends with it; the other takes them `takeOverMs` after it last heard of it, which is later.
 * INVARIANT (phase epoch): nobody takes over with an older epoch than the other has announced, or without a phase.
 */
export class PairState {
  readonly #name: string;
  readonly #priority: number;
  readonly #times: PairTimes;
  #role: Role = "standby";
  #heardMs: number;
  #newestEpoch = -1;
  #waitsFor: string | undefined;

  constructor(own: { readonly name: string; readonly priority: number }, times: PairTimes, nowMs: number) {
    this.#name = own.name;
    this.#priority = own.priority;
    this.#times = times;
    // Whoever starts listens first.
    this.#heardMs = nowMs;
  }

  get view(): PairView {
    return { role: this.#role, waitsFor: this.#waitsFor };
  }

  heard(heard: Heard, nowMs: number): void {
    if (heard.epoch !== null && heard.epoch > this.#newestEpoch) this.#newestEpoch = heard.epoch;
    switch (heard.role) {
      case "active":
        this.#heardMs = nowMs;
        // Both active: they had lost sight of each other. One goes on.
        if (this.#role === "active" && this.#yields(heard)) this.#role = "standby";
        return;
      case "standby":
        // Of two that wait the second in rank waits for the first, if that one may take over at all.
        if (this.#yields(heard) && heard.epoch !== null && heard.epoch >= this.#newestEpoch) this.#heardMs = nowMs;
        return;
      case "resigned":
        this.#heardMs = nowMs - this.#times.takeOverMs;
        return;
      default: {
        const never: never = heard.role;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  /** Call every `beatMs`. */
  look(held: HeldPhase | null, nowMs: number): PairView {
    if (this.#role === "standby" && nowMs - this.#heardMs >= this.#times.takeOverMs) {
      this.#waitsFor = this.#obstacle(held);
      if (this.#waitsFor === undefined) this.#role = "active";
    } else {
      this.#waitsFor = undefined;
    }
    return this.view;
  }

  /** The hold was lost: the process was stopped for longer than `holdMs`, or a link cannot be raised. */
  lost(nowMs: number): void {
    this.#role = "standby";
    this.#heardMs = nowMs;
  }

  #obstacle(held: HeldPhase | null): string | undefined {
    if (held === null) return "no phase is held here";
    if (held.epoch < this.#newestEpoch)
      return `epoch ${held.epoch} is held here, and the other filter had ${this.#newestEpoch}`;
    return undefined;
  }

  #yields({ priority, name }: Heard): boolean {
    return priority > this.#priority || (priority === this.#priority && name < this.#name);
  }
}
