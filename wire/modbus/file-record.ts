import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { checkLength, packWords, readWords, refuse } from "./pdu.ts";

// MODBUS AP V1.1b3 §6.14 Read File Record (20), §6.15 Write File Record (21)
const BYTE_COUNT = 1;
const SUBS = 2;
/** Offsets within a sub-request. */
const SUB = { REFERENCE_TYPE: 0, FILE: 1, RECORD: 3, LENGTH: 5, END: 7 } as const;
/** Offsets within a sub-response of Read File Record; `LENGTH` counts the reference type and the words. */
const SUB_RESPONSE = { LENGTH: 0, REFERENCE_TYPE: 1, WORDS: 2 } as const;
const REFERENCE_TYPE = 6;
const MAX_READ_BYTE_COUNT = 0xf5;
const MAX_WRITE_BYTE_COUNT = 0xfb;

/** Records in a file: numbers 0..9999. */
export const RECORDS_PER_FILE = 10000;

/** A range of records in a file. */
export interface FileRecordReference {
  /** 1..65535 */
  readonly file: number;
  /** first record, 0..9999 */
  readonly record: number;
}

export interface FileRecordRead extends FileRecordReference {
  /** records (words) to read, at least 1 */
  readonly length: number;
}

export interface FileRecordWrite extends FileRecordReference {
  readonly values: readonly number[];
}

/** Read File Record request; 1..35 groups whose answers fit one PDU. */
export interface ReadFileRecordRequest {
  readonly kind: "read-file-record";
  readonly functionCode: 20;
  readonly groups: readonly FileRecordRead[];
}

/** Read File Record response: the words of each group in the order of the request. */
export interface ReadFileRecordResponse {
  readonly kind: "read-file-record";
  readonly functionCode: 20;
  readonly groups: readonly (readonly number[])[];
}

/** Write File Record; the response is an echo of the request. */
export interface WriteFileRecord {
  readonly kind: "write-file-record";
  readonly functionCode: 21;
  readonly groups: readonly FileRecordWrite[];
}

/** Byte count within its bounds, and exactly the bytes that follow. */
function checkByteCount(pdu: Buffer, min: number, max: number, clause: string): Result<number, WireError> {
  if (pdu.length < SUBS) return refuse("MB_PDU_LENGTH", pdu.length, clause);
  const count = pdu.readUInt8(BYTE_COUNT);
  if (count < min || count > max) return refuse("MB_BYTE_COUNT", BYTE_COUNT, clause);
  const length = checkLength(pdu, SUBS + count, clause);
  return length.ok ? ok(count) : length;
}

/** Decodes and checks the seven bytes of a sub-request; they must be there. */
function decodeSub(pdu: Buffer, at: number, clause: string): Result<FileRecordRead, WireError> {
  if (pdu.readUInt8(at + SUB.REFERENCE_TYPE) !== REFERENCE_TYPE) {
    return refuse("MB_FILE_REFERENCE", at + SUB.REFERENCE_TYPE, clause);
  }
  const file = pdu.readUInt16BE(at + SUB.FILE);
  const record = pdu.readUInt16BE(at + SUB.RECORD);
  const length = pdu.readUInt16BE(at + SUB.LENGTH);
  if (file === 0) return refuse("MB_FILE_REFERENCE", at + SUB.FILE, clause);
  if (record >= RECORDS_PER_FILE) return refuse("MB_FILE_REFERENCE", at + SUB.RECORD, clause);
  if (length === 0) return refuse("MB_QUANTITY", at + SUB.LENGTH, clause);
  if (record + length > RECORDS_PER_FILE) return refuse("MB_ADDRESS", at + SUB.RECORD, clause);
  return ok({ file, record, length });
}

function encodeSub(reference: FileRecordReference, length: number): Buffer {
  const sub = Buffer.allocUnsafe(SUB.END);
  sub.writeUInt8(REFERENCE_TYPE, SUB.REFERENCE_TYPE);
  sub.writeUInt16BE(reference.file, SUB.FILE);
  sub.writeUInt16BE(reference.record, SUB.RECORD);
  sub.writeUInt16BE(length, SUB.LENGTH);
  return sub;
}

