/** Connection protocol and MessageChunks: framer, HEL/ACK/ERR/RHE, OPN/MSG/CLO, assembly, sequence numbers. */
import { AcknowledgeMessage, HelloMessage } from "node-opcua";
import { describe, expect, test } from "vitest";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import {
  decodeAsymmetricChunk,
  decodeAsymmetricHeader,
  decodeSymmetricChunk,
  decodeSymmetricHeader,
  encodeMsgChunk,
  rewriteSequenceNumber,
} from "#wire/opcua/message-chunk.ts";
import { encodeMessage } from "#wire/opcua/message-splitter.ts";
import { lowerSizes, negotiate } from "#wire/opcua/negotiation.ts";
import { SECURITY_POLICY_NONE, securityPolicyName } from "#wire/opcua/security-policy.ts";
import { followsSequenceNumber, nextSequenceNumber } from "#wire/opcua/sequence-number.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { writeUacpHeader } from "#wire/opcua/uacp-header.ts";
import {
  decodeAcknowledge,
  decodeErrorMessage,
  decodeHello,
  decodeReverseHello,
  encodeAcknowledge,
  encodeErrorMessage,
  encodeHello,
} from "#wire/opcua/uacp-messages.ts";
import { bytesOf } from "./node-opcua-bytes.ts";

const sizes = {
  protocolVersion: 0,
  receiveBufferSize: 65_536,
  sendBufferSize: 65_535,
  maxMessageSize: 1_048_576,
  maxChunkCount: 16,
};
const hello = { ...sizes, endpointUrl: "opc.tcp://filter:4840" };
const helloBytes = encodeHello(hello);
const part = (fields: object = {}): Buffer =>
  encodeMsgChunk({ channelId: 3, tokenId: 4, sequenceNumber: 51, requestId: 7, body: Buffer.from("body"), ...fields });

/** An OPN frame; `payload` stands for sequence header and body. */
function opn(policy: string, payload: Buffer, thumbprint: Buffer | null = null): Buffer {
  const writer = new BinaryWriter().raw(Buffer.alloc(8)).u32(0).string(policy).byteString(null).byteString(thumbprint);
  const bytes = writer.raw(payload).toBuffer();
  writeUacpHeader(bytes, "OPN", "F");
  return bytes;
}
const opnNone = opn(SECURITY_POLICY_NONE, Buffer.from("3300000007000000626f6479", "hex"));

/** Pushes and requires a Result that is ok. */
function must<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

