import { describe, expect, test } from "vitest";
import type { Bundle } from "#specs/bundle.ts";
import { buildBundle, canonicalBundle, MAX_BUNDLE_BYTES, readBundle, relocatePlant } from "#specs/bundle.ts";
import { bundleOf, loaded, small } from "./specs.ts";

/** The small plant's bundle as it was when this was written: it changes only with the notation, the projections or the fixture. */
const GOLDEN = "3fc385dd9520e60536dd1ab519f6313d73a3fb062a7ef5999d3b527d683fbade";

const bundle = bundleOf(small());
const text = canonicalBundle(bundle);

describe("a bundle", () => {
  test("the same source gives the same bytes and the same id", () => {
    expect(canonicalBundle(bundleOf(small()))).toBe(text);
    expect(bundle.id).toBe(GOLDEN);
  });

  test("the order in which keys were written does not matter", () => {
    const { plant, lifecycle } = small();
    const reversed: unknown = JSON.parse(JSON.stringify(lifecycle), (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    );
    expect(buildBundle(plant, reversed as typeof lifecycle).id).toBe(bundle.id);
  });

  test.each(["water-treatment"])("%s is read back as it was built", (name) => {
    const built = bundleOf(loaded(name));
    expect(readBundle(canonicalBundle(built))).toEqual({ ok: true, value: built });
  });

  test("another lifecycle version is another bundle", () => {
    const { plant, lifecycle } = small();
    expect(buildBundle(plant, { ...lifecycle, version: lifecycle.version + 1 }).id).not.toBe(bundle.id);
  });
});

describe("a bundle that is refused, in one sentence", () => {
  const edit = (change: (value: Record<string, unknown>) => void): string => {
    const value: Record<string, unknown> = JSON.parse(text);
    change(value);
    return JSON.stringify(value);
  };
  const rebuilt = (
    change: (spec: { plant: Bundle["plant"]; lifecycle: Bundle["lifecycle"] }) => Partial<Bundle>,
  ): string => {
    const { plant, lifecycle } = { ...small(), ...change(small()) };
    return canonicalBundle(buildBundle(plant, lifecycle));
  };

  test.each([
    { name: "not JSON", given: "{", says: "is not JSON" },
    { name: "not an object", given: "7", says: "schema is `undefined`" },
    { name: "null", given: "null", says: "schema is `undefined`" },
    {
      name: "a later schema",
      given: edit((value) => (value["schema"] = "sekisho-bundle/2")),
      says: "schema is `sekisho-bundle/2`",
    },
    { name: "a bound widened", given: text.replace('"max":40,', '"max":60,'), says: "its content is" },
    {
      name: "another id",
      given: edit((value) => (value["id"] = "0".repeat(64))),
      says: "the bundle's id is 000000000000…",
    },
    {
      name: "a projection changed",
      given: edit((value) => (value["projections"] = { hmi: {}, switch: {}, plc: {} })),
      says: "projections do not follow",
    },
    {
      name: "an unknown key",
      given: edit((value) => (value["extra"] = 1)),
      says: "must NOT have additional properties",
    },
    {
      name: "a key missing",
      given: edit((value) => delete value["plant"]),
      says: "must have required property 'plant'",
    },
    {
      name: "a phase that is not declared",
      given: rebuilt(({ lifecycle }) => ({ lifecycle: { ...lifecycle, phases: lifecycle.phases.slice(1) } })),
      says: "names phase `off`, which it does not declare",
    },
    {
      name: "a tag that is not declared",
      given: rebuilt(({ plant }) => ({ plant: { ...plant, tags: plant.tags.slice(1) } })),
      says: "names tag `PUMP`",
    },
    {
      name: "a rule declared twice with other bounds",
      given: rebuilt(({ lifecycle }) => ({
        lifecycle: {
          ...lifecycle,
          rules: [...lifecycle.rules, ...lifecycle.rules.slice(0, 1).map((rule) => ({ ...rule, says: "x" }))],
        },
      })),
      says: "declares rule `hmi-reads` twice",
    },
    {
      name: "a tag declared twice",
      given: rebuilt(({ plant }) => ({ plant: { ...plant, tags: [...plant.tags, ...plant.tags.slice(0, 1)] } })),
      says: "declares tag `PUMP` twice",
    },
  ])("$name: $says", ({ given, says }) => {
    const result = readBundle(given);
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(says) });
    expect(result.ok ? "" : result.error).toMatch(/^[^\n]{1,300}[^.]$/);
  });

  test("larger than the limit", () => {
    expect(readBundle(" ".repeat(MAX_BUNDLE_BYTES + 1))).toMatchObject({
      ok: false,
      error: expect.stringContaining("more than 67108864"),
    });
  });
});

test("a relocated plant has its devices elsewhere and is another bundle", () => {
  const { plant, lifecycle } = small();
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
