/**
 * How much one message on the bus tells. Whoever is judged chooses names and how many, so points tell more only in part, and the coordinator
 * reads nothing beyond it: what could make a message unreadable, or too large for the broker, could hide it.
 */

/** Characters of a sentence, and of any other text. */
export const MAX_SAYS = 1000;
export const MAX_WORDS = 200;
/** Items of a receipt: as many as one Modbus request can name, and their bytes as JSON. */
export const MAX_ITEMS = 2000;
export const MAX_ITEM_BYTES = 160 * 1024;
/** Links of which a status tells how their channels were opened. */
export const MAX_LINKS = 1000;
/** So few never have more bytes. */
const FEW = 100;

export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The first items, as many as there is room for; of those beyond it only the one to blame, in the last one's place. */
export function itemsInPart<T>(items: readonly T[], blamed: number): readonly T[] {
  const room = items.length <= FEW ? items.length : roomFor(items);
  if (room >= items.length) return items;
  const culprit = items[blamed];
  return blamed < room || culprit === undefined ? items.slice(0, room) : [...items.slice(0, room - 1), culprit];
}

function roomFor(items: readonly unknown[]): number {
  let bytes = 0;
  let room = 0;
  for (const item of items.slice(0, MAX_ITEMS)) {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > MAX_ITEM_BYTES) break;
    room += 1;
  }
  return room;
}
