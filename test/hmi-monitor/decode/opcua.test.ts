import { expect, test } from "vitest";
import { noCounts } from "#hmi-monitor/decode/counts.ts";
import { Lines } from "#hmi-monitor/decode/lines.ts";
import { OpcuaInterpreter } from "#hmi-monitor/decode/opcua-interpreter.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { CHUNK_OVERHEAD_BYTES, encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { encodeMessage } from "#wire/opcua/message-splitter.ts";
import { BuiltCapture } from "./capture-builder.ts";
import { decoded } from "./decoded.ts";

const request = (id: number): BinaryWriter =>
  new BinaryWriter().u8(1).u8(0).u16(id).u8(0).u8(0).dateTimeMs(0).u32(1).u32(0).string(null).u32(9).u8(0).u8(0).u8(0);
const PUBLISH = request(826).i32(0).toBuffer();
const BROWSE = request(527).u8(0).u8(0).dateTimeMs(0).u32(0).u32(0).i32(0).toBuffer();
const chunk = (body: Buffer, requestId: number, sequenceNumber = requestId): Buffer =>
  encodeMsgChunk({ channelId: 1, tokenId: 1, sequenceNumber, requestId, body });

test("requests beyond those that may wait: the oldest are given up, and counted", () => {
  const counts = noCounts();
  const interpreter = new OpcuaInterpreter(new Lines(() => undefined), counts);
  const at = { number: 1, seconds: 0, nanoseconds: 0 };
  for (let id = 0; id < 1025; id += 1) {
    const frame = { type: "MSG", chunkType: "F", bytes: chunk(PUBLISH, id) } as const;
    interpreter.message("client-to-server", frame, new Uint8Array(), at);
  }
  expect(interpreter.waiting).toBe(1024);
  expect(counts.unread.unanswered).toBe(1);
});

test("a message in several chunks is one line, at the frame of its last", () => {
  const long = request(422).string("x".repeat(400)).i32(0).i32(0).toBuffer();
  const ids = { channelId: 1, tokenId: 1, requestId: 4, sequenceNumber: 9 };
  const message = encodeMessage({ ...ids, body: long, maxChunkBytes: 200, maxChunkCount: 9 });
  const capture = new BuiltCapture({ serverPort: 4840 }).say("client", chunk(PUBLISH, 3));
  for (const part of message.ok ? message.value.chunks : []) capture.say("client", part);
  expect(decoded(capture.pcap()).lines.slice(1)).toMatchObject([
    { frame: 7, service: "FindServers", chunks: 3, sequenceNumber: 11, endpointUrl: "x".repeat(400) },
  ]);
});

test("what cannot be decoded is told with its message, and the next is read", () => {
  const capture = new BuiltCapture({ serverPort: 4840 })
    .say("client", chunk(PUBLISH, 1))
    .say("client", chunk(BROWSE.subarray(0, -2), 2))
    .say("client", chunk(BROWSE, 3));
  expect(decoded(capture.pcap()).lines).toMatchObject([
    { service: "Publish" },
    { requestId: 2, error: "UA_SHORT", says: expect.stringContaining("OPC 10000-6") },
    { service: "Browse", nodeIds: [] },
  ]);
});

/** A FindServers request of so many bytes and more. */
const longRequest = (bytes: number): Buffer => request(422).string("x".repeat(bytes)).i32(0).i32(0).toBuffer();
const inChunks = (
  body: Buffer,
  requestId: number,
  sequenceNumber: number,
  maxChunkBytes: number,
): readonly Buffer[] => {
  const ids = { channelId: 1, tokenId: 1, requestId, sequenceNumber };
  const message = encodeMessage({ ...ids, body, maxChunkBytes, maxChunkCount: 600 });
  return message.ok ? message.value.chunks : [];
};

test("a message that another one interrupts is told, and the other is read", () => {
  const [first = Buffer.alloc(0)] = inChunks(longRequest(400), 4, 9, 200);
  const capture = new BuiltCapture({ serverPort: 4840 })
    .say("client", chunk(PUBLISH, 3))
    .say("client", first)
    .say("client", chunk(BROWSE, 5));
  expect(decoded(capture.pcap()).lines.slice(1)).toMatchObject([
    { frame: 6, messageType: "MSG", error: "UA_SEQUENCE" },
    { frame: 6, service: "Browse", requestId: 5 },
  ]);
});

test("chunks of a message whose end is missing do not spoil the next", () => {
  const [first = Buffer.alloc(0), ...others] = inChunks(longRequest(400), 4, 9, 200);
  const capture = new BuiltCapture({ serverPort: 4840 })
    .say("client", chunk(PUBLISH, 3))
    .say("client", first)
    .lose("client", Buffer.concat(others))
    .say("client", chunk(BROWSE, 5))
    .say("server", Buffer.from("x"));
  const { lines, counts } = decoded(capture.pcap());
  const up = lines.filter(({ direction }) => direction === "request");
  expect(up.slice(1)).toMatchObject([{ error: "TCP_GAP" }, { frame: 6, service: "Browse", requestId: 5 }]);
  expect(counts.unread.bytes).toBe(first.length - CHUNK_OVERHEAD_BYTES + 1);
});

test("a message of which the connection ends before the last chunk is told, and counted", () => {
  const parts = inChunks(longRequest(400), 4, 9, 200).slice(0, 2);
  const capture = new BuiltCapture({ serverPort: 4840 }).say("client", chunk(PUBLISH, 3));
  for (const part of parts) capture.say("client", part);
  const { lines, counts } = decoded(capture.close().pcap());
  const left = parts.reduce((sum, { length }) => sum + length - CHUNK_OVERHEAD_BYTES, 0);
  expect(lines.slice(1)).toMatchObject([
    { direction: "request", error: "UNFINISHED", says: expect.stringContaining(`of which ${left} bytes are there`) },
  ]);
  expect(counts.unread.bytes).toBe(left);
});

test("a chunk as large as the largest message, and one byte more", () => {
  const overhead = chunk(longRequest(0), 4).length;
  const of = (bytes: number) =>
    new BuiltCapture({ serverPort: 4840 }).say("client", chunk(longRequest(bytes - overhead), 4)).pcap();
  const most = 4_194_304;
  // The string is longer than the codecs read: the whole message was collected, and told.
  expect(decoded(of(most)).lines).toMatchObject([{ requestId: 4, error: "UA_STRING" }]);
  expect(decoded(of(most + 1)).lines[0]).toMatchObject({ error: "UA_CHUNK_TOO_LARGE" });
});

test("a server that dials its client: its ReverseHello turns the roles", () => {
  const hello = new BinaryWriter().string("urn:server").string("opc.tcp://server:4840").toBuffer();
  const size = Buffer.alloc(4);
  size.writeUInt32LE(8 + hello.length);
  const capture = new BuiltCapture({ serverPort: 4840 })
    .say("client", Buffer.concat([Buffer.from("RHEF"), size, hello]))
    .say("server", chunk(BROWSE, 5));
  expect(decoded(capture.pcap()).lines).toMatchObject([
    { src: "10.0.0.10:40000", direction: "response", messageType: "RHE", serverUri: "urn:server" },
    { src: "10.0.0.20:4840", dst: "10.0.0.10:40000", direction: "request", service: "Browse" },
  ]);
});