const responseBytes = (words: number): number => SUB_RESPONSE.WORDS + 2 * words;

export function decodeReadFileRecordRequest(pdu: Buffer): Result<ReadFileRecordRequest, WireError> {
  const count = checkByteCount(pdu, SUB.END, MAX_READ_BYTE_COUNT, "6.14");
  if (!count.ok) return count;
  if (count.value % SUB.END !== 0) return refuse("MB_BYTE_COUNT", BYTE_COUNT, "6.14");
  const groups: FileRecordRead[] = [];
  let answer = 0;
  for (let at = SUBS; at < pdu.length; at += SUB.END) {
    const group = decodeSub(pdu, at, "6.14");
    if (!group.ok) return group;
    answer += responseBytes(group.value.length);
    // An answer that cannot fit a PDU is a wrong quantity, whatever the records hold.
    if (answer > MAX_READ_BYTE_COUNT) return refuse("MB_QUANTITY", at + SUB.LENGTH, "6.14");
    groups.push(group.value);
  }
  return ok({ kind: "read-file-record", functionCode: 20, groups });
}

export function encodeReadFileRecordRequest(request: ReadFileRecordRequest): Buffer {
  const subs = request.groups.map((group) => encodeSub(group, group.length));
  return Buffer.concat([Buffer.from([request.functionCode, SUB.END * subs.length]), ...subs]);
}

export function decodeReadFileRecordResponse(
  pdu: Buffer,
  request: ReadFileRecordRequest,
): Result<ReadFileRecordResponse, WireError> {
  const expected = request.groups.reduce((sum, group) => sum + responseBytes(group.length), 0);
  const count = checkByteCount(pdu, expected, expected, "6.14");
  if (!count.ok) return count;
  const groups: number[][] = [];
  let at = SUBS;
  for (const group of request.groups) {
    if (pdu.readUInt8(at + SUB_RESPONSE.LENGTH) !== 1 + 2 * group.length) return refuse("MB_BYTE_COUNT", at, "6.14");
    if (pdu.readUInt8(at + SUB_RESPONSE.REFERENCE_TYPE) !== REFERENCE_TYPE) {
      return refuse("MB_FILE_REFERENCE", at + SUB_RESPONSE.REFERENCE_TYPE, "6.14");
    }
    groups.push(readWords(pdu, at + SUB_RESPONSE.WORDS, group.length));
    at += responseBytes(group.length);
  }
  return ok({ kind: "read-file-record", functionCode: 20, groups });
}

export function encodeReadFileRecordResponse(response: ReadFileRecordResponse): Buffer {
  const subs = response.groups.map((words) =>
    Buffer.concat([Buffer.from([1 + 2 * words.length, REFERENCE_TYPE]), packWords(words)]),
  );
  const body = Buffer.concat(subs);
  return Buffer.concat([Buffer.from([response.functionCode, body.length]), body]);
}

export function decodeWriteFileRecord(pdu: Buffer): Result<WriteFileRecord, WireError> {
  const count = checkByteCount(pdu, SUB.END + 2, MAX_WRITE_BYTE_COUNT, "6.15");
  if (!count.ok) return count;
  const groups: FileRecordWrite[] = [];
  let at = SUBS;
  while (at < pdu.length) {
    if (at + SUB.END > pdu.length) return refuse("MB_BYTE_COUNT", BYTE_COUNT, "6.15");
    const sub = decodeSub(pdu, at, "6.15");
    if (!sub.ok) return sub;
    const { file, record, length } = sub.value;
    const words = at + SUB.END;
    at = words + 2 * length;
    if (at > pdu.length) return refuse("MB_BYTE_COUNT", BYTE_COUNT, "6.15");
    groups.push({ file, record, values: readWords(pdu, words, length) });
  }
  return ok({ kind: "write-file-record", functionCode: 21, groups });
}

export function encodeWriteFileRecord(request: WriteFileRecord): Buffer {
  const subs = request.groups.map((group) =>
    Buffer.concat([encodeSub(group, group.values.length), packWords(group.values)]),
  );
  const body = Buffer.concat(subs);
  return Buffer.concat([Buffer.from([request.functionCode, body.length]), body]);
}