describe("HEL, ACK, ERR, RHE", () => {
  const theirs = (message: { encode: HelloMessage["encode"] }, type: "HEL" | "ACK"): Buffer => {
    const bytes = Buffer.concat([Buffer.alloc(8), bytesOf((stream) => message.encode(stream))]);
    writeUacpHeader(bytes, type, "F");
    return bytes;
  };

  test("are the bytes of node-opcua", () => {
    expect(helloBytes).toEqual(theirs(new HelloMessage(hello), "HEL"));
    expect(encodeAcknowledge(sizes)).toEqual(theirs(new AcknowledgeMessage(sizes), "ACK"));
    const error = encodeErrorMessage({ error: STATUS_CODES.BadTcpMessageTooLarge, reason: "too large" });
    expect(error).toEqual(Buffer.from("45525246" + "19000000" + "00008080" + "09000000" + "746f6f206c61726765", "hex"));
  });

  test("are decoded", () => {
    expect(decodeHello(helloBytes)).toEqual({ ok: true, value: hello });
    expect(decodeAcknowledge(encodeAcknowledge(sizes))).toEqual({ ok: true, value: sizes });
    const error = { error: STATUS_CODES.BadTcpMessageTooLarge, reason: "too large" };
    expect(decodeErrorMessage(encodeErrorMessage(error))).toEqual({ ok: true, value: error });
    const reverse = new BinaryWriter().raw(Buffer.alloc(8)).string("urn:plc2").string("opc.tcp://plc2:4840").toBuffer();
    writeUacpHeader(reverse, "RHE", "F");
    expect(decodeReverseHello(reverse)).toEqual({
      ok: true,
      value: { serverUri: "urn:plc2", endpointUrl: "opc.tcp://plc2:4840" },
    });
  });

  test.each([
    { name: "another type", result: decodeAcknowledge(helloBytes), code: "UA_MESSAGE_TYPE" },
    { name: "a frame one byte short", result: decodeHello(helloBytes.subarray(0, -1)), code: "UA_SIZE" },
    {
      name: "a receive buffer of 8191 bytes",
      result: decodeHello(encodeHello({ ...hello, receiveBufferSize: 8_191 })),
      code: "UA_ENCODING",
    },
    {
      name: "a send buffer of 8191 bytes",
      result: decodeHello(encodeHello({ ...hello, sendBufferSize: 8_191 })),
      code: "UA_ENCODING",
    },
    {
      name: "a URL of 4096 bytes",
      result: decodeHello(encodeHello({ ...hello, endpointUrl: "x".repeat(4_096) })),
      code: "UA_SIZE",
    },
  ])("refused: $name", ({ result, code }) => expect(result).toMatchObject({ ok: false, error: { code } }));

  test("a URL of 4095 bytes and buffers of 8192 bytes are at the limit", () => {
    const edge = { ...hello, receiveBufferSize: 8_192, sendBufferSize: 8_192, endpointUrl: "x".repeat(4_095) };
    expect(decodeHello(encodeHello(edge))).toEqual({ ok: true, value: edge });
  });

  test("a reason is cut to 4096 bytes, on a character", () => {
    const cut = must(decodeErrorMessage(encodeErrorMessage({ error: 1, reason: "水".repeat(2_000) })));
    expect(cut.reason).toBe("水".repeat(1_024));
  });

  test("negotiation: the smaller of what both and we want", () => {
    const bounds = { maxChunkBytes: 16_384, maxMessageBytes: 500_000, maxChunkCount: 8 };
    expect(lowerSizes({ ...hello, maxMessageSize: 0, maxChunkCount: 0 }, bounds)).toEqual({
      protocolVersion: 0,
      receiveBufferSize: 16_384,
      sendBufferSize: 16_384,
      maxMessageSize: 500_000,
      maxChunkCount: 8,
      endpointUrl: hello.endpointUrl,
    });
    const acknowledge = {
      ...sizes,
      receiveBufferSize: 8_192,
      sendBufferSize: 32_768,
      maxMessageSize: 0,
      maxChunkCount: 3,
    };
    expect(negotiate(hello, acknowledge, bounds)).toEqual({
      ok: true,
      value: {
        clientToServer: { maxChunkBytes: 8_192, maxMessageBytes: 500_000, maxChunkCount: 3 },
        serverToClient: { maxChunkBytes: 16_384, maxMessageBytes: 500_000, maxChunkCount: 8 },
      },
    });
    expect(negotiate(hello, { ...sizes, receiveBufferSize: 65_536 }, bounds)).toMatchObject({
      ok: false,
      error: { code: "UA_ENCODING", offset: 12 },
    });
    expect(negotiate(hello, { ...sizes, sendBufferSize: 65_537 }, bounds)).toMatchObject({
      ok: false,
      error: { code: "UA_ENCODING" },
    });
  });
});

