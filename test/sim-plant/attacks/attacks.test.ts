import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTACKS, findAttack } from "#sim/attacks/catalogue.ts";
import { draw, fromRaw, TARGETS, toRaw } from "#sim/attacks/draw.ts";
import { Tamperer } from "#sim/attacks/tamper.ts";
import { loadPlantFolder } from "#specs/load.ts";
import {
  coilAddress,
  decodeFrame,
  decodeRequest,
  encodeFrame,
  encodeRequest,
  holdingRegisterAddress,
  type MbapFrame,
  type ModbusRequest,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";

describe("the catalogue", () => {
  test("names each attack once, with sorted loci and a technique", () => {
    expect(new Set(ATTACKS.map((attack) => attack.id)).size).toBe(ATTACKS.length);
    expect(ATTACKS.map((attack) => attack.row)).toEqual([2, 4, 7, 13, 40]);
    for (const attack of ATTACKS) {
      expect(attack.technique).toMatch(/^T\d{4}$/);
      expect([...attack.expectedLocus].sort()).toEqual(attack.expectedLocus);
    }
  });

  test("finds by id and by row", () => {
    expect(findAttack("13")?.id).toBe("mitm-setpoint");
    expect(findAttack("rogue-master")?.row).toBe(7);
    expect(findAttack("nothing")).toBeUndefined();
  });
});

describe("what is drawn", () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 31 });
  const drawnValues = (id: Parameters<typeof draw>[0], seed: number, tag: string): number[] =>
    draw(id, seed).writes.flatMap(({ items }) => items.filter((item) => item.tag === tag).map((item) => item.value));

  test("one seed, one run; another seed, another one", () => {
    for (const { id } of ATTACKS) {
      expect(draw(id, 7)).toEqual(draw(id, 7));
      expect(draw(id, 7)).not.toEqual(draw(id, 8));
    }
  });

  test("values lie where the library puts them, and start within a second", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const value of drawnValues("hmi-overdose", seed, "DOS201.SP"))
          expect(value >= 6 && value <= 9.5).toBe(true);
        for (const value of drawnValues("rogue-master", seed, "FIC101.SP"))
          expect(value >= 50 && value <= 60).toBe(true);
        const { tag, factor } = draw("mitm-setpoint", seed).tamper ?? { tag: "", factor: 0 };
        const [low, high] = tag === "FIC101.SP" ? [1.7, 1.95] : [3, 4.5];
        expect(factor >= low && factor <= high).toBe(true);
        for (const { id } of ATTACKS) expect(draw(id, seed).startAfterMs).toBeLessThan(1000);
      }),
    );
  });

  test("tags lie on the wire where the plant says", () => {
    const loaded = loadPlantFolder("water-treatment");
    if (!loaded.ok) throw new Error("the plant does not load");
    for (const [name, target] of Object.entries(TARGETS)) {
      const tag = loaded.value.plant.tags.find(({ id }) => String(id) === name);
      expect(tag?.modbus).toMatchObject({ unit: target.unit, address: target.address, scale: target.scale });
      expect(tag?.range[1]).toBe(target.max);
    }
  });
});

describe("tampering", () => {
  const frame = (request: ModbusRequest, transaction = 1, unit = 1): MbapFrame => {
    const bytes = encodeFrame(
      { transactionId: transactionId(transaction), unitId: unitId(unit) },
      encodeRequest(request),
    );
    const decoded = decodeFrame(bytes);
    if (!decoded.ok) throw new Error(decoded.error.code);
    return decoded.value;
  };
  const register = (address: number, value: number): ModbusRequest => ({
    kind: "write-single-register",
    functionCode: 6,
    address: holdingRegisterAddress(address),
    value,
  });
  const registers = (address: number, ...list: number[]): ModbusRequest => ({
    kind: "write-multiple-registers",
    functionCode: 16,
    address: holdingRegisterAddress(address),
    values: list,
  });
  const sent = (bytes: Buffer): unknown => {
    const decoded = decodeFrame(bytes);
    const request = decoded.ok ? decodeRequest(decoded.value.pdu) : decoded;
    return request.ok ? request.value : request.error;
  };
  const flow = { tag: "FIC101.SP", factor: 1.8 } as const;
  const dose = { tag: "DOS201.SP", factor: 4 } as const;

  test.each([
    { name: "FC6 to the set-point", tampering: flow, request: register(0, 300), want: register(0, 540) },
    {
      name: "FC16 that covers it",
      tampering: dose,
      request: registers(0, 300, 200, 1500),
      want: registers(0, 300, 800, 1500),
    },
    { name: "capped at the device's range", tampering: flow, request: register(0, 500), want: register(0, 600) },
  ])("$name is changed", ({ tampering, request, want }) => {
    const { bytes, changed } = new Tamperer(tampering).request(frame(request));
    expect(sent(bytes)).toEqual(want);
    expect(changed?.value).toBeGreaterThan(changed?.was ?? 0);
  });

  test.each([
    { name: "FC6 to another register", request: register(1, 300), unit: 1 },
    { name: "FC16 beside it", request: registers(1, 300, 200), unit: 1 },
    { name: "another unit", request: register(0, 300), unit: 2 },
    {
      name: "a coil",
      request: { kind: "write-single-coil", functionCode: 5, address: coilAddress(0), on: true },
      unit: 1,
    },
  ] satisfies { name: string; request: ModbusRequest; unit: number }[])(
    "$name passes as it is",
    ({ request, unit }) => {
      const from = frame(request, 1, unit);
      expect(new Tamperer(flow).request(from)).toEqual({ bytes: from.bytes });
    },
  );

  test("the echo shows what the client sent", () => {
    const tamperer = new Tamperer(flow);
    const { bytes } = tamperer.request(frame(register(0, 300), 9));
    const echo = decodeFrame(bytes);
    if (!echo.ok) throw new Error("the frame is whole");
    expect(sent(tamperer.response(echo.value))).toEqual(register(0, 300));
    expect(sent(tamperer.response(echo.value))).toEqual(register(0, 540));
  });

  test("raw and engineering values agree to what the wire can carry", () => {
    expect([toRaw("DOS201.SP", 7.85), fromRaw("DOS201.SP", 785), toRaw("FIC101.SP", 99)]).toEqual([785, 7.85, 600]);
  });
});
