import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { checkSpec } from "#specs/check.ts";
import { DIAGNOSTICS, type Diagnostic, formatDiagnostic, MAX_DIAGNOSTICS } from "#specs/diagnostic.ts";
import { MAX_ALIASES, MAX_FILE_BYTES } from "#specs/load/source.ts";
import { loadPlant, loadPlantFolder, plantNames } from "#specs/load.ts";
import { loaded, SMALL_LIFECYCLE, SMALL_PLANT, small } from "./specs.ts";

/**
 * One mistake each: in `file`, `find` is replaced by `put`, in which `¦` marks where the diagnostic must point. A `put` without
 * the mark is not where the mistake shows; the mark then stands in `shows`, a piece of the file as it is.
 */
interface Mistake {
  readonly code: string;
  readonly file: "plant" | "lifecycle";
  readonly find: string;
  readonly put: string;
  readonly shows?: string;
  /** A part of the message, where it must hold more than its code says. */
  readonly says?: string;
}

const MISTAKES: readonly Mistake[] = [
  { code: "YAML_SYNTAX", file: "plant", find: "id: small", put: "id: small\n¦]" },
  { code: "KEY_UNKNOWN", file: "plant", find: "id: small", put: "id: small\n¦titel: x", says: "did you mean `title`?" },
  {
    code: "KEY_UNKNOWN",
    file: "lifecycle",
    find: "mode: monitor",
    put: "¦moed: monitor",
    says: "did you mean `mode`?",
  },
  { code: "KEY_UNKNOWN", file: "lifecycle", find: "max: 10m", put: "¦maximum: 10m" },
  { code: "KEY_MISSING", file: "plant", find: "title: pump command, ", put: "", shows: "PUMP: ¦{ kind: command" },
  { code: "KEY_MISSING", file: "lifecycle", find: "lease: 10s", put: "", shows: "¦plant: small" },
  {
    code: "KEY_MISSING",
    file: "lifecycle",
    find: "    initial: fill\n",
    put: "",
    shows: "    ¦says: The tank is filled, then",
  },
  { code: "KEY_MISSING", file: "lifecycle", find: "{ tag: PUMP, is: 0 }", put: "¦{ tag: PUMP, is: 0, atMost: 1 }" },
  { code: "TYPE_WRONG", file: "plant", find: "title: Tank with pump and heater", put: "title: ¦[a]" },
  { code: "TYPE_WRONG", file: "plant", find: "  works: Works", put: "  ¦- works" },
  { code: "TYPE_WRONG", file: "plant", find: "range: [0, 60]", put: "range: ¦[0, 60, 70]" },
  { code: "TYPE_WRONG", file: "lifecycle", find: "safety: true", put: "safety: ¦1" },
  { code: "TYPE_WRONG", file: "lifecycle", find: "from: [ews-1]", put: "from: ¦ews-1" },
  { code: "TYPE_WRONG", file: "lifecycle", find: "    says: Everything is off.", put: "    ¦says:" },
  { code: "LIST_EMPTY", file: "lifecycle", find: "from: [ews-1]", put: "from: ¦[]" },
  {
    code: "WORD_UNKNOWN",
    file: "plant",
    find: "mode: enforce }\n  hmi-plc2",
    put: "mode: ¦enforced }\n  hmi-plc2",
    says: "did you mean `enforce`?",
  },
  { code: "WORD_UNKNOWN", file: "lifecycle", find: "locus: [hmi], from", put: "locus: [¦hmy], from" },
  { code: "WORD_UNKNOWN", file: "lifecycle", find: "roles: [operator], to: off", put: "roles: [¦operatr], to: off" },
  { code: "NAME_INVALID", file: "plant", find: "  PUMP: {", put: "  ¦1PUMP: {" },
  { code: "NAME_INVALID", file: "plant", find: "  ews-1: {", put: "  ¦program: {" },
  { code: "NAME_INVALID", file: "lifecycle", find: "  off:\n", put: "  ¦o.ff:\n", says: "`phases`" },
  { code: "NAME_INVALID", file: "plant", find: '"ns=1;s=TEMP.SP"', put: "¦TEMP" },
  {
    code: "NUMBER_INVALID",
    file: "plant",
    find: "unit: 1, table: coil, address: 0",
    put: "unit: ¦256, table: coil, address: 0",
  },
  { code: "NUMBER_INVALID", file: "plant", find: "table: coil, address: 1", put: "table: coil, address: ¦65536" },
  { code: "NUMBER_INVALID", file: "lifecycle", find: "count: 2", put: "count: ¦2.5" },
  { code: "DURATION_INVALID", file: "lifecycle", find: "per: 5s", put: "per: ¦5" },
  { code: "DURATION_INVALID", file: "lifecycle", find: "lease: 10s", put: "lease: ¦10 s" },
  { code: "DUPLICATE_ID", file: "plant", find: "  STOP: {", put: "  ¦PUMP: {" },
  { code: "DUPLICATE_ID", file: "lifecycle", find: "sv-flow:", put: "¦run-flow:", says: "line 27" },
  { code: "DUPLICATE_ID", file: "plant", find: "  ews-plc1: { client: ews-1", put: "  ¦ews-plc1: { client: hmi-1" },
  {
    code: "ZONE_UNKNOWN",
    file: "plant",
    find: "role: hmi, zone: works",
    put: "role: hmi, zone: ¦wroks",
    says: "did you mean `works`?",
  },
  {
    code: "DEVICE_UNKNOWN",
    file: "plant",
    find: "kind: command, device: plc-1, range: [0, 1], modbus: { unit: 1, table: coil, address: 1",
    put: "kind: command, device: ¦plc-3, range: [0, 1], modbus: { unit: 1, table: coil, address: 1",
    says: "did you mean",
  },
  { code: "DEVICE_UNKNOWN", file: "lifecycle", find: "to: [plc-2]", put: "to: [¦plc2]", says: "did you mean `plc-2`?" },
  { code: "TAG_UNKNOWN", file: "lifecycle", find: "tags: [STOP]", put: "tags: [¦SOTP]", says: "did you mean `STOP`?" },
  {
    code: "TAG_UNKNOWN",
    file: "lifecycle",
    find: "{ tag: OPEN, is: 1 }], for: 3s",
    put: "{ tag: ¦OPENED, is: 1 }], for: 3s",
  },
  { code: "PHASE_UNKNOWN", file: "lifecycle", find: "initial: off", put: "initial: ¦of", says: "did you mean `off`?" },
  {
    code: "PHASE_UNKNOWN",
    file: "lifecycle",
    find: "isolated: limited.local",
    put: "isolated: ¦limited",
    says: "limited.look, limited.local",
  },
  {
    code: "PHASE_UNKNOWN",
    file: "lifecycle",
    find: "to: service }",
    put: "to: ¦servise }",
    says: "did you mean `service`?",
  },
  { code: "STEP_UNKNOWN", file: "lifecycle", find: "to: keep", put: "to: ¦kep", says: "did you mean `keep`?" },
  { code: "STEP_UNKNOWN", file: "lifecycle", find: "initial: fill", put: "initial: ¦full" },
  {
    code: "RULE_UNKNOWN",
    file: "lifecycle",
    find: "window: [run-flow]",
    put: "window: [¦run-flo]",
    says: "did you mean `run-flow`?",
  },
  { code: "PLANT_MISMATCH", file: "lifecycle", find: "plant: small", put: "plant: ¦big" },
  { code: "ADDRESS_INVALID", file: "plant", find: "[127.10.1.11]", put: "[¦127.10.1.256]" },
  { code: "ADDRESS_TAKEN", file: "plant", find: "[127.10.1.21]", put: "[¦127.10.1.11]" },
  { code: "BINDING_TYPE", file: "plant", find: "address: 1, type: float32", put: "address: 1, type: ¦bool" },
  {
    code: "BINDING_TAKEN",
    file: "plant",
    find: "table: coil, address: 1",
    put: "table: coil, address: 0",
    shows: "STOP: ¦{",
  },
  {
    code: "BINDING_TAKEN",
    file: "plant",
    find: "address: 0, type: uint16, scale: 0.1",
    put: "address: 2, type: uint16, scale: 0.1",
    shows: "TOTAL.SP:\n    ¦title",
  },
  { code: "RANGE_CROSSED", file: "plant", find: "range: [0, 60]", put: "range: ¦[60, 0]" },
  {
    code: "RANGE_CROSSED",
    file: "lifecycle",
    find: "{ min: 5, max: 40, maxStep: 5 }",
    put: "¦{ min: 41, max: 40, maxStep: 5 }",
  },
  { code: "VALUE_OUTSIDE_RANGE", file: "lifecycle", find: "max: 40", put: "max: ¦61", says: "0 to 60 m³/h" },
  { code: "VALUE_OUTSIDE_RANGE", file: "lifecycle", find: "atLeast: 1.2", put: "atLeast: ¦12" },
  { code: "VALUE_OUTSIDE_RANGE", file: "lifecycle", find: "oneOf: [0]", put: "oneOf: [0, ¦101]" },
  {
    code: "VALUE_MISPLACED",
    file: "lifecycle",
    find: "may: read, tags: { device: plc-1 }",
    put: "may: read, tags: { device: plc-1 }, value: ¦{ max: 1 }",
  },
  {
    code: "TAGS_MISPLACED",
    file: "lifecycle",
    find: "may: write, tags: [STOP], safety",
    put: "may: write, safety",
    shows: "stop: ¦{ says: The operator station may stop",
  },
  { code: "TAGS_MISPLACED", file: "lifecycle", find: "to: [plc-2]", put: "to: [plc-2], tags: ¦[TEMP]" },
  {
    code: "TAG_UNBOUND",
    file: "lifecycle",
    find: "may: subscribe, tags: { device: plc-2 }",
    put: "may: subscribe, tags: [¦LEVEL]",
  },
  { code: "TAG_READ_ONLY", file: "lifecycle", find: "tags: [STOP]", put: "tags: [¦LEVEL]" },
  {
    code: "OUTPUT_SOURCE",
    file: "lifecycle",
    find: "from: [program], may: output, tags: [PUMP.OUT], value",
    put: "from: ¦[hmi-1], may: output, tags: [PUMP.OUT], value",
  },
  { code: "OUTPUT_SOURCE", file: "lifecycle", find: "from: [ews-1]", put: "from: ¦[ews-1, program]" },
  { code: "OUTPUT_TAG", file: "lifecycle", find: "tags: [STOP]", put: "tags: [¦PUMP.OUT]" },
  { code: "OUTPUT_TAG", file: "lifecycle", find: "tags: [PUMP.OUT], value", put: "tags: [¦PUMP], value" },
  {
    code: "TRANSITION_EVENT",
    file: "lifecycle",
    find: "{ request: end, roles: [engineer], to: off, when: { all: [{ tag: PUMP, is: 0 }] } }",
    put: "¦{ to: off }",
  },
  {
    code: "TRANSITION_EVENT",
    file: "lifecycle",
    find: "{ request: stop, roles",
    put: "¦{ request: stop, after: 3s, roles",
  },
  { code: "TRANSITION_EVENT", file: "lifecycle", find: "{ request: end, roles", put: "¦{ roles" },
  { code: "YAML_ALIASES", file: "lifecycle", find: "on: *leave", put: "on: ¦*gone" },
  {
    code: "YAML_TOO_DEEP",
    file: "lifecycle",
    find: "  off:\n",
    put: "  a: { says: x, phases: { b: { says: x, phases: { c: { says: x, phases: { d: { says: x, phases: { ¦e: { says: x, phases: { f: { says: x } } } } } } } } } } }\n  off:\n",
  },
];