describe("framer", () => {
  const stream = Buffer.concat([
    helloBytes,
    opnNone,
    part(),
    part({ chunkType: "C" }),
    part({ chunkType: "A" }),
    part({ type: "CLO" }),
  ]);
  const whole = (frames: readonly UacpFrame[]): readonly string[] =>
    frames.map((f) => `${f.type}${f.chunkType} ${f.bytes.toString("hex")}`);

  test("a stream cut at every byte gives the same frames, byte for byte", () => {
    const want = whole(new UacpFramer().push(stream));
    expect(want.map((text) => text.slice(0, 4))).toEqual(["HELF", "OPNF", "MSGF", "MSGC", "MSGA", "CLOF"]);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const framer = new UacpFramer();
      const frames = [...framer.push(stream.subarray(0, cut)), ...framer.push(stream.subarray(cut))];
      expect(whole(frames)).toEqual(want);
      expect([framer.failed, framer.buffered]).toEqual([undefined, 0]);
    }
    const single = new UacpFramer();
    expect(whole([...stream].flatMap((byte) => single.push(Buffer.from([byte]))))).toEqual(want);
  });

  test.each([
    { name: "another protocol", bytes: "GET / HT", code: "UA_MESSAGE_TYPE" },
    { name: "lower case", bytes: "msgF\x20\0\0\0", code: "UA_MESSAGE_TYPE" },
    { name: "chunk type X", bytes: "MSGX\x20\0\0\0", code: "UA_CHUNK_TYPE" },
    { name: "HEL that is not final", bytes: "HELC\x20\0\0\0", code: "UA_CHUNK_TYPE" },
    { name: "OPN that is not final", bytes: "OPNC\x20\0\0\0", code: "UA_CHUNK_TYPE" },
    { name: "CLO that aborts", bytes: "CLOA\x20\0\0\0", code: "UA_CHUNK_TYPE" },
    { name: "MSG of 23 bytes", bytes: "MSGF\x17\0\0\0", code: "UA_SIZE" },
    { name: "ACK of 29 bytes", bytes: "ACKF\x1d\0\0\0", code: "UA_SIZE" },
    { name: "MSG of size 0", bytes: "MSGF\0\0\0\0", code: "UA_SIZE" },
    { name: "MSG of 4 GiB", bytes: "MSGF\xff\xff\xff\xff", code: "UA_CHUNK_TOO_LARGE" },
  ])("$name ends it for good", ({ bytes, code }) => {
    const framer = new UacpFramer();
    const frames = framer.push(Buffer.concat([part(), Buffer.from(bytes, "latin1"), part()]));
    expect(frames).toHaveLength(1);
    expect(framer.failed).toMatchObject({ code });
    expect(framer.push(part())).toEqual([]);
  });

  test("the bound: at it, one above, and lowered after negotiation", () => {
    const at = part({ body: Buffer.alloc(65_536 - 24) });
    expect(new UacpFramer().push(at)).toHaveLength(1);
    const framer = new UacpFramer();
    expect(framer.push(part({ body: Buffer.alloc(65_537 - 24) }))).toEqual([]);
    expect(framer.failed).toMatchObject({ code: "UA_CHUNK_TOO_LARGE", offset: 4 });
    const lowered = new UacpFramer({ maxChunkBytes: 8_192 });
    lowered.lowerMaxChunkBytes(28);
    lowered.lowerMaxChunkBytes(9_000);
    expect(lowered.push(part())).toHaveLength(1);
    expect(lowered.push(part({ body: Buffer.from("body+") }))).toEqual([]);
    expect(lowered.failed).toMatchObject({ code: "UA_CHUNK_TOO_LARGE" });
  });
});

