import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { lifecycleSchema } from "./lifecycle.ts";
import { plantSchema } from "./plant.ts";

/** The published files by name, with the text that they must have. */
export function publishedSchemas(): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: join(import.meta.dirname, "plant.schema.json"), text: written(plantSchema()) },
    { path: join(import.meta.dirname, "lifecycle.schema.json"), text: written(lifecycleSchema()) },
  ];
}

const MAX_LINE = 120;

/** Two spaces for each level; a list of words on one line where it fits: as the project formats its JSON. */
function written(schema: object): string {
  return `${lines(schema, "", "")}\n`;
}

function lines(value: unknown, indent: string, before: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const flat = `[${Array.isArray(value) ? value.map((item) => JSON.stringify(item)).join(", ") : ""}]`;
  const isShort = indent.length + before.length + flat.length < MAX_LINE;
  if (Array.isArray(value) && isShort && value.every((item) => typeof item !== "object")) return flat;
  const items = Array.isArray(value)
    ? value.map((item) => inner + lines(item, inner, ""))
    : Object.entries(value).map(([key, item]) => {
        const label = `${JSON.stringify(key)}: `;
        return inner + label + lines(item, inner, label);
      });
  return items.length === 0 ? `${open}${close}` : `${open}\n${items.join(",\n")}\n${indent}${close}`;
}

/** `node lifecycle-specs/schema/publish.ts` writes them. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { path, text } of publishedSchemas()) {
    writeFileSync(path, text);
    process.stdout.write(`${path}: ${readFileSync(path).byteLength} bytes\n`);
  }
}
