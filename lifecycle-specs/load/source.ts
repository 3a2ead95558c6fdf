import { isAlias, type LineCounter, type Node } from "yaml";
import { type Diagnostic, type DiagnosticCode, type Location, MAX_DIAGNOSTICS } from "../diagnostic.ts";
import { Cursor } from "./cursor.ts";

/** Most aliases followed in one file. */
export const MAX_ALIASES = 200;

/** What is wrong so far, in all files of one run. Bounded: what comes after the limit is dropped. */
export class DiagnosticList {
  readonly list: Diagnostic[] = [];

  add(at: Location, code: DiagnosticCode, message: string): void {
    if (this.list.length < MAX_DIAGNOSTICS) this.list.push({ ...at, code, message });
  }

  /** In the order of the files, each from its beginning. */
  inOrder(): readonly Diagnostic[] {
    const files = [...new Set(this.list.map(({ file }) => file))];
    return [...this.list].sort(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
  }
}

/** Where the nodes of a file stand, and what its aliases stand for. */
export interface Places {
  readonly of: (node: Node) => Location;
  /** The node an alias stands for; undefined: it names no anchor before it, or one that it stands in. */
  readonly target: (alias: Node) => Node | undefined;
}

/** One file as nodes. Which notation it had no longer matters. */
export class Source {
  readonly diagnostics: DiagnosticList;
  readonly #places: Places;
  readonly #locations: Map<string, Location>;
  #aliases = 0;

  constructor(places: Places, diagnostics: DiagnosticList, locations: Map<string, Location>) {
    this.#places = places;
    this.diagnostics = diagnostics;
    this.#locations = locations;
  }

  cursor(node: Node): Cursor {
    if (!isAlias(node)) return new Cursor(this, node, node);
    this.#aliases += 1;
    const cursor = new Cursor(this, node, node);
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases === MAX_ALIASES + 1)
        cursor.fail("YAML_ALIASES", `more than ${MAX_ALIASES} aliases are used; write some of them out`);
      return cursor;
    }
    const found = this.#places.target(node);
    if (found !== undefined) return new Cursor(this, found, node);
    cursor.fail(
      "YAML_ALIASES",
      `alias \`${node.source}\` names no anchor before it, or one that it stands within; define it before with \`&${node.source}\``,
    );
    return cursor;
  }

  locationOf(node: Node): Location {
    return this.#places.of(node);
  }

  /** Remembers where a part is written, for `Locate`. The first place counts. */
  remember(key: string, location: Location): void {
    if (!this.#locations.has(key)) this.#locations.set(key, location);
  }

  locate(key: string): Location | undefined {
    return this.#locations.get(key);
  }
}

/** Line and column of an offset, both from 1. */
export function positionIn(file: string, lines: LineCounter, offset: number): Location {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}
