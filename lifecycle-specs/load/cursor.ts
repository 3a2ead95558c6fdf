import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import type { DiagnosticCode, Location } from "../diagnostic.ts";
import type { Source } from "./source.ts";
import { suggest } from "./suggest.ts";

const MAX_QUOTED = 80;

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

  /** `in line 12`, or where a value has no lines `at rules.estop`. */
  get where(): string {
    const { line, path } = this.location;
    return path === undefined ? `in line ${line}` : `at \`${path}\``;
  }

  get isMap(): boolean {
    return isMap(this.node);
  }

  get isEmptyMap(): boolean {
    return isMap(this.node) && this.node.items.length === 0;
  }

  get isList(): boolean {
    return isSeq(this.node);
  }

  get isNumber(): boolean {
    return isScalar(this.node) && typeof this.node.value === "number";
  }

  /** The text at a key of a map, without a word where there is none. */
  peek(name: string): string | undefined {
    const value: unknown = isMap(this.node) ? this.node.get(name) : undefined;
    return typeof value === "string" ? value : undefined;
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

  /** Remembers that this is where a part is written, for `Locate`. */
  remember(key: string): void {
    this.#source.remember(key, this.location);
  }

  /** Remembers that a part stands where another does: what is generated stands where what it comes from does. */
  rememberAs(key: string, other: string): void {
    this.#source.remember(key, this.#source.locate(other) ?? this.location);
  }

  /** Whether it is this text, without a word where it is not. */
  isText(text: string): boolean {
    return isScalar(this.node) && this.node.value === text;
  }

  /** Whether it is this number, without a word where it is not. */
  isThe(number: number): boolean {
    return isScalar(this.node) && this.node.value === number;
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
            `\`${quote(entry.name)}\` stands twice in ${what}, first ${first.where}; remove or rename one`,
          );
        }
      }
    }
    return found;
  }

  items(what: string, least = 0): readonly Cursor[] | undefined {
    if (!isSeq(this.node)) return this.#wrong(what, "a list, such as `[a, b]`");
    if (this.node.items.length < least) return this.fail("LIST_EMPTY", `${what} is empty; name at least one`);
    return this.node.items.flatMap((item, index) => {
      if (isNode(item)) return [this.#source.cursor(item)];
      const at = isScalar(item) ? this.#source.cursor(item) : this;
      return at.fail("TYPE_WRONG", `entry ${index + 1} of ${what} is empty; give it a value or remove it`) ?? [];
    });
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
    if (value >= low && value <= high) return value + 0; // no negative zero
    return this.fail("NUMBER_INVALID", `${what} ${value} is outside ${low} to ${high}; correct it`);
  }

  integer(what: string, low: number, high: number): number | undefined {
    const value = this.number(what, low, high);
    if (value === undefined || Number.isSafeInteger(value)) return value;
    return this.fail("NUMBER_INVALID", `${what} ${value} is not a whole number; round it`);
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
    return text === undefined ? undefined : this.naming(() => make(text));
  }

  /** What such a constructor makes of a name that is put together from several; its refusal is reported here. */
  naming<N>(make: () => N): N | undefined {
    try {
      return make();
    } catch (error) {
      return this.fail("NAME_INVALID", error instanceof Error ? error.message : "not a name");
    }
  }

  /** A duration in ms: `500ms`, `3s`, `2m`, `1h`. */
  duration(what: string, least = 1): number | undefined {
    if (isAlias(this.node)) return undefined;
    const text = isScalar(this.node) ? String(this.node.value) : "";
    const [, digits, unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
    if (Number.isSafeInteger(ms) && ms >= least && ms <= MAX_DURATION_MS) return ms;
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
