import type { Lifecycle } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { printable } from "../words.ts";
import type { Arrow } from "./arrows.ts";
import { type Box, everyBox } from "./boxes.ts";
import { type PictureOptions, pictureOf } from "./picture.ts";
import { type Whitelist, whitelistsOf } from "./whitelists.ts";

/**
 * The machine as Mermaid text (`stateDiagram-v2`): steps within phases, zones as parallel regions, and beside each state its
 * whitelist as a note. Groups are told in the titles, because Mermaid has no transitions between states within different states.
 *
 * @see https://mermaid.js.org/syntax/stateDiagram.html#composite-states
 */
export function mermaidOf(plant: Plant, lifecycle: Lifecycle, options: PictureOptions = {}): string {
  const picture = pictureOf(plant, lifecycle, { ...options, flat: true });
  const names = namesOf(picture.boxes);
  const lists = whitelistsOf(plant, lifecycle, options);
  const writer = new Writer(names, picture.arrows, notesOf(lists));
  const several = picture.boxes.some(({ kind }) => kind === "zone");
  return `${[
    "---",
    // The front matter is YAML, and a JSON string is a YAML string.
    `title: ${JSON.stringify(printable(`Lifecycle of ${picture.title}`))}`,
    "---",
    "stateDiagram-v2",
    "  direction TB",
    ...(several ? writer.regions(picture.title, picture.boxes) : writer.inside(picture.boxes, 1)),
    ...writer.everywhere(lists),
  ].join("\n")}\n`;
}

class Writer {
  readonly #names: ReadonlyMap<string, string>;
  readonly #arrows: readonly Arrow[];
  readonly #notes: ReadonlyMap<string, readonly string[]>;

  constructor(
    names: ReadonlyMap<string, string>,
    arrows: readonly Arrow[],
    notes: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#names = names;
    this.#arrows = arrows;
    this.#notes = notes;
  }

  regions(title: string, zones: readonly Box[]): readonly string[] {
    const within = zones.map((zone) => [`    %% ${escapeMermaid(zone.title)}`, ...this.inside(zone.children, 2)]);
    return [
      `  state "${escapeMermaid(title)}" as plant {`,
      ...within.flatMap((lines, index) => (index === 0 ? lines : ["    --", ...lines])),
      "  }",
    ];
  }

  /** Boxes that lie side by side, the ways between them, and their notes. */
  inside(boxes: readonly Box[], depth: number): readonly string[] {
    const ids = new Set(boxes.map(({ id }) => id));
    const indent = "  ".repeat(depth);
    const lines = [
      ...boxes.flatMap((box) => this.#state(box)),
      ...this.#arrows.filter(({ from, to }) => ids.has(from) && ids.has(to)).flatMap((arrow) => this.#way(arrow)),
      ...boxes.flatMap((box) => this.#note(box)),
    ];
    return lines.map((line) => `${indent}${line}`);
  }

  #state(box: Box): readonly string[] {
    if (box.kind === "start") return [];
    const name = this.#nameOf(box.id);
    const says = [...box.marks.map((mark) => `[${mark}]`), box.says].filter((part) => part !== "");
    if (box.children.length === 0)
      return [
        `state "${escapeMermaid(box.title)}" as ${name}`,
        ...says.map((part) => `${name} : ${escapeMermaid(part)}`),
      ];
    const title = [box.title, ...says].join(" · ");
    return [`state "${escapeMermaid(title)}" as ${name} {`, ...this.inside(box.children, 1), "}"];
  }

  #way({ from, to, labels }: Arrow): readonly string[] {
    const way = `${this.#nameOf(from)} --> ${this.#nameOf(to)}`;
    if (labels.length === 0) return [way];
    return labels.map((parts) => `${way} : ${escapeMermaid(parts.join(", "))}`);
  }

  #note({ id }: Box): readonly string[] {
    const lines = this.#notes.get(id) ?? [];
    return lines.length === 0
      ? []
      : [`note right of ${this.#nameOf(id)}`, ...lines.map((line) => `  ${line}`), "end note"];
  }

  /** What every phase allows belongs to no state: comments, which no drawing shows but every reader of the text sees. */
  everywhere(lists: readonly Whitelist[]): readonly string[] {
    return lists
      .filter(({ title }) => title.includes("phase"))
      .flatMap(({ title, entries }) => [
        `  %% ${escapeMermaid(title)}`,
        ...entries.map(({ words }) => `  %%   ${escapeMermaid(words)}`),
      ]);
  }

  #nameOf(id: string): string {
    return id.startsWith("start:") ? "[*]" : (this.#names.get(id) ?? "unknown");
  }
}

function notesOf(lists: readonly Whitelist[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lists.map(({ title, entries }) => {
      const [phase = "", step] = title.split(" / ");
      const id = step === undefined ? `phase:${phase}` : `step:${phase}/${step}`;
      return [id, entries.map(({ words }) => escapeMermaid(words))];
    }),
  );
}

/** Names that Mermaid takes: letters, digits and `_`. Two boxes never share one. */
function namesOf(boxes: readonly Box[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { id } of everyBox(boxes)) {
    const plain = id.replace(/[^A-Za-z0-9]/g, "_");
    let name = plain;
    for (let n = 2; taken.has(name); n += 1) name = `${plain}_${n}`;
    taken.add(name);
    names.set(id, name);
  }
  return names;
}

/** Characters with a meaning to Mermaid become entities: `#58;` is a colon. `ﬂ` and `¶` are its own marks for entities. */
function escapeMermaid(text: string): string {
  return printable(text).replace(/[^\p{L}\p{N}\p{M} .,_()/+=≤≥±°·[\]-]|[ﬂ¶]|--+|end note/giu, (found) =>
    [...found].map((char) => `#${char.codePointAt(0)};`).join(""),
  );
}
