import { describe, expect, test } from "vitest";
import { maskedWord, observeModbus, type Party } from "#point/observe/modbus.ts";
import { IMAGE_FRESH_MS, ModbusImage, type RegisterWrite } from "#point/observe/modbus-image.ts";
import { MAX_BLOCKS, ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId, RawId, TagId } from "#specs/ids.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { decodeRequest, holdingRegisterAddress } from "#wire/modbus/index.ts";
import { pick, seededDraw } from "../../support/random-plant-draw.ts";
import { CELLS, LINK_OF, openPlant, WRITER } from "../../switch-filter/modbus-open-plant.ts";
import { hex } from "../../switch-filter/raw-client.ts";

const { plant } = openPlant();
const tags = new ModbusTags(plant, DeviceId("plc-1"));
const party: Party = { source: WRITER, sourceAddress: "", target: DeviceId("plc-1"), link: LINK_OF[WRITER] };

function observed(pdu: string, present?: (unit: number, address: number) => number | undefined) {
  const request = decodeRequest(hex(pdu));
  if (!request.ok) throw new Error(request.error.code);
  return observeModbus(party, tags, 1, request.value, present);
}

describe("what a request would do, by function and sub-function", () => {
  test.each([
    { pdu: "08 0000 1234", operation: "diagnose", message: "Return Query Data (08/00)" },
    { pdu: "08 000b 0000", operation: "diagnose", message: "Bus Message Count (08/11)" },
    { pdu: "08 0001 ff00", operation: "program", message: "Restart Communications (08/01)" },
    { pdu: "08 0003 0a00", operation: "program", message: "Change Ascii Delimiter (08/03)" },
    { pdu: "08 0004 0000", operation: "program", message: "Force Listen Only (08/04)" },
    { pdu: "08 000a 0000", operation: "program", message: "Clear Counters (08/10)" },
    { pdu: "08 0014 0000", operation: "program", message: "Clear Overrun (08/20)" },
    { pdu: "08 03e7 0000", operation: "program", message: "Diagnostics Reserved (08/999)" },
    { pdu: "2b 0e 01 00", operation: "diagnose", message: "Read Device Identification (43/14)" },
    { pdu: "2b 0d 00 01", operation: "raw", message: "CANopen General Reference (43/13)" },
    { pdu: "07", operation: "diagnose", message: "Read Exception Status (07)" },
    { pdu: "11", operation: "diagnose", message: "Report Server Id (17)" },
    { pdu: "18 0000", operation: "diagnose", message: "Read Fifo Queue (24)" },
    { pdu: "14 07 06 0004 0007 0001", operation: "read", message: "Read File Record (20)" },
    { pdu: "15 09 06 0004 0007 0001 1234", operation: "program", message: "Write File Record (21)" },
    { pdu: "5a 00", operation: "raw", message: "function code 90" },
  ])("$message is $operation", ({ pdu, operation, message }) => {
    expect(observed(pdu)).toEqual([expect.objectContaining({ operation, message })]);
  });

  test("no name of the plant stands for CANopen or an undeclared code; a declared one has its name and its bytes", () => {
    expect(observed("2b 0d 00 01")[0]).toMatchObject({ raw: undefined, bytes: 3 });
    expect(observed("5a 00")[0]).toMatchObject({ raw: undefined, bytes: 1 });
    expect(observed("41 0000")[0]).toMatchObject({ raw: "fixed", bytes: 2 });
  });

  test("files and records are named, and how many", () => {
    expect(observed("15 09 06 0004 0007 0001 1234")[0]).toMatchObject({
      items: [{ tag: undefined, address: "file 4 record 7", value: undefined }],
      files: [{ file: 4, record: 7, count: 1 }],
      quantity: 1,
    });
    expect(observed("14 0e 06 0004 0007 0003 06 0001 0000 0009")[0]).toMatchObject({
      files: [
        { file: 4, record: 7, count: 3 },
        { file: 1, record: 0, count: 9 },
      ],
      quantity: 12,
    });
  });

  test.each([
    { pdu: "2b 0e 01 00", objects: [0x00, 0x02], what: "basic" },
    { pdu: "2b 0e 02 00", objects: [0x00, 0x7f], what: "regular, which shows the basic ones too" },
    { pdu: "2b 0e 02 10", objects: [0x00, 0x7f], what: "regular from an object on: a server may begin anew" },
    { pdu: "2b 0e 03 00", objects: [0x00, 0xff], what: "extended" },
    { pdu: "2b 0e 04 81", objects: [0x81, 0x81], what: "one object" },
  ])("identification, $what", ({ pdu, objects }) => {
    expect(observed(pdu)[0]).toMatchObject({ operation: "diagnose", functionCode: 43, subFunction: 14, objects });
  });

  test.each([
    { pdu: "03 0000 0007", functionCode: 3, quantity: 7 },
    { pdu: "05 0000 ff00", functionCode: 5, quantity: 1 },
    { pdu: "06 0000 0001", functionCode: 6, quantity: 1 },
    { pdu: "0f 0000 0009 02 ff01", functionCode: 15, quantity: 9 },
    { pdu: "10 0000 0002 04 0001 0002", functionCode: 16, quantity: 2 },
    { pdu: "16 0000 0000 0001", functionCode: 22, quantity: 1 },
    { pdu: "08 0001 ff00", functionCode: 8, subFunction: 1 },
    { pdu: "11", functionCode: 17 },
  ])("$pdu: function, sub-function and quantity are told", ({ pdu, ...wanted }) => {
    expect(observed(pdu)[0]).toMatchObject(wanted);
  });

  test("function 23 is its write and its read, apart", () => {
    const [write, read] = observed("17 0000 0002 0005 0001 02 1234");
    expect(write).toMatchObject({ operation: "write", quantity: 1, items: [{ tag: "H5", value: 0x1234 }] });
    expect(read).toMatchObject({ operation: "read", quantity: 2, items: [{ tag: "H0" }, { tag: "H1" }] });
  });
});

