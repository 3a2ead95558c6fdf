import { fstatSync, writeSync } from "node:fs";
import { UsageError } from "./part.ts";

const STDOUT = 1;

/**
 * Standard output for blocks whose memory is used again at once. A file takes them as they are; a pipe or a terminal may be slow, and
 * gets copies that `written` waits for, so that no more of them pile up than one piece of the input gives.
 */
export class BlockOutput {
  readonly #shown: ((block: Buffer) => string) | undefined;
  readonly #toFile: boolean;
  #waiting: (Buffer | string)[] = [];

  /** @param shown what to write in the place of a block; undefined: itself */
  constructor(shown?: (block: Buffer) => string) {
    this.#shown = shown;
    this.#toFile = shown === undefined && isFile();
  }

  take(block: Buffer): void {
    if (!this.#toFile) this.#waiting.push(this.#shown === undefined ? Buffer.from(block) : this.#shown(block));
    else this.#write(block);
  }

  #write(block: Buffer): void {
    try {
      for (let at = 0; at < block.length; ) at += writeSync(STDOUT, block, at);
    } catch (error) {
      const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
      throw new UsageError(`the output cannot be written (${why}); write it elsewhere`);
    }
  }

  async written(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const piece of waiting) await write(piece);
  }
}

function isFile(): boolean {
  try {
    return fstatSync(STDOUT).isFile();
  } catch {
    return false;
  }
}

function write(bytes: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });
}
