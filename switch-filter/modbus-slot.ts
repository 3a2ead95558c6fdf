import { maskedWord } from "#point/observe/modbus.ts";
import type { RegisterWrite } from "#point/observe/modbus-image.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged } from "#point/point.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import type { TagId } from "#specs/ids.ts";
import type { ModbusFrame, ModbusRequest, ModbusResponse } from "#wire/modbus/index.ts";

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

/** What goes to the client for a request that is not answered. */
export const NOTHING = Buffer.alloc(0);

/** The holding registers that a request writes; undefined: none. */
export function registersWritten(unit: number, request: ModbusRequest): RegisterWrite | undefined {
  switch (request.kind) {
    case "write-single-register":
      return { kind: "plain", unit, address: request.address, quantity: 1 };
    case "write-multiple-registers":
      return { kind: "plain", unit, address: request.address, quantity: request.values.length };
    case "read-write-multiple-registers":
      return { kind: "plain", unit, address: request.writeAddress, quantity: request.values.length };
    case "mask-write-register":
      return { kind: "mask", unit, address: request.address, quantity: 1 };
    default:
      return undefined;
  }
}

/** The words that a write puts into its registers; undefined: none, or it depends on what nobody knows. */
export function wordsWritten(
  request: ModbusRequest,
  present: (address: number) => number | undefined,
): readonly number[] | undefined {
  switch (request.kind) {
    case "write-single-register":
      return [request.value];
    case "write-multiple-registers":
    case "read-write-multiple-registers":
      return request.values;
    case "mask-write-register": {
      const word = maskedWord(request, present(request.address));
      return word === undefined ? undefined : [word];
    }
    default:
      return undefined;
  }
}

/** A mask write of what nobody knows is one of no value, which the decision can only take for one of a wrong type. */
export function namedReason(judged: Judged, request: ModbusRequest): Judged {
  const { verdict, observation } = judged;
  if (request.kind !== "mask-write-register" || verdict.verdict !== "deny" || verdict.reason !== "TYPE_MISMATCH") {
    return judged;
  }
  const [item] = observation.items;
  const reason = "MASK_REFERENCE_UNKNOWN";
  return { ...judged, verdict: { ...verdict, reason, says: `${item?.tag ?? item?.address}: ${REASONS[reason]}` } };
}

/** The tags that a request was to write. */
export function tagsWritten(judged: readonly Judged[]): readonly TagId[] {
  return judged.flatMap(({ observation: { operation, items } }) =>
    operation === "write" ? items.flatMap(({ tag }) => tag ?? []) : [],
  );
}

/** What is wrong with an answer that only the plant's declaration can judge: its length, of a named function code. */
export function misfit(tags: ModbusTags, request: ModbusRequest, response: ModbusResponse): string | undefined {
  if (request.kind !== "unknown" || response.kind !== "unknown") return undefined;
  const [least, most] = tags.rawFunction(request.functionCode)?.answer ?? [0, Number.POSITIVE_INFINITY];
  const { length } = response.data;
  if (length >= least && length <= most) return undefined;
  return `function code ${request.functionCode} is answered with ${length} bytes, and ${least} to ${most} are declared`;
}

/** The holding registers that an answer shows. */
export function registersRead(
  request: ModbusRequest,
  response: ModbusResponse,
): { readonly address: number; readonly words: readonly number[] } | undefined {
  if (request.kind === "read-holding-registers" && response.kind === request.kind) {
    return { address: request.address, words: response.values };
  }
  if (request.kind === "read-write-multiple-registers" && response.kind === request.kind) {
    return { address: request.readAddress, words: response.values };
  }
  return undefined;
}

/** Anything but the four plain reads. */
export function mayWrite(frame: ModbusFrame): boolean {
  const functionCode = frame.pdu[0] ?? 0;
  return functionCode < 1 || functionCode > 4;
}