describe("CANopen, where the plant names it", () => {
  test("is the raw function with its MEI type; another type is another function, and none of the standard's is", () => {
    const canopen = { id: RawId("canopen"), says: "Drives.", protocol: "modbus", function: 43, mei: 13 } as const;
    const named: Plant = { ...plant, raw: [{ ...canopen, length: [2, 60], answer: [2, 60], changes: true }] };
    const of = new ModbusTags(named, DeviceId("plc-1"));
    const rawIn = (pdu: string) => {
      const request = decodeRequest(hex(pdu));
      if (!request.ok) throw new Error(request.error.code);
      return observeModbus(party, of, 1, request.value)[0];
    };
    expect(rawIn("2b 0d 00 01")).toMatchObject({ operation: "raw", raw: "canopen", bytes: 3 });
    expect(rawIn("2b 0c 00 01")).toMatchObject({ operation: "raw", raw: undefined, subFunction: 12 });
    expect(rawIn("2b 0e 01 00")).toMatchObject({ operation: "diagnose" });
    expect([of.rawFunction(43), of.rawFunction(43, 13)?.id]).toEqual([undefined, "canopen"]);
  });
});

describe("what is asked over and over", () => {
  const read = (address: number, quantity = 1) => ({
    ...({
      kind: "read-holding-registers",
      functionCode: 3,
      address: holdingRegisterAddress(address),
      quantity,
    } as const),
  });

  test("is the same object again for the same party, and not for another", () => {
    const of = new ModbusTags(plant, DeviceId("plc-1"));
    const other: Party = { ...party, sourceAddress: "another" };
    const first = observeModbus(party, of, 1, read(0, 4));
    expect(observeModbus(party, of, 1, read(0, 4))).toBe(first);
    expect(observeModbus(other, of, 1, read(0, 4))[0]).toMatchObject({ sourceAddress: "another" });
    expect(observeModbus(party, of, 1, read(0, 4))).toBe(first);
    for (const asked of [read(1, 4), read(0, 3)]) expect(observeModbus(party, of, 1, asked)).not.toBe(first);
    expect(observeModbus(party, of, 2, read(0, 4))).not.toBe(first);
  });

  test("tells at each time what it is: every range of every table, over and over, is what it is without memory", () => {
    const of = new ModbusTags(plant, DeviceId("plc-1"));
    const kinds = ["read-coils", "read-discrete-inputs", "read-holding-registers", "read-input-registers"] as const;
    const asked: Buffer[] = [];
    for (const code of kinds.keys())
      for (let from = 0; from < CELLS; from += 1)
        for (let to = from; to < CELLS; to += 1) asked.push(Buffer.from([code + 1, 0, from, 0, to - from + 1]));
    expect(asked.length).toBeGreaterThan(8 * MAX_BLOCKS);
    for (const pdu of [...asked, ...asked.toReversed()]) {
      const request = decodeRequest(pdu);
      if (!request.ok) throw new Error(request.error.code);
      const [observation] = observeModbus(party, of, 1, request.value);
      const [from = 0, quantity = 0] = [pdu[2], pdu[4]];
      const table = kinds[(pdu[0] ?? 0) - 1]?.slice("read-".length, -1).replace("-", " ");
      const addresses = observation?.items.map(({ address }) => address);
      expect([observation?.functionCode, observation?.quantity, addresses?.length]).toEqual([
        ...[pdu[0], quantity, quantity],
      ]);
      expect([addresses?.[0], addresses?.at(-1)]).toEqual([
        ...[`unit 1 ${table} ${from}`, `unit 1 ${table} ${from + quantity - 1}`],
      ]);
    }
  });

  test("is told apart from what has its place: ranges of a large plant, at random", () => {
    const template = plant.tags.find(({ id }) => id === "H0");
    const size = 1200;
    const large = Array.from({ length: size }, (_, address): Tag[] =>
      (["holding-register", "input-register"] as const).flatMap((table) => {
        if (template?.modbus === undefined) throw new Error("the plant has H0");
        const id = TagId(`${table === "holding-register" ? "H" : "I"}${address}`);
        return { ...template, id, title: id, modbus: { ...template.modbus, table, address } };
      }),
    );
    const of = new ModbusTags({ ...plant, tags: large.flat() }, DeviceId("plc-1"));
    const draw = seededDraw(8);
    for (let n = 0; n < 30_000; n += 1) {
      const [code, from, quantity] = [pick(draw, [3, 4]), draw.below(size - 3), 1 + draw.below(3)];
      const request = decodeRequest(Buffer.from([code, from >>> 8, from & 0xff, 0, quantity]));
      if (!request.ok) throw new Error(request.error.code);
      const letter = code === 3 ? "H" : "I";
      const wanted = Array.from({ length: quantity }, (_, at) => `${letter}${from + at}`);
      expect(observeModbus(party, of, 1, request.value)[0]?.items.map(({ tag }) => tag)).toEqual(wanted);
      const table = code === 3 ? "holding-register" : "input-register";
      expect(of.block(1, table, from, quantity).tags.map(({ tag }) => tag)).toEqual(wanted);
    }
  });

  test("is forgotten with the plant it was made from", () => {
    const of = new ModbusTags(plant, DeviceId("plc-1"));
    const before = observeModbus(party, of, 1, read(0));
    of.take({ ...plant, tags: plant.tags.filter(({ id }) => id !== "H0") });
    expect([before[0]?.items[0]?.tag, observeModbus(party, of, 1, read(0))[0]?.items[0]?.tag]).toEqual([
      ...["H0", undefined],
    ]);
  });

  test("what is no tag is not kept: whoever looks for what there is costs no memory", () => {
    const of = new ModbusTags(plant, DeviceId("plc-1"));
    const beyond = observeModbus(party, of, 1, read(CELLS - 1, 2));
    expect(observeModbus(party, of, 1, read(CELLS - 1, 2))).not.toBe(beyond);
    expect(of.block(1, "holding-register", CELLS - 1, 2)).not.toBe(of.block(1, "holding-register", CELLS - 1, 2));
    expect(of.block(1, "holding-register", 0, 2)).toBe(of.block(1, "holding-register", 0, 2));
  });
});

