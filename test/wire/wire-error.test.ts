import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWireError, WIRE_ERRORS, wireError } from "#wire/wire-error.ts";

const WIRE = join(import.meta.dirname, "../../wire");
const codes = Object.keys(WIRE_ERRORS);

test("the README lists every code with its sentence, and no other", () => {
  const readme = readFileSync(join(WIRE, "README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| `([A-Z]+_[A-Z0-9_]+)` \| (.*) \|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  expect(Object.fromEntries(rows)).toEqual(WIRE_ERRORS);
});

test("every code of Modbus, packets and pcap is raised somewhere", () => {
  const sources = readdirSync(WIRE, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && name !== "wire-error.ts")
    .map((name) => readFileSync(join(WIRE, name), "utf8"));
  const raised = new Set(sources.flatMap((text) => text.match(/"(?:MB|PK|PC)_[A-Z0-9_]+"/g) ?? []));
  expect(codes.filter((code) => !code.startsWith("UA_") && !raised.has(`"${code}"`))).toEqual([]);
});

test("sentences start in lower case or with a name, and end without a full stop", () => {
  for (const sentence of Object.values(WIRE_ERRORS))
    expect(sentence).toMatch(/^([a-z]|[A-Z]{2}|EtherType|IPv4|NodeId).*[^.]$/);
});

test("a wire error in one line", () => {
  const error = wireError("MB_COIL_VALUE", 3, "MODBUS AP V1.1b3 §6.5");
  expect(describeWireError(error)).toBe(
    "MB_COIL_VALUE: coil value is neither 0000 nor FF00 (hexadecimal) (byte 3; MODBUS AP V1.1b3 §6.5)",
  );
});
