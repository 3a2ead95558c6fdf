import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCK_BYTES, JsonBytes } from "#hmi-monitor/decode/json-bytes.ts";

function written(write: (json: JsonBytes) => unknown): string {
  let text = "";
  const json = new JsonBytes((block) => {
    text += block.toString("utf8");
  });
  write(json);
  json.flush();
  return text;
}

const same = (value: unknown): string => JSON.stringify(value);

test("numbers are written as JSON.stringify writes them", () => {
  const integers = fc.oneof(fc.maxSafeInteger(), fc.nat(70_000), fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32, 9, 10));
  fc.assert(
    fc.property(integers, (n) => {
      expect(written((json) => json.int(n))).toBe(same(n));
    }),
  );
  const doubles = fc
    .oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((n) => n / 1000),
      fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 3),
      fc.constantFrom(0.1 + 0.2, 1e-7, 5e-324, 1e21, 1e15, 999_999_999.999_999, 123_456_789.123_456_7, 0.000_001, -0.5),
    )
    .filter((n) => !Object.is(n, -0));
  fc.assert(
    fc.property(doubles, (n) => {
      expect(written((json) => json.float(n))).toBe(same(n));
    }),
    { numRuns: 5000 },
  );
});

test("what JSON has no number for is text, and minus nought keeps its sign", () => {
  expect(written((json) => json.float(Number.NaN))).toBe('"NaN"');
  expect(written((json) => json.float(Number.POSITIVE_INFINITY))).toBe('"Infinity"');
  expect(written((json) => json.float(-0))).toBe("-0");
});

test("a single-precision number is the shortest decimal that reads as it", () => {
  expect(written((json) => json.float32(Math.fround(67.52)))).toBe("67.52");
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (n) => {
      const text = written((json) => json.float32(n));
      expect(Math.fround(Number(text))).toBe(n);
      expect(text.length).toBeLessThanOrEqual(Object.is(n, -0) ? 2 : String(n).length);
    }),
    { numRuns: 3000 },
  );
});

test("text of any kind, lists and leading zeros", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(JSON.parse(written((json) => json.text(text)))).toBe(text);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.nat()), (list) => {
      expect(written((json) => json.ints(list))).toBe(same(list));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.boolean()), (list) => {
      expect(written((json) => json.bits(list))).toBe(same(list.map(Number)));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 250 }), (bytes) => {
      const words = Array.from({ length: bytes.length >> 1 }, (_, i) => Buffer.from(bytes).readUInt16BE(2 * i));
      expect(written((json) => json.words(bytes, 0, words.length))).toBe(same(words));
      const bits = Array.from({ length: 8 * bytes.length }, (_, i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1);
      expect(written((json) => json.packedBits(bytes, 0, bits.length))).toBe(same(bits));
    }),
  );
  expect(written((json) => json.digits(42, 6))).toBe("000042");
});

test("a line longer than a block makes the block grow, and it shrinks again", () => {
  const long = "x".repeat(3 * BLOCK_BYTES);
  expect(written((json) => json.text(long).text("y"))).toBe(`"${long}""y"`);
});
