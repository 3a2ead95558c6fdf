import type { Exit } from "#specs/positions.ts";
import type { ExitState } from "./evidence.ts";

/** Plant ms for which a request stands that declares no time to live of its own and needs a second person. */
const DEFAULT_TTL_MS = 60_000;

/** A request that somebody has made and that is not carried out yet. */
export interface PendingRequest {
  readonly exit: Exit;
  /** Who has asked, each once, in their order. */
  readonly people: readonly string[];
  /** Plant ms. */
  readonly untilMs: number;
}

type Asked =
  | { readonly answer: "go"; readonly people: readonly string[] }
  | { readonly answer: "wait"; readonly says: string }
  | { readonly answer: "refuse" };

/**
 * Requests that wait for a second person, or for their condition. Bounded by the ways out of one phase: leaving it forgets them.
 * Pure but for what it remembers; times are plant ms.
 */
export class PendingRequests {
  readonly #pending = new Map<string, PendingRequest>();

  /** Somebody asks. `refuse`: what is missing is missing now, and the transition lets no request wait. */
  ask(exit: Exit, missing: readonly string[], person: string, nowMs: number): Asked {
    const { transition } = exit;
    if (transition.event !== "operator") return { answer: "refuse" };
    this.#expire(nowMs);
    const before = this.#pending.get(exit.event);
    const people = [...new Set([...(before?.people ?? []), person])];
    const enough = people.length >= transition.persons;
    if (enough && missing.length === 0) {
      this.#pending.delete(exit.event);
      return { answer: "go", people };
    }
    if (enough && transition.ttlMs === undefined) return { answer: "refuse" };
    // Asking again does not make a request live longer.
    const untilMs = before?.untilMs ?? nowMs + (transition.ttlMs ?? DEFAULT_TTL_MS);
    this.#pending.set(exit.event, { exit, people, untilMs });
    const left = `within ${Math.ceil((untilMs - nowMs) / 1000)} s`;
    const says = enough
      ? `\`${transition.request}\` is recorded and carried out as soon as it is possible ${left}: ${missing.join("; ")}`
      : `\`${transition.request}\` is recorded; a second person must ask for it ${left}`;
    return { answer: "wait", says };
  }

  /** The first request that has all its people and whose condition has come to hold; it waits no more. */
  due(states: readonly ExitState[], nowMs: number): PendingRequest | undefined {
    this.#expire(nowMs);
    for (const { exit, missing } of states) {
      const pending = this.#pending.get(exit.event);
      if (pending === undefined || missing.length > 0 || exit.transition.event !== "operator") continue;
      if (pending.people.length < exit.transition.persons) continue;
      this.#pending.delete(exit.event);
      return pending;
    }
    return undefined;
  }

  of(event: string, nowMs: number): PendingRequest | undefined {
    this.#expire(nowMs);
    return this.#pending.get(event);
  }

  /** The phase has been left. */
  clear(): void {
    this.#pending.clear();
  }

  #expire(nowMs: number): void {
    for (const [event, { untilMs }] of this.#pending) if (nowMs > untilMs) this.#pending.delete(event);
  }
}
