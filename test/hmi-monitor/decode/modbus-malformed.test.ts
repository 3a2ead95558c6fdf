import { describe, expect, test } from "vitest";
import { encodeFrame, transactionId, unitId } from "#wire/modbus/index.ts";
import { BuiltCapture, pcapOf } from "./capture-builder.ts";
import { decoded } from "./decoded.ts";

const adu = (transaction: number, hex: string): Buffer =>
  encodeFrame({ transactionId: transactionId(transaction), unitId: unitId(1) }, Buffer.from(hex, "hex"));
const READ = "0300100002";
const TWO = "030400070008";

const ARP = Buffer.concat([Buffer.alloc(12, 2), Buffer.from("0806", "hex"), Buffer.alloc(28)]);

describe("Modbus that is not as the standard has it", () => {
  test("of a transaction that is used again at once both requests wait, and are answered in their order", () => {
    const capture = new BuiltCapture()
      .say("client", adu(7, "0300100001"))
      .say("client", adu(7, READ))
      .say("server", adu(7, "03020007"))
      .say("server", adu(7, TWO));
    expect(decoded(capture.pcap()).lines.slice(2)).toMatchObject([
      { request: { frame: 4 } },
      { request: { frame: 5 } },
    ]);
  });

  test("one that is used again later has been given up", () => {
    const capture = new BuiltCapture().say("client", adu(7, READ));
    const frames = [...capture.frames, ...Array.from({ length: 30 }, () => ARP)];
    capture.say("client", adu(7, READ)).say("server", adu(7, TWO));
    const { lines, counts } = decoded(pcapOf([...frames, ...capture.frames.slice(4)]));
    expect(lines.at(-1)).toMatchObject({ request: { frame: 35 } });
    expect(counts.unread.unanswered).toBe(1);
  });

  test("requests of two units with one transaction do not replace each other", () => {
    const of = (unit: number, pdu: string) =>
      encodeFrame({ transactionId: transactionId(7), unitId: unitId(unit) }, Buffer.from(pdu, "hex"));
    const capture = new BuiltCapture()
      .say("client", Buffer.concat([of(1, READ), of(2, READ)]))
      .say("server", of(2, TWO))
      .say("server", of(1, TWO));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines.slice(2)).toMatchObject([
      { unit: 2, request: { frame: 4 } },
      { unit: 1, request: { frame: 4 } },
    ]);
    expect(counts.unread).toMatchObject({ unanswered: 0, unsolicited: 0 });
  });

  test.each([
    { pdu: "030010007e", says: { address: 16, quantity: 126, error: "MB_QUANTITY" } },
    { pdu: "01fffe0003", says: { address: 65534, quantity: 3, error: "MB_ADDRESS" } },
    { pdu: "0500011234", says: { address: 1, error: "MB_COIL_VALUE" } },
    { pdu: "0600", says: { error: "MB_PDU_LENGTH" } },
    { pdu: "10001000030400010002", says: { address: 16, quantity: 3, values: [1, 2], error: "MB_BYTE_COUNT" } },
    { pdu: "0f0000000a02ffff", says: { quantity: 10, values: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], error: "MB_PADDING" } },
    { pdu: "0f000000000100", says: { quantity: 0, values: [], error: "MB_QUANTITY" } },
    { pdu: "17000100020003000104", says: { address: 1, writeAddress: 3, writeQuantity: 1, values: [] } },
    { pdu: "160001000200", says: { address: 1, andMask: 2, error: "MB_PDU_LENGTH" } },
  ])(
    "a request that breaks the standard: what can be read of $pdu, and its exception belongs to it",
    ({ pdu, says }) => {
      const refused = (Number.parseInt(pdu.slice(0, 2), 16) | 0x80).toString(16);
      const capture = new BuiltCapture().say("client", adu(1, pdu)).say("server", adu(1, `${refused}03`));
      const { lines, counts } = decoded(capture.pcap());
      expect(lines).toMatchObject([
        { pdu, ...says },
        { exception: 3, request: { frame: 4 } },
      ]);
      expect(counts.unread).toMatchObject({ unanswered: 0, unsolicited: 0 });
    },
  );

  test.each([
    { request: "0100000003", pdu: "0101ff", says: { values: [1, 1, 1], error: "MB_PADDING" } },
    { request: READ, pdu: "03020007", says: { values: [7], error: "MB_BYTE_COUNT" } },
    { request: "0600010002", pdu: "0600020003", says: { address: 2, values: [3], error: "MB_ECHO" } },
    { request: "0500010000", pdu: "050001ff00", says: { address: 1, values: [1], error: "MB_ECHO" } },
    { request: "1000010001020007", pdu: "1000010002", says: { address: 1, quantity: 2, error: "MB_ECHO" } },
    { request: "180000", pdu: "180006000300070008", says: { values: [7, 8], error: "MB_BYTE_COUNT" } },
    { request: READ, pdu: "8302ff", says: { exception: 2, error: "MB_PDU_LENGTH" } },
  ])("an answer that breaks the standard: what can be read of $pdu", ({ request, pdu, says }) => {
    const capture = new BuiltCapture().say("client", adu(1, request)).say("server", adu(1, pdu));
    expect(decoded(capture.pcap()).lines[1]).toMatchObject({ pdu, request: { frame: 4 }, ...says });
  });
});
