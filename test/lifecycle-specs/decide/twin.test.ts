import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { commit, decide, type Permitted } from "#specs/decide/decide.ts";
import { createHistory, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Outcome, Position, Verdict } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, PhaseId, TagId } from "#specs/ids.ts";
import type { Operation, Rule } from "#specs/lifecycle.ts";
import type { Loaded } from "#specs/load.ts";
import { allRules } from "#specs/positions.ts";
import { bundleOf, loaded, small } from "../specs.ts";
import { Twin, type TwinVerdict } from "./twin.ts";

/** Decisions compared in a normal run: runs × actions, of which about two thirds decide. */
const RUNS = 160;
const ACTIONS = { minLength: 40, maxLength: 80 };
const LEAST_DECISIONS = 20_000;

type Action =
  | { readonly act: "see"; readonly tag: TagId; readonly value: number }
  | { readonly act: "stand"; readonly permitted: Permitted }
  | { readonly act: "ask"; readonly observation: Observation; readonly outcomes: readonly Outcome[] };
type Timed = Action & { readonly afterMs: number };

const reasons = new Map<string, number>();
let decisions = 0;

describe("decide and its slow twin give the same verdicts", () => {
  const plants: readonly (readonly [string, Loaded])[] = [
    ["small", small()],
    ["water-treatment", loaded("water-treatment")],
  ];
  for (const [name, spec] of plants) {
    for (const layer of ["hmi", "switch", "plc"] as const) {
      test(`${name}, ${layer}`, () => {
        const tables = compile(bundleOf(spec), layer);
        fc.assert(
          fc.property(scenario(spec, layer), (actions) => {
            const history = createHistory(tables);
            const twin = new Twin(spec.plant, spec.lifecycle, layer);
            let permitted: Permitted = { kind: "phase", position: { phase: spec.lifecycle.initial, steps: [] } };
            let nowMs = 0;
            for (const action of actions) {
              nowMs += action.afterMs;
              if (action.act === "see") {
                observeTag(history, action.tag, action.value, nowMs);
                twin.see(action.tag, action.value, nowMs);
              } else if (action.act === "stand") {
                permitted = action.permitted;
              } else {
                const verdict = decide(tables, permitted, action.observation, history, nowMs);
                expect(plain(verdict)).toEqual(twin.decide(permitted, action.observation, nowMs));
                count(verdict);
                for (const outcome of action.outcomes) {
                  commit(history, action.observation, verdict, outcome, nowMs);
                  twin.commit(action.observation, verdict, outcome, nowMs);
                }
              }
            }
          }),
          { numRuns: RUNS },
        );
      });
    }
  }

  afterAll(() => {
    expect(decisions).toBeGreaterThanOrEqual(LEAST_DECISIONS);
    // The random questions are worth little unless they reach every answer.
    const reached = [
      "allow",
      "NO_RULE",
      "PHASE_FORBIDS",
      "STEP_FORBIDS",
      "SOURCE_FORBIDS",
      "VALUE_BELOW",
      "VALUE_ABOVE",
      "VALUE_NOT_LISTED",
      "STEP_TOO_LARGE",
      "STEP_REFERENCE_UNKNOWN",
      "TOO_OFTEN",
      "CAUSE_MISSING",
      "CAUSE_UNKNOWN",
      "WINDOW_FORBIDS",
      "TYPE_MISMATCH",
      "TAG_UNKNOWN",
      "PHASE_UNKNOWN",
      "SOURCE_UNKNOWN",
      "LINK_UNKNOWN",
    ];
    expect(reached.filter((reason) => !reasons.has(reason))).toEqual([]);
    expect(reasons.has("INTERNAL")).toBe(false);
  });
});

function plain(verdict: Verdict): TwinVerdict {
  if (verdict.verdict === "allow") {
    return { verdict: "allow", rules: [verdict.rule, ...(verdict.also ?? [])], safety: verdict.safety };
  }
  const { reason, rule, item, mode } = verdict;
  return { verdict: "deny", reason, rule, item, mode };
}

function count(verdict: Verdict): void {
  const key = verdict.verdict === "allow" ? "allow" : verdict.reason;
  reasons.set(key, (reasons.get(key) ?? 0) + 1);
  decisions += 1;
}

