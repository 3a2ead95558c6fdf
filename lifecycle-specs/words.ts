import { type FormRule, filesInWords, functionInWords, spanInWords } from "./form.ts";
import type { TagId } from "./ids.ts";
import type {
  CadenceRule,
  CausalityRule,
  Comparison,
  Condition,
  Rule,
  StepTransition,
  Transition,
  ValueRule,
} from "./lifecycle.ts";
import { reachProblem } from "./load/reach.ts";
import type { Plant, Tag } from "./plant.ts";

/** What a value needs to be said: its tag's unit, and the names of its states. */
export type TagOf = (id: TagId) => Tag | undefined;

export function tagsOf(plant: Plant): TagOf {
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  return (id) => tags.get(id);
}

/** `500 ms`, `3 s`, `2.5 min`, `1 h`: the largest unit in which it takes no more than two decimals. */
export function durationInWords(ms: number): string {
  for (const [unit, size] of UNITS) {
    const amount = ms / size;
    if (amount >= 1 && Math.abs(Number(amount.toFixed(2)) - amount) < 1e-9)
      return `${Number(amount.toFixed(2))} ${unit}`;
  }
  return `${ms} ms`;
}

const UNITS = [
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** Six digits: enough for any of the scales, and free of binary noise. */
export function numberInWords(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** `20-80 %`, `0.5 m`, `execute`; a range with a negative end is `-20 to 50 °C`. */
export function rangeInWords(low: number, high: number, tag: Tag | undefined): string {
  if (low === high) return valueInWords(low, tag);
  const between = low < 0 || high < 0 ? " to " : "-";
  return `${numberInWords(low)}${between}${numberInWords(high)}${unitOf(tag)}`;
}

export function valueInWords(value: number, tag: Tag | undefined): string {
  return stateName(value, tag) ?? `${numberInWords(value)}${unitOf(tag)}`;
}

export function valuesInWords(values: readonly number[], tag: Tag | undefined): string {
  const names = values.map((value) => stateName(value, tag) ?? numberInWords(value));
  return `${listInWords(names, "or")}${values.every((value) => stateName(value, tag) === undefined) ? unitOf(tag) : ""}`;
}

function stateName(value: number, tag: Tag | undefined): string | undefined {
  return Object.entries(tag?.states ?? {}).find(([, number]) => number === value)?.[0];
}

function unitOf(tag: Tag | undefined): string {
  return tag === undefined || tag.unit === "" ? "" : ` ${tag.unit}`;
}

/** `a, b and c`. */
export function listInWords(items: readonly string[], last: "and" | "or" = "and"): string {
  if (items.length < 2) return items[0] ?? "";
  return `${items.slice(0, -1).join(", ")} ${last} ${items.at(-1)}`;
}

const TESTS: Readonly<Record<Comparison["test"], string>> = { "at-least": "≥", "at-most": "≤", is: "=" };

export function comparisonInWords({ tag, test, value, release }: Comparison, tagOf: TagOf): string {
  const until = release === undefined ? "" : ` (until ${valueInWords(release, tagOf(tag))})`;
  return `${tag} ${TESTS[test]} ${valueInWords(value, tagOf(tag))}${until}`;
}

/** `LIT101 ≥ 1.2 m and MV101.OPEN = 1 for 1 s`. */
export function conditionInWords({ all, forMs, freshMs }: Condition, tagOf: TagOf): string {
  const parts = listInWords(all.map((comparison) => comparisonInWords(comparison, tagOf)));
  const time = forMs === 0 ? "" : ` for ${durationInWords(forMs)}`;
  return `${parts}${time}${freshMs === undefined ? "" : `, read within ${durationInWords(freshMs)}`}`;
}

/** The bounds of a value, one entry for each: `20-40 m³/h`, `in steps of 5 m³/h at most`. Of one tag. */
export function valueRuleInWords(value: ValueRule, tag: Tag | undefined): readonly string[] {
  const unit = unitOf(tag);
  return [
    ...boundsInWords(value, tag),
    ...(value.maxStep === undefined ? [] : [`in steps of ${numberInWords(value.maxStep)}${unit} at most`]),
    ...(value.rampPerS === undefined ? [] : [`no faster than ${numberInWords(value.rampPerS)}${unit} per s`]),
    ...(value.staleMs === undefined ? [] : [`standing still for ${durationInWords(value.staleMs)} at most`]),
  ];
}

function boundsInWords({ min, max, oneOf }: ValueRule, tag: Tag | undefined): readonly string[] {
  const listed = oneOf === undefined ? [] : [valuesInWords(oneOf, tag)];
  if (min !== undefined && max !== undefined) return [...listed, rangeInWords(min, max, tag)];
  if (min !== undefined) return [...listed, `${valueInWords(min, tag)} or more`];
  return max === undefined ? listed : [...listed, `${valueInWords(max, tag)} or less`];
}

export function cadenceInWords({ rate, period }: CadenceRule): readonly string[] {
  return [
    ...(rate === undefined ? [] : [`at most ${rate.most} in ${durationInWords(rate.perMs)}`]),
    ...(period === undefined
      ? []
      : [
          `every ${durationInWords(period.everyMs)}${period.jitterMs === 0 ? "" : ` ± ${durationInWords(period.jitterMs)}`}`,
        ]),
  ];
}

/** @param nameOf how another rule is called */
export function causalityInWords(
  { after, notWhile, follows, apart }: CausalityRule,
  tagOf: TagOf,
  nameOf: (rule: Rule["id"]) => string = String,
): readonly string[] {
  return [
    ...(after === undefined ? [] : [`once ${conditionInWords(after, tagOf)}`]),
    ...(notWhile === undefined ? [] : [`not while ${conditionInWords(notWhile, tagOf)}`]),
    ...(follows === undefined
      ? []
      : [
          `within ${durationInWords(follows.withinMs)} after ${nameOf(follows.rule)}${follows.select ? ", which selects it" : follows.once ? ", once for each" : ""}`,
        ]),
    ...(apart === undefined
      ? []
      : [`${durationInWords(apart.withinMs)} apart from ${listInWords(apart.rules.map(nameOf))}`]),
  ];
}

/** What each operation is called between who and what: `hmi-1 may write FIC101.SP`. */
const VERBS: Readonly<Record<Rule["operation"], string>> = {
  read: "read",
  write: "write",
  call: "call",
  subscribe: "subscribe to",
  browse: "browse",
  session: "hold a session with",
  program: "program",
  diagnose: "diagnose",
  output: "set",
  report: "report",
  raw: "send",
};

export function verbOf(operation: Rule["operation"]): string {
  return VERBS[operation];
}

/** `hmi-1 may write FIC101.SP: 20-40 m³/h, in steps of 5 m³/h at most, at most 2 in 5 s`. */
export function ruleInWords(rule: Rule, plant: Plant, tagOf: TagOf): string {
  const limits = limitsInWords(rule, tagOf);
  const who = listInWords(rule.from.map((source) => (source === "program" ? "the control program" : source)));
  return `${who} may ${verbOf(rule.operation)} ${whatOf(rule, plant)}${limits.length === 0 ? "" : `: ${limits.join(", ")}`}`;
}

/** Bounds are said once where all the rule's tags have them in one unit. */
export function limitsInWords(rule: Rule, tagOf: TagOf): readonly string[] {
  const { roles, form, value, cadence, causality, mode, safety, operation } = rule;
  const units = new Set(rule.tags.map((tag) => unitOf(tagOf(tag))));
  const [first] = rule.tags;
  const one = units.size === 1 && first !== undefined ? tagOf(first) : undefined;
  const usual = operation === "report" ? "monitor" : "enforce";
  return [
    ...rolesInWords(roles),
    ...(form === undefined ? [] : formInWords(form)),
    ...(value === undefined ? [] : valueRuleInWords(value, one)),
    ...(cadence === undefined ? [] : cadenceInWords(cadence)),
    ...(causality === undefined ? [] : causalityInWords(causality, tagOf)),
    ...(safety ? ["always (safety)"] : []),
    ...(mode === usual ? [] : [`mode ${mode}`]),
  ];
}

/** `in the role operator or engineer`. */
export function rolesInWords(roles: readonly string[] | undefined): readonly string[] {
  return roles === undefined ? [] : [`in the role ${listInWords([...roles].sort(), "or")}`];
}

/** `by function 6 or 16`, `at most 20 at once`, `file 4 records 0-99`, `objects 0-2`. */
export function formInWords({ functions, quantity, files, objects }: FormRule): readonly string[] {
  return [
    ...(functions === undefined ? [] : [`by function ${listInWords(functions.map(functionInWords), "or")}`]),
    ...(quantity === undefined ? [] : [`at most ${quantity} at once`]),
    ...(files === undefined ? [] : [listInWords(files.map(filesInWords))]),
    ...(objects === undefined ? [] : [`objects ${listInWords(objects.map(spanInWords))}`]),
  ];
}

/** The tags; where they are all of a device that the operation can be about, `every tag of plc-1`. */
function whatOf({ tags, targets, raw, operation }: Rule, plant: Plant): string {
  if (raw.length > 0) return `${listInWords(raw)} to ${listInWords(targets)}`;
  if (tags.length === 0) return listInWords(targets);
  const to = operation === "report" ? ` to ${listInWords(targets)}` : "";
  return `${everyTagInWords(tags, operation, plant) ?? listInWords(tags)}${to}`;
}

/** Fewer tags than this are named one by one. */
const FEW_TAGS = 4;

/** `every tag of plc-1` where these are all that the operation can be about there, and more than a few. */
export function everyTagInWords(
  tags: readonly TagId[],
  operation: Rule["operation"],
  plant: Plant,
): string | undefined {
  if (tags.length < FEW_TAGS) return undefined;
  const named = new Set(tags);
  const devices = [...new Set(plant.tags.filter(({ id }) => named.has(id)).map(({ device }) => device))];
  const reached = plant.tags.filter(
    (tag) => devices.includes(tag.device) && reachProblem(tag, operation) === undefined,
  );
  return reached.every(({ id }) => named.has(id)) ? `every tag of ${listInWords(devices)}` : undefined;
}

/** What makes a step end: `LIT101 ≥ 1.2 m for 1 s`, `start-burner answered`, `after 30 s`. */
export function stepEventInWords(next: StepTransition, tagOf: TagOf): string {
  switch (next.event) {
    case "condition":
      return conditionInWords(next.when, tagOf);
    case "command":
      return `${next.rule} ${next.outcome === "forwarded" ? "forwarded" : "answered"}`;
    case "after":
      return `after ${durationInWords(next.ms)}`;
    default:
      return unreachable(next);
  }
}

/** What leads to another phase: the event first, then what it needs besides. */
export function transitionInWords(transition: Transition, tagOf: TagOf): readonly string[] {
  return [
    ...eventInWords(transition, tagOf),
    ...(transition.cleanMs === undefined ? [] : [`no detection for ${durationInWords(transition.cleanMs)}`]),
    ...(transition.with.length === 0 ? [] : [`with ${listInWords(transition.with)}`]),
    ...(transition.window.length === 0 ? [] : [`meanwhile ${listInWords(transition.window)}`]),
  ];
}

function eventInWords(transition: Transition, tagOf: TagOf): readonly string[] {
  switch (transition.event) {
    case "operator":
      return [
        transition.request,
        `by ${listInWords(transition.roles, "or")}${transition.persons === 2 ? ", two persons" : ""}`,
        ...(transition.ttlMs === undefined ? [] : [`stands for ${durationInWords(transition.ttlMs)}`]),
        ...(transition.when === undefined ? [] : [`if ${conditionInWords(transition.when, tagOf)}`]),
      ];
    case "condition":
      return [conditionInWords(transition.when, tagOf)];
    case "after":
      return [
        `after ${durationInWords(transition.ms)}`,
        ...(transition.when === undefined ? [] : [`if ${conditionInWords(transition.when, tagOf)}`]),
      ];
    default:
      return unreachable(transition);
  }
}

/**
 * Text of a file as it may be shown: control characters could speak to the terminal, and those that turn the direction of writing
 * round could show something else than what is there. Line breaks become spaces.
 */
export function printable(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, "\ufffd");
}

function unreachable(value: never): never {
  throw new Error(`unreachable: \`${JSON.stringify(value)}\``);
}
