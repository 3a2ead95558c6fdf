import { type Cursor, quote } from "./cursor.ts";
import { suggest } from "./suggest.ts";

export const MODES = ["off", "monitor", "enforce"] as const;

/** The entries of a map keyed by ids, read one by one; those that cannot be read are reported and left out. */
export function readById<N extends string, T>(
  map: Cursor | undefined,
  what: string,
  make: (text: string) => N,
  read: (id: N, value: Cursor, key: Cursor) => T | undefined,
): readonly T[] {
  const found: T[] = [];
  for (const { key, value } of map?.entries(what) ?? []) {
    const id = key.named(make);
    const item = id === undefined ? undefined : read(id, value, key);
    if (item !== undefined) found.push(item);
  }
  return found;
}

const UNKNOWN = {
  zone: "ZONE_UNKNOWN",
  device: "DEVICE_UNKNOWN",
  tag: "TAG_UNKNOWN",
  "raw function": "RAW_UNKNOWN",
} as const;

/** A reference to something that plant.yaml declares. */
export function reference<T>(
  cursor: Cursor | undefined,
  kind: keyof typeof UNKNOWN,
  known: ReadonlyMap<string, T>,
): T | undefined {
  const text = cursor?.text(`a ${kind}`);
  if (cursor === undefined || text === undefined) return undefined;
  const found = known.get(text);
  if (found !== undefined) return found;
  const near = suggest(text, known.keys());
  return cursor.fail(UNKNOWN[kind], `unknown ${kind} \`${quote(text)}\`${near}; name one that plant.yaml declares`);
}

/** References to several such things; those that are unknown are reported and left out. */
export function references<T>(
  list: Cursor | undefined,
  what: string,
  kind: keyof typeof UNKNOWN,
  known: ReadonlyMap<string, T>,
): readonly T[] | undefined {
  return list?.items(what, 1)?.flatMap((item) => reference(item, kind, known) ?? []);
}