/** Half of the runs wander; half stay with one rule, in its phase and within its bounds, so that they reach its cadence and cause. */
function scenario(spec: Loaded, layer: Layer): fc.Arbitrary<readonly Timed[]> {
  const long = fc.constantFrom(0, 1, 100, 500, 999, 1000, 1001, 3000, 5000, 30_000);
  const wandering = fc.array(timed(action(spec, layer), long), ACTIONS);
  const short = fc.constantFrom(0, 1, 500, 1000, 2500, 3000);
  const staying = fc.constantFrom(...allRules(spec.lifecycle)).chain((rule) => {
    const near = timed(
      fc.oneof({ weight: 3, arbitrary: aroundRule(spec, rule) }, { weight: 1, arbitrary: action(spec, layer) }),
      short,
    );
    return fc.array(near, ACTIONS);
  });
  return fc.oneof(wandering, staying);
}

function timed(action: fc.Arbitrary<Action>, afterMs: fc.Arbitrary<number>): fc.Arbitrary<Timed> {
  return fc.tuple(action, afterMs).map(([done, ms]) => ({ ...done, afterMs: ms }));
}

/** The rule's phase, its tags and what it depends on, at values it allows. */
function aroundRule(spec: Loaded, rule: Rule): fc.Arbitrary<Action> {
  const stand = fc
    .constantFrom(...placesOf(spec, rule))
    .map((position) => ({ act: "stand" as const, permitted: { kind: "phase" as const, position } }));
  const tags = rule.tags.length === 0 ? spec.plant.tags.map(({ id }) => id) : rule.tags;
  const within = (tag: TagId): fc.Arbitrary<number> => {
    const [low, high] = spec.plant.tags.find(({ id }) => id === tag)?.range ?? [0, 1];
    const { min = low, max = high, oneOf, maxStep = max - min } = rule.value ?? {};
    if (oneOf !== undefined) return fc.constantFrom(...oneOf);
    return fc.double({ min: -0.6, max: 0.6, noNaN: true }).map((part) => (min + max) / 2 + part * maxStep);
  };
  const seen = fc
    .constantFrom(...tags)
    .chain((tag) => within(tag).map((value) => ({ act: "see" as const, tag, value })));
  const causes = (rule.causality?.after.all ?? []).map(({ tag, value }) => ({ act: "see" as const, tag, value }));
  const tag = fc.constantFrom(...tags);
  const ask = fc
    .tuple(
      fc.constantFrom(...rule.from),
      tag.chain((id) => within(id).map((value) => ({ tag: id, address: "somewhere", value }))),
    )
    .map(([source, item]) => {
      const target =
        spec.plant.tags.find(({ id }) => id === item.tag)?.device ?? rule.targets[0] ?? DeviceId("nowhere");
      const link = spec.plant.links.find(({ client, server }) => client === source && server === target)?.id;
      const items = rule.tags.length === 0 ? [] : [item];
      const observation: Observation = {
        source,
        sourceAddress: "",
        target,
        link,
        operation: rule.operation,
        message: "a message",
        items,
      };
      return { act: "ask" as const, observation, outcomes: ["forwarded" as const] };
    });
  return fc.oneof(
    { weight: 1, arbitrary: stand },
    { weight: 2, arbitrary: fc.oneof(seen, ...(causes.length === 0 ? [] : [fc.constantFrom(...causes)])) },
    { weight: 8, arbitrary: ask },
  );
}

function placesOf({ lifecycle }: Loaded, rule: Rule): readonly Position[] {
  const found = lifecycle.phases.flatMap((phase): Position[] => [
    ...(phase.rules.includes(rule) ? [{ phase: phase.id, steps: [] }] : []),
    ...phase.steps.filter(({ rules }) => rules.includes(rule)).map(({ id }) => ({ phase: phase.id, steps: [id] })),
  ]);
  return found.length > 0 ? found : lifecycle.phases.map(({ id }) => ({ phase: id, steps: [] }));
}

function action(spec: Loaded, layer: Layer): fc.Arbitrary<Action> {
  const tags = spec.plant.tags.map(({ id }) => id);
  const see = fc
    .constantFrom(...tags)
    .chain((tag) => valueFor(spec, tag).map((value) => ({ act: "see" as const, tag, value })));
  const stand = permittedIn(spec).map((permitted) => ({ act: "stand" as const, permitted }));
  const outcomes = fc.constantFrom<readonly Outcome[]>(
    ["forwarded", "answered-ok"],
    ["forwarded", "answered-error"],
    ["forwarded"],
    ["denied"],
  );
  const ask = fc
    .tuple(observationIn(spec, layer), outcomes)
    .map(([observation, became]) => ({ act: "ask" as const, observation, outcomes: became }));
  return fc.oneof({ weight: 5, arbitrary: see }, { weight: 2, arbitrary: stand }, { weight: 14, arbitrary: ask });
}

