import { type WireErrorCode, wireError } from "../wire-error.ts";
import { crc16 } from "./crc16.ts";
import type { FramerState } from "./framer.ts";
import type { UnitId } from "./ids.ts";
import { MAX_PDU_BYTES } from "./pdu.ts";
import type { PduLength } from "./pdu-length.ts";

const SPEC = "MODBUS over Serial Line V1.02 §2.5.1";

/** Offsets within the frame: address, PDU, and the CRC as its last two bytes. */
const FIELD = { UNIT: 0, PDU: 1 } as const;
const CRC_BYTES = 2;

/** Largest RTU frame, in bytes: address 1 + PDU 253 + CRC 2. @see MODBUS over Serial Line V1.02 §2.5.1.1 */
export const MAX_RTU_BYTES = FIELD.PDU + MAX_PDU_BYTES + CRC_BYTES;

/** The address of all servers at once; none of them answers. @see MODBUS over Serial Line V1.02 §2.1 */
export const BROADCAST_UNIT = 0;

/** One RTU frame. `bytes` is exactly what arrived; `pdu` is a view of the same memory. */
export interface RtuFrame {
  readonly transactionId: undefined;
  readonly unitId: UnitId;
  readonly pdu: Buffer;
  readonly bytes: Buffer;
}

const READING: FramerState = { kind: "reading" };

/**
 * Cuts one direction of an RTU-over-TCP connection into frames. TCP keeps none of the silences that end a frame on a serial line,
 * so the length follows from the PDU's own bytes; where it does not, the framer stops for good, as at a wrong CRC: whatever
 * came next would be read at a place that the sender chooses. At most one partial frame (256 bytes) is held.
 */
export class RtuFramer {
  readonly #lengthOf: (pdu: Buffer) => PduLength;
  readonly #partial = Buffer.alloc(MAX_RTU_BYTES);
  #held = 0;
  #state: FramerState = READING;
  #streamOffset = 0;

  /** @param lengthOf the length of a PDU by what has come of it */
  constructor(lengthOf: (pdu: Buffer) => PduLength) {
    this.#lengthOf = lengthOf;
  }

  /** `failed` carries the wire error and never changes again. */
  get state(): FramerState {
    return this.#state;
  }

  /** Bytes held of a frame not yet complete, 0..255. */
  get pendingBytes(): number {
    return this.#held;
  }

  /** Takes the next bytes; returns the frames they complete, in order. Frames before a bad one are still returned. */
  push(chunk: Buffer): readonly RtuFrame[] {
    const frames: RtuFrame[] = [];
    for (let at = 0; at < chunk.length && this.#state.kind === "reading"; ) at += this.#take(chunk, at, frames);
    return frames;
  }

  /** Takes as many bytes as are known to belong to the frame being read. */
  #take(chunk: Buffer, at: number, frames: RtuFrame[]): number {
    const taken = chunk.copy(this.#partial, this.#held, at, Math.min(chunk.length, at + this.#wanted() - this.#held));
    this.#held += taken;
    const size = this.#size();
    if (size === undefined || this.#held < size) return taken;
    const body = size - CRC_BYTES;
    if (this.#partial.readUInt16LE(body) !== crc16(this.#partial, 0, body)) this.#fail("MB_CRC", body);
    else this.#emit(size, frames);
    return taken;
  }

  /** Bytes that the frame has at least, as far as can be told; more than are held. */
  #wanted(): number {
    return Math.max(this.#size() ?? 0, this.#held + 1);
  }

  /** Bytes of the whole frame, once they can be told. */
  #size(): number | undefined {
    const length = this.#lengthOf(this.#partial.subarray(FIELD.PDU, Math.max(FIELD.PDU, this.#held)));
    if (length === "more" || this.#state.kind === "failed") return undefined;
    if (length === "unknown") this.#fail("MB_RTU_LENGTH", FIELD.PDU);
    else if (length > MAX_PDU_BYTES) this.#fail("MB_PDU_LENGTH", FIELD.PDU);
    else return FIELD.PDU + length + CRC_BYTES;
    return undefined;
  }

  #emit(size: number, frames: RtuFrame[]): void {
    const bytes = Buffer.from(this.#partial.subarray(0, size));
    const unitId = bytes.readUInt8(FIELD.UNIT) as UnitId;
    frames.push({ transactionId: undefined, unitId, pdu: bytes.subarray(FIELD.PDU, size - CRC_BYTES), bytes });
    this.#streamOffset += size;
    this.#held = 0;
  }

  #fail(code: WireErrorCode, offset: number): void {
    this.#state = { kind: "failed", error: wireError(code, this.#streamOffset + offset, SPEC) };
    this.#held = 0;
  }
}

/** Puts address and CRC around a PDU; throws a `RangeError` unless the PDU has 1..253 bytes (a programming error). */
export function encodeRtu(unit: UnitId, pdu: Buffer): Buffer {
  if (pdu.length < 1 || pdu.length > MAX_PDU_BYTES) {
    throw new RangeError(`PDU of ${pdu.length} bytes is outside 1..${MAX_PDU_BYTES}`);
  }
  const bytes = Buffer.allocUnsafe(FIELD.PDU + pdu.length + CRC_BYTES);
  bytes.writeUInt8(unit, FIELD.UNIT);
  pdu.copy(bytes, FIELD.PDU);
  bytes.writeUInt16LE(crc16(bytes, 0, FIELD.PDU + pdu.length), FIELD.PDU + pdu.length);
  return bytes;
}
