import { MAX_READ_BITS } from "#wire/modbus/read-bits.ts";
import { MAX_READ_REGISTERS } from "#wire/modbus/read-registers.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";

/**
 * The messages that most of a Modbus capture consists of, from bytes to a line without values in between: reads of the four tables
 * (functions 1 to 4) and their answers, where one is a whole segment. Everything else, and everything that is not well formed, is left
 * to the codecs of `#wire/modbus`, which stay the one authority: a test holds that whatever is written here they would have
 * written, for mutated messages too.
 */

/** Offsets within the ADU. */
const ADU = { PROTOCOL: 2, LENGTH: 4, UNIT: 6, FUNCTION: 7, ADDRESS: 8, QUANTITY: 10, REQUEST_END: 12 } as const;
const ANSWER = { BYTE_COUNT: 8, VALUES: 9 } as const;
/** Bytes before what the length in the header counts. */
const PREFIX_BYTES = 6;
const TABLE_SIZE = 65_536;
const LAST_READ = 4;
const LAST_BIT_READ = 2;

const KEY = {
  transaction: ascii(',"transaction":'),
  unit: ascii(',"unit":'),
  function: ascii(',"function":'),
  address: ascii(',"address":'),
  quantity: ascii(',"quantity":'),
  values: ascii(',"values":'),
} as const;

/** Whether a segment is one whole read request that every server takes. */
export function isPlainRead(adu: Buffer): boolean {
  if (adu.length !== ADU.REQUEST_END || !isFramed(adu)) return false;
  const functionCode = adu[ADU.FUNCTION] ?? 0;
  if (functionCode < 1 || functionCode > LAST_READ) return false;
  const quantity = quantityOf(adu);
  if (quantity < 1 || quantity > (functionCode > LAST_BIT_READ ? MAX_READ_REGISTERS : MAX_READ_BITS)) return false;
  return addressOf(adu) + quantity <= TABLE_SIZE;
}

export const transactionOf = (adu: Buffer): number => word(adu, 0);
export const unitOf = (adu: Buffer): number => adu[ADU.UNIT] ?? 0;
export const functionOf = (adu: Buffer): number => adu[ADU.FUNCTION] ?? 0;
export const addressOf = (adu: Buffer): number => word(adu, ADU.ADDRESS);
export const quantityOf = (adu: Buffer): number => word(adu, ADU.QUANTITY);

/** Whether a segment is one whole answer to a read of a table, as far as it says so itself. */
export function isReadAnswer(adu: Buffer): boolean {
  if (adu.length <= ANSWER.VALUES || !isFramed(adu)) return false;
  const functionCode = adu[ADU.FUNCTION] ?? 0;
  return functionCode >= 1 && functionCode <= LAST_READ;
}

/** Whether an answer carries exactly the values that a read of so many asks for. */
export function answersRead(adu: Buffer, quantity: number): boolean {
  const registers = functionOf(adu) > LAST_BIT_READ;
  const count = registers ? 2 * quantity : (quantity + 7) >> 3;
  if (adu[ANSWER.BYTE_COUNT] !== count || adu.length !== ANSWER.VALUES + count) return false;
  const used = quantity & 7;
  // §6.1: "the remaining bits in the final data byte will be padded with zeros"
  return registers || used === 0 || (adu[adu.length - 1] ?? 0) >> used === 0;
}

/** Transaction, unit and function. */
export function headerFields(json: JsonBytes, adu: Buffer): void {
  json.raw(KEY.transaction).int(transactionOf(adu)).raw(KEY.unit).int(unitOf(adu));
  json.raw(KEY.function).int(functionOf(adu));
}

export function readFields(json: JsonBytes, adu: Buffer): void {
  json.raw(KEY.address).int(addressOf(adu)).raw(KEY.quantity).int(quantityOf(adu));
}

export function valueFields(json: JsonBytes, adu: Buffer, quantity: number): void {
  json.raw(KEY.values);
  if (functionOf(adu) > LAST_BIT_READ) json.words(adu, ANSWER.VALUES, quantity);
  else json.packedBits(adu, ANSWER.VALUES, quantity);
}

/** The MBAP header: protocol 0, and a length that is the segment's. Lengths are in range by the forms above. */
function isFramed(adu: Buffer): boolean {
  return (
    word(adu, ADU.PROTOCOL) === 0 && word(adu, ADU.LENGTH) === adu.length - PREFIX_BYTES && adu.length <= MAX_BYTES
  );
}
const MAX_BYTES = 260;

function word(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
