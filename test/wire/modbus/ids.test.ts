import { expect, test } from "vitest";
import {
  coilAddress,
  exceptionName,
  formatAddress,
  holdingRegisterAddress,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";

test("constructors check their range", () => {
  expect(unitId(255)).toBe(255);
  expect(() => unitId(300)).toThrow("unit id 300 is outside 0..255");
  expect(() => transactionId(65536)).toThrow("transaction id 65536 is outside 0..65535");
  expect(() => coilAddress(-1)).toThrow("coil address -1 is outside 0..65535");
  expect(() => holdingRegisterAddress(1.5)).toThrow("holding register address 1.5 is outside 0..65535");
});

test.each([
  { table: "coil", address: 0, want: "000001" },
  { table: "discrete-input", address: 9, want: "100010" },
  { table: "input-register", address: 0, want: "300001" },
  { table: "holding-register", address: 65535, want: "465536" },
] as const)("$table $address is $want to a control engineer", ({ table, address, want }) =>
  expect(formatAddress(table, address)).toBe(want),
);

test("exception codes have their names", () => {
  expect([1, 2, 3, 4, 5, 6, 8, 10, 11].map(exceptionName)).not.toContain("unknown");
  expect([0, 7, 9, 12, 255].map(exceptionName)).toEqual(Array(5).fill("unknown"));
});
