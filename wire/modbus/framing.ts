import type { FramerState } from "./framer.ts";
import { MbapFramer } from "./framer.ts";
import type { TransactionId, UnitId } from "./ids.ts";
import { encodeFrame } from "./mbap.ts";
import { type PduLength, requestLength, responseLength } from "./pdu-length.ts";
import { BROADCAST_UNIT, encodeRtu, RtuFramer } from "./rtu.ts";

/** One ADU of either framing. `bytes` is exactly what arrived. */
export interface ModbusFrame {
  /** RTU has none: there, an answer belongs to the one request that waits. */
  readonly transactionId: TransactionId | undefined;
  readonly unitId: UnitId;
  readonly pdu: Buffer;
  readonly bytes: Buffer;
}

/** Cuts one direction of a connection into frames, and stops for good at the first bad one. */
export interface ModbusFramer {
  push(chunk: Buffer): readonly ModbusFrame[];
  readonly state: FramerState;
  readonly pendingBytes: number;
}

/** How frames lie in the stream. What is in them is the same. */
export interface ModbusFraming {
  readonly kind: "mbap" | "rtu";
  /** Requests that may wait for answers at once; the caller's own limit may be lower. */
  readonly maxPending: number;
  requests(): ModbusFramer;
  responses(): ModbusFramer;
  /** A frame with the address of `to` around a PDU. */
  answer(to: ModbusFrame, pdu: Buffer): Buffer;
  /** Nobody answers a request to this unit. */
  isBroadcast(unit: UnitId): boolean;
}

/** Modbus/TCP. Unit 0 is a unit like any other, and answers. @see MODBUS Messaging on TCP/IP V1.0b §4.4.1.2 */
export const MBAP_FRAMING: ModbusFraming = {
  kind: "mbap",
  maxPending: Number.POSITIVE_INFINITY,
  requests: () => new MbapFramer(),
  responses: () => new MbapFramer(),
  answer: (to, pdu) => {
    if (to.transactionId === undefined)
      throw new Error("invariant: a frame of Modbus/TCP has a transaction identifier");
    return encodeFrame({ transactionId: to.transactionId, unitId: to.unitId }, pdu);
  },
  isBroadcast: () => false,
};

/** Length of a PDU that the standard gives none for, by its function code, and of 43 also by its MEI type; undefined: nobody says. */
export type DeclaredLength = (functionCode: number, mei?: number) => number | undefined;

const ENCAPSULATED = 43;

/** Modbus RTU over TCP: one request at a time, as on a serial line. */
export function rtuFraming(
  declared: { readonly request: DeclaredLength; readonly answer: DeclaredLength } = {
    request: () => undefined,
    answer: () => undefined,
  },
): ModbusFraming {
  return {
    kind: "rtu",
    maxPending: 1,
    requests: () => new RtuFramer((pdu) => orDeclared(requestLength(pdu), pdu, declared.request)),
    responses: () => new RtuFramer((pdu) => orDeclared(responseLength(pdu), pdu, declared.answer)),
    answer: (to, pdu) => encodeRtu(to.unitId, pdu),
    isBroadcast: (unit) => unit === BROADCAST_UNIT,
  };
}

function orDeclared(length: PduLength, pdu: Buffer, declared: DeclaredLength): PduLength {
  if (length !== "unknown") return length;
  const [functionCode = 0, second] = pdu;
  return declared(functionCode, functionCode === ENCAPSULATED ? second : undefined) ?? "unknown";
}
