import { EXCEPTION_BIT } from "#wire/modbus/index.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";

/**
 * What can be read of a PDU that breaks the standard: the fields that lie at fixed places, as far as they are there, and as many values
 * as there are. The line says besides what is wrong, and has the whole of it in hexadecimal.
 */

const KEY = {
  address: ascii(',"address":'),
  quantity: ascii(',"quantity":'),
  writeAddress: ascii(',"writeAddress":'),
  writeQuantity: ascii(',"writeQuantity":'),
  values: ascii(',"values":'),
  andMask: ascii(',"andMask":'),
  orMask: ascii(',"orMask":'),
  subFunction: ascii(',"subFunction":'),
  mei: ascii(',"mei":'),
  exception: ascii(',"exception":'),
  empty: ascii("[]"),
} as const;

/** Offsets within the PDU, MODBUS AP V1.1b3 §6. */
const AT = { FIRST: 1, SECOND: 3 } as const;
/** Where the bytes that a count announces begin. */
const LIST = { WRITE: 5, READ_WRITE: 9, ANSWER: 1, FIFO: 5 } as const;
const COIL = { ON: 0xff00, OFF: 0 } as const;

export function requestRemains(json: JsonBytes, pdu: Buffer): void {
  switch (pdu[0]) {
    case 1:
    case 2:
    case 3:
    case 4:
      words(json, pdu, [KEY.address, KEY.quantity]);
      return;
    case 15:
      words(json, pdu, [KEY.address, KEY.quantity]);
      bitList(json, pdu, LIST.WRITE, wordAt(pdu, AT.SECOND));
      return;
    case 16:
      words(json, pdu, [KEY.address, KEY.quantity]);
      wordList(json, pdu, LIST.WRITE);
      return;
    case 23:
      words(json, pdu, [KEY.address, KEY.quantity, KEY.writeAddress, KEY.writeQuantity]);
      wordList(json, pdu, LIST.READ_WRITE);
      return;
    default:
      sameBothWays(json, pdu);
  }
}

/** @param quantity of bits that were asked for; undefined: as many as there are */
export function responseRemains(json: JsonBytes, pdu: Buffer, quantity: number | undefined): void {
  const functionCode = pdu[0] ?? 0;
  if ((functionCode & EXCEPTION_BIT) !== 0) {
    if (pdu.length > AT.FIRST) json.raw(KEY.exception).int(pdu[AT.FIRST] ?? 0);
    return;
  }
  switch (functionCode) {
    case 1:
    case 2:
      bitList(json, pdu, LIST.ANSWER, quantity);
      return;
    case 3:
    case 4:
    case 23:
      wordList(json, pdu, LIST.ANSWER);
      return;
    case 15:
    case 16:
      words(json, pdu, [KEY.address, KEY.quantity]);
      return;
    case 24:
      fifoList(json, pdu);
      return;
    default:
      sameBothWays(json, pdu);
  }
}

/** Functions whose answers are like their requests. */
function sameBothWays(json: JsonBytes, pdu: Buffer): void {
  switch (pdu[0]) {
    case 5: {
      words(json, pdu, [KEY.address]);
      const value = wordAt(pdu, AT.SECOND);
      if (value === COIL.ON || value === COIL.OFF) json.raw(KEY.values).ints([value === COIL.ON ? 1 : 0]);
      return;
    }
    case 6: {
      words(json, pdu, [KEY.address]);
      const value = wordAt(pdu, AT.SECOND);
      if (value !== undefined) json.raw(KEY.values).ints([value]);
      return;
    }
    case 8:
      words(json, pdu, [KEY.subFunction]);
      return;
    case 22:
      words(json, pdu, [KEY.address, KEY.andMask, KEY.orMask]);
      return;
    case 24:
      words(json, pdu, [KEY.address]);
      return;
    case 43:
      if (pdu.length > AT.FIRST) json.raw(KEY.mei).int(pdu[AT.FIRST] ?? 0);
      return;
    default:
  }
}

/** Words one after the other behind the function code, as far as they go. */
function words(json: JsonBytes, pdu: Buffer, keys: readonly Uint8Array[]): void {
  for (const [i, key] of keys.entries()) {
    const value = wordAt(pdu, AT.FIRST + 2 * i);
    if (value !== undefined) json.raw(key).int(value);
  }
}

function wordAt(pdu: Buffer, at: number): number | undefined {
  return at + 2 <= pdu.length ? pdu.readUInt16BE(at) : undefined;
}

/** Bytes behind a count, as many as it says and there are. */
function listed(pdu: Buffer, at: number): number | undefined {
  return at < pdu.length ? Math.min(pdu[at] ?? 0, pdu.length - at - 1) : undefined;
}

function wordList(json: JsonBytes, pdu: Buffer, at: number): void {
  const bytes = listed(pdu, at);
  if (bytes !== undefined) json.raw(KEY.values).words(pdu, at + 1, bytes >> 1);
}

/** §6.18: the byte count has two bytes, and the number of values two more. */
function fifoList(json: JsonBytes, pdu: Buffer): void {
  if (pdu.length >= LIST.FIFO) json.raw(KEY.values).words(pdu, LIST.FIFO, (pdu.length - LIST.FIFO) >> 1);
}

function bitList(json: JsonBytes, pdu: Buffer, at: number, quantity: number | undefined): void {
  const bytes = listed(pdu, at);
  if (bytes === undefined) return;
  const count = Math.min(quantity ?? 8 * bytes, 8 * bytes);
  if (count === 0) json.raw(KEY.values).raw(KEY.empty);
  else json.raw(KEY.values).packedBits(pdu, at + 1, count);
}
