import { DIAGNOSTICS_SUB_FUNCTION } from "#wire/modbus/diagnostics.ts";
import type { ModbusRequest } from "#wire/modbus/index.ts";

/** Messages by their names, made once: a request is named a hundred thousand times a second. */
const KINDS: Readonly<Partial<Record<number, ModbusRequest["kind"]>>> = {
  1: "read-coils",
  2: "read-discrete-inputs",
  3: "read-holding-registers",
  4: "read-input-registers",
  5: "write-single-coil",
  6: "write-single-register",
  7: "read-exception-status",
  11: "get-comm-event-counter",
  12: "get-comm-event-log",
  15: "write-multiple-coils",
  16: "write-multiple-registers",
  17: "report-server-id",
  20: "read-file-record",
  21: "write-file-record",
  22: "mask-write-register",
  23: "read-write-multiple-registers",
  24: "read-fifo-queue",
};

/** By function code: the standard's name, or none of its own. */
const NAMES: readonly string[] = Array.from({ length: 256 }, (_, code) => {
  const kind = KINDS[code];
  return kind === undefined ? unknownName(code) : `${titled(kind)} (${twoDigits(code)})`;
});

const SUB_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DIAGNOSTICS_SUB_FUNCTION).map(([name, sub]) => [
    sub,
    diagnosticsWords(name.toLowerCase().replaceAll("_", "-"), sub),
  ]),
);

export const IDENTIFICATION_NAME = "Read Device Identification (43/14)";
export const CANOPEN_NAME = "CANopen General Reference (43/13)";

/** `Write Single Register (06)`: the standard's name and the function code as people write it. */
export function messageName(functionCode: number): string {
  return NAMES[functionCode] ?? unknownName(functionCode);
}

/** `Force Listen Only (08/04)`: with the sub-function. */
export function diagnosticsName(subFunction: number): string {
  return SUB_NAMES.get(subFunction) ?? diagnosticsWords("diagnostics-reserved", subFunction);
}

/** `function code 90`: none of the standard's. */
export function unknownName(functionCode: number): string {
  return `function code ${twoDigits(functionCode)}`;
}

function diagnosticsWords(name: string, sub: number): string {
  return `${titled(name)} (08/${twoDigits(sub)})`;
}

function twoDigits(code: number): string {
  return String(code).padStart(2, "0");
}

function titled(kind: string): string {
  return kind
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");
}
