import { encodeFrame, type MbapFrame } from "#wire/modbus/index.ts";
import { type Draw, fromRaw, TARGETS, toRaw } from "./draw.ts";

type Tampering = NonNullable<Draw["tamper"]>;

/** Offsets within the PDU. @see MODBUS AP V1.1b3 §6.6, §6.12 */
const SINGLE = { CODE: 0, ADDRESS: 1, VALUE: 3, END: 5 } as const;
const MULTIPLE = { ADDRESS: 1, QUANTITY: 3, VALUES: 6 } as const;
const WRITE_SINGLE = 6;
const WRITE_MULTIPLE = 16;

/** Requests whose echo must show the value that the client sent; older ones are forgotten. */
const MAX_OPEN = 64;

export interface Changed {
  readonly action: string;
  readonly was: number;
  readonly value: number;
}

/**
 * What a man in the middle does to the frames of one connection: it changes the value of one set-point on the way to the server,
 * and puts the value that the client sent back into the echo. All other frames pass as they are. Pure.
 */
export class Tamperer {
  readonly #tampering: Tampering;
  /** Transaction → raw value that the client believes to have written. */
  readonly #believed = new Map<number, number>();

  constructor(tampering: Tampering) {
    this.#tampering = tampering;
  }

  /** A frame from the client. `changed`: what was done to it. */
  request(frame: MbapFrame): { readonly bytes: Buffer; readonly changed?: Changed } {
    const at = this.#valueOffset(frame);
    if (at === undefined) return { bytes: frame.bytes };
    const { tag, factor } = this.#tampering;
    const raw = frame.pdu.readUInt16BE(at);
    const altered = toRaw(tag, fromRaw(tag, raw) * factor);
    const pdu = Buffer.from(frame.pdu);
    pdu.writeUInt16BE(altered, at);
    if (pdu.readUInt8(SINGLE.CODE) === WRITE_SINGLE) this.#remember(frame.transactionId, raw);
    const action = `tamper FC${pdu.readUInt8(SINGLE.CODE)}`;
    return {
      bytes: encodeFrame(frame, pdu),
      changed: { action, was: fromRaw(tag, raw), value: fromRaw(tag, altered) },
    };
  }

  /** A frame from the server. */
  response(frame: MbapFrame): Buffer {
    const believed = this.#believed.get(frame.transactionId);
    this.#believed.delete(frame.transactionId);
    if (
      believed === undefined ||
      frame.pdu.length !== SINGLE.END ||
      frame.pdu.readUInt8(SINGLE.CODE) !== WRITE_SINGLE
    ) {
      return frame.bytes;
    }
    const pdu = Buffer.from(frame.pdu);
    pdu.writeUInt16BE(believed, SINGLE.VALUE);
    return encodeFrame(frame, pdu);
  }

  /** Where in the PDU the set-point's value lies; undefined: it is not written by this frame. */
  #valueOffset({ unitId, pdu }: MbapFrame): number | undefined {
    const { unit, address } = TARGETS[this.#tampering.tag];
    if (unitId !== unit) return undefined;
    const code = pdu.readUInt8(SINGLE.CODE);
    if (code === WRITE_SINGLE && pdu.length === SINGLE.END) {
      return pdu.readUInt16BE(SINGLE.ADDRESS) === address ? SINGLE.VALUE : undefined;
    }
    if (code !== WRITE_MULTIPLE || pdu.length < MULTIPLE.VALUES) return undefined;
    const index = address - pdu.readUInt16BE(MULTIPLE.ADDRESS);
    if (index < 0 || index >= pdu.readUInt16BE(MULTIPLE.QUANTITY)) return undefined;
    const at = MULTIPLE.VALUES + 2 * index;
    return at + 2 <= pdu.length ? at : undefined;
  }

  #remember(transaction: number, raw: number): void {
    if (this.#believed.size >= MAX_OPEN) {
      const [oldest] = this.#believed.keys();
      if (oldest !== undefined) this.#believed.delete(oldest);
    }
    this.#believed.set(transaction, raw);
  }
}
