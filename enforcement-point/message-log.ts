import { closeSync, fstatSync, openSync, renameSync, write, writeSync } from "node:fs";

/** Bytes that wait to be written; messages beyond are counted as lost. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Bytes of a log file; then it becomes `<name>.1`, in the place of an earlier one. */
export const MAX_LOG_BYTES = 256 * 1024 * 1024;
const FLUSH_MS = 100;
/** Bytes written at once. */
const BLOCK_BYTES = 64 * 1024;
/** Longest line, in UTF-16 units; a longer message is counted as lost. A unit takes three bytes at most. */
const MAX_LINE = BLOCK_BYTES / 4;

export interface MessageLogOptions {
  readonly maxWaitingBytes?: number;
  readonly maxBytes?: number;
  /** The disk is full, or it is well again. */
  readonly onFault: (says: string) => void;
}

/** Lines as they go to the file. */
interface Block {
  readonly bytes: Buffer;
  used: number;
  lines: number;
}

/**
 * What a point tells, as JSON lines in a file: for a point that runs alone, and for whoever wants to keep it beside the bus. Messages are
 * written in blocks, off the path of what is judged, and held as bytes until then: objects that live on cost more than they hold. A file that cannot be written stops nothing: what is lost is counted.
 */
export class MessageLog {
  readonly #path: string;
  readonly #options: Required<MessageLogOptions>;
  readonly #timer: NodeJS.Timeout;
  #file: number;
  #bytes: number;
  /** The last one is being filled. */
  readonly #blocks: Block[] = [];
  #writing = false;
  #closing = false;
  /** Of the block that is being written, or was last. */
  #written: Promise<void> = Promise.resolve();
  #broken = false;
  #lost = 0;

  /** @throws Error in one sentence when the file cannot be made; one that is there is continued */
  constructor(
    path: string,
    { maxWaitingBytes = MAX_WAITING_BYTES, maxBytes = MAX_LOG_BYTES, onFault }: MessageLogOptions,
  ) {
    this.#path = path;
    this.#options = { maxWaitingBytes, maxBytes, onFault };
    try {
      this.#file = openSync(path, "a");
      this.#bytes = fstatSync(this.#file).size;
    } catch (error) {
      throw new Error(`log \`${path}\` cannot be written (${whyOf(error)})`);
    }
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** Messages that did not reach the file. */
  get lost(): number {
    return this.#lost;
  }

  /** @param message an object with one field at least */
  add(kind: string, message: object): void {
    const line = `{"kind":"${kind}",${JSON.stringify(message).slice(1)}\n`;
    const block = line.length > MAX_LINE ? undefined : this.#blockFor(3 * line.length);
    if (block === undefined) {
      this.#lost += 1;
      return;
    }
    block.used += block.bytes.write(line, block.used);
    block.lines += 1;
  }

  /** Writes what waits, after what is being written: the file keeps the order. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing = true;
    await this.#written;
    for (const { bytes, used, lines } of this.#blocks.splice(0)) {
      try {
        writeSync(this.#file, bytes, 0, used);
      } catch (error) {
        this.#failed(error, lines);
      }
    }
    closeSync(this.#file);
  }

  /** A block with room for so many bytes; undefined: too much waits. */
  #blockFor(bytes: number): Block | undefined {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.used + bytes <= BLOCK_BYTES) return last;
    if (this.#blocks.length * BLOCK_BYTES >= this.#options.maxWaitingBytes) return undefined;
    const block = { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), used: 0, lines: 0 };
    this.#blocks.push(block);
    return block;
  }

  #flush(): void {
    if (this.#writing) return;
    const block = this.#blocks.shift();
    if (block === undefined) return;
    this.#rotate();
    this.#writing = true;
    this.#written = new Promise((resolve) => {
      write(this.#file, block.bytes, 0, block.used, null, (error, written) => {
        this.#writing = false;
        if (error !== null || written < block.used) this.#failed(error ?? new Error("the disk is full"), block.lines);
        else this.#wrote(written);
        if (this.#blocks.length > 1 && !this.#closing) this.#flush();
        resolve();
      });
    });
  }

  #wrote(bytes: number): void {
    this.#bytes += bytes;
    if (!this.#broken) return;
    this.#broken = false;
    this.#options.onFault(`log \`${this.#path}\` can be written again; ${this.#lost} messages are missing in it`);
  }

  #failed(error: unknown, messages: number): void {
    this.#lost += messages;
    if (this.#broken) return;
    this.#broken = true;
    this.#options.onFault(
      `log \`${this.#path}\` cannot be written (${whyOf(error)}); messages are lost, enforcement goes on`,
    );
  }

  #rotate(): void {
    if (this.#bytes < this.#options.maxBytes) return;
    try {
      renameSync(this.#path, `${this.#path}.1`);
      const next = openSync(this.#path, "a");
      closeSync(this.#file);
      this.#file = next;
      this.#bytes = 0;
    } catch (error) {
      this.#failed(error, 0);
    }
  }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
