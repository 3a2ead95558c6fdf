import type { WireError } from "../wire-error.ts";
import { checkMbapPrefix, MAX_ADU_BYTES, MBAP_FIELD, MBAP_PREFIX_BYTES, type MbapFrame, viewFrame } from "./mbap.ts";

/** Whether a framer still reads, or stopped for good at the first bad header. */
export type FramerState = { readonly kind: "reading" } | { readonly kind: "failed"; readonly error: WireError };

const READING: FramerState = { kind: "reading" };

/**
 * Cuts one direction of a Modbus/TCP connection into frames.
 *
 * Memory is bounded: at most one partial ADU (260 bytes) is held. After the first bad header the framer is dead for
 * good: searching for the next good frame is where smuggling starts. The error's offset counts from the first byte of the stream.
 *
 * A frame that lies whole within a chunk is a view of it; only a frame cut across chunks is copied. The caller must
 * not overwrite a chunk while it still holds frames of it (Node's sockets do not).
 *
 * @see MODBUS Messaging on TCP/IP V1.0b §3.1.3
 */
export class MbapFramer {
  #state: FramerState = READING;
  readonly #partial = Buffer.alloc(MAX_ADU_BYTES);
  #held = 0;
  /** Stream offset of the first byte of the frame being read. */
  #streamOffset = 0;

  /** `failed` carries the wire error and never changes again. */
  get state(): FramerState {
    return this.#state;
  }

  /** Bytes held of a frame not yet complete, 0..259; a shell may time out on a frame that stays partial. */
  get pendingBytes(): number {
    return this.#held;
  }

  /** Takes the next bytes; returns the frames they complete, in order. Frames before a bad header are still returned. */
  push(chunk: Buffer): readonly MbapFrame[] {
    const frames: MbapFrame[] = [];
    let at = 0;
    while (at < chunk.length && this.#state.kind === "reading") {
      at = this.#held > 0 ? this.#fill(chunk, at, frames) : this.#cut(chunk, at, frames);
    }
    return frames;
  }

  /** Reads a frame that starts in this chunk. */
  #cut(chunk: Buffer, at: number, frames: MbapFrame[]): number {
    const available = chunk.length - at;
    if (!this.#check(chunk, at, available)) return chunk.length;
    const size = available < MBAP_PREFIX_BYTES ? undefined : frameSize(chunk, at);
    if (size === undefined || available < size) {
      this.#held = chunk.copy(this.#partial, 0, at);
      return chunk.length;
    }
    this.#emit(at === 0 && size === chunk.length ? chunk : chunk.subarray(at, at + size), frames);
    return at + size;
  }

  /** Completes a frame that started in an earlier chunk: first its length field, then the rest. */
  #fill(chunk: Buffer, at: number, frames: MbapFrame[]): number {
    const target = this.#held < MBAP_PREFIX_BYTES ? MBAP_PREFIX_BYTES : frameSize(this.#partial, 0);
    const taken = chunk.copy(this.#partial, this.#held, at, Math.min(chunk.length, at + target - this.#held));
    this.#held += taken;
    if (!this.#check(this.#partial, 0, this.#held)) return chunk.length;
    if (this.#held >= MBAP_PREFIX_BYTES && this.#held === frameSize(this.#partial, 0)) {
      const bytes = Buffer.from(this.#partial.subarray(0, this.#held));
      this.#held = 0;
      this.#emit(bytes, frames);
    }
    return at + taken;
  }

  #emit(bytes: Buffer, frames: MbapFrame[]): void {
    frames.push(viewFrame(bytes));
    this.#streamOffset += bytes.length;
  }

  #check(bytes: Buffer, start: number, available: number): boolean {
    const prefix = checkMbapPrefix(bytes, start, available);
    if (prefix.ok) return true;
    this.#state = { kind: "failed", error: { ...prefix.error, offset: this.#streamOffset + prefix.error.offset } };
    this.#held = 0;
    return false;
  }
}

/** Bytes of the whole ADU; the length field must have arrived and been checked, so it is at most 260. */
function frameSize(bytes: Buffer, start: number): number {
  return MBAP_PREFIX_BYTES + bytes.readUInt16BE(start + MBAP_FIELD.LENGTH);
}
