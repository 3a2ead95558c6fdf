import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { openBundle, signBundle, unsignedBundle } from "#specs/sign.ts";
import { LIFECYCLE, PLANT } from "./everything.ts";
import { newKey } from "./keys.ts";

const key = newKey();
const bundle = buildBundle(PLANT, LIFECYCLE);
const signed = signBundle(bundle, key.secret);
const unsigned = unsignedBundle(bundle);

type Options = Parameters<typeof openBundle>[1];
/** The two ways in which bundles are opened: by signature, and without. */
const BY_KEY: Options = { trusted: [key.open] };
const UNSIGNED: Options = { trusted: [], allowUnsigned: true };

/** Whatever is given: an answer, which is a bundle or one sentence. Nothing but the two texts themselves is a bundle. */
function answer(given: string | Uint8Array, ...ways: readonly Options[]): string {
  for (const options of ways.length === 0 ? [BY_KEY, UNSIGNED] : ways) {
    const result = openBundle(given, options);
    if (result.ok) return "bundle";
    if (!/^the [^\n]{1,400}$/.test(result.error)) return `not a sentence: ${result.error}`;
  }
  return "refused";
}

describe("nothing that is not a bundle is one, and nothing throws", () => {
  test("any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => answer(bytes) === "refused"),
      { numRuns: 1000, seed: 21 },
    );
  });

  test("any text in the frame of a bundle", () => {
    const end = ',"schema":"sekisho-bundle/2"}';
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), fc.boolean(), (text, isSigned) => {
        const payload = `{${text},"projections":{"flows":{}}${end}`;
        return answer(`{"bundle":${payload}${isSigned ? ',"signature":"e30..AAAA"' : ""}}`) === "refused";
      }),
      { numRuns: 1000, seed: 22 },
    );
  });

  test("any JSON as plant or lifecycle", () => {
    const json = fc.json({ maxDepth: 4 });
    fc.assert(
      fc.property(json, json, fc.boolean(), (plant, lifecycle, sparePlant) => {
        const spare = JSON.stringify(PLANT);
        const payload = `{"id":"${bundle.id}","lifecycle":${lifecycle},"plant":${sparePlant ? spare : plant},"projections":{"flows":{}},"schema":"sekisho-bundle/2"}`;
        return answer(`{"bundle":${payload}}`) === "refused";
      }),
      { numRuns: 1000, seed: 23 },
    );
  });

  test.each([
    { name: "signed", text: signed, by: BY_KEY },
    { name: "unsigned", text: unsigned, by: UNSIGNED },
  ])("the $name file with a stretch replaced by another of its stretches", ({ text, by }) => {
    const place = fc.nat({ max: text.length - 1 });
    fc.assert(
      fc.property(place, place, fc.nat({ max: 60 }), fc.nat({ max: 60 }), (at, from, gone, put) => {
        const changed = text.slice(0, at) + text.slice(from, from + put) + text.slice(at + gone);
        expect(answer(changed, by)).toBe(changed === text ? "bundle" : "refused");
      }),
      { numRuns: 600, seed: 24 },
    );
  });

  test("a value of the content exchanged for another kind", () => {
    const strange = fc.constantFrom(
      "null",
      "true",
      "-1",
      "1e999",
      '""',
      "[]",
      "{}",
      '"\\ud800"',
      '{"__proto__":{}}',
      '"toString"',
    );
    const values = [...unsigned.matchAll(/:("[^"]*"|-?[\d.]+|true|false)(?=[,}])/g)];
    fc.assert(
      fc.property(fc.nat({ max: values.length - 1 }), strange, (n, put) => {
        const found = values[n];
        if (found === undefined) return true;
        const at = found.index + 1;
        const changed = unsigned.slice(0, at) + put + unsigned.slice(at + found[0].length - 1);
        return changed === unsigned || answer(changed, UNSIGNED) === "refused";
      }),
      { numRuns: 300, seed: 25 },
    );
  });

  test("lists and maps nested a million deep", () => {
    for (const [begin, end] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const deep = begin.repeat(1_000_000) + (end === "}" ? "1" : "") + end.repeat(1_000_000);
      const payload = `{"id":"${bundle.id}","lifecycle":${deep},"plant":{},"projections":{"flows":{}},"schema":"sekisho-bundle/2"}`;
      expect(answer(`{"bundle":${payload}}`)).toBe("refused");
    }
  });
});
