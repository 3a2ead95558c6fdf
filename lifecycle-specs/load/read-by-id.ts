import { type Cursor, quote } from "./source.ts";
import { suggest } from "./suggest.ts";

export const MODES = ["off", "monitor", "enforce"] as const;

/** The entries of a map keyed by ids, read one by one; those that cannot be read are reported and left out. */
export function readById<N extends string, T>(
  map: Cursor | undefined,
  what: string,
  make: (text: string) => N,
  read: (id: N, value: Cursor, key: Cursor) => T | undefined,
): readonly T[] {
  return (map?.entries(what) ?? []).flatMap(({ key, value }) => {
    const id = key.named(make);
    return (id === undefined ? undefined : read(id, value, key)) ?? [];
  });
}

/** A reference to something that is declared elsewhere in the plant. */
export function reference<T extends { readonly id: string }>(
  cursor: Cursor | undefined,
  kind: "zone" | "device" | "tag",
  known: readonly T[],
): T | undefined {
  const text = cursor?.text(`a ${kind}`);
  if (cursor === undefined || text === undefined) return undefined;
  const found = known.find(({ id }) => id === text);
  if (found !== undefined) return found;
  const code = ({ zone: "ZONE_UNKNOWN", device: "DEVICE_UNKNOWN", tag: "TAG_UNKNOWN" } as const)[kind];
  const near = suggest(
    text,
    known.map(({ id }) => id),
  );
  return cursor.fail(code, `unknown ${kind} \`${quote(text)}\`${near}; name one that plant.yaml declares`);
}
