import { expect, test } from "vitest";
import { readReceipt, readStatus, readTags } from "#coordinator/bus-schema.ts";
import { MAX_LINKS } from "#point/bus-limits.ts";
import { OPERATIONS } from "#specs/lifecycle.ts";

const RECEIPT = {
  ...{ point: "switch-filter", layer: "switch", seq: 1, atMs: 1, epoch: 1, phase: "normal", source: "hmi" },
  ...{ sourceAddress: "127.0.0.1:1", target: "plc-1", link: null, message: "Write Single Register (06)", items: [] },
  ...{ verdict: "allow", rule: "a-rule", reason: null, says: "", action: "forwarded", outcome: "answered-ok" },
};

test.each(OPERATIONS)("a receipt of operation %s is read", (operation) => {
  expect(readReceipt({ ...RECEIPT, operation })).toBeDefined();
});

test("a receipt of an operation that there is not is none", () => {
  expect(readReceipt({ ...RECEIPT, operation: "wish" })).toBeUndefined();
});

const STATUS = {
  ...{ point: "switch-filter", layer: "switch", state: "in-force", says: "", mode: "enforce", zone: "works" },
  ...{ phase: "normal", steps: [], epoch: 1, bundle: "b", pid: 1, atMs: 1, judgedUpToMs: 1 },
  ...{ judged: 0, denied: 0, lost: 0 },
};
const waysOf = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`link-${n}`, "ended"]));

test.each([
  { name: "none", ways: undefined, isRead: true },
  { name: "each of the four", ways: { a: "clear", b: "ended", c: "signed", d: "sealed" }, isRead: true },
  { name: "as many as the limit", ways: waysOf(MAX_LINKS), isRead: true },
  { name: "one more", ways: waysOf(MAX_LINKS + 1), isRead: false },
  { name: "a way that there is not", ways: { a: "open" }, isRead: false },
  { name: "of what is no name", ways: { "a b": "clear" }, isRead: false },
])("ways of a status, $name: read, $isRead", ({ ways, isRead }) => {
  expect(readStatus({ ...STATUS, ...(ways === undefined ? {} : { ways }) }) !== undefined).toBe(isRead);
});

test.each([
  ["a tag's value", { "LIT101.PV": 1.5 }, true],
  ["a value that is no number", { "LIT101.PV": "high" }, false],
  ["a name that no tag can have", { "../LIT101": 1.5 }, false],
])("%s", (_, values, isRead) => {
  const read = readTags({ point: "plc-guard", atMs: 1, device: "plc-1", scan: 1, values });
  expect(read !== undefined).toBe(isRead);
});

test.each([
  { letters: 128, isRead: true },
  { letters: 129, isRead: false },
])("names of $letters letters, as long as the language takes them: read, $isRead", ({ letters, isRead }) => {
  const long = "n".repeat(letters);
  const read = [
    readStatus({ ...STATUS, phase: long }),
    readStatus({ ...STATUS, steps: [long] }),
    readStatus({ ...STATUS, ways: { [long]: "clear" } }),
    readReceipt({ ...RECEIPT, operation: "write", link: long }),
    readReceipt({ ...RECEIPT, operation: "write", items: [{ tag: long, address: "1", value: 1 }] }),
    readTags({ point: "plc-guard", atMs: 1, device: "plc-1", scan: 1, values: { [long]: 1 } }),
  ];
  expect(read.map((message) => message !== undefined)).toEqual(read.map(() => isRead));
});
