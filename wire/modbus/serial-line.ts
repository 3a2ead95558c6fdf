import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { checkLength, refuse } from "./pdu.ts";

// MODBUS AP V1.1b3 §6.7 Read Exception Status (07), §6.9 Get Comm Event Counter (11), §6.10 Get Comm Event Log (12),
// §6.13 Report Server ID (17). Meant for serial lines, met on TCP through gateways. Their requests are one byte long.
const CLAUSE = { 7: "6.7", 11: "6.9", 12: "6.10", 17: "6.13" } as const;
const STATUS = { OUTPUTS: 1, END: 2 } as const;
const COUNTER = { STATUS: 1, EVENTS: 3, END: 5 } as const;
const LOG = { BYTE_COUNT: 1, STATUS: 2, EVENT_COUNT: 4, MESSAGE_COUNT: 6, EVENTS: 8 } as const;
const SERVER_ID = { BYTE_COUNT: 1, DATA: 2 } as const;

/** Most events in a comm event log, in bytes. @see MODBUS AP V1.1b3 §6.10 */
export const MAX_COMM_EVENTS = 64;
/** Status word while the server still works on an earlier program command, and otherwise. @see §6.9 */
export const COMM_STATUS = { BUSY: 0xffff, READY: 0x0000 } as const;

export type SerialLineRequest =
  | { readonly kind: "read-exception-status"; readonly functionCode: 7 }
  | { readonly kind: "get-comm-event-counter"; readonly functionCode: 11 }
  | { readonly kind: "get-comm-event-log"; readonly functionCode: 12 }
  | { readonly kind: "report-server-id"; readonly functionCode: 17 };

/** The eight exception status outputs, least significant bit first. */
export interface ReadExceptionStatusResponse {
  readonly kind: "read-exception-status";
  readonly functionCode: 7;
  /** 0..255 */
  readonly outputs: number;
}

export interface GetCommEventCounterResponse {
  readonly kind: "get-comm-event-counter";
  readonly functionCode: 11;
  readonly busy: boolean;
  /** 0..65535 */
  readonly eventCount: number;
}

export interface GetCommEventLogResponse {
  readonly kind: "get-comm-event-log";
  readonly functionCode: 12;
  readonly busy: boolean;
  readonly eventCount: number;
  readonly messageCount: number;
  /** 0..64 event bytes, newest first */
  readonly events: Buffer;
}

/** Server identification; its layout is the device's own, so the bytes (server ID, run indicator, more) stay raw. */
export interface ReportServerIdResponse {
  readonly kind: "report-server-id";
  readonly functionCode: 17;
  /** 1..251 bytes */
  readonly data: Buffer;
}

export type SerialLineResponse =
  | ReadExceptionStatusResponse
  | GetCommEventCounterResponse
  | GetCommEventLogResponse
  | ReportServerIdResponse;

export function decodeSerialLineRequest(
  pdu: Buffer,
  functionCode: 7 | 11 | 12 | 17,
): Result<SerialLineRequest, WireError> {
  const length = checkLength(pdu, 1, CLAUSE[functionCode]);
  if (!length.ok) return length;
  switch (functionCode) {
    case 7:
      return ok({ kind: "read-exception-status", functionCode });
    case 11:
      return ok({ kind: "get-comm-event-counter", functionCode });
    case 12:
      return ok({ kind: "get-comm-event-log", functionCode });
    case 17:
      return ok({ kind: "report-server-id", functionCode });
  }
}

export function encodeSerialLineRequest(request: SerialLineRequest): Buffer {
  return Buffer.from([request.functionCode]);
}

export function decodeSerialLineResponse(
  pdu: Buffer,
  request: SerialLineRequest,
): Result<SerialLineResponse, WireError> {
  switch (request.functionCode) {
    case 7:
      return decodeExceptionStatus(pdu);
    case 11:
      return decodeEventCounter(pdu);
    case 12:
      return decodeEventLog(pdu);
    case 17:
      return decodeServerId(pdu);
  }
}

function decodeExceptionStatus(pdu: Buffer): Result<ReadExceptionStatusResponse, WireError> {
  const length = checkLength(pdu, STATUS.END, CLAUSE[7]);
  if (!length.ok) return length;
  return ok({ kind: "read-exception-status", functionCode: 7, outputs: pdu.readUInt8(STATUS.OUTPUTS) });
}

