import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";

/** What stands in a fixture's files, and what is to stand there instead. */
export type Edit = readonly [from: string, to: string];

/** A plant of `fixtures/`, as it is or with edits. An edit that fits nowhere, or in several places, is a mistake of the test. */
export function variant(fixture: string, edits: readonly Edit[] = []): Loaded {
  const texts = ["plant.yaml", "lifecycle.yaml"].map((file) => ({
    file,
    text: readFileSync(join(import.meta.dirname, "fixtures", fixture, file), "utf8"),
  }));
  for (const [from, to] of edits) {
    const at = texts.filter(({ text }) => text.includes(from));
    const [only] = at;
    if (at.length !== 1 || only === undefined || only.text.split(from).length !== 2)
      throw new Error(`\`${from}\` does not stand exactly once in the fixture ${fixture}`);
    only.text = only.text.replace(from, () => to);
  }
  const [plant, lifecycle] = texts;
  if (plant === undefined || lifecycle === undefined) throw new Error("unreachable: two files");
  const loaded = loadPlant(plant, lifecycle);
  if (!loaded.ok) throw new Error(loaded.error.map(formatDiagnostic).join("\n"));
  return loaded.value;
}
