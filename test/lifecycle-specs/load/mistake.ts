import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Diagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlant, type SourceText } from "#specs/load.ts";
import type { Result } from "#specs/result.ts";

/**
 * One mistake each: in `file`, `find` is replaced by `put`, in which `¦` marks where the diagnostic must point. A `put` without
 * the mark is not where the mistake shows; the mark then stands in `shows`, a piece of the file as it is.
 */
export interface Mistake {
  readonly code: string;
  readonly file: "plant" | "lifecycle";
  readonly find: string;
  readonly put: string;
  readonly shows?: string;
  /** A part of the message, where it must hold more than its code says. */
  readonly says?: string;
}

/** The two files of a plant under `fixtures/`. */
export interface Fixture {
  readonly plant: SourceText;
  readonly lifecycle: SourceText;
}

const read = (name: string, file: string): SourceText => ({
  file,
  text: readFileSync(join(import.meta.dirname, "../fixtures", name, file), "utf8"),
});

/** A tank with a pump and a heater, of one zone. */
export const SMALL: Fixture = { plant: read("small", "plant.yaml"), lifecycle: read("small", "lifecycle.yaml") };
/** Two zones, and every key of the notation. */
export const FULL: Fixture = { plant: read("full", "plant.yaml"), lifecycle: read("full", "lifecycle.yaml") };

export interface Mistaken {
  readonly source: string;
  readonly result: readonly Diagnostic[];
  /** Where the replacement begins. */
  readonly offset: number;
}

export function withMistake(fixture: Fixture, { file, find, put }: Pick<Mistake, "file" | "find" | "put">): Mistaken {
  const original = fixture[file].text;
  expect(original, "the fixture has the text to be replaced").toContain(find);
  const source = original.replace(find, () => put.replace("¦", ""));
  return { source, result: diagnosticsOf(fixture, { [file]: source }), offset: original.indexOf(find) };
}

/** What loading says of a fixture with one of its files, or both, replaced. */
export function diagnosticsOf(
  fixture: Fixture,
  texts: { readonly plant?: string; readonly lifecycle?: string },
): readonly Diagnostic[] {
  const plant = { ...fixture.plant, text: texts.plant ?? fixture.plant.text };
  const lifecycle = { ...fixture.lifecycle, text: texts.lifecycle ?? fixture.lifecycle.text };
  return failed(loadPlant(plant, lifecycle));
}

/** The diagnostics of a result; none where it is a plant. */
export function failed(result: Result<Loaded, readonly Diagnostic[]>): readonly Diagnostic[] {
  return result.ok ? [] : result.error;
}

/** Line and column, from 1, of the `¦` in a piece of the text, which stands at or after `from`. */
export function positionOf(text: string, piece: string, from: number): { line: number; column: number } {
  const offset = text.indexOf(piece.replace("¦", ""), from) + piece.indexOf("¦");
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
