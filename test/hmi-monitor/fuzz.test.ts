import fc from "fast-check";
import { DataType, ReadRequest, ReadResponse, WriteRequest } from "node-opcua";
import { describe, expect, test } from "vitest";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import { encodePcapHeader, encodePcapRecord, PcapReader, type PcapRecord } from "#wire/pcap/index.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { openBody, opn, SIZES } from "../switch-filter/ua-bench.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { Capture, type Watching, watching } from "./capture.ts";

/** Captures of an operator's commands, mutated and cut: the monitor never throws, and never guesses. */
const SP = { nodeId: "ns=1;s=FIC401.SP", attributeId: 13 };
const PLC1 = { ip: "127.10.2.1", port: 1502 };
const PLC2_UA = { ip: "127.10.2.2", port: 4840 };

function modbus(): Capture {
  return new Capture(PLC1, 40_001)
    .up(adu(1, "03 0000 0003"))
    .down(adu(1, "03 06 012c 00c8 05dc"))
    .up(adu(2, "06 0000 0140"))
    .down(adu(2, "06 0000 0140"))
    .up(Buffer.concat([adu(3, "06 0001 0320"), adu(4, "05 0003 ff00").subarray(0, 7)]))
    .up(adu(4, "05 0003 ff00").subarray(7))
    .announce(10);
}
const MODBUS_WRITES = ["FIC101.SP 32 allow", "DOS201.SP 8 deny", "ESTOP1 1 allow"];

function chunk(sequenceNumber: number, requestId: number, body: Buffer, chunkType: "F" | "C" = "F"): Buffer {
  return encodeMsgChunk({ channelId: 7, tokenId: 1, sequenceNumber, requestId, body, chunkType });
}

const read = bodyOf(new ReadRequest({ nodesToRead: [SP] }));
const write = (value: number): Buffer =>
  bodyOf(new WriteRequest({ nodesToWrite: [{ ...SP, value: { value: { dataType: DataType.Double, value } } }] }));

