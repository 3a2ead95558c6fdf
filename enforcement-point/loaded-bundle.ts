import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "#specs/bundle.ts";
import { PlantId } from "#specs/ids.ts";
import { type LoadedVersion, olderThan, versionOf } from "#specs/sign.ts";

/**
 * The record of which bundle one part of Sekisho loaded last, beside its other state. With it nobody leads a plant back to a
 * whitelist of the past with a bundle that was once good.
 */
export class LoadedBundle {
  readonly #file: string;

  /** @param name of the part: several keep their state in one folder */
  constructor(runDir: string, name: string) {
    this.#file = join(runDir, `${name}.bundle.json`);
  }

  /** That a newer bundle, or another of the same version, was loaded here before, in one sentence; undefined: none was. */
  whyOlder(bundle: Bundle): string | undefined {
    const before = this.#read();
    return before === undefined ? undefined : olderThan(bundle, before);
  }

  /** @throws Error in one sentence when a newer bundle, or another of the same version, was loaded here before */
  refuseOlder(bundle: Bundle): void {
    const problem = this.whyOlder(bundle);
    if (problem !== undefined) throw new Error(problem);
  }

  /** Write, then rename: a crash leaves the old record or the new one. @returns why it cannot be kept, in one sentence */
  keep(bundle: Bundle): string | undefined {
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(versionOf(bundle)));
      renameSync(`${this.#file}.new`, this.#file);
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `the bundle's version cannot be kept in ${this.#file} (${why}); an older bundle would be taken at the next start`;
    }
  }

  /** undefined: nothing was loaded here before, or nothing that can be read. */
  #read(): LoadedVersion | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      if (typeof value !== "object" || value === null) return undefined;
      const { plant, version, id }: Readonly<Record<string, unknown>> = { ...value };
      if (typeof plant !== "string" || typeof version !== "number" || typeof id !== "string") return undefined;
      return { plant: PlantId(plant), version, id };
    } catch {
      return undefined;
    }
  }
}
