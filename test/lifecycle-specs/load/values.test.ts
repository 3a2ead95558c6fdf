import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { loadPlant } from "#specs/load.ts";
import { FULL, failed, SMALL } from "./mistake.ts";

/** What a value in the place of the plant is called wrong for. */
function said(value: unknown): readonly string[] {
  return failed(loadPlant({ file: "plant.ts", value }, SMALL.lifecycle)).map(formatDiagnostic);
}

describe("values that are no plain data", () => {
  const circle: Record<string, unknown> = { id: "x" };
  circle["zones"] = { a: { b: circle } };
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i += 1) deep = [deep];
  const trap = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error("closed");
      },
    },
  );

  test.each([
    ["a function", { zones: { a: () => 1 } }, "zones.a: a function stands where"],
    ["a bigint", { id: 1n }, "id: a bigint stands where"],
    ["a symbol", [Symbol("x")], "[0]: a symbol stands where"],
    ["nothing", undefined, "plant.ts: a undefined stands where"],
    ["a date", { a: [1, new Date(0)] }, "a[1]: an object of a class stands where"],
    ["a map", { zones: new Map() }, "zones: an object of a class stands where"],
    ["a circle", circle, "zones.a.b: the value contains itself"],
    ["10,000 levels", { a: deep }, "the value is nested more than 64 deep"],
    ["a proxy that throws", { zones: trap }, "the value cannot be looked through"],
  ])("%s", (_name, value, says) => {
    const [first, ...more] = said(value);
    expect(more).toEqual([]);
    expect(first).toContain(says);
    expect(first).toMatch(/^plant\.ts: .* \[VALUE_NOT_DATA\]$/);
  });

  test.each([
    ["a text", "plant", "plant.ts: the plant is not a map [TYPE_WRONG]"],
    ["null", null, "plant.ts: the plant is not a map [TYPE_WRONG]"],
    ["a list", [], "plant.ts: the plant is not a map [TYPE_WRONG]"],
  ])("%s is data, but no plant", (_name, value, says) => expect(said(value)).toEqual([says]));

  test("numbers that JSON has no word for are outside every range", () => {
    expect(said({ ...parse(SMALL.plant.text), essential: { x: { says: "x", tags: [Number.NaN] } } })).toHaveLength(1);
  });
});

test("keys whose value is undefined are left out, as JSON leaves them out", () => {
  const value = { ...parse(SMALL.plant.text), essential: undefined, raw: undefined };
  expect(said(value)).toEqual([]);
});

test("an object that stands in two places is one rule, as an alias is", () => {
  const value = parse(SMALL.lifecycle.text);
  const shared = { "lim-more": { says: "The flow may go on.", from: ["hmi-1"], may: "write", tags: ["FLOW.SP"] } };
  value.phases.limited.phases.look.rules = shared;
  value.phases.limited.phases.local.rules = shared;
  const result = loadPlant(SMALL.plant, { file: "lifecycle.ts", value });
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  const [look, local] = ["limited.look", "limited.local"].map((id) =>
    result.value.lifecycle.phases.find((phase) => phase.id === id)?.rules.at(-1),
  );
  expect(look?.id).toBe("lim-more");
  expect(local).toBe(look);
  expect(result.value.locate("rule:lim-more")).toMatchObject({ path: "phases.limited.phases.look.rules.lim-more" });

  value.phases.limited.phases.local.rules = structuredClone(shared);
  expect(failed(loadPlant(SMALL.plant, { file: "lifecycle.ts", value })).map(formatDiagnostic)).toEqual([
    "lifecycle.ts: phases.limited.phases.local.rules.lim-more: rule `lim-more` is declared at `phases.limited.phases.look.rules.lim-more` already; rename one of the two [DUPLICATE_ID]",
  ]);
});

test("the value of a YAML file is the same plant", () => {
  const [byText, byValue] = [
    loadPlant(FULL.plant, FULL.lifecycle),
    loadPlant(
      { file: "plant.ts", value: parse(FULL.plant.text) },
      { file: "lifecycle.ts", value: parse(FULL.lifecycle.text) },
    ),
  ];
  if (!byText.ok || !byValue.ok) throw new Error("one of the two does not load");
  expect(byValue.value.lifecycle).toEqual(byText.value.lifecycle);
  expect(byValue.value.plant).toEqual(byText.value.plant);
});
