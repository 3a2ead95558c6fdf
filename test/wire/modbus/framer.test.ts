import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeFrame,
  encodeFrame,
  encodeRequest,
  MAX_ADU_BYTES,
  type MbapFrame,
  MbapFramer,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";
import { exchanges } from "./arbitraries.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const hexOf = (frames: readonly MbapFrame[]): string[] => frames.map((frame) => frame.bytes.toString("hex"));
const header = { transactionId: transactionId(0x1501), unitId: unitId(0xff) };

const READ = "15010000000" + "6ff0300040001";
const LONGEST = `0001000000fe01${"63".padEnd(2 * 253, "0")}`;
const SHORTEST = "0002000000020107";

describe("one ADU", () => {
  test("header fields", () => {
    const result = decodeFrame(bytes(READ));
    expect(result).toMatchObject({
      ok: true,
      value: { transactionId: 0x1501, unitId: 0xff, pdu: bytes("0300040001") },
    });
    expect(encodeFrame(header, bytes("0300040001")).toString("hex")).toBe(READ);
  });

  test.each([
    { name: "one byte short", hex: READ.slice(0, -2), code: "MB_ADU_LENGTH", offset: 11 },
    { name: "one byte over", hex: `${READ}00`, code: "MB_ADU_LENGTH", offset: 12 },
    { name: "header cut", hex: "1501000000", code: "MB_ADU_LENGTH", offset: 5 },
    { name: "protocol 1", hex: "15010001000" + "6ff0300040001", code: "MB_PROTOCOL", offset: 2 },
    { name: "protocol 256", hex: "15010100000" + "6ff0300040001", code: "MB_PROTOCOL", offset: 2 },
    { name: "length 1", hex: "150100000001ff", code: "MB_LENGTH", offset: 4 },
    { name: "length 255", hex: `1501000000ff${"00".repeat(255)}`, code: "MB_LENGTH", offset: 4 },
  ])("$name", ({ hex, code, offset }) =>
    expect(decodeFrame(bytes(hex))).toMatchObject({ ok: false, error: { code, offset } }),
  );

  test("a PDU of 0 or 254 bytes is a programming error", () => {
    expect(() => encodeFrame(header, Buffer.alloc(0))).toThrow("PDU of 0 bytes is outside 1..253");
    expect(() => encodeFrame(header, Buffer.alloc(254))).toThrow("PDU of 254 bytes is outside 1..253");
    expect(encodeFrame(header, Buffer.alloc(253)).length).toBe(MAX_ADU_BYTES);
  });
});

describe("framer", () => {
  test("a stream cut at every byte gives the same frames", () => {
    const stream = bytes(READ + LONGEST + SHORTEST);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const framer = new MbapFramer();
      const frames = [...framer.push(stream.subarray(0, cut)), ...framer.push(stream.subarray(cut))];
      expect(hexOf(frames)).toEqual([READ, LONGEST, SHORTEST]);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  test("any frames in any chunks come out byte for byte", () => {
    fc.assert(
      fc.property(fc.array(exchanges, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(300)), (list, cuts) => {
        const sent = list.map(({ request }) => encodeFrame(header, encodeRequest(request)));
        const stream = Buffer.concat(sent);
        const framer = new MbapFramer();
        const got: MbapFrame[] = [];
        let at = 0;
        for (const size of [...cuts, stream.length]) {
          got.push(...framer.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(hexOf(got)).toEqual(sent.map((frame) => frame.toString("hex")));
      }),
      { numRuns: 100 },
    );
  });

  test("a whole frame is a view of its chunk, a cut one a copy", () => {
    const chunk = bytes(READ + SHORTEST.slice(0, 6));
    const framer = new MbapFramer();
    const [whole] = framer.push(chunk);
    expect(whole?.bytes.buffer).toBe(chunk.buffer);
    const rest = bytes(SHORTEST.slice(6));
    const [cut] = framer.push(rest);
    rest.fill(0);
    framer.push(bytes(LONGEST.slice(0, 200)));
    expect(cut?.bytes.toString("hex")).toBe(SHORTEST);
  });

  test.each([
    { name: "length 254 is the limit", hex: LONGEST, frames: 1, failed: false },
    { name: "length 255 is over it", hex: "0001000000ff01", frames: 0, failed: true },
    { name: "length 2 is the least", hex: SHORTEST, frames: 1, failed: false },
    { name: "length 1 is below it", hex: "00020000000101", frames: 0, failed: true },
  ])("$name", ({ hex, frames, failed }) => {
    const framer = new MbapFramer();
    expect(framer.push(bytes(hex))).toHaveLength(frames);
    expect(framer.state.kind).toBe(failed ? "failed" : "reading");
  });

  test("after the first bad header it is dead for good, wherever the stream is cut", () => {
    const stream = bytes(`${READ}00030007000601${READ}`);
    const error = { code: "MB_PROTOCOL", offset: 12 + 2, spec: expect.stringContaining("§3.1.3") };
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const framer = new MbapFramer();
      const frames = [...framer.push(stream.subarray(0, cut)), ...framer.push(stream.subarray(cut))];
      expect(hexOf(frames)).toEqual([READ]);
      expect(framer.state).toEqual({ kind: "failed", error });
      expect(framer.push(bytes(READ))).toEqual([]);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  test("a bad protocol identifier fails at its first wrong byte", () => {
    const framer = new MbapFramer();
    framer.push(bytes("000101"));
    expect(framer.state.kind).toBe("failed");
  });

  test("random bytes never throw and never hold more than one ADU", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (chunks) => {
        const framer = new MbapFramer();
        for (const chunk of chunks) framer.push(Buffer.concat([bytes("00010000"), chunk]));
        expect(framer.pendingBytes).toBeLessThan(MAX_ADU_BYTES);
      }),
    );
  });
});