describe("chunks", () => {
  test("MSG, golden bytes", () => {
    const bytes = Buffer.from(
      "4d5347461c000000" + "03000000" + "04000000" + "33000000" + "07000000" + "626f6479",
      "hex",
    );
    expect(part()).toEqual(bytes);
    expect(decodeSymmetricChunk(bytes)).toEqual({
      ok: true,
      value: {
        type: "MSG",
        chunkType: "F",
        channelId: 3,
        tokenId: 4,
        sequenceNumber: 51,
        requestId: 7,
        body: Buffer.from("body"),
      },
    });
    expect(decodeSymmetricHeader(bytes)).toEqual({
      ok: true,
      value: { type: "MSG", chunkType: "F", channelId: 3, tokenId: 4 },
    });
  });

  test("a signature is left off; one longer than the body is refused", () => {
    expect(decodeSymmetricChunk(part(), 3)).toMatchObject({ ok: true, value: { body: Buffer.from("b") } });
    expect(decodeSymmetricChunk(part(), 4)).toMatchObject({ ok: true, value: { body: Buffer.alloc(0) } });
    expect(decodeSymmetricChunk(part(), 5)).toMatchObject({ ok: false, error: { code: "UA_SIZE" } });
  });

  test("frames of another size or type are refused", () => {
    expect(decodeSymmetricChunk(Buffer.concat([part(), Buffer.alloc(1)]))).toMatchObject({
      ok: false,
      error: { code: "UA_SIZE" },
    });
    expect(decodeSymmetricChunk(helloBytes)).toMatchObject({ ok: false, error: { code: "UA_MESSAGE_TYPE" } });
    expect(decodeAsymmetricHeader(part())).toMatchObject({ ok: false, error: { code: "UA_MESSAGE_TYPE" } });
  });

  test("OPN on SecurityPolicy None", () => {
    expect(decodeAsymmetricChunk(opnNone)).toMatchObject({
      ok: true,
      value: {
        channelId: 0,
        securityPolicyUri: SECURITY_POLICY_NONE,
        senderCertificate: null,
        receiverThumbprint: null,
        sequenceNumber: 51,
        requestId: 7,
        body: Buffer.from("body"),
      },
    });
  });

  test("OPN on another policy: header only", () => {
    const policy = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256";
    const secured = opn(policy, Buffer.alloc(256, 1), Buffer.alloc(20, 2));
    expect(decodeAsymmetricHeader(secured)).toMatchObject({
      ok: true,
      value: { securityPolicyUri: policy, receiverThumbprint: Buffer.alloc(20, 2), payload: Buffer.alloc(256, 1) },
    });
    expect(decodeAsymmetricChunk(secured)).toMatchObject({ ok: false, error: { code: "UA_SECURITY_POLICY" } });
    expect(securityPolicyName(policy)).toBe("Basic256Sha256");
    expect(securityPolicyName("urn:own")).toBe("urn:own");
  });

  test.each([
    {
      name: "thumbprint of 19 bytes",
      frame: opn(SECURITY_POLICY_NONE, Buffer.alloc(8), Buffer.alloc(19)),
      code: "UA_ENCODING",
    },
    { name: "no policy", frame: opn("", Buffer.alloc(40)), code: "UA_SECURITY_POLICY" },
    { name: "policy of 256 bytes", frame: opn("x".repeat(256), Buffer.alloc(8)), code: "UA_STRING" },
    { name: "no sequence header", frame: opn(SECURITY_POLICY_NONE, Buffer.alloc(7)), code: "UA_SHORT" },
  ])("OPN refused: $name", ({ frame, code }) =>
    expect(decodeAsymmetricChunk(frame)).toMatchObject({ ok: false, error: { code } }),
  );

  test("a sequence number is rewritten in place, in MSG, CLO and OPN", () => {
    for (const frame of [part(), part({ type: "CLO" })]) {
      expect(rewriteSequenceNumber(frame, 0xffff_fffe)).toMatchObject({ ok: true });
      expect(decodeSymmetricChunk(frame)).toMatchObject({
        value: { sequenceNumber: 0xffff_fffe, requestId: 7, body: Buffer.from("body") },
      });
    }
    const frame = Buffer.from(opnNone);
    expect(rewriteSequenceNumber(frame, 52)).toMatchObject({ ok: true });
    expect(decodeAsymmetricChunk(frame)).toMatchObject({
      value: { sequenceNumber: 52, requestId: 7, body: Buffer.from("body") },
    });
    expect(rewriteSequenceNumber(Buffer.from(helloBytes), 1).ok).toBe(false);
  });
});

describe("sequence numbers", () => {
  test.each([
    { previous: 51, received: 52, follows: true },
    { previous: 51, received: 53, follows: false },
    { previous: 51, received: 51, follows: false },
    { previous: 51, received: 1, follows: false },
    { previous: 4_294_966_271, received: 1, follows: false },
    { previous: 4_294_966_272, received: 1, follows: true },
    { previous: 0xffff_ffff, received: 0, follows: true },
    { previous: 0xffff_ffff, received: 1_023, follows: true },
    { previous: 0xffff_ffff, received: 1_024, follows: false },
  ])("$received after $previous: $follows", ({ previous, received, follows }) => {
    expect(followsSequenceNumber(previous, received)).toBe(follows);
  });

  test("ours follow by the same rule", () => {
    for (const n of [0, 51, 4_294_966_272, 0xffff_fffe, 0xffff_ffff])
      expect(followsSequenceNumber(n, nextSequenceNumber(n))).toBe(true);
  });
});

