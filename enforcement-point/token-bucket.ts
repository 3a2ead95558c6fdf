/** Lets at most `perSecond` through on average, `burst` at once. Pure: real ms go in. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number | undefined;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** True: one token was taken. */
  take(realMs: number): boolean {
    const elapsedMs = Math.max(0, realMs - (this.#atMs ?? realMs));
    this.#atMs = realMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
