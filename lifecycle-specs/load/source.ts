import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { type Diagnostic, type DiagnosticCode, type Location, MAX_DIAGNOSTICS } from "../diagnostic.ts";
import { suggest } from "./suggest.ts";

/** Largest file that is read, in bytes. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** Most aliases followed in one file. */
export const MAX_ALIASES = 200;

const MAX_QUOTED = 80;

/** What is wrong so far, in all files of one run. Bounded: what comes after the limit is dropped. */
export class DiagnosticList {
  readonly list: Diagnostic[] = [];

  add(at: Location, code: DiagnosticCode, message: string): void {
    if (this.list.length < MAX_DIAGNOSTICS) this.list.push({ ...at, code, message });
  }
}

/** One YAML file, and where in it things are. */
export class Source {
  readonly file: string;
  readonly diagnostics: DiagnosticList;
  readonly #lines = new LineCounter();
  readonly #locations: Map<string, Location>;
  #document: Document | undefined;
  #aliases = 0;

  constructor(file: string, diagnostics: DiagnosticList, locations: Map<string, Location>) {
    this.file = file;
    this.diagnostics = diagnostics;
    this.#locations = locations;
  }

  /** The root of the file; undefined after a diagnostic. */
  parse(text: string): Cursor | undefined {
    if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
      return this.#refuse("FILE_TOO_LARGE", `the file is larger than ${MAX_FILE_BYTES} bytes; split the plant`);
    }
    const document = this.#compose(text);
    if (document === undefined)
      return this.#refuse("YAML_TOO_DEEP", "maps and lists are nested too deeply; the notation needs about ten levels");
    this.#document = document;
    for (const { pos, message } of document.errors) {
      this.diagnostics.add(this.#at(pos[0]), "YAML_SYNTAX", `not YAML 1.2: ${oneSentence(message)}`);
    }
    if (document.errors.length > 0) return undefined;
    if (document.contents === null) return this.#refuse("TYPE_WRONG", "the file is empty; a map of keys is expected");
    return this.cursor(document.contents);
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
    const found = this.#document === undefined ? undefined : node.resolve(this.#document);
    if (found !== undefined) return new Cursor(this, found, node);
    cursor.fail(
      "YAML_ALIASES",
      `alias \`${node.source}\` names no anchor before it; define it with \`&${node.source}\``,
    );
    return cursor;
  }

  locationOf(node: Node): Location {
    return this.#at(node.range?.[0] ?? 0);
  }

  /** Remembers where a part is written, for `Locate`. */
  remember(key: string, cursor: Cursor): void {
    if (!this.#locations.has(key)) this.#locations.set(key, cursor.location);
  }

  /** Keys are compared by `entries`, in linear time; the parser's own comparison is quadratic. */
  #compose(text: string): Document | undefined {
    try {
      return parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false });
    } catch (error) {
      if (error instanceof RangeError) return undefined; // the stack's end
      throw error;
    }
  }

  #at(offset: number): Location {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  #refuse(code: DiagnosticCode, message: string): undefined {
    this.diagnostics.add({ file: this.file, line: 1, column: 1 }, code, message);
    return undefined;
  }
}

/** A node of the file, and what it may be read as. Each reader reports what does not fit and then gives undefined. */
export class Cursor {
  readonly #source: Source;
  /** After aliases. */
  readonly node: Node;
  readonly #written: Node;

  constructor(source: Source, node: Node, written: Node) {
    this.#source = source;
    this.node = node;
    this.#written = written;
  }

  get location(): Location {
    return this.#source.locationOf(this.#written);
  }

  get isMap(): boolean {
    return isMap(this.node);
  }

  hasKey(name: string): boolean {
    return isMap(this.node) && this.node.has(name);
  }

  /** The keys of a map, without a word about what is wrong with it. */
  get keys(): readonly string[] {
    if (!isMap(this.node)) return [];
    return this.node.items.flatMap(({ key }) => (isScalar(key) && typeof key.value === "string" ? key.value : []));
  }

  fail(code: DiagnosticCode, message: string): undefined {
    this.#source.diagnostics.add(this.location, code, message);
    return undefined;
  }

  remember(key: string): void {
    this.#source.remember(key, this);
  }

  /** A map with these keys and no others. */
  fields(what: string, keys: readonly string[]): Fields | undefined {
    const entries = this.entries(what);
    if (entries === undefined) return undefined;
    for (const { key, name } of entries) {
      if (!keys.includes(name)) {
        key.fail(
          "KEY_UNKNOWN",
          `unknown key \`${quote(name)}\` in ${what}${suggest(name, keys)}; the keys are ${keys.join(", ")}`,
        );
      }
    }
    return new Fields(this, what, new Map(entries.map(({ name, value }) => [name, value])));
  }

