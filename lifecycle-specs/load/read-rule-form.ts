import {
  doesOperation,
  type FileRange,
  type FormRule,
  functionInWords,
  hasFunctions,
  hasSubFunctions,
  joined,
  MAX_FILE,
  MAX_FUNCTION,
  MAX_OBJECT,
  MAX_QUANTITY,
  MAX_RECORD,
  MEI_IDENTIFICATION,
  type ModbusFunction,
  OBJECT_CATEGORIES,
  READ_FILE,
  ROLE_NAME,
  type Span,
  WRITE_FILE,
} from "../form.ts";
import type { Operation } from "../lifecycle.ts";
import { type Cursor, type Fields, quote } from "./cursor.ts";

const COUNTED: ReadonlySet<Operation> = new Set<Operation>(["read", "write", "call", "subscribe"]);
const CATEGORIES = ["basic", "regular", "extended"] as const;

/** `functions`, `quantity`, `files` and `objects` of a rule; undefined: it has none of them. */
export function readForm(rule: Fields, operation: Operation): FormRule | undefined {
  const files = readFiles(rule.get("files"), operation);
  const objects = readObjects(rule.get("objects"), operation);
  const functions = readFunctions(rule.get("functions"), operation, rule);
  const quantity = readQuantity(rule.get("quantity"), operation, rule);
  if (files === undefined && objects === undefined && functions === undefined && quantity === undefined)
    return undefined;
  return {
    ...(functions === undefined ? {} : { functions }),
    ...(quantity === undefined ? {} : { quantity }),
    ...(files === undefined ? {} : { files }),
    ...(objects === undefined ? {} : { objects }),
  };
}

/** Roles and user names of those who ask. */
export function readRoles(list: Cursor | undefined, operation: Operation): readonly string[] | undefined {
  if (list === undefined) return undefined;
  if (operation === "output" || operation === "report")
    return list.fail(
      "FORM_MISPLACED",
      `nobody with a role asks for what a rule may \`${operation}\`; remove \`roles\``,
    );
  if (operation === "session")
    return list.fail("FORM_MISPLACED", "nobody has a role before a session has begun; ask for it where it is used");
  const roles = list.items("roles", 1)?.flatMap((item) => {
    const role = item.text("a role");
    if (role === undefined || ROLE_NAME.test(role)) return role ?? [];
    return (
      item.fail("NAME_INVALID", `\`${quote(role)}\` is not a role: 1 to 64 characters, blanks only between others`) ??
      []
    );
  });
  return roles === undefined || roles.length === 0 ? undefined : roles;
}

function readFunctions(
  list: Cursor | undefined,
  operation: Operation,
  rule: Fields,
): readonly ModbusFunction[] | undefined {
  if (list === undefined) return undefined;
  if (!hasFunctions(operation))
    return list.fail(
      "FORM_MISPLACED",
      `\`${operation}\` is done by no function code of Modbus that a rule could name; remove \`functions\``,
    );
  const found = list.items("functions", 1)?.flatMap((item) => readFunction(item, operation, rule) ?? []);
  return found === undefined || found.length === 0 ? undefined : found;
}

/** `6`, or with a sub-function or MEI type `"8/0"`, `"43/14"`. */
function readFunction(item: Cursor, operation: Operation, rule: Fields): ModbusFunction | undefined {
  const named = item.isNumber ? readCode(item) : readCodeAndSub(item);
  if (named === undefined) return undefined;
  const words = functionInWords(named);
  if (!doesOperation(named, operation))
    return item.fail(
      "FUNCTION_UNFIT",
      `function ${words} does not \`${operation}\`; name one that does, or use another operation`,
    );
  const isForFiles = named.code === READ_FILE || named.code === WRITE_FILE;
  if (rule.get("files") === undefined ? named.code === READ_FILE : !isForFiles)
    return item.fail(
      "FUNCTION_UNFIT",
      isForFiles
        ? `function ${words} reads files, which the rule does not name; add \`files\``
        : `a rule with \`files\` is about records of files alone, and function ${words} is not; write a rule of its own`,
    );
  if (rule.get("objects") !== undefined && named.code !== IDENTIFICATION)
    return item.fail(
      "FUNCTION_UNFIT",
      `a rule with \`objects\` is about 43/${MEI_IDENTIFICATION} alone, and function ${words} is not; write a rule of its own`,
    );
  return named;
}

