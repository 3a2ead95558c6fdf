import { EXCEPTION_BIT } from "./exception.ts";

/**
 * How long a PDU is by its own first bytes, for RTU framing, which carries no length (MODBUS AP V1.1b3 §6). A number: so many
 * bytes, function code included. `more`: a few further bytes are needed to tell. `unknown`: the standard gives no length.
 */
export type PduLength = number | "more" | "unknown";

/** A layout whose length is fixed, or fixed plus a count that stands in it. */
interface Layout {
  /** bytes before what the count counts, or all of them */
  readonly fixed: number;
  /** offset of a count byte */
  readonly count?: number;
}

const FUNCTION_AND_TWO_WORDS: Layout = { fixed: 5 };
const FUNCTION_ONLY: Layout = { fixed: 1 };
const COUNTED: Layout = { fixed: 2, count: 1 };

const REQUESTS: Readonly<Record<number, Layout>> = {
  1: FUNCTION_AND_TWO_WORDS,
  2: FUNCTION_AND_TWO_WORDS,
  3: FUNCTION_AND_TWO_WORDS,
  4: FUNCTION_AND_TWO_WORDS,
  5: FUNCTION_AND_TWO_WORDS,
  6: FUNCTION_AND_TWO_WORDS,
  7: FUNCTION_ONLY,
  // Sub-function 0 may carry more than one word and says nowhere how many; over RTU one is what devices take.
  8: FUNCTION_AND_TWO_WORDS,
  11: FUNCTION_ONLY,
  12: FUNCTION_ONLY,
  15: { fixed: 6, count: 5 },
  16: { fixed: 6, count: 5 },
  17: FUNCTION_ONLY,
  20: COUNTED,
  21: COUNTED,
  22: { fixed: 7 },
  23: { fixed: 10, count: 9 },
  24: { fixed: 3 },
};

const RESPONSES: Readonly<Record<number, Layout>> = {
  1: COUNTED,
  2: COUNTED,
  3: COUNTED,
  4: COUNTED,
  5: FUNCTION_AND_TWO_WORDS,
  6: FUNCTION_AND_TWO_WORDS,
  7: { fixed: 2 },
  8: FUNCTION_AND_TWO_WORDS,
  11: FUNCTION_AND_TWO_WORDS,
  12: COUNTED,
  15: FUNCTION_AND_TWO_WORDS,
  16: FUNCTION_AND_TWO_WORDS,
  17: COUNTED,
  20: COUNTED,
  21: COUNTED,
  22: { fixed: 7 },
  23: COUNTED,
};

const ENCAPSULATED = 43;
const DEVICE_IDENTIFICATION = 14;
const FIFO = 24;
const FIFO_COUNT = { AT: 1, END: 3 } as const;
const DEVICE_REQUEST_BYTES = 4;
const DEVICE_RESPONSE = { COUNT: 6, OBJECTS: 7, OBJECT_HEAD: 2 } as const;
const EXCEPTION_BYTES = 2;

/** @param bytes the PDU as far as it has come, function code first */
export function requestLength(bytes: Buffer): PduLength {
  const functionCode = bytes[0];
  if (functionCode === undefined) return "more";
  if (functionCode === ENCAPSULATED) return deviceLength(bytes, () => DEVICE_REQUEST_BYTES);
  return byLayout(REQUESTS[functionCode], bytes);
}

/** @param bytes the PDU as far as it has come, function code first */
export function responseLength(bytes: Buffer): PduLength {
  const functionCode = bytes[0];
  if (functionCode === undefined) return "more";
  if ((functionCode & EXCEPTION_BIT) !== 0) return EXCEPTION_BYTES;
  if (functionCode === FIFO) {
    return bytes.length < FIFO_COUNT.END ? "more" : FIFO_COUNT.END + bytes.readUInt16BE(FIFO_COUNT.AT);
  }
  if (functionCode === ENCAPSULATED) return deviceLength(bytes, () => deviceResponseLength(bytes));
  return byLayout(RESPONSES[functionCode], bytes);
}

function byLayout(layout: Layout | undefined, bytes: Buffer): PduLength {
  if (layout === undefined) return "unknown";
  if (layout.count === undefined) return layout.fixed;
  const count = bytes[layout.count];
  return count === undefined ? "more" : layout.fixed + count;
}

function deviceLength(bytes: Buffer, length: () => PduLength): PduLength {
  const mei = bytes[1];
  if (mei === undefined) return "more";
  return mei === DEVICE_IDENTIFICATION ? length() : "unknown";
}

/** Walks from object to object: each says how long it is. */
function deviceResponseLength(bytes: Buffer): PduLength {
  const objects = bytes[DEVICE_RESPONSE.COUNT];
  if (objects === undefined) return "more";
  let at: number = DEVICE_RESPONSE.OBJECTS;
  for (let i = 0; i < objects; i += 1) {
    const length = bytes[at + 1];
    if (length === undefined) return "more";
    at += DEVICE_RESPONSE.OBJECT_HEAD + length;
  }
  return at;
}
