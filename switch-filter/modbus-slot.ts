import type { RegisterWrite } from "#point/observe/modbus-image.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged } from "#point/point.ts";
import type { TagId } from "#specs/ids.ts";
import { err, ok, type Result } from "#specs/result.ts";
import { MEI } from "#wire/modbus/encapsulated-interface.ts";
import { decodeRequest, type ModbusFrame, type ModbusRequest, type ModbusResponse } from "#wire/modbus/index.ts";
import { describeWireError } from "#wire/wire-error.ts";

/** One request on its way: replies keep the order of the requests, also around a denied one. */
export interface Slot {
  readonly frame: ModbusFrame;
  readonly request: ModbusRequest;
  readonly judged: readonly Judged[];
  readonly sinceMs: number;
  /** Where the image of the registers stood when it was sent. */
  readonly mark: number;
  /** The holding registers it writes, as long as that is under way. */
  write: RegisterWrite | undefined;
  /** What it puts there, where that is known. */
  readonly words: readonly number[] | undefined;
  /** The bytes for the client, once known; none at all for a request that nobody answers. */
  answer: Buffer | undefined;
}

const ENCAPSULATED = 43;

/** What goes to the client for a request that is not answered. */
export const NOTHING = Buffer.alloc(0);

/** The request in a frame of a client, or in one sentence why it is none. */
export function readRequest(pdu: Buffer): Result<ModbusRequest, string> {
  const decoded = decodeRequest(pdu);
  if (!decoded.ok) return err(describeWireError(decoded.error));
  const { functionCode } = decoded.value;
  // "The function codes 1..255 decimal are valid, 128-255 are reserved for exception responses", 0 is not valid: §4.1.
  const isOfRequest = functionCode !== 0 && functionCode <= 127;
  return isOfRequest ? ok(decoded.value) : err(`function code ${functionCode} is not one of a request`);
}

/** The tags that a request was to write. */
export function tagsWritten(judged: readonly Judged[]): readonly TagId[] {
  return judged.flatMap(({ observation: { operation, items } }) =>
    operation === "write" ? items.flatMap(({ tag }) => tag ?? []) : [],
  );
}

/** What is wrong with an answer that only the plant's declaration can judge: its length, of a named function code. */
export function misfit(tags: ModbusTags, request: ModbusRequest, response: ModbusResponse): string | undefined {
  const mei = meiOf(request);
  const [least, most] = tags.rawFunction(request.functionCode, mei)?.answer ?? [0, Number.POSITIVE_INFINITY];
  const length = lengthAfterFunction(response);
  if (length === undefined || (length >= least && length <= most)) return undefined;
  return `function code ${request.functionCode} is answered with ${length} bytes, and ${least} to ${most} are declared`;
}

/** Of function 43: the first byte after it, by which the plant declares what is raw there. */
function meiOf(request: ModbusRequest): number | undefined {
  if (request.kind === "encapsulated-interface") return request.meiType;
  return request.kind === "unknown" && request.functionCode === ENCAPSULATED ? request.data[0] : undefined;
}

/** Bytes after the function code of an answer that nobody looks into; undefined: the codec knows its form. */
function lengthAfterFunction(response: ModbusResponse): number | undefined {
  if (response.kind === "unknown") return response.data.length;
  // The MEI type is read apart from what follows it.
  return response.kind === "encapsulated-interface" && response.meiType === MEI.CANOPEN
    ? 1 + response.data.length
    : undefined;
}

/** Anything but the four plain reads. */
export function mayWrite(frame: ModbusFrame): boolean {
  const functionCode = frame.pdu[0] ?? 0;
  return functionCode < 1 || functionCode > 4;
}
