import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Diagnostic, formatDiagnostic, MAX_DIAGNOSTICS } from "#specs/diagnostic.ts";
import { DiagnosticList, MAX_ALIASES } from "#specs/load/source.ts";
import { MAX_FILE_BYTES, MAX_PIECES, parseText } from "#specs/load/text.ts";
import { loadPlant } from "#specs/load.ts";
import { diagnosticsOf, type Fixture, FULL, failed, SMALL } from "./mistake.ts";

describe("bounds", () => {
  test("no more diagnostics than the limit", () => {
    const zones = Array.from({ length: MAX_DIAGNOSTICS + 20 }, (_, i) => `  z${i}: [x]`).join("\n");
    expect(diagnosticsOf(SMALL, { plant: `id: x\ntitle: x\nzones:\n${zones}\n` })).toHaveLength(MAX_DIAGNOSTICS);
  });

  test("a text of the largest size is read, one byte more is not", () => {
    const padded = (bytes: number) => `${SMALL.plant.text}#`.padEnd(bytes - twoByteLetters(SMALL.plant.text), "x");
    expect(Buffer.byteLength(padded(MAX_FILE_BYTES))).toBe(MAX_FILE_BYTES);
    expect(diagnosticsOf(SMALL, { plant: padded(MAX_FILE_BYTES) })).toEqual([]);
    expect(diagnosticsOf(SMALL, { plant: padded(MAX_FILE_BYTES + 1) })).toMatchObject([
      { code: "FILE_TOO_LARGE", line: 1, column: 1 },
    ]);
  });

  test("aliases: as many as the limit, then no more", () => {
    const many = (n: number) =>
      SMALL.plant.text
        .replace("title: pump command,", "title: &t pump command,")
        .replace(
          "\nessential:",
          `\n${Array.from({ length: n }, (_, i) => `  X${i}: { title: *t, kind: output, device: plc-1, range: [0, 1] }`).join("\n")}\nessential:`,
        );
    expect(diagnosticsOf(SMALL, { plant: many(MAX_ALIASES) })).toEqual([]);
    expect(diagnosticsOf(SMALL, { plant: many(MAX_ALIASES + 1) })).toMatchObject([
      { code: "YAML_ALIASES", message: expect.stringContaining(`more than ${MAX_ALIASES}`) },
    ]);
  });

  test("pieces: as many words and signs as the limit, then no more", () => {
    const diagnostics = new DiagnosticList();
    expect(parseText("p", "[a,a]", diagnostics, 8)).toBeDefined(); // with the marks of the document's begin and end
    expect(diagnostics.list).toEqual([]);
    expect(parseText("p", "[a,a]", diagnostics, 7)).toBeUndefined();
    expect(diagnostics.list).toMatchObject([
      { code: "FILE_TOO_LARGE", line: 1, column: 1, message: expect.stringContaining("more than 7 words") },
    ]);
    expect(MAX_PIECES).toBeLessThanOrEqual(MAX_FILE_BYTES / 8);
  });

  test("ten thousand rules are read in a few seconds", () => {
    const rules = Array.from(
      { length: 10_000 },
      (_, i) =>
        `      x${i}: { says: The flow may be set., from: [hmi-1], may: write, tags: [FLOW.SP], value: { min: 5, max: 40, maxStep: 5 }, most: { count: 2, per: 5s }, after: { all: [{ tag: OPEN, is: 1 }], for: 3s } }`,
    ).join("\n");
    const lifecycle = SMALL.lifecycle.text.replace("      run-output:", `${rules}\n      run-output:`);
    const start = performance.now();
    expect(diagnosticsOf(SMALL, { lifecycle })).toEqual([]);
    expect(performance.now() - start).toBeLessThan(20_000);
  }, 60_000);

  test("a thousand names that are nearly right are answered soon", () => {
    const tags = Array.from({ length: 2000 }, (_, i) => `TAG${i}X`).join(", ");
    const start = performance.now();
    const lifecycle = SMALL.lifecycle.text.replace("tags: [STOP]", `tags: [${tags}]`);
    expect(diagnosticsOf(SMALL, { lifecycle })).toHaveLength(MAX_DIAGNOSTICS);
    expect(performance.now() - start).toBeLessThan(10_000);
  }, 60_000);
});

