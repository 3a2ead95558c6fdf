import { RuleId } from "#specs/ids.ts";
import type {
  CadenceRule,
  CausalityRule,
  Comparison,
  Condition,
  Operation,
  Rule,
  ValueRule,
} from "#specs/lifecycle.ts";
import type { Mode, Plant, Tag } from "#specs/plant.ts";
import { clientsOf, fewTags, serversOf } from "./random-plant.ts";
import { between, chance, type Draw, pick, someAtLeastOne, times } from "./random-plant-draw.ts";
import { randomForm, randomRoles } from "./random-plant-forms.ts";

/** Few and small, so that the windows of different rules end at the same times. */
const DURATIONS = [1000, 500, 0, 3000, 5000, 1] as const;
/** What a random rule is about, the commonest several times. */
const OPERATIONS: readonly Operation[] = [
  ...(["write", "write", "write", "write", "write", "write", "write"] as const),
  ...(["output", "output", "output", "report", "report", "report", "call", "call", "call"] as const),
  ...(["read", "read", "read", "subscribe", "session", "browse"] as const),
  ...(["program", "program", "diagnose", "diagnose", "raw", "raw"] as const),
];
const MODES: readonly Mode[] = ["enforce", "monitor", "off"];

/** What the rules of one lifecycle share: its few comparisons and the names that rules can refer to. */
export interface RuleContext {
  readonly plant: Plant;
  readonly comparisons: readonly Comparison[];
  /** Rules about messages; `follows` and `apart` name them. */
  readonly messageRules: readonly RuleId[];
}

/** The operations of the rules to come, so that the rules know of each other what they may refer to. */
export function randomRules(draw: Draw, plant: Plant, count: number): { rules: readonly Rule[]; context: RuleContext } {
  const operations = times(count, () => pick(draw, OPERATIONS));
  const messageRules = operations.flatMap((operation, n) => (operation === "output" ? [] : [ruleId(n)]));
  const comparisons = times(between(draw, 2, 6), () => randomComparison(draw, plant));
  const context = { plant, comparisons, messageRules };
  return { rules: operations.map((operation, n) => randomRule(draw, context, operation, ruleId(n))), context };
}

function ruleId(n: number): RuleId {
  return RuleId(`r${n}`);
}

function randomRule(draw: Draw, context: RuleContext, operation: Operation, id: RuleId): Rule {
  const { plant } = context;
  const clients = clientsOf(plant);
  const isOfFiles = (operation === "read" || operation === "program") && chance(draw, 35);
  const roles = randomRoles(draw, operation);
  const form = randomForm(draw, operation, isOfFiles);
  const tags = fewTags(draw, tagsFor(plant, operation));
  const asking = someAtLeastOne(draw, clients, 50);
  const about = { targets: [...new Set(tags.map(({ device }) => device))], tags: tags.map((tag) => tag.id), raw: [] };
  const whole = { targets: someAtLeastOne(draw, serversOf(plant), 50), tags: [], raw: [] };
  const common = {
    id,
    says: `Rule ${id}.`,
    operation,
    mode: pick(draw, MODES),
    safety: operation !== "report" && operation !== "output" && chance(draw, 12),
    ...(roles === undefined ? {} : { roles }),
    ...(form === undefined ? {} : { form }),
    ...optional("cadence", chance(draw, 35), () => randomCadence(draw)),
    ...optional("causality", chance(draw, 45), () => randomCausality(draw, context, operation)),
  };
  // A method has no value; what bounds its arguments is a rule of its own.
  const bounded = tags.every(({ kind }) => kind !== "method") && chance(draw, 80);
  const value = optional("value", bounded, () => randomValue(draw, tags, operation));
  switch (operation) {
    case "output":
      return { ...common, from: ["program"], ...about, ...value };
    case "report":
      return { ...common, from: about.targets, ...about, targets: asking, ...value };
    case "write":
    case "call":
      return { ...common, from: asking, ...about, ...value };
    case "read":
      return { ...common, from: asking, ...(isOfFiles ? whole : about) };
    case "subscribe":
      return { ...common, from: asking, ...about };
    case "raw":
      return { ...common, from: asking, ...whole, raw: someAtLeastOne(draw, plant.raw, 50).map((raw) => raw.id) };
    default:
      return { ...common, from: asking, ...whole };
  }
}

