import { type Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import type { Location } from "../diagnostic.ts";
import type { Cursor } from "./cursor.ts";
import { type DiagnosticList, Source } from "./source.ts";

/** Deepest nesting of a value; the notation needs about ten levels. */
const MAX_DEPTH = 64;
/** Most parts of a value: maps, lists and what they hold. */
export const MAX_PARTS = 4_000_000;

/**
 * Reads a value that a TypeScript file exports, as if it had been written in YAML: plain data only, with objects that appear twice
 * as aliases of one. Its parts stand at paths (`devices.hmi-1.role`); undefined after a diagnostic.
 */
export function openValue(
  file: string,
  value: unknown,
  diagnostics: DiagnosticList,
  locations: Map<string, Location>,
): Cursor | undefined {
  const at = (path: string): Location => ({ file, line: 1, column: 1, path });
  const built = new Builder().build(value);
  if ("problem" in built) {
    diagnostics.add(at(built.path), "VALUE_NOT_DATA", built.problem);
    return undefined;
  }
  const places = { of: (node: Node) => at(built.paths.get(node) ?? ""), target: () => undefined };
  return new Source(places, diagnostics, locations).cursor(built.root);
}

interface Built {
  readonly root: Node;
  readonly paths: ReadonlyMap<Node, string>;
}

interface NotData {
  readonly path: string;
  readonly problem: string;
}

class NotPlain extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

class Builder {
  readonly #paths = new Map<Node, string>();
  readonly #known = new Map<object, Node>();
  readonly #open = new Set<object>();
  #parts = 0;

  build(value: unknown): Built | NotData {
    try {
      return { root: this.#node(value, "", 0), paths: this.#paths };
    } catch (error) {
      if (error instanceof NotPlain) return { path: error.path, problem: error.message };
      return { path: "", problem: "the value cannot be looked through; export plain data, without getters or proxies" };
    }
  }

  #node(value: unknown, path: string, depth: number): Node {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS)
      throw new NotPlain(path, `the value has more than ${MAX_PARTS} parts; split the plant`);
    if (depth > MAX_DEPTH) throw new NotPlain(path, `the value is nested more than ${MAX_DEPTH} deep; flatten it`);
    if (typeof value !== "object" || value === null) return this.#placed(this.#scalar(value, path), path);
    if (this.#open.has(value)) throw new NotPlain(path, "the value contains itself; remove the circle");
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    this.#open.add(value);
    const node = Array.isArray(value) ? this.#list(value, path, depth) : this.#map(value, path, depth);
    this.#open.delete(value);
    this.#known.set(value, node);
    return this.#placed(node, path);
  }

  #scalar(value: unknown, path: string): Node {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return new Scalar(value);
    if (typeof value === "number") return new Scalar(value);
    throw new NotPlain(
      path,
      `a ${typeof value} stands where plain data is expected: texts, numbers, truth values, lists and maps`,
    );
  }

  #list(items: readonly unknown[], path: string, depth: number): Node {
    const list = new YAMLSeq<Node>();
    for (let i = 0; i < items.length; i += 1) list.items.push(this.#node(items[i], `${path}[${i}]`, depth + 1));
    return list;
  }

  /** Keys whose value is `undefined` are left out, as JSON leaves them out. */
  #map(value: object, path: string, depth: number): Node {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw new NotPlain(path, "an object of a class stands where plain data is expected; write it as a map");
    const map = new YAMLMap<Node, Node>();
    for (const [name, item] of Object.entries(value)) {
      const place = path === "" ? name : `${path}.${name}`;
      if (item === undefined) continue;
      map.items.push(new Pair(this.#placed(new Scalar(name), place), this.#node(item, place, depth + 1)));
    }
    return map;
  }

  #placed(node: Node, path: string): Node {
    if (!this.#paths.has(node)) this.#paths.set(node, path);
    return node;
  }
}
