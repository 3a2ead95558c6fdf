import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noCounts } from "#hmi-monitor/decode/counts.ts";
import { Dialogue } from "#hmi-monitor/decode/dialogue.ts";
import { Lines } from "#hmi-monitor/decode/lines.ts";
import { ModbusInterpreter } from "#hmi-monitor/decode/modbus-interpreter.ts";
import { OpcuaInterpreter } from "#hmi-monitor/decode/opcua-interpreter.ts";
import { encodeFrame, transactionId, unitId } from "#wire/modbus/index.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import type { Direction, Flow } from "#wire/packet/index.ts";
import { GOLDEN } from "../../wire/modbus/golden.ts";

// The plain messages take a short way to their lines, where they are whole segments. A message that is cut in two takes the long way,
// through the codecs: both must come to the same bytes, and for malformed messages too.

const RUNS = 3000;
const AT = { number: 7, seconds: 1_750_000_000, nanoseconds: 123_456_789 };
const FLOW: Flow = {
  id: 1,
  client: { mac: "", ip: "10.0.0.1", port: 40_000 },
  server: { mac: "", ip: "10.0.0.2", port: 502 },
};

type Said = readonly [Direction, Buffer];

/** What is written of a conversation; `cut`: the last message comes in two segments. */
function written(protocol: "modbus" | "opcua", said: readonly Said[], cut: boolean): string {
  let text = "";
  const lines = new Lines((block) => {
    text += block.toString("utf8");
  });
  const counts = noCounts();
  const dialogue =
    protocol === "modbus"
      ? new Dialogue(new ModbusInterpreter(false, lines, counts.unread), FLOW, false, lines, counts.unread)
      : new Dialogue(new OpcuaInterpreter(lines, counts), FLOW, false, lines, counts.unread);
  said.forEach(([direction, bytes], i) => {
    if (cut && i === said.length - 1 && bytes.length > 1) {
      dialogue.data(direction, bytes.subarray(0, 1), AT);
      dialogue.data(direction, bytes.subarray(1), AT);
    } else dialogue.data(direction, bytes, AT);
  });
  lines.flush();
  return text;
}

/** Some bytes changed, some cut off or added at the end. */
interface Mutation {
  readonly changes: readonly (readonly [where: number, to: number])[];
  readonly length: number;
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  changes: fc.array(fc.tuple(fc.nat(0xffff), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))), {
    maxLength: 3,
  }),
  length: fc.oneof(fc.constant(0), fc.integer({ min: -12, max: 12 })),
});

function mutated(bytes: Buffer, { changes, length }: Mutation, from: number): Buffer {
  const body =
    length >= 0
      ? Buffer.concat([bytes, Buffer.alloc(length, 0x2a)])
      : bytes.subarray(0, Math.max(from + 1, bytes.length + length));
  const copy = Buffer.from(body);
  for (const [where, to] of changes) copy[from + (where % (copy.length - from))] = to;
  return copy;
}