function opcua(): Capture {
  const answer = bodyOf(new ReadResponse({ results: [{ value: { dataType: DataType.Double, value: 30 } }] }));
  const denied = write(0);
  return new Capture(PLC2_UA, 40_002)
    .up(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
    .up(opn(1, openBody(0)))
    .up(chunk(2, 2, read))
    .down(chunk(2, 2, answer))
    .up(chunk(3, 3, write(33)))
    .up(Buffer.concat([chunk(4, 4, denied.subarray(0, 30), "C"), chunk(5, 4, denied.subarray(30))]))
    .announce(9);
}
const UA_WRITES = ["FIC401.SP 33 allow", "FIC401.SP 0 deny"];

async function watch(records: readonly PcapRecord[]): Promise<Watching> {
  const watched = await watching();
  for (const record of records) watched.monitor.frame(record);
  return watched;
}

describe.each([
  { protocol: "Modbus", capture: modbus, writes: MODBUS_WRITES },
  { protocol: "OPC UA", capture: opcua, writes: UA_WRITES },
])("$protocol", ({ capture, writes }) => {
  const { records } = capture();
  const index = fc.nat(records.length - 1);

  test("each command is judged once", async () => {
    expect((await watch(records)).writes()).toEqual(writes);
  });

  test("retransmissions and overtaking frames change nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(index, { maxLength: 6 }), async (again) => {
        const mixed = records.flatMap((record, i) => Array(1 + again.filter((at) => at === i).length).fill(record));
        expect((await watch(mixed)).writes()).toEqual(writes);
      }),
      { numRuns: 30 },
    );
    for (let i = 3; i < records.length - 2; i += 1) {
      const mixed = [...records.slice(0, i), ...records.slice(i, i + 2).reverse(), ...records.slice(i + 2)];
      const seen = (await watch(mixed)).writes().map((text) => text.replace(/ (allow|deny)$/, ""));
      expect(seen).toEqual(writes.map((text) => text.replace(/ (allow|deny)$/, "")));
    }
  });

  test("a mirror stream cut anywhere is the same stream", async () => {
    const stream = Buffer.concat([
      encodePcapHeader(),
      ...records.map(({ timeMs, frame }) => encodePcapRecord(timeMs, frame)),
    ]);
    for (let size = 1; size < stream.length; size += 7) {
      const reader = new PcapReader();
      const watched = await watching();
      for (let at = 0; at < stream.length; at += size) {
        for (const record of reader.push(stream.subarray(at, at + size))) watched.monitor.frame(record);
      }
      expect(watched.writes()).toEqual(writes);
    }
  });

  test("joined late, at any frame: what is judged is what was sent, and nothing else", async () => {
    for (let from = 0; from < records.length; from += 1) {
      const seen = (await watch(records.slice(from))).writes().map((text) => text.replace(/ (allow|deny)$/, ""));
      const sent = writes.map((text) => text.replace(/ (allow|deny)$/, ""));
      expect(sent.slice(sent.length - seen.length)).toEqual(seen);
    }
  });

  test("a capture that was interrupted goes on where it was, or is blind: never from the middle of a message", async () => {
    for (let at = 1; at < records.length; at += 1) {
      const whole = await watch(records.slice(0, at));
      whole.monitor.interrupted();
      for (const record of records.slice(at)) whole.monitor.frame(record);
      expect(whole.writes()).toEqual(writes);
      const torn = await watch(records.slice(0, at));
      torn.monitor.interrupted();
      for (const record of records.slice(at + 1)) torn.monitor.frame(record);
      const sent = new Set(writes.map((text) => text.replace(/ (allow|deny)$/, "")));
      for (const text of torn.writes()) expect(sent).toContain(text.replace(/ (allow|deny)$/, ""));
    }
  });

  test("mutated frames never throw", async () => {
    const mutation = fc.record({ frame: index, at: fc.nat(200), value: fc.nat(255), deed: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 12 }), async (mutations) => {
        const mutated = records.map((record) => ({ ...record, frame: Buffer.from(record.frame) }));
        for (const { frame, at, value, deed } of mutations) {
          const record = mutated[frame];
          if (record === undefined) continue;
          if (deed === 0) record.frame = record.frame.subarray(0, at);
          else if (deed === 1) record.frame = Buffer.concat([record.frame, Buffer.alloc(at, value)]);
          else if (record.frame.length > 0) record.frame[at % record.frame.length] = value;
        }
        expect((await watch(mutated)).judged.length).toBeLessThan(50);
      }),
      { numRuns: 150 },
    );
  });

  test("mutated payloads, under checksums that are right, never throw", async () => {
    const payload = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.constantFrom(adu(9, "06 0000 0140"), chunk(9, 9, write(31)), chunk(9, 9, read.subarray(0, 12))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), payload), { maxLength: 12 }), async (said) => {
        const noisy = capture();
        for (const [up, bytes] of said) {
          if (up) noisy.up(bytes);
          else noisy.down(bytes);
        }
        expect((await watch(noisy.records)).writes().slice(0, writes.length)).toEqual(writes);
      }),
      { numRuns: 150 },
    );
  });
});

describe("no guess: after what cannot be read, nothing of the connection is judged", () => {
  const later = adu(6, "06 0001 0320");

  test.each([
    { name: "in the same segment", more: (c: Capture) => c.up(Buffer.concat([adu(5, "05 0001 0001"), later])) },
    { name: "in the next segment", more: (c: Capture) => c.up(adu(5, "05 0001 0001")).up(later) },
    {
      name: "behind a bad header",
      more: (c: Capture) => c.up(Buffer.concat([adu(5, "05 0001 ff00").fill(1, 2, 3), later])),
    },
  ])("$name", async ({ more }) => {
    const { writes, says } = await watch(more(modbus()).records);
    expect(writes()).toEqual(MODBUS_WRITES);
    expect(says.length).toBe(1);
  });

  test("a secured channel is said to be unseen", async () => {
    const capture = new Capture(PLC2_UA, 40_003)
      .up(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
      .up(opn(1, openBody(0), 0, "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"))
      .up(chunk(2, 2, Buffer.alloc(64, 0xa5)));
    const { writes, says } = await watch(capture.records);
    expect(writes()).toEqual([]);
    expect(says.join()).toContain("Basic256Sha256");
  });
});
