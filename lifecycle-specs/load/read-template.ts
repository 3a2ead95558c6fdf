import { type Cursor, quote } from "./cursor.ts";
import { suggest } from "./suggest.ts";
import type { Templates } from "./templates.ts";

/** A template as the file uses it. */
export interface UsedTemplate {
  readonly phases: Cursor;
  /** Phases and groups that count; undefined: all. */
  readonly use: ReadonlySet<string> | undefined;
}

/** `template: packml`, or `template: { name: packml, use: [stopped, …] }` */
export function readTemplate(cursor: Cursor | undefined, templates: Templates): UsedTemplate | undefined {
  if (cursor === undefined) return undefined;
  if (!cursor.isMap) return used(cursor, undefined, templates);
  const fields = cursor.fields("template", ["name", "use"]);
  const name = fields?.need("name");
  return name === undefined ? undefined : used(name, fields?.get("use"), templates);
}

function used(name: Cursor, list: Cursor | undefined, templates: Templates): UsedTemplate | undefined {
  const phases = templates.phases(name.word("template", templates.names));
  if (phases === undefined) return undefined;
  if (list === undefined) return { phases, use: undefined };
  const known = new Set(pathsOf(phases, ""));
  const use = (list.items("use", 1) ?? []).flatMap((item) => {
    const text = item.text("a phase");
    if (text === undefined || known.has(text)) return text ?? [];
    const says = `the template has no phase \`${quote(text)}\`${suggest(text, known)}; its phases are ${[...known].join(", ")}`;
    return item.fail("PHASE_UNKNOWN", says) ?? [];
  });
  return { phases, use: new Set(use) };
}

/** Every phase and group of the template by its path. */
function pathsOf(map: Cursor, path: string): readonly string[] {
  return (map.entries("phases") ?? []).flatMap(({ name, value }) => {
    const nested = value.hasKey("phases")
      ? value.entries("a group")?.find((entry) => entry.name === "phases")
      : undefined;
    return [path + name, ...(nested === undefined ? [] : pathsOf(nested.value, `${path}${name}.`))];
  });
}