describe("Modbus", () => {
  const head = { transactionId: transactionId(9), unitId: unitId(3) };
  const exchanges = [
    ...GOLDEN.map(({ request, response }) => [request, response] as const),
    ["0300100004", "0308000100020003ffff"],
    ["0100000005", "01011f"],
    ["0400000001", "0402ffff"],
    ["02ffff0001", "020101"],
  ].map(([request = "", response = ""]) => [Buffer.from(request, "hex"), Buffer.from(response, "hex")] as const);
  const exchange = fc.constantFrom(...exchanges);

  test("requests, as they are and mutated behind a right header", () => {
    fc.assert(
      fc.property(exchange, mutation, ([request], change) => {
        const adu = encodeFrame(head, mutated(request, change, 0));
        const said: Said[] = [["client-to-server", adu]];
        expect(written("modbus", said, false)).toBe(written("modbus", said, true));
      }),
      { numRuns: RUNS },
    );
  });

  test("responses to them", () => {
    fc.assert(
      fc.property(exchange, exchange, mutation, ([request], [, response], change) => {
        const adu = encodeFrame(head, mutated(response, change, 0));
        const said: Said[] = [
          ["client-to-server", encodeFrame(head, request)],
          ["server-to-client", adu],
        ];
        expect(written("modbus", said, false)).toBe(written("modbus", said, true));
      }),
      { numRuns: RUNS },
    );
  });

  test("headers that are wrong themselves", () => {
    fc.assert(
      fc.property(exchange, mutation, ([request], change) => {
        const said: Said[] = [["client-to-server", mutated(encodeFrame(head, request), change, 0)]];
        // A message that is too long begins another one, whose end the cut may move; only whole ones are compared.
        const [whole, cut] = [written("modbus", said, false), written("modbus", said, true)];
        expect(whole.split("\n")[0]).toBe(cut.split("\n")[0]);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("OPC UA", () => {
  const ids = { channelId: 5, tokenId: 2, sequenceNumber: 8, requestId: 21 };
  const chunk = (body: Buffer): Buffer => encodeMsgChunk({ ...ids, body });
  const typeId = (writer: BinaryWriter, id: number) => writer.u8(1).u8(0).u16(id);
  const requestHeader = (id: number) =>
    typeId(new BinaryWriter(), id)
      .u8(5)
      .u16(1)
      .byteString(Buffer.from("secret"))
      .dateTimeMs(0)
      .u32(1)
      .u32(0)
      .string(null)
      .u32(9)
      .u8(0)
      .u8(0)
      .u8(0);
  const responseHeader = (id: number, result = 0) =>
    typeId(new BinaryWriter(), id).dateTimeMs(0).u32(1).u32(result).u8(0).i32(0).u8(0).u8(0).u8(0);

  /** DataValues of every mask and of types that are plain and that are not. */
  const VALUES: readonly Buffer[] = [
    "010b" + "0000000000405040",
    `0d0b7b14ae47e1fa5040${"00".repeat(16)}`,
    "010a" + "c3f58542",
    "0101" + "01",
    "0102" + "80",
    "0104" + "ffff",
    "0106" + "00000080",
    "0107" + "ffffffff",
    "010c" + "03000000" + "616263",
    "010c" + "03000000" + "612263",
    "010c" + "ffffffff",
    "010c" + "00000000",
    "0108" + "ffffffffffffff7f",
    "0186" + "02000000" + "0100000002000000",
    "02" + "0000ab80",
    "030b" + "0000000000000080" + "00000040",
    "00",
    `3f0b0000000000f07f00${"00".repeat(24)}`,
    "010b" + "000000000000f07f",
  ].map((hex) => Buffer.from(hex, "hex"));

  const values = fc.array(fc.constantFrom(...VALUES), { maxLength: 6 });
  const readResponse = values.map((list) => {
    const writer = responseHeader(634).i32(list.length);
    for (const value of list) writer.raw(value);
    return writer.i32(-1).toBuffer();
  });
  const publishResponse = values.map((list) => {
    const items = new BinaryWriter().i32(list.length);
    for (const [i, value] of list.entries()) items.u32(i + 100).raw(value);
    const writer = responseHeader(829).u32(7).i32(1).u32(3).bool(false).u32(4).dateTimeMs(0).i32(1);
    return typeId(writer, 811).u8(1).byteString(items.i32(0).toBuffer()).i32(1).u32(0).i32(0).toBuffer();
  });
  const NODES: readonly Buffer[] = [
    "0055",
    "01030700",
    "0200020700ff00",
    "030200020000006162",
    "0302000000000022",
    "04020000112233445566778899aabbccddeeff",
    "0300000100000078",
  ].map((hex) => Buffer.from(hex, "hex"));
  const readRequest = fc
    .array(fc.tuple(fc.constantFrom(...NODES), fc.constantFrom(13, 1)), { maxLength: 5 })
    .map((nodes) => {
      const writer = requestHeader(631).f64(0).u32(2).i32(nodes.length);
      for (const [node, attribute] of nodes) writer.raw(node).u32(attribute).string(null).u16(0).string(null);
      return writer.toBuffer();
    });
  const publishRequest = fc.array(fc.nat(), { maxLength: 4 }).map((numbers) => {
    const writer = requestHeader(826).i32(numbers.length);
    for (const number of numbers) writer.u32(7).u32(number);
    return writer.toBuffer();
  });

  /** Opens the channel without security, so that what comes next may be skimmed. */
  const OPN_BODY = requestHeader(446).u32(0).u32(0).u32(1).byteString(null).u32(3_600_000).toBuffer();
  const OPN = ((): Buffer => {
    const rest = new BinaryWriter()
      .u32(0)
      .string("http://opcfoundation.org/UA/SecurityPolicy#None")
      .byteString(null)
      .byteString(null);
    const bytes = Buffer.concat([Buffer.from("OPNF\0\0\0\0"), rest.u32(1).u32(1).raw(OPN_BODY).toBuffer()]);
    bytes.writeUInt32LE(bytes.length, 4);
    return bytes;
  })();
  const PLAIN = chunk(requestHeader(826).i32(0).toBuffer());

  test.each([
    { name: "Read requests", body: readRequest, direction: "client-to-server" as const },
    { name: "Publish requests", body: publishRequest, direction: "client-to-server" as const },
    { name: "Read responses", body: readResponse, direction: "server-to-client" as const },
    { name: "Publish responses", body: publishResponse, direction: "server-to-client" as const },
  ])("$name, as they are and mutated", ({ body, direction }) => {
    fc.assert(
      fc.property(body, fc.option(mutation, { nil: undefined }), (bytes, change) => {
        const message = chunk(change === undefined ? bytes : mutated(bytes, change, 0));
        const said: Said[] = [
          ["client-to-server", OPN],
          ["client-to-server", PLAIN],
          [direction, message],
        ];
        expect(written("opcua", said, false)).toBe(written("opcua", said, true));
      }),
      { numRuns: RUNS },
    );
  });

  test("what is plain does take the short way", () => {
    // The long way would refuse a chunk with another size; the short one is not asked then.
    const interpreter = new OpcuaInterpreter(new Lines(() => undefined), noCounts());
    const head = new Uint8Array();
    interpreter.message("client-to-server", { type: "OPN", chunkType: "F", bytes: OPN }, head, AT);
    interpreter.message("client-to-server", { type: "MSG", chunkType: "F", bytes: PLAIN }, head, AT);
    expect(interpreter.skim(true, PLAIN, head, AT)).toBe(true);
    const modbus = new ModbusInterpreter(false, new Lines(() => undefined), noCounts().unread);
    const adu = encodeFrame({ transactionId: transactionId(1), unitId: unitId(1) }, Buffer.from("0300000001", "hex"));
    expect(modbus.skim(true, adu, head, AT)).toBe(true);
  });
});
