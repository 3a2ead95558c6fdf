import type { RuleId } from "../ids.ts";
import type { CausalityRule, Operation } from "../lifecycle.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { PlantIndex } from "./plant-index.ts";
import { readCondition } from "./read-condition.ts";

/** Looks up a rule that may be declared later. */
export type NamedRule = (cursor: Cursor | undefined) => RuleId | undefined;

/** `after`, `notWhile`, `follows: { rule, within, once?, select? }`, `apart: { rules, within }` of a rule; undefined: it has none of them. */
export function readCausality(
  fields: Fields,
  operation: Operation,
  index: PlantIndex,
  named: NamedRule,
): CausalityRule | undefined {
  const after = readCondition(fields.get("after"), index);
  const notWhile = readCondition(fields.get("notWhile"), index);
  const follows = readFollows(fields.get("follows"), named);
  const apart = readApart(fields.get("apart"), named);
  if (operation === "output") {
    const order = fields.get("follows") ?? fields.get("apart");
    order?.fail(
      "CAUSALITY_MISPLACED",
      "outputs are judged in the PLC, which sees no messages; write `after` or `notWhile` on a tag instead",
    );
  }
  if (after === undefined && notWhile === undefined && follows === undefined && apart === undefined) return undefined;
  return {
    ...(after === undefined ? {} : { after }),
    ...(notWhile === undefined ? {} : { notWhile }),
    ...(follows === undefined ? {} : { follows }),
    ...(apart === undefined ? {} : { apart }),
  };
}

function readFollows(cursor: Cursor | undefined, named: NamedRule): CausalityRule["follows"] {
  const fields = cursor?.fields("follows", ["rule", "within", "once", "select"]);
  const rule = named(fields?.need("rule"));
  const withinMs = fields?.need("within")?.duration("within");
  const once = fields?.get("once")?.boolean("once") ?? false;
  const select = fields?.get("select")?.boolean("select") ?? false;
  if (rule === undefined || withinMs === undefined) return undefined;
  return select ? { rule, withinMs, once: true, select } : { rule, withinMs, once };
}

function readApart(cursor: Cursor | undefined, named: NamedRule): CausalityRule["apart"] {
  const fields = cursor?.fields("apart", ["rules", "within"]);
  const rules = fields
    ?.need("rules")
    ?.items("rules", 1)
    ?.flatMap((item) => named(item) ?? []);
  const withinMs = fields?.need("within")?.duration("within");
  return rules === undefined || withinMs === undefined ? undefined : { rules, withinMs };
}
