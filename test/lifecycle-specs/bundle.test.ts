import { describe, expect, test } from "vitest";
import { type Bundle, buildBundle, canonicalBundle, packBundle, relocatePlant, unpackBundle } from "#specs/bundle.ts";
import { PlantId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { openBundle, unsignedBundle } from "#specs/sign.ts";
import { randomPlant } from "../support/random-plant.ts";
import { seededDraw } from "../support/random-plant-draw.ts";
import { randomLifecycle } from "../support/random-plant-lifecycle.ts";
import { LIFECYCLE, PLANT } from "./everything.ts";
import { bundleOf, loaded, small } from "./specs.ts";

const everything = buildBundle(PLANT, LIFECYCLE);
const reopened = (bundle: Bundle) => openBundle(unsignedBundle(bundle), { trusted: [], allowUnsigned: true });

describe("a bundle", () => {
  const bundle = bundleOf(small());
  const text = canonicalBundle(bundle);

  test("of the small plant is, byte for byte, as it was when this was written", async () => {
    expect(canonicalBundle(bundleOf(small()))).toBe(text);
    await expect(text).toMatchFileSnapshot("./fixtures/small/bundle.golden");
  });

  test("the order in which keys were written does not matter", () => {
    const { plant, lifecycle } = small();
    const reversed = JSON.parse(JSON.stringify(lifecycle), (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    );
    expect(buildBundle(plant, reversed).id).toBe(bundle.id);
  });

  test("another lifecycle version, or another address, is another bundle", () => {
    const { plant, lifecycle } = small();
    expect(buildBundle(plant, { ...lifecycle, version: lifecycle.version + 1 }).id).not.toBe(bundle.id);
    const moved = relocatePlant(plant, "127.10.", "127.23.");
    expect(moved.devices.map(({ addresses }) => addresses)).toEqual([
      ["127.23.1.11"],
      ["127.23.1.21"],
      ["127.23.2.1"],
      ["127.0.0.1:21000-21099"],
    ]);
    expect(buildBundle(moved, lifecycle).id).not.toBe(bundle.id);
    expect(relocatePlant(moved, "127.23.", "127.10.")).toEqual(plant);
  });
});

describe("is read back as it was built", () => {
  /** Keys that may be absent, wherever they stand. */
  const OPTIONAL = [
    ...["modbus", "opcua", "states", "safe", "objectId", "arguments", "release", "freshMs", "min", "max", "oneOf"],
    ...["maxStep", "rampPerS", "staleMs", "rate", "period", "after", "notWhile", "follows", "apart", "value"],
    ...["cadence", "causality", "minMs", "maxMs", "initial", "mask", "because", "cleanMs", "ttlMs", "when", "withinMs"],
  ];

  test.each(OPTIONAL)("the plant of everything has `%s` somewhere", (key) => {
    expect(JSON.stringify([PLANT, LIFECYCLE])).toContain(`"${key}":`);
  });

  test("with everything that the types can say", () => {
    expect(reopened(everything)).toEqual({ ok: true, value: everything });
    expect(unpackBundle(packBundle(everything))).toEqual({ ok: true, value: everything });
  });

  test.each(["water-treatment", "boiler"])("%s", (name) => {
    const built = bundleOf(loaded(name));
    expect(reopened(built)).toEqual({ ok: true, value: built });
  });

  test("300 random plants, but for those whose rules refer to a rule that stands nowhere", () => {
    let read = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const draw = seededDraw(seed);
      const plant = randomPlant(draw);
      const built = buildBundle(plant, randomLifecycle(draw, plant));
      const result = reopened(built);
      if (result.ok) {
        read += 1;
        expect(result.value, `seed ${seed}`).toEqual(built);
      } else {
        expect(result.error, `seed ${seed}`).toMatch(/^the bundle names rule `r\d+`, which it does not declare;/);
      }
    }
    expect(read).toBeGreaterThan(100);
  });
});

describe("an unsigned bundle is refused, in one sentence", () => {
  const text = unsignedBundle(everything);
  const open = (given: string) => openBundle(given, { trusted: [], allowUnsigned: true });
  const edit = (find: string | RegExp, put: string): string => {
    expect(text).toMatch(find);
    return text.replace(find, put);
  };
  const built = (change: { plant?: Partial<Plant>; lifecycle?: Partial<Lifecycle> }): string =>
    unsignedBundle(buildBundle({ ...PLANT, ...change.plant }, { ...LIFECYCLE, ...change.lifecycle }));
  const phases = (change: object, id = "works.run") =>
    LIFECYCLE.phases.map((phase) => (phase.id === id ? { ...phase, ...change } : phase));

  test.each([
    { name: "a bound widened", given: edit('"max":40,', '"max":45,'), says: "its content is" },
    { name: "another id", given: edit(/"id":"[0-9a-f]{64}"/, `"id":"${"0".repeat(64)}"`), says: "id is 000000000000…" },
    {
      name: "a flow changed",
      given: edit('"ip":"10.0.0.2"', '"ip":"10.0.0.3"'),
      says: "its projections do not follow",
    },
    { name: "a space", given: edit('"everywhere":[', '"everywhere": ['), says: "is not in canonical form" },
    {
      name: "a key twice",
      given: edit('"everywhere":[', '"everywhere":[],"everywhere":['),
      says: "is not in canonical form",
    },
    {
      name: "an unknown key",
      given: edit('"everywhere":[', '"else":1,"everywhere":['),
      says: "/lifecycle/else has no meaning",
    },
    { name: "a key missing", given: edit(/"leaseMs":\d+,/, ""), says: "/lifecycle/leaseMs is missing" },
    { name: "a wrong word", given: edit('"level":"cut"', '"level":"snip"'), says: "mask/level is none of observe" },
    {
      name: "a wrong event",
      given: edit('"event":"operator"', '"event":"miracle"'),
      says: "event is none of operator",
    },
    { name: "a number too large", given: edit('"unit":1', '"unit":256'), says: "is not a whole number from 0 to 255" },
    { name: "infinity", given: edit('"value":1.2', '"value":1e999'), says: "value is not a finite number" },
    { name: "half a character", given: edit('"title":"Works"', '"title":"\\ud800"'), says: "is not a text of up to" },
    { name: "half a character as a state", given: edit('"execute":6', '"\\ud800":6'), says: "is not a name" },
    { name: "a name that is none", given: edit('"id":"flow"', '"id":"__proto__"'), says: "id is not a name" },
    { name: "a map for a list", given: edit('"zones":[{', '"zones":{"a":[{'), says: "is not JSON" },
    { name: "no JSON", given: edit('"everywhere":', '"everywhere"'), says: "is not JSON" },
    {
      name: "no projections",
      given: edit('"projections":{"flows":{', '"projections":{"floes":{'),
      says: "no projections",
    },
    {
      name: "a rule that is not declared",
      given: edit('"everywhere":["stop"', '"everywhere":["stopp"'),
      says: "names rule `stopp`, which it does not declare",
    },
    {
      name: "a rule declared twice",
      given: edit('"id":"reads"', '"id":"told"'),
      says: "declares rule `told` twice",
    },
    {
      name: "an origin that is none",
      given: edit('"origin":"works.run"', '"origin":"works.ran"'),
      says: "names phase `works.ran` as an origin, which does not stand before",
    },
    {
      name: "a tag that is not declared",
      given: built({ plant: { tags: PLANT.tags.slice(1) } }),
      says: "names tag `PUMP`, which it does not declare",
    },
    {
      name: "a tag declared twice",
      given: built({ plant: { tags: [...PLANT.tags, ...PLANT.tags.slice(0, 1)] } }),
      says: "declares tag `PUMP` twice",
    },
    {
      name: "a raw function that is not declared",
      given: built({ plant: { raw: [] } }),
      says: "names raw function `vendor-clock`",
    },
    {
      name: "a device of no zone",
      given: built({ plant: { zones: PLANT.zones.slice(1) } }),
      says: "names zone `works`",
    },
    {
      name: "a phase that is not declared",
      given: built({ lifecycle: { phases: LIFECYCLE.phases.slice(1) } }),
      says: "names phase `works.off`",
    },
    {
      name: "a zone without a lifecycle",
      given: built({ lifecycle: { regions: LIFECYCLE.regions.slice(1) } }),
      says: "has no lifecycle for zone `works`",
    },
    {
      name: "another plant's lifecycle",
      given: built({ plant: { id: PlantId("works") } }),
      says: "is of plant `works` and has a lifecycle of `everything`",
    },
    {
      name: "a step that is not there",
      given: built({
        lifecycle: {
          phases: phases({ initial: "nowhere" }).filter(({ mask }) => mask === undefined),
          containments: [],
        },
      }),
      says: "names step `nowhere` in phase `works.run`, which does not have it",
    },
  ])("$name: $says", ({ given, says }) => {
    const result = open(given);
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(says) });
    expect(result.ok ? "" : result.error).toMatch(/^the [^\n]{1,300}[^.]$/);
  });
});
