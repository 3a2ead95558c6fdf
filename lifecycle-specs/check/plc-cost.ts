import type { DeviceId, TagId } from "../ids.ts";
import type { Condition, Lifecycle, Phase, Rule } from "../lifecycle.ts";
import { allRules } from "../positions.ts";
import type { Checked } from "./report.ts";
import { type Book, bookOf, type Entry } from "./whitelist.ts";

/** One value or one time in the generated code: LREAL or LTIME (IEC 61131-3, elementary data types). */
const CELL_BYTES = 8;

/** What the generated code of one PLC comes to. */
export interface PlcCost {
  readonly variables: number;
  readonly rules: number;
  /** Comparisons in one scan in which every variable changes, in the phase that needs most, every step taken for possible. */
  readonly comparisons: number;
  /** The same while a phase changes: judged by old, by new, and by the longest window list. */
  readonly changing: number;
  readonly bytes: number;
  /** Of these, for the times that rates remember. */
  readonly ringBytes: number;
}

/** All loops of the generated code run over declared tags, rules and rings: the bounds follow from the lifecycle alone. */
export function plcCosts(spec: Checked): ReadonlyMap<DeviceId, PlcCost> {
  const { plant, lifecycle } = spec;
  const book = bookOf(plant, lifecycle);
  const watched = watchedOn(spec);
  const judged = judgedOn(book, lifecycle);
  const guarded = plant.devices.filter(({ guard }) => guard);
  return new Map(
    guarded.map(({ id }) => [id, costOf(lifecycle, judged.get(id) ?? new Map(), watched.get(id)?.size ?? 0)]),
  );
}

/** The rules that the guard of each device judges, each with its variables there. */
type Judged = ReadonlyMap<Rule, readonly Entry[]>;

function judgedOn(book: Book, lifecycle: Lifecycle): ReadonlyMap<DeviceId, Judged> {
  const found = new Map<DeviceId, Map<Rule, readonly Entry[]>>();
  for (const rule of allRules(lifecycle)) {
    const entries = new Map(book.entriesOf(rule, "plc").map((entry) => [entry.key, entry]));
    for (const [device, own] of Map.groupBy(entries.values(), ({ permission }) => permission.target)) {
      const known = found.get(device) ?? new Map<Rule, readonly Entry[]>();
      found.set(device, known.set(rule, own));
    }
  }
  return found;
}

function costOf(lifecycle: Lifecycle, judged: Judged, watched: number): PlcCost {
  const costs = new Map([...judged].map(([rule, entries]) => [rule, comparisonsOf(rule, entries)]));
  const sum = (rules: Iterable<Rule>) => [...new Set(rules)].reduce((total, rule) => total + (costs.get(rule) ?? 0), 0);
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const longest = Math.max(0, ...written.map((phase) => sum(rulesIn(lifecycle, phase))));
  const byId = new Map([...judged.keys()].map((rule) => [rule.id, rule]));
  const windows = written.flatMap(({ transitions }) => transitions.map(({ window }) => window));
  const window = Math.max(0, ...windows.map((ids) => sum(ids.flatMap((id) => byId.get(id) ?? []))));
  const variables = new Set<TagId | undefined>([...judged.values()].flat().map(({ permission }) => permission.tag))
    .size;
  const ringBytes = CELL_BYTES * [...judged.keys()].reduce((cells, rule) => cells + ringOf(rule), 0);
  return {
    variables,
    rules: judged.size,
    comparisons: longest + watched,
    changing: 2 * longest + window + watched,
    bytes: ringBytes + CELL_BYTES * (2 * variables + watched),
    ringBytes,
  };
}

/** Times that a rule's rate and period remember. */
function ringOf({ cadence, safety }: Rule): number {
  return safety ? 0 : (cadence?.rate?.most ?? 0) + (cadence?.period === undefined ? 0 : 1);
}

function rulesIn(lifecycle: Lifecycle, phase: Phase): readonly Rule[] {
  return [...lifecycle.rules, ...phase.rules, ...phase.steps.flatMap((step) => step.rules)];
}

/** Comparisons for one rule: whether it holds here, then what it asks for, once for each of its variables. */
function comparisonsOf({ value, causality, cadence, safety }: Rule, entries: readonly Entry[]): number {
  const measured = (value?.maxStep === undefined ? 0 : 1) + (value?.rampPerS === undefined ? 0 : 2);
  const counted = (cadence?.rate === undefined ? 0 : 1) + (cadence?.period === undefined ? 0 : 1);
  const caused = partsOf(causality?.after) + partsOf(causality?.notWhile);
  const asked = measured + (safety ? 0 : counted + caused);
  return entries.reduce((total, { grant }) => total + 1 + boundsIn(grant.values) + asked, 0);
}

function boundsIn(values: readonly (readonly [number, number])[] | undefined): number {
  return (values ?? []).reduce((total, [low, high]) => total + (low === high ? 1 : 2), 0);
}

/** Each part holds since a time; its age is asked too where the condition names one. */
function partsOf(condition: Condition | undefined): number {
  if (condition === undefined) return 0;
  return condition.all.length * (condition.freshMs === undefined ? 1 : 2) + 1;
}

/** By PLC the different comparisons on its tags, each worked out once in a scan. */
function watchedOn({ plant, lifecycle }: Checked): ReadonlyMap<DeviceId, ReadonlySet<string>> {
  const book = bookOf(plant, lifecycle);
  const found = new Map<DeviceId, Set<string>>();
  for (const { tag: id, test, value, release } of conditionsOf(lifecycle).flatMap(({ all }) => all)) {
    const device = book.tag(id)?.device;
    if (device === undefined) continue;
    const known = found.get(device) ?? new Set<string>();
    found.set(device, known.add(`${id} ${test} ${value} ${release ?? ""}`));
  }
  return found;
}

function conditionsOf(lifecycle: Lifecycle): readonly Condition[] {
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  return [
    ...allRules(lifecycle).flatMap(({ causality }) => [causality?.after ?? [], causality?.notWhile ?? []].flat()),
    ...written.flatMap((phase) => [
      ...phase.steps.flatMap((step) => step.next.flatMap((way) => (way.event === "condition" ? [way.when] : []))),
      ...phase.transitions.flatMap(({ when }) => (when === undefined ? [] : [when])),
    ]),
  ];
}
