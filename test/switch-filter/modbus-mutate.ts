import { encodeFrame, encodeRtu, transactionId, unitId } from "#wire/modbus/index.ts";
import { between, type Draw, pick } from "../support/random-plant-draw.ts";
import { CELLS, FIXED, RANGE } from "./modbus-open-plant.ts";
import { hex } from "./raw-client.ts";

/** Streams of requests, well-formed and not, for the same seed always the same. */
export type Framing = "mbap" | "rtu";

const EDGES = [0, 1, 2, 6, 7, 0x7f, 0x80, 0xfe, 0xff];
const CODES = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43, FIXED, RANGE];

const word = (value: number): string => value.toString(16).padStart(4, "0");
const words = (draw: Draw, count: number): string =>
  Array.from({ length: count }, () => word(between(draw, 0, 0xffff))).join("");
const byte = (value: number): string => value.toString(16).padStart(2, "0");

/** A request as the standard has it, mostly within the tables that there are. */
export function drawPdu(draw: Draw): Buffer {
  const quantity = between(draw, 1, 8);
  const at = word(between(draw, 0, CELLS - quantity + (between(draw, 0, 9) === 0 ? 9 : 0)));
  const code = pick(draw, CODES);
  const range = `${byte(code)}${at}${word(quantity)}`;
  switch (code) {
    case 1:
    case 2:
    case 3:
    case 4:
      return hex(range);
    case 5:
      return hex(`05${at}${pick(draw, ["ff00", "0000"])}`);
    case 6:
      return hex(`06${at}${words(draw, 1)}`);
    case 7:
    case 11:
    case 12:
    case 17:
      return hex(byte(code));
    case 8:
      return hex(`08${word(between(draw, 0, 21))}0000`);
    case 15:
      return hex(`${range}01${byte(between(draw, 0, 2 ** quantity - 1))}`);
    case 16:
      return hex(`${range}${byte(2 * quantity)}${words(draw, quantity)}`);
    case 20:
      return hex(`140706000100${byte(between(draw, 0, 9))}0001`);
    case 21:
      return hex(`1509060001000${between(draw, 0, 9)}0001${words(draw, 1)}`);
    case 22:
      return hex(`16${at}${pick(draw, ["0000", "ffff", words(draw, 1)])}${words(draw, 1)}`);
    case 23:
      return hex(
        `17${at}${word(1)}${word(between(draw, 0, CELLS - quantity))}${word(quantity)}${byte(2 * quantity)}${words(draw, quantity)}`,
      );
    case 24:
      return hex(`18${at}`);
    case 43:
      return hex(pick(draw, ["2b0e0100", "2b0d0001", "2b0e0400"]));
    default:
      return hex(`${byte(code)}${words(draw, 1)}`);
  }
}

/** Reads, writes and masks of one register: what a mask comes to depends on what was there. */
function drawStory(draw: Draw): () => Buffer {
  const at = word(between(draw, 0, CELLS - 1));
  return () => {
    switch (between(draw, 0, 3)) {
      case 0:
        return hex(`03${at}0001`);
      case 1:
        return hex(`06${at}${word(between(draw, 0, 1200))}`);
      case 2:
        return hex(`17${at}0001${at}000102${word(between(draw, 0, 1200))}`);
      default:
        return hex(`16${at}${pick(draw, ["ff00", "00ff", words(draw, 1)])}${words(draw, 1)}`);
    }
  };
}

function frame(draw: Draw, framing: Framing, pdu: Buffer, n: number): Buffer {
  const unit = unitId(between(draw, 0, 19) === 0 ? pick(draw, [0, 2, 255]) : 1);
  if (framing === "rtu") return encodeRtu(unit, pdu);
  return encodeFrame({ transactionId: transactionId(between(draw, 0, 9) === 0 ? 7 : n), unitId: unit }, pdu);
}

/** Bytes changed, put in, left out, doubled, or frames cut into each other. */
function mutate(draw: Draw, bytes: Buffer): Buffer {
  const at = between(draw, 0, Math.max(0, bytes.length - 1));
  switch (between(draw, 0, 6)) {
    case 0: {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << between(draw, 0, 7));
      return changed;
    }
    case 1: {
      const changed = Buffer.from(bytes);
      changed[at] = pick(draw, EDGES);
      return changed;
    }
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([pick(draw, EDGES)]), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    case 4:
      return bytes.subarray(0, at);
    case 5: {
      // The header's length, where Modbus/TCP has it.
      const changed = Buffer.from(bytes);
      if (changed.length > 5) changed[5] = (changed[5] ?? 0) + pick(draw, [-2, -1, 1, 2, 6, 12]);
      return changed;
    }
    default:
      return Buffer.concat([bytes.subarray(0, at), bytes]);
  }
}

/** One to six requests in one stream, of which about every fifth has been meddled with. */
export function drawStream(draw: Draw, framing: Framing): { readonly bytes: Buffer; readonly frames: number } {
  const frames = between(draw, 1, 6);
  const next = between(draw, 0, 3) === 0 ? drawStory(draw) : () => drawPdu(draw);
  const parts = Array.from({ length: frames }, (_, n) => {
    const pdu = between(draw, 0, 9) === 0 ? mutate(draw, next()) : next();
    const whole = frame(draw, framing, pdu.length === 0 ? hex("00") : pdu, n);
    return between(draw, 0, 5) === 0 ? mutate(draw, whole) : whole;
  });
  return { bytes: Buffer.concat(parts), frames };
}

/** The stream in pieces. */
export function drawPieces(draw: Draw, bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = between(draw, 0, 2) === 0 ? between(draw, 1, 9) : bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