const IDENTIFICATION = 43;

function readCode(item: Cursor): ModbusFunction | undefined {
  const code = item.integer("function", 1, MAX_FUNCTION);
  return code === undefined ? undefined : { code };
}

function readCodeAndSub(item: Cursor): ModbusFunction | undefined {
  const text = item.text("a function");
  if (text === undefined) return undefined;
  const [, code = "", sub = ""] = /^(\d{1,3})(?:\/(\d{1,5}))?$/.exec(text) ?? [];
  const named = { code: Number(code), sub: Number(sub) };
  const isCode = code !== "" && named.code >= 1 && named.code <= MAX_FUNCTION;
  if (isCode && sub === "") return { code: named.code };
  if (isCode && hasSubFunctions(named.code) && named.sub <= (named.code === IDENTIFICATION ? 0xff : 0xffff))
    return named;
  return item.fail(
    "FUNCTION_UNFIT",
    `\`${quote(text)}\` is not a function code such as 6, or of 8 and 43 one with what stands behind it, such as "8/0" or "43/14"`,
  );
}

function readQuantity(cursor: Cursor | undefined, operation: Operation, rule: Fields): number | undefined {
  if (cursor === undefined) return undefined;
  const isOfFiles = operation === "program" && rule.get("files") !== undefined;
  if (COUNTED.has(operation) || isOfFiles) return cursor.integer("quantity", 1, MAX_QUANTITY);
  return cursor.fail(
    "FORM_MISPLACED",
    `messages that \`${operation}\` are not about a number of things; remove \`quantity\``,
  );
}

function readFiles(list: Cursor | undefined, operation: Operation): readonly FileRange[] | undefined {
  if (list === undefined) return undefined;
  if (operation !== "read" && operation !== "program")
    return list.fail("FORM_MISPLACED", `files are \`read\`, or written by \`program\`, not by \`${operation}\``);
  const ranges = list.items("files", 1)?.flatMap((item): FileRange[] => {
    const range = item.fields("files", ["file", "records"]);
    const files = readSpan(range?.need("file"), "file", 1, MAX_FILE);
    const records = readSpan(range?.get("records"), "records", 0, MAX_RECORD);
    if (files === undefined || (range?.get("records") !== undefined && records === undefined)) return [];
    return [{ files, records: records ?? [0, MAX_RECORD] }];
  });
  return ranges === undefined || ranges.length === 0 ? undefined : ranges;
}

/** `basic`, `regular`, `extended`, one number, or two with all between them. */
function readObjects(list: Cursor | undefined, operation: Operation): readonly Span[] | undefined {
  if (list === undefined) return undefined;
  if (operation !== "diagnose")
    return list.fail("FORM_MISPLACED", `identification objects are read to \`diagnose\`, not to \`${operation}\``);
  const spans = list.items("objects", 1)?.flatMap((item): Span[] => {
    const span = item.isNumber || item.isList ? readSpan(item, "objects", 0, MAX_OBJECT) : readCategory(item);
    return span === undefined ? [] : [span];
  });
  return spans === undefined || spans.length === 0 ? undefined : joined(spans);
}

function readCategory(item: Cursor): Span | undefined {
  const category = item.word("object category", CATEGORIES);
  return category === undefined ? undefined : OBJECT_CATEGORIES[category];
}

/** `4`, or `[4, 9]` with both ends. */
function readSpan(cursor: Cursor | undefined, what: string, low: number, high: number): Span | undefined {
  if (cursor === undefined) return undefined;
  if (!cursor.isList) {
    const one = cursor.integer(what, low, high);
    return one === undefined ? undefined : [one, one];
  }
  const items = cursor.items(what) ?? [];
  const [least, most] = items.map((item) => item.integer(`a bound of ${what}`, low, high));
  if (items.length !== 2) return cursor.fail("TYPE_WRONG", `${what} is not a number or a pair \`[least, most]\``);
  if (least === undefined || most === undefined) return undefined;
  if (least > most) return cursor.fail("RANGE_CROSSED", `${what} [${least}, ${most}] is empty; put the lower first`);
  return [least, most];
}
