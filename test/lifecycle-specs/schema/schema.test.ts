import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type DiagnosticCode, formatDiagnostic } from "#specs/diagnostic.ts";
import { loadPlant, plantNames } from "#specs/load.ts";
import { lifecycleSchema } from "#specs/schema/lifecycle.ts";
import { plantSchema } from "#specs/schema/plant.ts";
import { publishedSchemas } from "#specs/schema/publish.ts";
import { type Fixture, FULL, failed, SMALL } from "../load/mistake.ts";

const PLANTS = join(import.meta.dirname, "../../../lifecycle-specs/plants");
const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true });
const validators = { plant: ajv.compile(plantSchema()), lifecycle: ajv.compile(lifecycleSchema()) };

const shipped = (name: string): Fixture => {
  const read = (file: string) => ({ file, text: readFileSync(join(PLANTS, name, file), "utf8") });
  return { plant: read("plant.yaml"), lifecycle: read("lifecycle.yaml") };
};
const FIXTURES: readonly (readonly [string, Fixture])[] = [
  ["small", SMALL],
  ["full", FULL],
  ...plantNames().map((name) => [name, shipped(name)] as const),
];

test("the published files are what the definitions make", () => {
  const published = publishedSchemas();
  expect(published.map(({ path }) => path)).toHaveLength(2);
  for (const { path, text } of published) {
    expect(readFileSync(path, "utf8"), "run `node lifecycle-specs/schema/publish.ts`").toBe(text);
    expect(JSON.parse(text)).toEqual(
      JSON.parse(JSON.stringify(path.includes("plant") ? plantSchema() : lifecycleSchema())),
    );
  }
});

test("every key has a description for editors", () => {
  const bare: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === "properties" && !path.endsWith("/if"))
        for (const [name, property] of Object.entries(value))
          if (!hasDescription(property)) bare.push(`${path}/${name}`);
      visit(value, `${path}/${key}`);
    }
  };
  const definitions = (schema: object): Readonly<Record<string, unknown>> =>
    Object.getOwnPropertyDescriptor(schema, "definitions")?.value;
  const hasDescription = (property: unknown): boolean => {
    if (typeof property !== "object" || property === null) return false;
    if ("description" in property) return true;
    const name = "$ref" in property ? String(property.$ref).replace("#/definitions/", "") : "";
    return [plantSchema(), lifecycleSchema()].some(
      (schema) => Object.hasOwn(definitions(schema), name) && hasDescription(definitions(schema)[name]),
    );
  };
  visit(plantSchema(), "plant");
  visit(lifecycleSchema(), "lifecycle");
  expect(bare).toEqual([]);
});

describe.each(FIXTURES)("%s", (_name, fixture) => {
  test.each(["plant", "lifecycle"] as const)("its %s fits the schema, and names it for editors", (file) => {
    expect(problem(validators[file], parse(fixture[file].text))).toBeUndefined();
    if (fixture === SMALL) return; // the oldest fixture, used as it was
    expect(fixture[file].text).toMatch(
      new RegExp(`^# yaml-language-server: \\$schema=\\S+/schema/${file}\\.schema\\.json\\n`),
    );
  });
});

/** What a schema can say too; the other codes are about what names and values mean. */
const OF_SHAPE: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  "KEY_UNKNOWN",
  "KEY_MISSING",
  "TYPE_WRONG",
  "LIST_EMPTY",
  "DURATION_INVALID",
  "TRANSITION_EVENT",
]);

/** What loading knows beyond the shape, though it calls it by a code of the shape. */
const BEYOND = [
  "has no tag that can be", // `tags: { device }` of a device without such tags
  "is not a number", // the name of a state, of a tag that has none
];
/** Where a template may have said it, the schema cannot tell. */
const OF_TEMPLATES = ["has no `says`", "has no `initial`"];

