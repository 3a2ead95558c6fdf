import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc16 } from "#wire/modbus/crc16.ts";
import {
  encodeRequest,
  encodeResponse,
  encodeRtu,
  MAX_RTU_BYTES,
  type ModbusFrame,
  RtuFramer,
  rtuFraming,
  unitId,
} from "#wire/modbus/index.ts";
import { requestLength, responseLength } from "#wire/modbus/pdu-length.ts";
import { type Exchange, exchanges } from "./arbitraries.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const hexOf = (frames: readonly ModbusFrame[]): string[] => frames.map((frame) => frame.bytes.toString("hex"));
const UNIT = unitId(1);

/** RTU can tell where these end; the others say nothing of their length, or more than one word in Diagnostics. */
function isSelfContained({ request }: Exchange): boolean {
  if (request.kind === "unknown") return false;
  if (request.kind === "diagnostics") return request.data.length === 2;
  return request.kind !== "encapsulated-interface" || request.meiType === 14;
}

const told = exchanges.filter(isSelfContained);

test("the CRC of 01 03 00 00 00 0A is C5 CD on the wire", () => {
  const frame = bytes("01 03 0000 000a");
  expect(crc16(frame, 0, frame.length)).toBe(0xcdc5);
  expect(encodeRtu(UNIT, frame.subarray(1)).toString("hex")).toBe("01030000000ac5cd");
});

describe("the length of a PDU", () => {
  test("is that of every request and response, and is not told too early", () => {
    fc.assert(
      fc.property(told, ({ request, response }) => {
        for (const [pdu, lengthOf] of [
          [encodeRequest(request), requestLength],
          [encodeResponse(response), responseLength],
        ] as const) {
          expect(lengthOf(pdu)).toBe(pdu.length);
          for (let end = 0; end < pdu.length; end += 1)
            expect([pdu.length, "more"]).toContain(lengthOf(pdu.subarray(0, end)));
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each(["00", "09", "41 00", "63", "2b 0d", "2b 00"])("of request %s nobody knows", (hex) =>
    expect(requestLength(bytes(hex))).toBe("unknown"),
  );

  test("of an exception is two, whatever its function", () => {
    for (let code = 0x80; code < 0x100; code += 1) expect(responseLength(Buffer.from([code]))).toBe(2);
  });
});

describe("framer", () => {
  const stream = Buffer.concat(
    ["03 0000 0002", "10 0000 0002 04 1234 5678", "07", "2b 0e 01 00"].map((pdu) => encodeRtu(UNIT, bytes(pdu))),
  );
  const whole = hexOf(rtuFraming().requests().push(stream));

  test("a stream cut at every byte gives the same frames, and so does one byte at a time", () => {
    expect(whole.length).toBe(4);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const framer = rtuFraming().requests();
      expect(hexOf([...framer.push(stream.subarray(0, cut)), ...framer.push(stream.subarray(cut))])).toEqual(whole);
      expect(framer.pendingBytes).toBe(0);
    }
    const framer = rtuFraming().requests();
    expect([...stream].flatMap((byte) => hexOf(framer.push(Buffer.from([byte]))))).toEqual(whole);
  });

  test("any exchange, in any pieces", () => {
    fc.assert(
      fc.property(fc.array(told, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (list, size) => {
        for (const way of ["requests", "responses"] as const) {
          const frames = list.map(({ request, response }) =>
            encodeRtu(UNIT, way === "requests" ? encodeRequest(request) : encodeResponse(response)),
          );
          const framer = rtuFraming()[way]();
          const all = Buffer.concat(frames);
          const found: string[] = [];
          for (let at = 0; at < all.length; at += size) found.push(...hexOf(framer.push(all.subarray(at, at + size))));
          expect(found).toEqual(frames.map((frame) => frame.toString("hex")));
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    { name: "a wrong CRC", hex: "01 03 0000 0002 c40c", code: "MB_CRC", offset: 6 },
    { name: "the bytes of the CRC changed about", hex: "01 03 0000 000a cdc5", code: "MB_CRC", offset: 6 },
    { name: "a function nobody declares", hex: "01 41 0001", code: "MB_RTU_LENGTH", offset: 1 },
    { name: "CANopen", hex: "01 2b 0d 00", code: "MB_RTU_LENGTH", offset: 1 },
    { name: "a byte count beyond a PDU", hex: "01 10 0000 007f fe", code: "MB_PDU_LENGTH", offset: 1 },
    { name: "the header of Modbus/TCP", hex: "0001 0000 0006 01 03", code: "MB_CRC", offset: 6 },
  ])("$name: failed for good, and what stands before it is still a frame", ({ hex, code, offset }) => {
    const framer = rtuFraming().requests();
    const good = encodeRtu(UNIT, bytes("07"));
    expect(framer.push(Buffer.concat([good, bytes(hex), good])).length).toBe(1);
    expect(framer.state).toMatchObject({ kind: "failed", error: { code, offset: good.length + offset } });
    expect([framer.push(good), framer.pendingBytes]).toEqual([[], 0]);
  });

  test("a declared function has its one length, in each direction its own", () => {
    const framing = rtuFraming({ request: (code) => (code === 0x41 ? 3 : undefined), answer: () => undefined });
    const frame = encodeRtu(UNIT, bytes("41 0001"));
    expect(hexOf(framing.requests().push(frame))).toEqual([frame.toString("hex")]);
    const answers = framing.responses();
    expect([answers.push(frame), answers.state.kind]).toEqual([[], "failed"]);
  });

  test("the longest frame is held but for its last byte, and no more", () => {
    const longest = encodeRtu(UNIT, Buffer.concat([bytes("17 0000 0001 0000 0079 f2"), Buffer.alloc(242)]));
    expect(longest.length).toBe(MAX_RTU_BYTES - 1);
    const framer = new RtuFramer(requestLength);
    expect(framer.push(longest.subarray(0, -1))).toEqual([]);
    expect(framer.pendingBytes).toBe(longest.length - 1);
    expect(framer.push(longest.subarray(-1)).length).toBe(1);
  });

  test("random bytes never throw, and never give a frame whose CRC is wrong", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
        const framer = rtuFraming().responses();
        for (const chunk of chunks) {
          for (const { bytes: frame } of framer.push(Buffer.from(chunk))) {
            expect(frame.readUInt16LE(frame.length - 2)).toBe(crc16(frame, 0, frame.length - 2));
          }
          expect(framer.pendingBytes).toBeLessThan(MAX_RTU_BYTES);
        }
      }),
      { numRuns: 500 },
    );
  });
});
