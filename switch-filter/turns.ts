/** Real ms of work on what waits for its turn, before all sockets are looked at again. */
export const TURNS_MS = 2;

/** Whoever has more to do than it may at once. */
export interface TakesTurns {
  /** Does one bounded piece of its work, and asks again where more is left. */
  turn(): void;
}

/**
 * Those who wait for their turn, in a circle, whatever connections they are of. A client that sends thousands of requests at once is worked
 * off in pieces between which all others are served: what it adds to their latency is `TURNS_MS` and one piece, however many do so.
 */
export class Turns {
  readonly #waiting = new Set<TakesTurns>();
  #isDue = false;

  get waiting(): number {
    return this.#waiting.size;
  }

  ask(one: TakesTurns): void {
    this.#waiting.add(one);
    this.#plan();
  }

  leave(one: TakesTurns): void {
    this.#waiting.delete(one);
  }

  #plan(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#round);
  }

  readonly #round = (): void => {
    this.#isDue = false;
    const until = performance.now() + TURNS_MS;
    // A set is walked in the order in which its members were added: whoever asks again in its turn comes last.
    for (const one of this.#waiting) {
      this.#waiting.delete(one);
      one.turn();
      if (performance.now() >= until) break;
    }
    if (this.#waiting.size > 0) this.#plan();
  };
}
