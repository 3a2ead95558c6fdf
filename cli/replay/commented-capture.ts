import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { type CapturedFrame, PcapngWriter } from "#wire/pcap/index.ts";
import { UsageError } from "../part.ts";
import { whyOf } from "../spec/files.ts";

/** Bytes collected before they are written. */
const BLOCK_BYTES = 1 << 20;

/** A capture that is written again, with comments: beside its place first, and there whole or not at all. */
export class CommentedCapture {
  readonly #path: string;
  readonly #beside: string;
  readonly #file: number;
  readonly #writer = new PcapngWriter();
  #blocks: Buffer[] = [];
  #bytes = 0;
  #left = 0;

  /** @throws UsageError */
  constructor(path: string, comment: string) {
    this.#path = path;
    this.#beside = `${path}.${process.pid}.tmp`;
    this.#file = this.#try(() => openSync(this.#beside, "wx"));
    this.#add(this.#writer.header({ application: "Sekisho", comment }));
  }

  /** Frames that pcapng cannot hold. */
  get left(): number {
    return this.#left;
  }

  /** @throws UsageError */
  frame(frame: CapturedFrame, comments: readonly string[]): void {
    let block: Buffer;
    try {
      block = this.#writer.frame(frame, comments);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#left += 1;
      return;
    }
    this.#add(block);
  }

  /** Puts it in its place. @throws UsageError */
  keep(): void {
    this.#try(() => {
      this.#flush();
      closeSync(this.#file);
      renameSync(this.#beside, this.#path);
    });
  }

  /** Leaves nothing behind. */
  drop(): void {
    rmSync(this.#beside, { force: true });
  }

  #add(block: Buffer): void {
    this.#blocks.push(block);
    this.#bytes += block.length;
    if (this.#bytes >= BLOCK_BYTES) this.#try(() => this.#flush());
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#blocks);
    this.#blocks = [];
    this.#bytes = 0;
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.drop();
      throw new UsageError(`${this.#path} cannot be written: ${whyOf(error)}`);
    }
  }
}