describe("texts that are no plant end in diagnostics", () => {
  const levels = 10_000;
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 20; i += 1) {
    const [name, before] = ["abcdefghijklmnopqrst"[i], "abcdefghijklmnopqrst"[i - 1]];
    bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`);
  }

  test.each([
    ["an empty file", ""],
    ["blanks", " \n\t\n "],
    ["a comment", "# nothing"],
    ["null", "~"],
    ["a word", "plant"],
    ["a list", "- id: x"],
    ["two documents", `${SMALL.plant.text}---\nid: x\n`],
    ["opening brackets", "[".repeat(levels)],
    ["brackets in a value", `id: ${"[".repeat(levels)}${"]".repeat(levels)}`],
    ["brackets where a map is expected", `devices: ${"[".repeat(levels)}${"]".repeat(levels)}`],
    ["opening braces", "{a: ".repeat(levels)],
    ["maps within maps", `${"{a: ".repeat(levels)}1${"}".repeat(levels)}`],
    ["dashes", `${"- ".repeat(levels)}x`],
    ["indented maps", Array.from({ length: 2000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["question marks", "? ".repeat(levels)],
    ["an alias bomb", bomb.join("\n")],
    ["a circle of aliases", "id: &a [*a]\nzones: *a\n"],
    ["a map that holds itself", "&a\nid: x\nzones: *a\n"],
    ["an alias before its anchor", "id: *a\ntitle: &a x\n"],
    ["a merge key", "<<: { id: x }\n"],
    ["many keys", Array.from({ length: 20_000 }, (_, i) => `a${i}: 1`).join("\n")],
    ["one key many times", "id: x\n".repeat(20_000)],
    ["keys that are maps", "{ { a: b }: c, [d]: e }"],
    ["keys that are numbers", "1: x\n2: y\n"],
    ["control characters", "id: \u0000\u0007"],
    ["a tag of YAML", "!!js/function 'x'"],
    ["an unknown tag on a value", "id: !thing x"],
    ["a directive", "%YAML 9.9\n---\nid: x"],
    ["numbers beyond all bounds", "id: 1e999\ntitle: 99999999999999999999999999"],
    ["the names of what all objects have", "__proto__: x\nconstructor: y\nhasOwnProperty: z\ntoString: w"],
    ["a long word", "x".repeat(1_000_000)],
  ])("%s", (_name, text) => {
    for (const file of ["plant", "lifecycle"] as const) {
      const found = diagnosticsOf(SMALL, { [file]: text });
      expect(found.length).toBeGreaterThan(0);
      for (const diagnostic of found) expectInside(diagnostic, `${file}.yaml`, text);
    }
  });
});

/** Every place of every fixture gets every type: a map, a list, a text, a number, a truth value, nothing, an alias. */
describe("a wrong type at any place ends in a plant or in diagnostics that stand in the file", () => {
  const puts = [
    "{}",
    "{ a: 1 }",
    "[]",
    "[1, [x]]",
    '""',
    "word",
    "-1",
    "1.5",
    "1e300",
    ".nan",
    "true",
    "~",
    "*nowhere",
  ];

  test.each([
    ["small", SMALL, "plant"],
    ["small", SMALL, "lifecycle"],
    ["full", FULL, "plant"],
    ["full", FULL, "lifecycle"],
  ] as const)(
    "%s",
    (_name, fixture, file) => {
      const { text } = fixture[file];
      const places = [...text.matchAll(/(?<=: )(?:\[[^[\]{}]*\]|\{[^[\]{}]*\}|[^\s,{}[\]#]+)/g)].map((match) => match);
      let refused = 0;
      for (const [index, match] of places.entries()) {
        const put = puts[index % puts.length] ?? "";
        const changed = text.slice(0, match.index) + put + text.slice(match.index + match[0].length);
        const found = diagnosticsOf(fixture, { [file]: changed });
        for (const diagnostic of found) {
          const other = file === "plant" ? fixture.lifecycle : fixture.plant;
          expectInside(diagnostic, diagnostic.file, diagnostic.file === `${file}.yaml` ? changed : other.text);
        }
        refused += found.length > 0 ? 1 : 0;
      }
      expect(places.length).toBeGreaterThan(70);
      expect(refused).toBeGreaterThan(places.length * 0.8);
    },
    60_000,
  );
});

test("a file cut, doubled or scrambled anywhere ends in a plant or in diagnostics, never in an exception", () => {
  const pieces = [
    ...["{", "}", "[", "]", ": ", ", ", "- ", "&a ", "*a", "? ", "!!int ", "|\n", "'", '"', "\t", "\n", "\n\n  "],
    ...["\u0000", "\u{1f4a5}", "\u2028", "999999999999999999999", "~", "zones:", "phases:", "{ device: plc-1 }", "<<"],
  ];
  const damage = fc.tuple(
    fc.boolean(),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(60),
    fc.constantFrom("", ...pieces),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(damage, { minLength: 1, maxLength: 4 }), (inSmall, damages) => {
      const fixture: Fixture = inSmall ? SMALL : FULL;
      const texts = { plant: fixture.plant.text, lifecycle: fixture.lifecycle.text };
      for (const [inPlant, at, length, put] of damages) {
        const file = inPlant ? "plant" : "lifecycle";
        const from = Math.floor(at * texts[file].length);
        texts[file] = texts[file].slice(0, from) + put + texts[file].slice(from + length);
      }
      const found = failed(
        loadPlant({ file: "plant.yaml", text: texts.plant }, { file: "lifecycle.yaml", text: texts.lifecycle }),
      );
      for (const diagnostic of found) {
        expectInside(diagnostic, diagnostic.file, diagnostic.file === "plant.yaml" ? texts.plant : texts.lifecycle);
      }
    }),
    {
      numRuns: 200,
      // The parser misses a line of this one.
      examples: [
        [
          true,
          [
            [true, 0.35419501133786846, 0, "!!int "],
            [true, 0, 27, "*a"],
          ],
        ],
      ],
    },
  );
}, 60_000);

function expectInside(diagnostic: Diagnostic, file: string, text: string): void {
  const says = formatDiagnostic(diagnostic);
  expect(diagnostic.file, says).toBe(file);
  const lines = text.split("\n");
  expect(diagnostic.line, says).toBeGreaterThan(0);
  expect(diagnostic.line, says).toBeLessThanOrEqual(lines.length);
  expect(diagnostic.column, says).toBeGreaterThan(0);
  expect(diagnostic.column, says).toBeLessThanOrEqual((lines[diagnostic.line - 1]?.length ?? 0) + 1);
  // The first state of PackML is called `undefined`.
  expect(diagnostic.message.replace("its states are undefined,", "")).not.toMatch(/\n|undefined|\[object|NaN at/);
  expect(diagnostic.message.length).toBeLessThan(2000);
}

function twoByteLetters(text: string): number {
  return Buffer.byteLength(text) - text.length;
}