describe("schema and reader refuse the same", () => {
  test.each([
    ["small plant", SMALL, "plant", BEYOND],
    ["small lifecycle", SMALL, "lifecycle", BEYOND],
    ["full plant", FULL, "plant", BEYOND],
    ["full lifecycle", FULL, "lifecycle", [...BEYOND, ...OF_TEMPLATES]],
  ] as const)(
    "%s: every key unknown, missing, and of every other type",
    (_name, fixture, file, beyond) => {
      const disagreements: string[] = [];
      const otherFile = file === "plant" ? fixture.lifecycle : fixture.plant;
      const other = { file: otherFile.file, value: parse(otherFile.text) };
      let refused = 0;
      let taken = 0;
      for (const { what, value } of mutations(parse(fixture[file].text))) {
        const bySchema = problem(validators[file], value);
        const mutated = { file, value };
        const found = failed(file === "plant" ? loadPlant(mutated, other) : loadPlant(other, mutated)).filter(
          (diagnostic) => diagnostic.file === file,
        );
        const byReader = found.filter(
          ({ code, message }) => OF_SHAPE.has(code) && !beyond.some((text) => message.includes(text)),
        );
        if (bySchema !== undefined && found.length === 0) disagreements.push(`${what}: only the schema: ${bySchema}`);
        if (bySchema === undefined && byReader.length > 0)
          disagreements.push(`${what}: only the reader: ${byReader.map(formatDiagnostic).join("; ")}`);
        if (bySchema === undefined) taken += 1;
        else refused += 1;
      }
      expect(disagreements).toEqual([]);
      expect(refused).toBeGreaterThan(400);
      expect(taken).toBeGreaterThan(0);
    },
    120_000,
  );
});

interface Mutation {
  readonly what: string;
  readonly value: unknown;
}

/** One change each: an unknown key in every map, every key removed, every value of every other type. */
function* mutations(root: unknown): Generator<Mutation> {
  const seen = new Map<string, number>();
  for (const path of paths(root, [])) {
    const times = (seen.get(shapeOf(path)) ?? 0) + 1;
    seen.set(shapeOf(path), times);
    if (times > MOST_OF_A_SHAPE) continue;
    const value = at(root, path);
    const where = path.join(".");
    if (isMap(value)) yield { what: `${where} + key`, value: changed(root, path, { ...value, "not a key!": 1 }) };
    if (path.length === 0) continue;
    if (typeof path.at(-1) === "string") yield { what: `${where} removed`, value: changed(root, path, undefined) };
    for (const put of [{ a: 1 }, {}, [1], [], "", 1.5, true, null]) {
      if (kindOf(put) === kindOf(value) && !isEmpty(put)) continue;
      yield { what: `${where} = ${JSON.stringify(put)}`, value: changed(root, path, put) };
    }
  }
}

type Path = readonly (string | number)[];

function* paths(value: unknown, path: Path): Generator<Path> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    yield* paths(at(value, [key]), [...path, key]);
  }
}

/** Maps whose keys are names. What stands below different names has one shape; it is tried a few times, not each time. */
const KEYED = new Set(["zones", "devices", "links", "tags", "essential", "raw", "rules", "phases", "steps", "states"]);
const MOST_OF_A_SHAPE = 2;

function shapeOf(path: Path): string {
  return path
    .map((key, index) => (typeof key === "number" || KEYED.has(String(path[index - 1])) ? "*" : key))
    .join(".");
}

function isEmpty(put: unknown): boolean {
  return Array.isArray(put) ? put.length === 0 : isMap(put) && Object.keys(put).length === 0;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((found, key) => Object.getOwnPropertyDescriptor(found, key)?.value, value);
}

/** A copy of the root with another value at the path; parts that are not on the path are shared. */
function changed(root: unknown, path: Path, put: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return put;
  if (Array.isArray(root)) return root.map((item, index) => (index === key ? changed(item, rest, put) : item));
  return { ...Object(root), [key]: changed(at(root, [key]), rest, put) };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function problem(validate: ValidateFunction, value: unknown): string | undefined {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  if (validate(plain)) return undefined;
  return validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`).join("; ") ?? "refused";
}