/** A call is about methods and arguments, an output about outputs; where the plant has no output, about whatever there is. */
function tagsFor(plant: Plant, operation: Operation): readonly Tag[] {
  const kinds: Partial<Record<Operation, readonly string[]>> = {
    write: ["set-point", "command"],
    output: ["output"],
    call: ["method", "argument"],
  };
  const variables = plant.tags.filter(({ kind }) => kind !== "method" && kind !== "argument");
  const fitting = plant.tags.filter(({ kind }) => kinds[operation]?.includes(kind));
  return fitting.length > 0 ? fitting : variables;
}

/** Bounds in the range of the first tag, or a little beyond it: the tag's own range holds all the same. */
function randomValue(draw: Draw, [tag]: readonly Tag[], operation: Operation): ValueRule {
  const [low, high] = tag?.range ?? [0, 1];
  const at = (tenths: number) => low + ((high - low) * tenths) / 10;
  const span = high - low;
  return {
    ...optional("min", chance(draw, 35), () => at(between(draw, -1, 4))),
    ...optional("max", chance(draw, 35), () => at(between(draw, 5, 11))),
    ...optional("oneOf", chance(draw, 20), () => times(between(draw, 1, 3), () => at(draw.below(11)))),
    ...optional("maxStep", chance(draw, 30), () => span * pick(draw, [0.5, 0.1, 1])),
    ...optional("rampPerS", chance(draw, 30), () => span * pick(draw, [0.5, 0.1, 2])),
    ...optional("staleMs", operation === "report" && chance(draw, 50), () => pick(draw, DURATIONS)),
  };
}

function randomCadence(draw: Draw): CadenceRule {
  const both = draw.below(3);
  const rate = { most: between(draw, 1, 3), perMs: pick(draw, DURATIONS) };
  const everyMs = pick(draw, DURATIONS);
  const period = { everyMs, jitterMs: Math.min(everyMs, pick(draw, [0, 100, 1])) };
  return { ...(both === 1 ? {} : { rate }), ...(both === 0 ? {} : { period }) };
}

function randomCausality(draw: Draw, context: RuleContext, operation: Operation): CausalityRule {
  const others = operation === "output" ? [] : context.messageRules;
  return {
    ...optional("after", chance(draw, 40), () => randomCondition(draw, context)),
    ...optional("notWhile", chance(draw, 25), () => randomCondition(draw, context)),
    ...optional("follows", others.length > 0 && chance(draw, 35), () => ({
      rule: pick(draw, others),
      withinMs: pick(draw, [...DURATIONS, 3000, 5000]),
      once: chance(draw, 80),
    })),
    ...optional("apart", others.length > 0 && chance(draw, 25), () => ({
      rules: someAtLeastOne(draw, others, 30).slice(0, 2),
      withinMs: pick(draw, DURATIONS),
    })),
  };
}

export function randomCondition(draw: Draw, { comparisons }: RuleContext): Condition {
  return {
    all: someAtLeastOne(draw, comparisons, 25).slice(0, 2),
    forMs: chance(draw, 40) ? pick(draw, DURATIONS) : 0,
    ...optional("freshMs", chance(draw, 25), () => pick(draw, DURATIONS)),
  };
}

function randomComparison(draw: Draw, { tags }: Plant): Comparison {
  const tag = pick(
    draw,
    tags.filter(({ kind }) => kind !== "method" && kind !== "argument"),
  );
  const [low, high] = tag.range;
  const value = low + ((high - low) * between(draw, 2, 8)) / 10;
  const test = pick(draw, ["at-least", "at-most", "is"] as const);
  const band = (high - low) * pick(draw, [0.1, 0.2]);
  const release = test === "at-least" ? value - band : value + band;
  return { tag: tag.id, test, value, ...optional("release", test !== "is" && chance(draw, 50), () => release) };
}

/** The key with a made value, or nothing: an absent key is absent, not undefined. */
function optional<K extends string, V>(key: K, wanted: boolean, make: () => V): { [P in K]?: V } {
  if (!wanted) return {};
  const made: { [P in K]?: V } = {};
  made[key] = make();
  return made;
}