describe("a mistake is named where it stands", () => {
  test.each(MISTAKES)("%o", ({ code, file, find, put, shows, says }) => {
    const { source, result, offset } = withMistake(file, find, put.replace("¦", ""));
    const at = positionOf(source, shows ?? put, shows === undefined ? offset : 0);
    const diagnostic = result.find(
      (found) => found.code === code && found.line === at.line && found.column === at.column,
    );
    expect(diagnostic, result.map(formatDiagnostic).join("\n")).toMatchObject({ file: `${file}.yaml`, ...at, code });
    expect(diagnostic?.message).toContain(says ?? "");
    expect(diagnostic?.message).toMatch(/^[a-z0-9`\p{Lu}].*[^.]$/u);
  });

  test("exactly: file, line and column of a mistyped phase, as a terminal shows it", () => {
    const { result } = withMistake("lifecycle", "initial: off", "initial: of");
    expect(result.map(formatDiagnostic)).toEqual([
      "lifecycle.yaml:4:10: unknown phase `of` (did you mean `off`?); the phases are off, run, limited.look, limited.local, service [PHASE_UNKNOWN]",
    ]);
  });

  test("several mistakes are named in one run", () => {
    const text = SMALL_LIFECYCLE.text
      .replace("tags: [STOP]", "tags: [SOTP]")
      .replace("to: keep", "to: kep")
      .replace("per: 5s", "per: 5");
    expect(
      diagnosticsOf(SMALL_PLANT.text, text)
        .map(({ code, line }) => `${line} ${code}`)
        .sort(),
    ).toEqual(["12 TAG_UNKNOWN", "27 DURATION_INVALID", "36 STEP_UNKNOWN"]);
  });
});

describe("bounds", () => {
  test("no more diagnostics than the limit", () => {
    const zones = Array.from({ length: MAX_DIAGNOSTICS + 20 }, (_, i) => `  z${i}: [x]`).join("\n");
    expect(diagnosticsOf(`id: x\ntitle: x\nzones:\n${zones}\n`, "")).toHaveLength(MAX_DIAGNOSTICS);
  });

  test("a file of the largest size is read, one byte more is not", () => {
    const padded = (bytes: number) =>
      `${SMALL_PLANT.text}#${"x".repeat(bytes - Buffer.byteLength(SMALL_PLANT.text) - 1)}`;
    expect(loadPlant({ file: "p", text: padded(MAX_FILE_BYTES) }, SMALL_LIFECYCLE).ok).toBe(true);
    expect(diagnosticsOf(padded(MAX_FILE_BYTES + 1), "")).toMatchObject([
      { code: "FILE_TOO_LARGE", line: 1, column: 1 },
    ]);
  });

  test("aliases: as many as the limit, then no more", () => {
    const many = (n: number) =>
      SMALL_PLANT.text.replace(
        "works: Works",
        `works: &w Works\n${Array.from({ length: n }, (_, i) => `  z${i}: *w`).join("\n")}`,
      );
    expect(loadPlant({ file: "p", text: many(MAX_ALIASES) }, SMALL_LIFECYCLE).ok).toBe(true);
    expect(diagnosticsOf(many(MAX_ALIASES + 1), "")).toMatchObject([{ code: "YAML_ALIASES" }]);
  });

  test.each([
    ["opening brackets", "[".repeat(100_000)],
    ["opening braces", "{a: ".repeat(50_000)],
    ["dashes", "- ".repeat(100_000)],
    ["question marks", "? ".repeat(20_000)],
    ["a circle of aliases", "id: &a [*a]\nzones: *a\n"],
    ["many keys", Array.from({ length: 20_000 }, (_, i) => `a${i}: 1`).join("\n")],
    ["an empty file", ""],
    ["a byte-order mark and control characters", "\u{feff}id: \u0000\u0007"],
    ["a tag of YAML", "!!js/function 'x'"],
  ])("%s end in diagnostics", (_name, text) => {
    expect(diagnosticsOf(text, "").length).toBeGreaterThan(0);
  });
});

test("a file cut, doubled or scrambled anywhere ends in a plant or in diagnostics, never in an exception", () => {
  const pieces = [
    "{",
    "]",
    ": ",
    "- ",
    "&a ",
    "*a",
    "? ",
    "!!int ",
    "|\n",
    "'",
    "\t",
    "\u0000",
    "999999999999999999999",
    "~",
  ];
  const place = fc.nat(SMALL_LIFECYCLE.text.length);
  const damage = fc.tuple(fc.boolean(), place, fc.nat(40), fc.constantFrom("", ...pieces));
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
      const texts = [SMALL_PLANT.text, SMALL_LIFECYCLE.text];
      for (const [inPlant, from, length, put] of damages) {
        const text = texts[inPlant ? 0 : 1] ?? "";
        texts[inPlant ? 0 : 1] = text.slice(0, from) + put + text.slice(from + length);
      }
      const [plant = "", lifecycle = ""] = texts;
      const result = loadPlant({ file: "plant.yaml", text: plant }, { file: "lifecycle.yaml", text: lifecycle });
      if (result.ok) {
        checkSpec(result.value);
      } else {
        expect(result.error.length).toBeGreaterThan(0);
        for (const { line, column, message } of result.error) {
          expect(line * column).toBeGreaterThan(0);
          expect(message).not.toMatch(/\n|undefined|\[object/);
        }
      }
    }),
    { numRuns: 300 },
  );
});