describe("a mask write", () => {
  const mask = (andMask: number, orMask: number) => ({
    kind: "mask-write-register" as const,
    functionCode: 22 as const,
    address: holdingRegisterAddress(4),
    andMask,
    orMask,
  });

  test("comes to what the standard says: 12 masked by F2 and 25 is 17 (§6.16, hexadecimal)", () => {
    expect(maskedWord(mask(0xf2, 0x25), 0x12)).toBe(0x17);
  });

  test("that keeps no bit needs no present word, one that keeps any does", () => {
    expect(maskedWord(mask(0, 0xabcd), undefined)).toBe(0xabcd);
    expect(maskedWord(mask(1, 0xabcd), undefined)).toBeUndefined();
    expect(maskedWord(mask(0xffff, 0xffff), 0x8001)).toBe(0x8001);
  });

  test("is the write that it comes to, or one of an unknown value", () => {
    expect(observed("16 0004 00f2 0025", () => 0x12)).toMatchObject([
      { operation: "write", items: [{ tag: "H4", value: 0x17 }] },
    ]);
    expect(observed("16 0004 00f2 0025")).toMatchObject([
      { operation: "write", items: [{ tag: "H4", value: undefined }] },
    ]);
  });
});

describe("the image of the registers", () => {
  const plain = (address: number, quantity = 1): RegisterWrite => ({ kind: "plain", unit: 1, address, quantity });
  const masking = (address: number): RegisterWrite => ({ kind: "mask", unit: 1, address, quantity: 1 });

  test("knows what was read, for as long as it is fresh", () => {
    const image = new ModbusImage(tags);
    expect(image.present(1, 3, 0)).toBeUndefined();
    image.saw(1, 2, [7, 8], image.mark(), 1000);
    expect(image.present(1, 3, 1000 + IMAGE_FRESH_MS)).toBe(8);
    expect(image.present(1, 3, 1001 + IMAGE_FRESH_MS)).toBeUndefined();
    expect(image.present(2, 3, 1000)).toBeUndefined();
  });

  test("keeps registers of tags and no others", () => {
    const image = new ModbusImage(tags);
    image.saw(1, CELLS - 1, [7, 8], image.mark(), 0);
    expect([image.present(1, CELLS - 1, 0), image.present(1, CELLS, 0)]).toEqual([7, undefined]);
  });

  test("learns nothing from a read that was sent before a write has ended", () => {
    const image = new ModbusImage(tags);
    const before = image.mark();
    image.begin(plain(4));
    const within = image.mark();
    image.saw(1, 4, [1], within, 0);
    image.end(plain(4), [2], 0);
    for (const mark of [before, within]) image.saw(1, 4, [1], mark, 0);
    expect(image.present(1, 4, 0)).toBe(2);
    image.saw(1, 4, [3], image.mark(), 0);
    expect(image.present(1, 4, 0)).toBe(3);
  });

  test("of two writes at once, nobody knows which came last", () => {
    const image = new ModbusImage(tags);
    image.begin(plain(4));
    image.begin(plain(4));
    image.end(plain(4), [1], 0);
    expect(image.present(1, 4, 0)).toBeUndefined();
    image.end(plain(4), [2], 0);
    expect(image.present(1, 4, 0)).toBeUndefined();
    image.begin(plain(4));
    image.end(plain(4), [3], 0);
    expect(image.present(1, 4, 0)).toBe(3);
  });

  test("a mask is alone: no other write of its register begins beside it, nor it beside one; others do", () => {
    const image = new ModbusImage(tags);
    image.begin(masking(4));
    expect([plain(4), plain(3, 2), masking(4), plain(5), plain(0, 4)].map((write) => image.mayBegin(write))).toEqual([
      ...[false, false, false, true, true],
    ]);
    let called = 0;
    const resume = (): void => {
      called += 1;
    };
    image.whenFree(resume);
    image.whenFree(resume);
    image.end(masking(4), [1], 0);
    expect(called).toBe(1);
    image.begin(plain(3, 2));
    expect([plain(4), masking(4)].map((write) => image.mayBegin(write))).toEqual([true, false]);
    image.whenFree(resume);
    image.waitsNoMore(resume);
    image.end(plain(3, 2), [1, 2], 0);
    expect(called).toBe(1);
  });
});
