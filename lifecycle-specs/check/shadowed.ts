import canonicalize from "canonicalize";
import type { Layer } from "../decide/observation.ts";
import type { Rule } from "../lifecycle.ts";
import { looser } from "./limits.ts";
import { isAround, placesOf } from "./places.ts";
import type { Checked, RawFinding } from "./report.ts";
import { isWithin, toleranceOf } from "./values.ts";
import { type Book, bookOf, type Entry } from "./whitelist.ts";

/**
 * A rule is shadowed where another of the same place, or of one around it (step, phase, every phase), lets through all that it
 * lets through: it changes nothing, and a reader who narrows it changes nothing either. Rules that are alike but for their name are
 * duplicates; where they have rates, each brings its own, and together they allow twice as much.
 */
export function rulesAreNotShadowed({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const places = placesOf(lifecycle);
  const byKey = new Map<string, Rule[]>();
  for (const rule of places.keys()) {
    for (const key of new Set(entriesOf(book, rule).map((entry) => entry.key))) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [rule]);
      else known.push(rule);
    }
  }
  const order = new Map([...places.keys()].map((rule, index) => [rule, index]));
  return [...places].flatMap(([rule, own]): readonly RawFinding[] => {
    const [first] = entriesOf(book, rule);
    const rivals = first === undefined ? [] : (byKey.get(first.key) ?? []);
    for (const rival of rivals) {
      if (rival === rule || !isAround(places.get(rival) ?? [], own)) continue;
      const isAlike = essenceOf(rival) === essenceOf(rule);
      const isLater = (order.get(rival) ?? 0) < (order.get(rule) ?? 0) || !isAround(own, places.get(rival) ?? []);
      if (isAlike && isLater) return [duplicate(rule, rival)];
      const mutual = covers(book, rule, rival) && isAround(own, places.get(rival) ?? []);
      if (!isAlike && covers(book, rival, rule) && (isLater || !mutual)) return [shadowed(rule, rival)];
    }
    return [];
  });
}

function shadowed(rule: Rule, rival: Rule): RawFinding {
  const message = `rule \`${rule.id}\` changes nothing: wherever it holds, \`${rival.id}\` allows all of it; remove it, or narrow \`${rival.id}\``;
  const trace = [`\`${rival.id}\`: ${rival.says}`, `\`${rule.id}\`: ${rule.says}`];
  return { at: `rule:${rule.id}`, code: "RULE_SHADOWED", message, trace };
}

function duplicate(rule: Rule, rival: Rule): RawFinding {
  const rated = rule.cadence === undefined || rule.safety ? "" : ", and the two together allow twice its rate";
  const message = `rule \`${rule.id}\` is the same as \`${rival.id}\`, which holds wherever it does${rated}; remove it`;
  return { at: `rule:${rule.id}`, code: "RULE_DUPLICATE", message };
}

function layerOf(rule: Rule): Layer {
  return rule.operation === "output" ? "plc" : "hmi";
}

function entriesOf(book: Book, rule: Rule): readonly Entry[] {
  return book.entriesOf(rule, layerOf(rule));
}

/** A rate is counted for each rule, so that one with a rate never makes up for another. */
function covers(book: Book, wide: Rule, narrow: Rule): boolean {
  if (wide.cadence !== undefined && !wide.safety) return false;
  if (narrow.safety && !wide.safety) return false;
  const wider = new Map(entriesOf(book, wide).map((entry) => [entry.key, entry]));
  return entriesOf(book, narrow).every(({ key, grant, permission }) => {
    const other = wider.get(key)?.grant;
    if (other === undefined || looser(grant.limits, other.limits).length > 0) return false;
    const tag = permission.tag === undefined ? undefined : book.tag(permission.tag);
    if (other.values === undefined || tag === undefined) return true;
    return grant.values !== undefined && isWithin(grant.values, other.values, toleranceOf(tag));
  });
}

/** All of a rule but its name and its sentence. */
function essenceOf({ id: _id, says: _says, ...essence }: Rule): string {
  return canonicalize(essence) ?? "";
}
