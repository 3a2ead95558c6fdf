import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Location } from "../diagnostic.ts";
import { StepId } from "../ids.ts";
import type { Cursor, Fields } from "./cursor.ts";
import { shownPath } from "./files.ts";
import { readById } from "./read-by-id.ts";
import { type Dialects, readNumbers } from "./read-states.ts";
import type { DiagnosticList } from "./source.ts";
import { openParsed, type Parsed, parseText } from "./text.ts";

export const TEMPLATES = join(import.meta.dirname, "..", "templates");
const KEYS = ["title", "dialects", "phases"];

/** The templates that come with the product, read when they are asked for. Each is YAML in the notation of lifecycles. */
export class Templates {
  readonly #diagnostics: DiagnosticList;
  readonly #locations: Map<string, Location>;
  readonly #opened = new Map<string, Fields | undefined>();
  #dialects: Dialects | undefined;

  constructor(diagnostics: DiagnosticList, locations: Map<string, Location>) {
    this.#diagnostics = diagnostics;
    this.#locations = locations;
  }

  get names(): readonly string[] {
    return templateNames();
  }

  /** The numbers of states that any template declares, by the name of the dialect. */
  get dialects(): Dialects {
    this.#dialects ??= new Map(
      this.names.flatMap((name) => {
        const map = this.#open(name)?.get("dialects");
        return readById(map, "dialects", StepId, (id, value) => {
          const states = readNumbers(value);
          return states === undefined ? undefined : ([id, states] as const);
        });
      }),
    );
    return this.#dialects;
  }

  /** The map of a template's phases. */
  phases(name: string | undefined): Cursor | undefined {
    return name === undefined ? undefined : this.#open(name)?.need("phases");
  }

  #open(name: string): Fields | undefined {
    if (this.#opened.has(name)) return this.#opened.get(name);
    const parsed = parsedTemplate(name, this.#diagnostics);
    const root = parsed === undefined ? undefined : openParsed(parsed, this.#diagnostics, this.#locations);
    const fields = root?.fields("a template", KEYS);
    this.#opened.set(name, fields);
    return fields;
  }
}

/** Templates do not change while a process runs, and many plants may be loaded in one. */
const parsedTemplates = new Map<string, Parsed>();

function parsedTemplate(name: string, diagnostics: DiagnosticList): Parsed | undefined {
  const known = parsedTemplates.get(name);
  if (known !== undefined) return known;
  const file = join(TEMPLATES, `${name}.yaml`);
  const parsed = parseText(shownPath(file), readFileSync(file, "utf8"), diagnostics);
  if (parsed !== undefined) parsedTemplates.set(name, parsed);
  return parsed;
}

let names: readonly string[] | undefined;

/** `continuous`, `isa-88`, `packml`. */
export function templateNames(): readonly string[] {
  names ??= readdirSync(TEMPLATES)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();
  return names;
}
