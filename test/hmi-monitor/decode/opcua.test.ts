import { expect, test } from "vitest";
import { noCounts } from "#hmi-monitor/decode/counts.ts";
import { Lines } from "#hmi-monitor/decode/lines.ts";
import { OpcuaInterpreter } from "#hmi-monitor/decode/opcua-interpreter.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
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
