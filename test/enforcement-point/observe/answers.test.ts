import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { showValues, valuesInAnswer } from "#point/observe/modbus.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId, PlantId, TagId } from "#specs/ids.ts";
import type { ModbusTable, ModbusType, Plant, Tag } from "#specs/plant.ts";
import { registersOf } from "#specs/raw.ts";
import { decodeRequest, decodeResponse } from "#wire/modbus/index.ts";

const PLC = DeviceId("plc-1");
const TYPES: readonly ModbusType[] = ["uint16", "int16", "uint32", "int32", "float32", "float64"];
const ORDERS = ["big", "little"] as const;
/** Registers of each table, and bits of each. */
const CELLS = 64;

/** Tags of every type and order side by side, with gaps between them. */
function plantOf(choices: readonly number[]): Plant {
  const tags: Tag[] = [];
  const add = (table: ModbusTable, address: number, type: ModbusType, n: number) => {
    const id = TagId(`${table === "coil" || table === "holding-register" ? "W" : "R"}${tags.length}`);
    const [wordOrder, byteOrder] = [ORDERS[n & 1] ?? "big", ORDERS[(n >>> 1) & 1] ?? "big"];
    const modbus = { unit: 1, table, address, type, wordOrder, byteOrder, scale: (n & 4) === 0 ? 1 : 0.1 };
    tags.push({ id, title: id, kind: "measurement", device: PLC, unit: "", range: [0, 1], modbus });
    return registersOf(modbus);
  };
  for (const table of ["holding-register", "input-register"] as const) {
    let at = 0;
    for (const n of choices) {
      if ((n & 8) !== 0) at += 1;
      const type = TYPES[n % TYPES.length] ?? "uint16";
      at += at + 4 <= CELLS ? add(table, at, type, n) : 0;
    }
  }
  for (const table of ["coil", "discrete-input"] as const)
    for (const [at, n] of choices.entries()) if ((n & 8) === 0) add(table, at, "bool", 0);
  return { id: PlantId("p"), title: "", zones: [], devices: [], links: [], tags, essential: [], raw: [] };
}

describe("the values that an answer shows, straight from its bytes", () => {
  test("are those of its decoded words, for every type, order and range", () => {
    let shown = 0;
    fc.assert(
      fc.property(
        fc.array(fc.nat(255), { minLength: 4, maxLength: 40 }),
        fc.constantFrom(1, 2, 3, 4, 23),
        fc.nat(CELLS - 1),
        fc.integer({ min: 1, max: 40 }),
        fc.uint8Array({ minLength: 80, maxLength: 80 }),
        (choices, code, address, quantity, bytes) => {
          const tags = new ModbusTags(plantOf(choices), PLC);
          const isOfBits = code < 3;
          const length = isOfBits ? (quantity + 7) >>> 3 : 2 * quantity;
          const answer = Buffer.from([code, length, ...bytes.subarray(0, length)]);
          const padding = quantity % 8;
          if (isOfBits && padding !== 0) answer[1 + length] = (answer[1 + length] ?? 0) & ((1 << padding) - 1);
          const asked = Buffer.alloc(5);
          asked.writeUInt8(code);
          asked.writeUInt16BE(address, 1);
          asked.writeUInt16BE(quantity, 3);
          const whole = code === 23 ? Buffer.concat([asked, Buffer.from("0000000102abcd", "hex")]) : asked;
          const request = decodeRequest(whole);
          if (!request.ok) throw new Error(request.error.code);
          const response = decodeResponse(answer, request.value);
          if (!response.ok) throw new Error(response.error.code);
          const found: { tag: TagId; value: number }[] = [];
          showValues(tags, 1, request.value, answer, (tag, value) => found.push({ tag, value }));
          expect(found).toEqual(valuesInAnswer(tags, 1, request.value, response.value));
          shown += found.length;
        },
      ),
      { numRuns: 2000 },
    );
    expect(shown).toBeGreaterThan(2500);
  });

  test.each([
    { name: "an exception", answer: "83 02" },
    { name: "another function", answer: "04 02 0001" },
    { name: "too short", answer: "03 02 00" },
    { name: "too long", answer: "03 02 0001 00" },
    { name: "more registers than were asked for", answer: "03 04 0001 0002" },
    { name: "nothing", answer: "" },
  ])("$name shows nothing", ({ answer }) => {
    const tags = new ModbusTags(plantOf([0]), PLC);
    const request = decodeRequest(Buffer.from("0300000001", "hex"));
    if (!request.ok) throw new Error(request.error.code);
    const bytes = Buffer.from(answer.replaceAll(" ", ""), "hex");
    showValues(tags, 1, request.value, bytes, () => expect.fail("a value is shown"));
  });
});
