import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { TagId } from "#specs/ids.ts";
import { tagValues } from "./scan-cycle.ts";

type Values = ReadonlyMap<TagId, number>;

/**
 * Commands and set-points, kept where a loss of power does not reach, as IEC 61131-3 has it for variables declared RETAIN. Without
 * them a PLC that comes back would hold all pumps off under a phase in which nobody may start them.
 */
export class Retained {
  readonly #file: string;
  readonly #tags: ReadonlySet<TagId>;
  readonly #log: (says: string) => void;
  #kept = "";

  constructor(file: string, tags: ReadonlySet<TagId>, log: (says: string) => void) {
    this.#file = file;
    this.#tags = tags;
    this.#log = log;
  }

  /** Empty at the very first start. */
  load(): Values {
    try {
      const kept: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      if (typeof kept !== "object" || kept === null) return new Map();
      const numbers = Object.entries(kept).filter((entry): entry is [string, number] => Number.isFinite(entry[1]));
      return new Map([...tagValues(Object.fromEntries(numbers))].filter(([tag]) => this.#tags.has(tag)));
    } catch {
      return new Map();
    }
  }

  /** Call after each scan; writes only what changed, old or new and never half. */
  keep(values: Values): void {
    const text = JSON.stringify(Object.fromEntries([...values].filter(([tag]) => this.#tags.has(tag))));
    if (text === this.#kept) return;
    this.#kept = text;
    try {
      writeFileSync(`${this.#file}.new`, text);
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      // A full disk must not stop the scan.
      this.#log(`what must outlive a loss of power cannot be kept (${error instanceof Error ? error.message : error})`);
    }
  }
}
