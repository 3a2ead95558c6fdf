import { describe, expect, test } from "vitest";
import { maskedWord, observeModbus, type Party } from "#point/observe/modbus.ts";
import { IMAGE_FRESH_MS, ModbusImage, type RegisterWrite } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { decodeRequest, holdingRegisterAddress } from "#wire/modbus/index.ts";
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
    { pdu: "14 07 06 0004 0007 0001", operation: "program", message: "Read File Record (20)" },
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

  test("files and records are named", () => {
    expect(observed("15 09 06 0004 0007 0001 1234")[0]?.items).toEqual([
      { tag: undefined, address: "file 4 record 7", value: undefined },
    ]);
  });

  test("function 23 is its write and its read, apart", () => {
    const [write, read] = observed("17 0000 0002 0005 0001 02 1234");
    expect(write).toMatchObject({ operation: "write", items: [{ tag: "H5", value: 0x1234 }] });
    expect(read).toMatchObject({ operation: "read", items: [{ tag: "H0" }, { tag: "H1" }] });
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
