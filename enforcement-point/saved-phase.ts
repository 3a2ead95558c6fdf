import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The held phase of one point on disk, so that a restart comes back on it. Nothing is kept where there is no run folder. */
export class SavedPhase {
  readonly #file: string | undefined;
  #text = "";

  constructor(runDir: string | undefined, point: string) {
    this.#file = runDir === undefined ? undefined : join(runDir, `${point}.phase.json`);
  }

  /** undefined: the first start. The point holds no phase, and denies, until the coordinator says where the zone stands. */
  read(): string | undefined {
    try {
      return this.#file === undefined ? undefined : readFileSync(this.#file, "utf8");
    } catch {
      return undefined;
    }
  }

  /** Write, then rename: a crash leaves old or new. @returns why it cannot be kept, in one sentence */
  keep(text: string): string | undefined {
    if (this.#file === undefined || text === this.#text) return undefined;
    this.#text = text;
    try {
      writeFileSync(`${this.#file}.new`, text);
      renameSync(`${this.#file}.new`, this.#file);
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `the phase cannot be saved to ${this.#file} (${why})`;
    }
  }
}