describe("messages of several chunks", () => {
  const chunk = (fields: object): Parameters<MessageAssembler["push"]>[0] => must(decodeSymmetricChunk(part(fields)));
  const body = Buffer.from(Array.from({ length: 100 }, (_, i) => i));
  const fields = { channelId: 3, tokenId: 4, requestId: 7, sequenceNumber: 0xffff_ffff, body, maxChunkCount: 10 };

  test("split and joined again, whatever the size of the chunks", () => {
    for (const maxChunkBytes of [34, 57, 123, 124, 125]) {
      const { chunks, nextSequenceNumber: next } = must(encodeMessage({ ...fields, maxChunkBytes }));
      const assembler = new MessageAssembler();
      const results = chunks.map((bytes) => must(assembler.push(must(decodeSymmetricChunk(bytes)))));
      expect(Math.max(...chunks.map((bytes) => bytes.length))).toBeLessThanOrEqual(maxChunkBytes);
      expect(results.at(-1)).toEqual({ kind: "message", requestId: 7, body, chunkCount: chunks.length });
      expect(next).toBe(chunks.length);
      expect(assembler.buffered).toBe(0);
    }
  });

  test("a body that needs more chunks than allowed is refused", () => {
    expect(encodeMessage({ ...fields, maxChunkBytes: 34 })).toMatchObject({ ok: true });
    expect(encodeMessage({ ...fields, maxChunkBytes: 33 })).toMatchObject({
      ok: false,
      error: { code: "UA_TOO_MANY_CHUNKS" },
    });
    expect(encodeMessage({ ...fields, maxChunkBytes: 24 }).ok).toBe(false);
  });

  test("bounds on count and size: at the limit and one above", () => {
    const count = new MessageAssembler({ maxChunkCount: 2 });
    expect(count.push(chunk({ chunkType: "C" }))).toMatchObject({ ok: true, value: { kind: "pending" } });
    expect(count.push(chunk({ chunkType: "C" }))).toMatchObject({ ok: true });
    expect(count.push(chunk({}))).toMatchObject({ ok: false, error: { code: "UA_TOO_MANY_CHUNKS" } });
    expect(count.push(chunk({}))).toMatchObject({ ok: false, error: { code: "UA_TOO_MANY_CHUNKS" } });
    const size = new MessageAssembler({ maxMessageBytes: 8 });
    expect(size.push(chunk({ chunkType: "C" })).ok).toBe(true);
    expect(size.push(chunk({})).ok).toBe(true);
    expect(size.push(chunk({ chunkType: "C" })).ok).toBe(true);
    expect(size.push(chunk({ body: Buffer.from("body+") }))).toMatchObject({
      ok: false,
      error: { code: "UA_MESSAGE_TOO_LARGE" },
    });
    expect(size.failed).toMatchObject({ code: "UA_MESSAGE_TOO_LARGE" });
    const lowered = new MessageAssembler();
    lowered.lower({ maxMessageBytes: 3, maxChunkCount: 1 });
    expect(lowered.push(chunk({}))).toMatchObject({ ok: false, error: { code: "UA_MESSAGE_TOO_LARGE" } });
  });

  test.each([
    { name: "another request", next: { requestId: 8 } },
    { name: "an abort of another request", next: { requestId: 8, chunkType: "A" } },
    { name: "a CLO", next: { type: "CLO" } },
  ])("$name between the chunks of a message is refused", ({ next }) => {
    const assembler = new MessageAssembler();
    assembler.push(chunk({ chunkType: "C" }));
    expect(assembler.push(chunk(next))).toMatchObject({ ok: false, error: { code: "UA_SEQUENCE" } });
  });

  test("an abort drops what was held and says why", () => {
    const assembler = new MessageAssembler();
    assembler.push(chunk({ chunkType: "C" }));
    const abort = new BinaryWriter().u32(STATUS_CODES.BadResponseTooLarge).string("too large").toBuffer();
    expect(assembler.push(chunk({ chunkType: "A", body: abort }))).toEqual({
      ok: true,
      value: { kind: "aborted", requestId: 7, error: STATUS_CODES.BadResponseTooLarge, reason: "too large" },
    });
    expect(assembler.buffered).toBe(0);
    expect(assembler.push(chunk({ requestId: 8 }))).toMatchObject({ ok: true, value: { kind: "message" } });
    expect(assembler.push(chunk({ chunkType: "A" }))).toMatchObject({ ok: false });
  });
});
