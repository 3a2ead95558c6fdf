import type { CadenceRule, Operation, ValueRule } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";
import type { Cursor, Fields } from "./cursor.ts";
import { MAX_VALUE, readTagValue } from "./read-tag-value.ts";

const WITH_VALUE: ReadonlySet<Operation> = new Set<Operation>(["write", "call", "output", "report"]);
const KEYS = ["min", "max", "oneOf", "maxStep", "ramp", "stale"];
/** Have no meaning where a tag stands for states. */
const NUMERIC = ["min", "max", "maxStep", "ramp"];

/** Most messages that one cadence may count: each rule remembers that many times. */
export const MAX_CADENCE = 1000;

/** `{ min, max, oneOf, maxStep, ramp, stale }` in engineering units; every bound within the range of each of the rule's tags. */
export function readValue(
  cursor: Cursor | undefined,
  operation: Operation,
  tags: readonly Tag[],
): ValueRule | undefined {
  const fields = cursor?.fields("value", KEYS);
  if (cursor === undefined || fields === undefined) return undefined;
  if (!WITH_VALUE.has(operation))
    return cursor.fail("VALUE_MISPLACED", `\`${operation}\` has no value; remove \`value\``);
  const method = tags.find(({ kind }) => kind === "method");
  if (method !== undefined)
    return cursor.fail(
      "VALUE_MISPLACED",
      `\`${method.id}\` is a method and has no value; bound its arguments in a rule of their own`,
    );
  if (!comparesNumbers(fields, tags)) return undefined;
  const min = inEachRange(fields.get("min"), "min", tags);
  const max = inEachRange(fields.get("max"), "max", tags);
  const listed = fields.get("oneOf")?.items("oneOf", 1);
  const oneOf = listed?.flatMap((item) => inEachRange(item, "oneOf", tags) ?? []);
  const maxStep = fields.get("maxStep")?.number("maxStep", Number.MIN_VALUE, MAX_VALUE);
  const rampPerS = fields.get("ramp")?.number("ramp", Number.MIN_VALUE, MAX_VALUE);
  const staleMs = fields.get("stale")?.duration("stale");
  if (operation !== "report")
    fields
      .get("stale")
      ?.fail("VALUE_MISPLACED", `only what is reported can be stale, not a \`${operation}\`; remove it`);
  if (min !== undefined && max !== undefined && min > max)
    return cursor.fail("RANGE_CROSSED", `min ${min} is above max ${max}; exchange them`);
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(oneOf === undefined ? {} : { oneOf }),
    ...(maxStep === undefined ? {} : { maxStep }),
    ...(rampPerS === undefined ? {} : { rampPerS }),
    ...(staleMs === undefined ? {} : { staleMs }),
  };
}

function comparesNumbers(fields: Fields, tags: readonly Tag[]): boolean {
  const stateful = tags.find(({ states }) => states !== undefined);
  const bound = NUMERIC.map((key) => fields.get(key)).find((found) => found !== undefined);
  if (stateful === undefined || bound === undefined) return true;
  bound.fail(
    "STATE_NEEDED",
    `\`${stateful.id}\` stands for states, which have no order; name those allowed with \`oneOf\``,
  );
  return false;
}

/** One number that is meant for each of the tags: within their ranges, and where they stand for states, the same number for each. */
function inEachRange(cursor: Cursor | undefined, what: string, tags: readonly Tag[]): number | undefined {
  const [first, ...rest] = tags;
  if (cursor === undefined || first === undefined) return undefined;
  const value = readTagValue(cursor, what, first);
  for (const tag of rest) {
    if (value === undefined) return undefined;
    const other = readTagValue(cursor, what, tag);
    if (other === undefined) return undefined;
    if (other !== value)
      return cursor.fail(
        "STATE_NEEDED",
        `${what} is ${value} for \`${first.id}\` and ${other} for \`${tag.id}\`; write a rule for each`,
      );
  }
  return value;
}

/** `most: { count, per }` and `every: { period, jitter? }`; undefined: the rule has neither. */
export function readCadence(most: Cursor | undefined, every: Cursor | undefined): CadenceRule | undefined {
  const rate = readRate(most);
  const period = readPeriod(every);
  if (rate === undefined && period === undefined) return undefined;
  return { ...(rate === undefined ? {} : { rate }), ...(period === undefined ? {} : { period }) };
}

function readRate(cursor: Cursor | undefined): CadenceRule["rate"] {
  const fields = cursor?.fields("most", ["count", "per"]);
  const most = fields?.need("count")?.integer("count", 1, MAX_CADENCE);
  const perMs = fields?.need("per")?.duration("per");
  return most === undefined || perMs === undefined ? undefined : { most, perMs };
}

function readPeriod(cursor: Cursor | undefined): CadenceRule["period"] {
  const fields = cursor?.fields("every", ["period", "jitter"]);
  const everyMs = fields?.need("period")?.duration("period");
  const jitter = fields?.get("jitter");
  const jitterMs = jitter?.duration("jitter", 0) ?? 0;
  if (everyMs === undefined) return undefined;
  if (jitterMs < everyMs) return { everyMs, jitterMs };
  return jitter?.fail("RANGE_CROSSED", "jitter is not below the period, so that any time would do; make it smaller");
}
