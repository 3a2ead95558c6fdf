import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface EvidenceEntry {
  readonly kind:
    | "start"
    | "stop"
    | "status"
    | "detection"
    | "change"
    | "request"
    | "containment"
    | "notice"
    | "adoption"
    | "rotation";
  /** Plant ms. */
  readonly atMs: number;
  readonly [field: string]: unknown;
}

export interface EvidenceOptions {
  /** Size at which a new file is begun. */
  readonly maxFileBytes: number;
  /** Files kept; the oldest is removed when there are more, and the newest says so. */
  readonly maxFiles: number;
}

export const EVIDENCE_DEFAULTS: EvidenceOptions = { maxFileBytes: 8 * 1024 * 1024, maxFiles: 32 };

const FILE = /^evidence-(\d{6})\.jsonl$/;

/** Append-only record of what happened and who asked for it, one JSON object per line, in numbered files of bounded size. */
export class EvidenceLog {
  readonly #folder: string;
  readonly #options: EvidenceOptions;
  #number: number;
  #fd: number;
  #bytes: number;
  #seq = 0;
  #failure: string | undefined;

  /** @throws Error when the folder cannot be written */
  constructor(folder: string, options: Partial<EvidenceOptions> = {}) {
    this.#folder = folder;
    this.#options = { ...EVIDENCE_DEFAULTS, ...options };
    mkdirSync(folder, { recursive: true });
    this.#number = Math.max(0, ...numbersIn(folder)) || 1;
    this.#fd = this.#open();
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Why the last entry could not be written; undefined: it could. Enforcement goes on all the same. */
  get failure(): string | undefined {
    return this.#failure;
  }

  append(entry: EvidenceEntry): void {
    this.#seq += 1;
    this.#write({ seq: this.#seq, realTime: new Date().toISOString(), ...entry });
    if (this.#bytes >= this.#options.maxFileBytes) this.#rotate(entry.atMs);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(entry: object): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    try {
      writeSync(this.#fd, line);
      this.#bytes += line.length;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = `evidence cannot be written to ${this.#folder} (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  #rotate(atMs: number): void {
    try {
      closeSync(this.#fd);
      this.#number += 1;
      this.#fd = this.#open();
      this.#bytes = 0;
      const removed = numbersIn(this.#folder).filter((n) => n <= this.#number - this.#options.maxFiles);
      for (const n of removed) unlinkSync(join(this.#folder, fileName(n)));
      this.append({ kind: "rotation", atMs, continues: fileName(this.#number - 1), removed: removed.map(fileName) });
    } catch (error) {
      this.#failure = `evidence cannot be continued in a new file (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  #open(): number {
    return openSync(join(this.#folder, fileName(this.#number)), "a", 0o600);
  }
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => {
    const digits = FILE.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function fileName(n: number): string {
  return `evidence-${String(n).padStart(6, "0")}.jsonl`;
}
