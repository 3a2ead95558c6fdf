import { MAX_FUNCTION, MEI_IDENTIFICATION } from "../form.ts";
import { RawId } from "../ids.ts";
import type { RawFunction } from "../plant.ts";
import type { Cursor, Fields } from "./cursor.ts";
import { readById } from "./read-by-id.ts";
import { PROTOCOLS } from "./read-link.ts";

const KEYS = ["says", "protocol", "function", "mei", "service", "length", "answer", "changes"];
/** A Modbus PDU is 253 bytes, its function code one of them (MODBUS AP V1.1b3 §4.1); codes from 128 are exceptions. */
const MAX_MODBUS_BYTES = 252;
const MAX_SERVICE = 0xffff_ffff;
const MAX_OPCUA_BYTES = 16 * 1024 * 1024;

/** Function codes that are looked into by name (MODBUS AP V1.1b3 §6): rules on tags, and browse, program and diagnose, are about these. */
const KNOWN_FUNCTIONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24]);
/** Encapsulated Interface Transport, §6.19: told apart by its MEI type. */
const ENCAPSULATED = 43;
const MAX_MEI = 255;

/** Encoding ids of requests that other rules are about (OPC 10000-6 v1.05 §A.3): channel, session, browse, read, write, call, subscribe. */
const KNOWN_SERVICES: ReadonlySet<number> = new Set([
  422, 428, 437, 446, 452, 461, 467, 473, 479, 527, 533, 554, 560, 566, 631, 673, 712, 751, 763, 769, 775, 781, 787,
  793, 799, 826, 832, 841, 847, 12208, 12211,
]);

/** Reads the vendor functions and services that rules may name. One name for each code. */
export function readRawFunctions(map: Cursor | undefined): readonly RawFunction[] {
  const taken = new Map<string, RawId>();
  return readById(map, "raw", RawId, (id, value, key) => {
    key.remember(`raw:${id}`);
    const fields = value.fields(`raw function \`${id}\``, KEYS);
    const raw = fields === undefined ? undefined : readRaw(id, fields);
    if (raw === undefined) return undefined;
    const code = codeInWords(raw);
    const other = taken.get(code);
    if (other !== undefined)
      return key.fail("RAW_TAKEN", `${code} is declared as \`${other}\` already; remove one of the two`);
    taken.set(code, id);
    return raw;
  });
}

function readRaw(id: RawId, fields: Fields): RawFunction | undefined {
  const says = fields.need("says")?.text("says");
  const protocol = fields.need("protocol")?.word("protocol", PROTOCOLS);
  const changes = fields.get("changes")?.boolean("changes") ?? true;
  if (protocol === undefined) return undefined;
  const isModbus = protocol === "modbus";
  const most = isModbus ? MAX_MODBUS_BYTES : MAX_OPCUA_BYTES;
  const length = readLength(fields.need("length"), "length", most);
  const answer = readLength(fields.need("answer"), "answer", most);
  const mei = readMei(fields, isModbus);
  const code = readCode(fields, isModbus);
  if (says === undefined || length === undefined || answer === undefined || code === undefined) return undefined;
  if (mei === "wrong") return undefined;
  const common = { id, says, length, answer, changes };
  if (!isModbus) return { ...common, protocol: "opcua", service: code };
  return { ...common, protocol: "modbus", function: code, ...(mei === undefined ? {} : { mei }) };
}

function codeInWords(raw: RawFunction): string {
  if (raw.protocol === "opcua") return `service ${raw.service}`;
  return `function code ${raw.function}${raw.mei === undefined ? "" : `/${raw.mei}`}`;
}

/** Of function 43 the MEI type: each is a function of its own. */
function readMei(fields: Fields, isModbus: boolean): number | "wrong" | undefined {
  const at = fields.get("mei");
  const isEncapsulated = isModbus && fields.get("function")?.isThe(ENCAPSULATED) === true;
  if (at === undefined) {
    if (!isEncapsulated) return undefined;
    fields.need("mei");
    return "wrong";
  }
  if (!isEncapsulated) at.fail("KEY_UNKNOWN", "`mei` is the type of function 43 over Modbus; remove it");
  const mei = isEncapsulated ? at.integer("mei", 0, MAX_MEI) : undefined;
  if (mei === MEI_IDENTIFICATION)
    at.fail("RAW_TAKEN", "43/14 is looked into by name; write a rule that may `diagnose`, with `objects`");
  return mei === undefined || mei === MEI_IDENTIFICATION ? "wrong" : mei;
}

function readCode(fields: Fields, isModbus: boolean): number | undefined {
  const [own, other] = isModbus ? ["function", "service"] : ["service", "function"];
  fields.get(other)?.fail("KEY_UNKNOWN", `\`${other}\` has no meaning over this protocol; write \`${own}\``);
  const at = fields.need(own);
  const code = at?.integer(own, 1, isModbus ? MAX_FUNCTION : MAX_SERVICE);
  if (at === undefined || code === undefined) return undefined;
  if (!(isModbus ? KNOWN_FUNCTIONS : KNOWN_SERVICES).has(code)) return code;
  return at.fail(
    "RAW_TAKEN",
    `${own} ${code} is looked into by name; write rules that read, write, call, browse, program or diagnose instead`,
  );
}

/** `[0, 10]`: fewest and most bytes. */
function readLength(list: Cursor | undefined, what: string, most: number): readonly [number, number] | undefined {
  const items = list?.items(what);
  if (list === undefined || items === undefined) return undefined;
  const [low, high] = items.map((item) => item.integer(`a bound of ${what}`, 0, most));
  if (items.length !== 2) return list.fail("TYPE_WRONG", `${what} is not a pair \`[fewest bytes, most bytes]\``);
  if (low === undefined || high === undefined) return undefined;
  if (low > high) return list.fail("RANGE_CROSSED", `${what} [${low}, ${high}] is empty; put the lower bound first`);
  return [low, high];
}