/** Values at, just inside and just outside every bound that the lifecycle gives the tag. */
function valueFor(spec: Loaded, tag: TagId): fc.Arbitrary<number> {
  const declared = spec.plant.tags.find(({ id }) => id === tag);
  const rules = allRules(spec.lifecycle).filter((rule) => rule.tags.includes(tag));
  const bounds = rules
    .flatMap(({ value }) => [value?.min, value?.max, ...(value?.oneOf ?? [])])
    .filter((bound) => bound !== undefined);
  const [low, high] = declared?.range ?? [0, 1];
  const all = [low, high, ...bounds];
  const around = all.flatMap((bound) => [bound, bound - 0.01, bound + 0.01, bound + 0.1 + 0.2 - 0.3]);
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...around) },
    { weight: 6, arbitrary: fc.double({ min: low, max: high, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 1e12) },
  );
}

function permittedIn(spec: Loaded): fc.Arbitrary<Permitted> {
  const { phases } = spec.lifecycle;
  const known: fc.Arbitrary<Position> = fc
    .constantFrom(...phases)
    .chain((phase) => fc.subarray(phase.steps.map(({ id }) => id)).map((steps) => ({ phase: phase.id, steps })));
  const position = fc.oneof(
    { weight: 30, arbitrary: known },
    { weight: 1, arbitrary: fc.constant({ phase: PhaseId("nowhere"), steps: [] }) },
  );
  const rules = allRules(spec.lifecycle).map(({ id }) => id);
  return fc.oneof(
    { weight: 8, arbitrary: position.map((at) => ({ kind: "phase" as const, position: at })) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          position,
          position,
          fc.subarray(rules, { maxLength: 4 }),
          fc.constantFrom("both" as const, "either" as const),
        )
        .map(([old, next, window, judgedBy]) => ({ kind: "window" as const, old, new: next, window, judgedBy })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "none" as const }) },
  );
}

/** Mostly what some rule is about, so that the judgement gets past who and what. */
function observationIn(spec: Loaded, layer: Layer): fc.Arbitrary<Observation> {
  const rules = allRules(spec.lifecycle);
  const near = fc.constantFrom(...rules).chain((rule) => {
    const source = fc.constantFrom(...rule.from, ...(layer === "plc" ? [undefined] : []));
    return about(spec, source, fc.constant(rule.operation), rule.tags.length === 0 ? [] : rule.tags, rule.targets);
  });
  const operations: readonly Operation[] = [
    "read",
    "write",
    "call",
    "subscribe",
    "browse",
    "session",
    "program",
    "diagnose",
    "output",
  ];
  const sources = [...spec.plant.devices.map(({ id }) => id), "program" as const, undefined];
  const anything = about(
    spec,
    fc.constantFrom(...sources),
    fc.constantFrom(...operations),
    spec.plant.tags.map(({ id }) => id),
    spec.plant.devices.map(({ id }) => id),
  );
  return fc.oneof({ weight: 8, arbitrary: near }, { weight: 2, arbitrary: anything });
}

function about(
  spec: Loaded,
  source: fc.Arbitrary<Observation["source"]>,
  operation: fc.Arbitrary<Operation>,
  tags: readonly TagId[],
  targets: readonly Observation["target"][],
): fc.Arbitrary<Observation> {
  const ownTag = tags.length === 0 ? fc.constant(undefined) : fc.constantFrom(...tags);
  const anyTag = fc.constantFrom(...spec.plant.tags.map(({ id }) => id), TagId("NOWHERE"), undefined);
  const tag = fc.oneof({ weight: 12, arbitrary: ownTag }, { weight: 1, arbitrary: anyTag });
  const item = tag.chain((id) => {
    const value =
      id === undefined ? fc.constant(undefined) : fc.option(valueFor(spec, id), { nil: undefined, freq: 12 });
    return value.map((given) => ({ tag: id, address: "somewhere", value: given }));
  });
  const items = fc.oneof(
    { weight: 6, arbitrary: fc.array(item, { minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.array(item, { maxLength: 3 }) },
  );
  return fc
    .tuple(source, operation, items, fc.constantFrom(...targets), fc.nat(20))
    .map(([from, what, named, target, luck]) => {
      const device = spec.plant.tags.find(({ id }) => id === named[0]?.tag)?.device ?? target;
      const links = spec.plant.links.filter((link) => link.client === from && link.server === device);
      const link = luck === 0 ? LinkId("nowhere") : links[luck % Math.max(1, links.length)]?.id;
      return {
        source: from,
        sourceAddress: "127.10.1.11:1",
        target: device,
        link,
        operation: what,
        message: "a message",
        items: named,
      };
    });
}