  /** A map whose keys are free. */
  entries(what: string): readonly { key: Cursor; name: string; value: Cursor }[] | undefined {
    if (!isMap(this.node)) return this.#wrong(what, "a map");
    const found: { key: Cursor; name: string; value: Cursor }[] = [];
    const seen = new Map<string, Cursor>();
    for (const { key, value } of this.node.items) {
      if (!isScalar(key) || typeof key.value !== "string") {
        this.fail("TYPE_WRONG", `a key of ${what} is not a text; put it in quotes`);
      } else if (!isNode(value)) {
        this.#source
          .cursor(key)
          .fail("TYPE_WRONG", `\`${quote(key.value)}\` of ${what} has no value; give one or remove the key`);
      } else {
        const entry = { key: this.#source.cursor(key), name: key.value, value: this.#source.cursor(value) };
        const first = seen.get(entry.name);
        if (first === undefined) {
          seen.set(entry.name, entry.key);
          found.push(entry);
        } else {
          entry.key.fail(
            "DUPLICATE_ID",
            `\`${quote(entry.name)}\` stands twice in ${what}, first in line ${first.location.line}; remove or rename one`,
          );
        }
      }
    }
    return found;
  }

  items(what: string, least = 0): readonly Cursor[] | undefined {
    if (!isSeq(this.node)) return this.#wrong(what, "a list, such as `[a, b]`");
    if (this.node.items.length < least) return this.fail("LIST_EMPTY", `${what} is empty; name at least one`);
    return this.node.items.filter(isNode).map((item) => this.#source.cursor(item));
  }

  text(what: string): string | undefined {
    if (isScalar(this.node) && typeof this.node.value === "string") return this.node.value;
    return this.#wrong(what, "a text");
  }

  boolean(what: string): boolean | undefined {
    if (isScalar(this.node) && typeof this.node.value === "boolean") return this.node.value;
    return this.#wrong(what, "`true` or `false`");
  }

  number(what: string, low: number, high: number): number | undefined {
    const value = isScalar(this.node) ? this.node.value : undefined;
    if (typeof value !== "number") return this.#wrong(what, "a number");
    if (value >= low && value <= high) return value;
    return this.fail("NUMBER_INVALID", `${what} ${value} is outside ${low} to ${high}`);
  }

  integer(what: string, low: number, high: number): number | undefined {
    const value = this.number(what, low, high);
    if (value === undefined || Number.isSafeInteger(value)) return value;
    return this.fail("NUMBER_INVALID", `${what} ${value} is not a whole number`);
  }

  word<W extends string>(what: string, words: readonly W[]): W | undefined {
    const text = this.text(what);
    if (text === undefined) return undefined;
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    return this.fail(
      "WORD_UNKNOWN",
      `unknown ${what} \`${quote(text)}\`${suggest(text, words)}; it is one of ${words.join(", ")}`,
    );
  }

  /** A text that a constructor of a branded name accepts. */
  named<N>(make: (text: string) => N): N | undefined {
    const text = this.text("a name");
    if (text === undefined) return undefined;
    try {
      return make(text);
    } catch (error) {
      return this.fail("NAME_INVALID", error instanceof Error ? error.message : "not a name");
    }
  }

  /** A duration in ms: `500ms`, `3s`, `2m`, `1h`. */
  duration(what: string): number | undefined {
    if (isAlias(this.node)) return undefined;
    const text = isScalar(this.node) ? String(this.node.value) : "";
    const [, digits, unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
    if (Number.isSafeInteger(ms) && ms > 0 && ms <= MAX_DURATION_MS) return ms;
    return this.fail(
      "DURATION_INVALID",
      `${what} \`${quote(text)}\` is not a duration such as \`500ms\`, \`3s\`, \`2m\` or \`1h\`, of whole ms up to 30 days`,
    );
  }

  /** An alias that leads nowhere has been reported already. */
  #wrong(what: string, expected: string): undefined {
    if (isAlias(this.node)) return undefined;
    return this.fail("TYPE_WRONG", `${what} is not ${expected}`);
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const MAX_DURATION_MS = 30 * 24 * 3_600_000;

/** The values of a map whose keys are known. */
export class Fields {
  readonly #map: Cursor;
  readonly #what: string;
  readonly #values: ReadonlyMap<string, Cursor>;

  constructor(map: Cursor, what: string, values: ReadonlyMap<string, Cursor>) {
    this.#map = map;
    this.#what = what;
    this.#values = values;
  }

  get(key: string): Cursor | undefined {
    return this.#values.get(key);
  }

  /** The value of a key that must be there. */
  need(key: string): Cursor | undefined {
    return this.#values.get(key) ?? this.#map.fail("KEY_MISSING", `${this.#what} has no \`${key}\`; add it`);
  }
}

export function quote(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isAlias(value) || (isScalar(value) && value.value !== null);
}

function oneSentence(message: string): string {
  const line = message.split("\n")[0] ?? message;
  return line.charAt(0).toLowerCase() + line.slice(1);
}
