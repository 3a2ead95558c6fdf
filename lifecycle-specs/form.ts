import type { Operation } from "./lifecycle.ts";

/** Both ends included. */
export type Span = readonly [least: number, most: number];

/** A Modbus function code; of 8 a sub-function, of 43 a MEI type. Without one: every one of them that does the operation. */
export interface ModbusFunction {
  readonly code: number;
  readonly sub?: number;
}

/** These records of each of these files. @see MODBUS AP V1.1b3 §6.14: files 1..65535, records 0..9999 */
export interface FileRange {
  readonly files: Span;
  readonly records: Span;
}

/** In which form something may be done, where more than one would do it. Judged where messages are seen: at the HMI and the switch layer. */
export interface FormRule {
  /** Modbus only: by these functions, and over no other protocol. */
  readonly functions?: readonly ModbusFunction[];
  /** Most registers, bits or records of one message; over OPC UA most nodes or methods. */
  readonly quantity?: number;
  /** The rule is about records of files alone: reading them (20), or as programming writing them (21). */
  readonly files?: readonly FileRange[];
  /** The rule is about Read Device Identification (43/14) alone, and these objects. In rising order, none touching the next. */
  readonly objects?: readonly Span[];
}

/** A role or a user's name: 1 to 64 characters, none of them a control character, and blanks only between others. */
export const ROLE_NAME = /^(?=.{1,64}$)[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u;

/** Largest numbers of the standard. */
export const MAX_FUNCTION = 127;
export const MAX_SUB_FUNCTION = 0xffff;
export const MAX_FILE = 0xffff;
export const MAX_RECORD = 9999;
export const MAX_OBJECT = 0xff;
/** Most that one message can be about: 2000 bits (§6.1), or more nodes than any OPC UA server takes at once. */
export const MAX_QUANTITY = 65_535;

/** Object categories of Read Device Identification, §6.21. The access code `regular` reads the first two, `extended` all three. */
export const OBJECT_CATEGORIES = { basic: [0x00, 0x02], regular: [0x03, 0x7f], extended: [0x80, 0xff] } as const;

const DIAGNOSTICS = 8;
const ENCAPSULATED = 43;
/** The MEI type of Read Device Identification, §6.19. */
export const MEI_IDENTIFICATION = 14;
export const READ_FILE = 20;
export const WRITE_FILE = 21;

/** Sub-functions of 08 that only look: echo, diagnostic register, counters. The others restart, silence, clear or are reserved. §6.8.1 */
export const LOOKING_SUB_FUNCTIONS: readonly number[] = [0, 2, 11, 12, 13, 14, 15, 16, 17, 18];

const FUNCTIONS: Readonly<Partial<Record<Operation, readonly number[]>>> = {
  read: [1, 2, 3, 4, READ_FILE, 23],
  write: [5, 6, 15, 16, 22, 23],
  diagnose: [7, DIAGNOSTICS, 11, 12, 17, 24, ENCAPSULATED],
  program: [DIAGNOSTICS, WRITE_FILE],
};

/** Whether the operation can be done by a function at all, and named by it. */
export function hasFunctions(operation: Operation): boolean {
  return FUNCTIONS[operation] !== undefined;
}

/** Whether a function does an operation. A sub-function that is reserved counts as acting. */
export function doesOperation({ code, sub }: ModbusFunction, operation: Operation): boolean {
  if (FUNCTIONS[operation]?.includes(code) !== true) return false;
  if (sub === undefined) return true;
  if (code === ENCAPSULATED) return sub === MEI_IDENTIFICATION;
  return code === DIAGNOSTICS && LOOKING_SUB_FUNCTIONS.includes(sub) === (operation === "diagnose");
}

/** Whether a function code has sub-functions, or MEI types. */
export function hasSubFunctions(code: number): boolean {
  return code === DIAGNOSTICS || code === ENCAPSULATED;
}

/** Of these function codes those that a rule lets be used; all, where it names none. */
export function codesLeft(codes: readonly number[], { functions }: FormRule): readonly number[] {
  return functions === undefined ? codes : codes.filter((code) => functions.some((named) => named.code === code));
}

/** Whether one list of functions names all that another does. */
export function namesAll(wide: readonly ModbusFunction[], narrow: readonly ModbusFunction[]): boolean {
  return narrow.every(({ code, sub }) =>
    wide.some((other) => other.code === code && (other.sub === undefined || other.sub === sub)),
  );
}

/** Whether one of the spans holds all of this one. */
export function holdsSpan(spans: readonly Span[], least: number, most: number): boolean {
  for (let n = 0; n < spans.length; n += 1) {
    const span = spans[n];
    if (span !== undefined && span[0] <= least && most <= span[1]) return true;
  }
  return false;
}

/** Whether one of the ranges holds all of these records. */
export function holdsRecords(ranges: readonly FileRange[], file: number, first: number, count: number): boolean {
  for (let n = 0; n < ranges.length; n += 1) {
    const range = ranges[n];
    if (range === undefined) continue;
    const { files, records } = range;
    if (files[0] <= file && file <= files[1] && records[0] <= first && first + count - 1 <= records[1]) return true;
  }
  return false;
}

/** The same numbers in rising order; what overlaps or touches is one. */
export function joined(spans: readonly Span[]): readonly Span[] {
  const made: [number, number][] = [];
  for (const [least, most] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last !== undefined && least <= last[1] + 1) last[1] = Math.max(last[1], most);
    else made.push([least, most]);
  }
  return made;
}

/** `6`, `8/0`, `43/14`: as the file has it. */
export function functionInWords({ code, sub }: ModbusFunction): string {
  return sub === undefined ? String(code) : `${code}/${sub}`;
}

export function spanInWords([least, most]: Span): string {
  return least === most ? String(least) : `${least}-${most}`;
}

/** `file 4 records 0-99`, `files 1-3`. */
export function filesInWords({ files, records }: FileRange): string {
  const which = `${files[0] === files[1] ? "file" : "files"} ${spanInWords(files)}`;
  if (records[0] === 0 && records[1] === MAX_RECORD) return which;
  return `${which} ${records[0] === records[1] ? "record" : "records"} ${spanInWords(records)}`;
}