function decodeEventCounter(pdu: Buffer): Result<GetCommEventCounterResponse, WireError> {
  const length = checkLength(pdu, COUNTER.END, CLAUSE[11]);
  if (!length.ok) return length;
  const status = pdu.readUInt16BE(COUNTER.STATUS);
  if (status !== COMM_STATUS.BUSY && status !== COMM_STATUS.READY) {
    return refuse("MB_COMM_STATUS", COUNTER.STATUS, CLAUSE[11]);
  }
  const busy = status === COMM_STATUS.BUSY;
  return ok({ kind: "get-comm-event-counter", functionCode: 11, busy, eventCount: pdu.readUInt16BE(COUNTER.EVENTS) });
}

function decodeEventLog(pdu: Buffer): Result<GetCommEventLogResponse, WireError> {
  if (pdu.length < LOG.EVENTS) return refuse("MB_PDU_LENGTH", pdu.length, CLAUSE[12]);
  const events = pdu.readUInt8(LOG.BYTE_COUNT) - (LOG.EVENTS - LOG.STATUS);
  if (events < 0 || events > MAX_COMM_EVENTS) return refuse("MB_BYTE_COUNT", LOG.BYTE_COUNT, CLAUSE[12]);
  const length = checkLength(pdu, LOG.EVENTS + events, CLAUSE[12]);
  if (!length.ok) return length;
  const status = pdu.readUInt16BE(LOG.STATUS);
  if (status !== COMM_STATUS.BUSY && status !== COMM_STATUS.READY) {
    return refuse("MB_COMM_STATUS", LOG.STATUS, CLAUSE[12]);
  }
  return ok({
    kind: "get-comm-event-log",
    functionCode: 12,
    busy: status === COMM_STATUS.BUSY,
    eventCount: pdu.readUInt16BE(LOG.EVENT_COUNT),
    messageCount: pdu.readUInt16BE(LOG.MESSAGE_COUNT),
    events: pdu.subarray(LOG.EVENTS),
  });
}

function decodeServerId(pdu: Buffer): Result<ReportServerIdResponse, WireError> {
  if (pdu.length < SERVER_ID.DATA) return refuse("MB_PDU_LENGTH", pdu.length, CLAUSE[17]);
  const count = pdu.readUInt8(SERVER_ID.BYTE_COUNT);
  // The run indicator is always there, so an empty answer is not one.
  if (count < 1) return refuse("MB_BYTE_COUNT", SERVER_ID.BYTE_COUNT, CLAUSE[17]);
  const length = checkLength(pdu, SERVER_ID.DATA + count, CLAUSE[17]);
  if (!length.ok) return length;
  return ok({ kind: "report-server-id", functionCode: 17, data: pdu.subarray(SERVER_ID.DATA) });
}

export function encodeSerialLineResponse(response: SerialLineResponse): Buffer {
  switch (response.kind) {
    case "read-exception-status":
      return Buffer.from([response.functionCode, response.outputs]);
    case "report-server-id":
      return Buffer.concat([Buffer.from([response.functionCode, response.data.length]), response.data]);
    case "get-comm-event-counter": {
      const pdu = Buffer.allocUnsafe(COUNTER.END);
      pdu.writeUInt8(response.functionCode, 0);
      pdu.writeUInt16BE(response.busy ? COMM_STATUS.BUSY : COMM_STATUS.READY, COUNTER.STATUS);
      pdu.writeUInt16BE(response.eventCount, COUNTER.EVENTS);
      return pdu;
    }
    case "get-comm-event-log": {
      const head = Buffer.allocUnsafe(LOG.EVENTS);
      head.writeUInt8(response.functionCode, 0);
      head.writeUInt8(LOG.EVENTS - LOG.STATUS + response.events.length, LOG.BYTE_COUNT);
      head.writeUInt16BE(response.busy ? COMM_STATUS.BUSY : COMM_STATUS.READY, LOG.STATUS);
      head.writeUInt16BE(response.eventCount, LOG.EVENT_COUNT);
      head.writeUInt16BE(response.messageCount, LOG.MESSAGE_COUNT);
      return Buffer.concat([head, response.events]);
    }
  }
}