describe("files", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-specs-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("an unknown plant name, with the near one", () => {
    expect(failed(loadPlantFolder("water-treatmnt"))).toMatchObject([
      { code: "PLANT_NOT_FOUND", message: expect.stringContaining("did you mean `water-treatment`?") },
    ]);
  });

  test("a folder without lifecycle.yaml", () => {
    writeFileSync(join(folder, "plant.yaml"), SMALL_PLANT.text);
    expect(failed(loadPlantFolder(folder))).toMatchObject([
      { code: "FILE_UNREADABLE", file: join(folder, "lifecycle.yaml"), message: expect.stringContaining("ENOENT") },
    ]);
  });

  test("a folder with both", () => {
    writeFileSync(join(folder, "plant.yaml"), SMALL_PLANT.text);
    writeFileSync(join(folder, "lifecycle.yaml"), SMALL_LIFECYCLE.text);
    expect(loadPlantFolder(folder).ok).toBe(true);
  });
});

describe("what is read", () => {
  test.each(plantNames())("%s loads and checks clean", (name) => {
    expect(checkSpec(loaded(name))).toEqual([]);
  });

  test("tags of a device: for `subscribe` those with a node, for `read` all that are bound, never outputs", () => {
    const { lifecycle } = small();
    const tagsOf = (id: string) => lifecycle.rules.find((rule) => rule.id === id)?.tags;
    expect(tagsOf("hmi-reads")).toEqual(["PUMP", "STOP", "FLOW.SP", "TOTAL.SP", "LEVEL", "OPEN"]);
    expect(tagsOf("hmi-watch")).toEqual(["TEMP.SP", "TEMP"]);
  });

  test("groups give their rules to their phases, and aliases their transitions", () => {
    const { lifecycle } = small();
    const look = lifecycle.phases.find(({ id }) => id === "limited.look");
    const local = lifecycle.phases.find(({ id }) => id === "limited.local");
    expect(look?.rules.map(({ id }) => id)).toEqual(["lim-output"]);
    expect(local?.rules[0]).toBe(look?.rules[0]);
    expect(local?.transitions).toEqual(look?.transitions);
  });

  test("a rule with everything", () => {
    const rule = small()
      .lifecycle.phases.flatMap(({ rules }) => rules)
      .find(({ id }) => id === "run-flow");
    expect(rule).toEqual({
      id: "run-flow",
      says: "The flow may be changed step by step.",
      from: ["hmi-1"],
      operation: "write",
      targets: ["plc-1"],
      tags: ["FLOW.SP"],
      value: { min: 5, max: 40, maxStep: 5 },
      cadence: { most: 2, perMs: 5000 },
      mode: "enforce",
      safety: false,
    });
  });

  test("every event of a transition", () => {
    const { phases } = small().lifecycle;
    const exits = phases.flatMap(({ id, transitions }) => transitions.map((exit) => ({ from: id, ...exit })));
    expect(exits).toContainEqual({
      from: "off",
      event: "operator",
      request: "start",
      roles: ["operator", "engineer"],
      to: "run",
      window: ["run-flow"],
    });
    expect(exits).toContainEqual({
      from: "run",
      event: "condition",
      when: { all: [{ tag: "LEVEL", test: "at-most", value: 0.1 }], forMs: 2000 },
      to: "off",
      window: [],
    });
    expect(exits).toContainEqual({
      from: "limited.local",
      event: "after",
      ms: 3_600_000,
      cleanMs: 10_000,
      to: "off",
      window: [],
    });
  });
});

