import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { engineeringValue } from "#point/observe/modbus-tags.ts";
import type { ModbusBinding, ModbusType } from "#specs/plant.ts";

const binding = (type: ModbusType, given: Partial<ModbusBinding> = {}): ModbusBinding => ({
  unit: 1,
  table: "holding-register",
  address: 0,
  type,
  wordOrder: "big",
  byteOrder: "big",
  scale: 1,
  ...given,
});

/** Bytes as four registers' worth of words. */
function words(hex: string): readonly number[] {
  const bytes = Buffer.from(hex, "hex");
  return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(2 * i));
}

test.each([
  ["uint16", "fffe", 65534, {}],
  ["int16", "fffe", -2, {}],
  ["int16 with its bytes exchanged", "feff", -2, { byteOrder: "little" }],
  ["uint32", "00010002", 65538, {}],
  ["uint32, low word first", "00020001", 65538, { wordOrder: "little" }],
  ["int32", "fffffffe", -2, {}],
  ["float32 1.5", "3fc00000", 1.5, {}],
  ["float32 1.5, low word first", "00003fc0", 1.5, { wordOrder: "little" }],
  ["float32 1.5, bytes exchanged", "c03f0000", 1.5, { byteOrder: "little" }],
  ["float32 1.5, all four bytes in reverse", "0000c03f", 1.5, { wordOrder: "little", byteOrder: "little" }],
  ["float64 -2.25", "c002000000000000", -2.25, {}],
  ["float64 -2.25, low word first", "000000000000c002", -2.25, { wordOrder: "little" }],
  ["uint16 with a scale", "012c", 30, { scale: 0.1 }],
] as const)("%s", (name, hex, value, given) => {
  const type = name.split(/[ ,]/)[0];
  const found = (["uint16", "int16", "uint32", "int32", "float32", "float64"] as const).find((t) => t === type);
  if (found === undefined) throw new Error(`no type in \`${name}\``);
  expect(engineeringValue(binding(found, given), words(hex), 0)).toBe(value);
});

describe("what is no value", () => {
  test("NaN, infinities, and a value cut short are undefined", () => {
    expect(engineeringValue(binding("float32"), words("7fc00000"), 0)).toBeUndefined();
    expect(engineeringValue(binding("float32"), words("7f800000"), 0)).toBeUndefined();
    expect(engineeringValue(binding("float64"), words("000000000000"), 0)).toBeUndefined();
    expect(engineeringValue(binding("uint32"), words("0001"), 0)).toBeUndefined();
    expect(engineeringValue(binding("uint16"), words("0001"), 1)).toBeUndefined();
  });
});

test("every double that a client can send in four registers is read back, in each order", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constantFrom("big", "little"),
      fc.constantFrom("big", "little"),
      (value, wordOrder, byteOrder) => {
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleBE(value);
        const registers = [0, 2, 4, 6].map((at) =>
          byteOrder === "big" ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at),
        );
        const sent = wordOrder === "big" ? registers : registers.reverse();
        const read = engineeringValue(binding("float64", { wordOrder, byteOrder }), sent, 0);
        expect(read).toBeCloseTo(value, 8);
      },
    ),
  );
});
