import { describe, expect, test } from "vitest";
import { MAX_PACKET_BYTES } from "#coordinator/broker.ts";
import { cut, itemsInPart, MAX_ITEM_BYTES, MAX_ITEMS } from "#point/bus-limits.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

test.each([
  { text: "four", told: "four" },
  { text: "fives", told: "fiv…" },
])("a text of at most four characters: $text", ({ text, told }) => {
  expect(cut(text, 4)).toBe(told);
});

describe("items of a receipt", () => {
  test("as many as there may be are told", () => {
    expect(itemsInPart(numbers(MAX_ITEMS), -1)).toEqual(numbers(MAX_ITEMS));
    expect(itemsInPart(numbers(MAX_ITEMS + 1), -1)).toEqual(numbers(MAX_ITEMS));
  });

  test("beyond it, the one to blame takes the place of the last", () => {
    expect(itemsInPart(numbers(MAX_ITEMS + 1), 7)).toEqual(numbers(MAX_ITEMS));
    expect(itemsInPart(numbers(MAX_ITEMS + 9), MAX_ITEMS + 3)).toEqual([...numbers(MAX_ITEMS - 1), MAX_ITEMS + 3]);
  });

  test.each([100, 101, MAX_ITEMS])("%s items of the longest names fit into one packet of the broker", (count) => {
    // Written as JSON, a control character takes six bytes.
    const items = numbers(count).map(() => ({ tag: "t".repeat(128), address: "\u0001".repeat(200), value: 1.5 }));
    const told = itemsInPart(items, count - 1);
    expect(told.length).toBeGreaterThan(90);
    expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(
      Math.min(MAX_PACKET_BYTES / 1.5, MAX_ITEM_BYTES + 2000),
    );
  });
});
