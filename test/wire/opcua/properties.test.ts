/** Properties of the OPC UA decoders: no bytes make them throw, and writing is undone by reading. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { rewriteRequestUrls, rewriteResponseUrls } from "#wire/opcua/endpoint-rewrite.ts";
import { UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import {
  decodeAsymmetricChunk,
  decodeSymmetricChunk,
  encodeMsgChunk,
  rewriteSequenceNumber,
} from "#wire/opcua/message-chunk.ts";
import { numericNodeId, parseNodeId, readNodeId, writeNodeId } from "#wire/opcua/node-id.ts";
import { decodeRequest, peekRequestHeader } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SERVICE_NAMES, SERVICES } from "#wire/opcua/services/service-table.ts";
import { writeUacpHeader } from "#wire/opcua/uacp-header.ts";
import { decodeAcknowledge, decodeErrorMessage, decodeHello, decodeReverseHello } from "#wire/opcua/uacp-messages.ts";
import { readVariant } from "#wire/opcua/variant.ts";

const RUNS = { numRuns: 400 };
const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
const type = fc.constantFrom("HEL", "ACK", "ERR", "RHE", "OPN", "MSG", "CLO");
const chunkType = fc.constantFrom("F", "C", "A");
/** Small numbers often: lengths and masks that lead further in than noise does. */
const plausible = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 0xff), fc.integer({ min: 0, max: 255 })), { maxLength: 400 })
  .map((array) => Buffer.from(array));
const encodingId = fc.constantFrom(
  397,
  ...SERVICE_NAMES.flatMap((name) => [SERVICES[name].request, SERVICES[name].response]),
);

describe("random bytes never throw", () => {
  test("as a stream", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, plausible), { maxLength: 5 }), (parts) => {
        const framer = new UacpFramer();
        for (const part of parts) framer.push(part);
        expect(framer.buffered).toBeLessThanOrEqual(65_536);
      }),
      RUNS,
    );
  });

  test("as frames", () => {
    fc.assert(
      fc.property(fc.oneof(bytes, plausible), type, chunkType, (frame, as, final) => {
        if (frame.length >= 8) writeUacpHeader(frame, as, final);
        const decoders = [
          decodeHello,
          decodeAcknowledge,
          decodeErrorMessage,
          decodeReverseHello,
          decodeAsymmetricChunk,
        ];
        for (const decoder of decoders) expect(typeof decoder(frame).ok).toBe("boolean");
        const chunk = decodeSymmetricChunk(frame);
        if (chunk.ok) new MessageAssembler().push(chunk.value);
        rewriteSequenceNumber(frame, 1);
      }),
      RUNS,
    );
  });

  test("as the fields of every service", () => {
    fc.assert(
      fc.property(encodingId, fc.oneof(bytes, plausible), (id, fields) => {
        const writer = new BinaryWriter();
        writeNodeId(writer, numericNodeId(id));
        const body = writer.raw(fields).toBuffer();
        decodeRequest(body);
        decodeResponse(body);
        peekRequestHeader(body);
        rewriteResponseUrls(body, "opc.tcp://filter:4840");
        rewriteRequestUrls(body, "opc.tcp://plc2:4840");
      }),
      { numRuns: 2_000 },
    );
  });

  test("as a variant, and no more is read than is there", () => {
    fc.assert(
      fc.property(fc.oneof(bytes, plausible), (variant) => {
        const reader = new BinaryReader(variant);
        readVariant(reader);
        expect(reader.offset).toBeLessThanOrEqual(variant.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("round trips", () => {
  const nodeId = fc.oneof(
    fc
      .tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 0xffff_ffff }))
      .map(([ns, id]) => numericNodeId(id, ns)),
    fc
      .tuple(
        fc.integer({ min: 1, max: 65_535 }),
        fc.oneof(
          fc.string({ unit: "grapheme" }).map((s) => `s=${s}`),
          fc.uuid().map((g) => `g=${g}`),
        ),
      )
      .map(([ns, id]) => parseNodeId(`ns=${ns};${id}`))
      .map((parsed) => (parsed.ok ? parsed.value : numericNodeId(0))),
  );

  test("a NodeId through bytes and through text", () => {
    fc.assert(
      fc.property(nodeId, (id) => {
        const writer = new BinaryWriter(1);
        writeNodeId(writer, id);
        const reader = new BinaryReader(writer.toBuffer());
        expect(reader.finish(readNodeId(reader))).toEqual({ ok: true, value: id });
        expect(parseNodeId(id.text)).toEqual({ ok: true, value: id });
      }),
      RUNS,
    );
  });

  test("chunks cut anywhere come out of the framer as they went in", () => {
    const body = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(
        fc.array(body, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(600), { maxLength: 8 }),
        (bodies, cuts) => {
          const chunks = bodies.map((b, i) =>
            encodeMsgChunk({ channelId: 1, tokenId: 1, sequenceNumber: i, requestId: i, body: b }),
          );
          const stream = Buffer.concat(chunks);
          const edges = [0, ...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length];
          const framer = new UacpFramer();
          const frames = edges.slice(1).flatMap((end, i) => framer.push(stream.subarray(edges[i], end)));
          expect(frames.map((frame) => frame.bytes)).toEqual(chunks);
        },
      ),
      RUNS,
    );
  });
});
