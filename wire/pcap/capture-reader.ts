import { describeWireError, type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import type { CaptureParser, TimedFrame } from "./captured-frame.ts";
import { byteOrderOf, ClassicParser } from "./classic-parser.ts";
import { PCAP_SPEC } from "./format.ts";
import { BLOCK } from "./pcapng-format.ts";
import type { CaptureDrops } from "./pcapng-interface.ts";
import { PcapngParser } from "./pcapng-parser.ts";
import { UnitBuffer } from "./unit-buffer.ts";

export type { CapturedFrame, TimedFrame } from "./captured-frame.ts";
export type { CaptureDrops } from "./pcapng-interface.ts";

export type CaptureReaderState =
  | { readonly kind: "start" }
  | { readonly kind: "frames"; readonly format: "pcap" | "pcapng" }
  | { readonly kind: "failed"; readonly error: WireError };

const MAGIC_BYTES = 4;
const NO_DROPS: CaptureDrops = { byInterface: 0, bySystem: 0, betweenPackets: 0 };
/** gzip, zstd, lz4 and xz, by their first four bytes as a big-endian number (gzip: the first two). */
const COMPRESSED: ReadonlySet<number> = new Set([0x28b52ffd, 0x04224d18, 0xfd377a58]);
const GZIP = 0x1f8b;

/**
 * Push parser for a capture, live or from a file; the first four bytes tell pcapng from classic pcap. Holds at most one partial
 * block (16 MiB) or record. After the first byte it cannot read it is dead for good; every frame before was delivered.
 * Error offsets count from the first byte of the stream.
 */
export class CaptureReader {
  readonly #held = new UnitBuffer();
  #parser: ClassicParser | PcapngParser | undefined;
  #magic: Buffer = Buffer.alloc(0);
  #error: WireError | undefined;

  get state(): CaptureReaderState {
    const error = this.#error ?? this.#parser?.error;
    if (error !== undefined) return { kind: "failed", error };
    if (this.#parser === undefined) return { kind: "start" };
    return { kind: "frames", format: this.#parser instanceof PcapngParser ? "pcapng" : "pcap" };
  }

  /** Bytes held of a header, record or block not yet complete. */
  get pendingBytes(): number {
    return this.#magic.length + this.#held.length;
  }

  /** What the capture itself says was lost; statistics stand at the end of a file, so ask there. Classic pcap does not say. */
  get drops(): CaptureDrops {
    return this.#parser instanceof PcapngParser ? this.#parser.drops : NO_DROPS;
  }

  /** Takes the next bytes; returns the frames they complete, in order. */
  push(chunk: Buffer): readonly TimedFrame[] {
    const frames: TimedFrame[] = [];
    if (this.#error !== undefined) return frames;
    const bytes = this.#parser === undefined ? this.#open(chunk) : chunk;
    const parser: CaptureParser | undefined = this.#parser;
    if (parser !== undefined && parser.error === undefined) this.#held.push(parser, bytes, frames);
    return frames;
  }

  /** Says, at the end of the stream, what is wrong with it in one sentence; undefined: nothing. */
  end(): string | undefined {
    const { state, pendingBytes } = this;
    if (state.kind === "failed") {
      const { error } = state;
      return `the capture cannot be read from byte ${error.offset} on: ${describeWireError(error)}; everything before was read`;
    }
    const parser = this.#parser;
    if (parser === undefined)
      return `the capture has no header: it ends after ${pendingBytes} bytes; give it a pcap or pcapng file`;
    if (pendingBytes === 0) return undefined;
    const what = parser instanceof PcapngParser ? "block" : parser.header === undefined ? "file header" : "record";
    return (
      `the capture is cut short in a ${what} at byte ${parser.offset}: ` +
      `${pendingBytes} of ${parser.need} bytes are there; everything before was read`
    );
  }

  /** Collects the magic number; answers the bytes from the first of the stream on, once there is a parser for them. */
  #open(chunk: Buffer): Buffer {
    const bytes = this.#magic.length === 0 ? chunk : Buffer.concat([this.#magic, chunk]);
    if (bytes.length < MAGIC_BYTES) {
      this.#magic = Buffer.from(bytes);
      return bytes;
    }
    this.#magic = Buffer.alloc(0);
    const magic = bytes.readUInt32BE(0);
    if (magic === BLOCK.SECTION) this.#parser = new PcapngParser();
    else if (byteOrderOf(bytes, 0) !== undefined) this.#parser = new ClassicParser();
    else this.#refuse(COMPRESSED.has(magic) || magic >>> 16 === GZIP ? "PC_COMPRESSED" : "PC_MAGIC");
    return bytes;
  }

  #refuse(code: WireErrorCode): void {
    this.#error = wireError(code, 0, PCAP_SPEC);
  }
}