test("every code that loading can give has a mistake above that provokes it", () => {
  const provoked = new Set([
    ...MISTAKES.map(({ code }) => code),
    "FILE_TOO_LARGE",
    "FILE_UNREADABLE",
    "PLANT_NOT_FOUND",
  ]);
  const ofCheck = Object.keys(DIAGNOSTICS).slice(Object.keys(DIAGNOSTICS).indexOf("PHASE_UNREACHABLE"));
  expect(Object.keys(DIAGNOSTICS).filter((code) => !provoked.has(code) && !ofCheck.includes(code))).toEqual([]);
});

interface Mistaken {
  readonly source: string;
  readonly result: readonly Diagnostic[];
  /** Where the replacement begins. */
  readonly offset: number;
}

function withMistake(file: "plant" | "lifecycle", find: string, put: string): Mistaken {
  const original = file === "plant" ? SMALL_PLANT.text : SMALL_LIFECYCLE.text;
  expect(original, "the fixture has the text to be replaced").toContain(find);
  const source = original.replace(find, () => put);
  const result =
    file === "plant" ? diagnosticsOf(source, SMALL_LIFECYCLE.text) : diagnosticsOf(SMALL_PLANT.text, source);
  return { source, result, offset: original.indexOf(find) };
}

function diagnosticsOf(plant: string, lifecycle: string): readonly Diagnostic[] {
  return failed(loadPlant({ ...SMALL_PLANT, text: plant }, { ...SMALL_LIFECYCLE, text: lifecycle }));
}

function failed(result: ReturnType<typeof loadPlant>): readonly Diagnostic[] {
  return result.ok ? [] : result.error;
}

/** Line and column, from 1, of the `¦` in a piece of the text, which stands at or after `from`. */
function positionOf(text: string, piece: string, from: number): { line: number; column: number } {
  const offset = text.indexOf(piece.replace("¦", ""), from) + piece.indexOf("¦");
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
