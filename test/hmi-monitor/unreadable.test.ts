import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LEAST_VISIBLE_MS } from "#hmi-monitor/half-seen.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { openBody, opn } from "../switch-filter/ua-bench.ts";
import { isWithin, judged, modbus, type Noise, opcua, readOn, type Turn, turns, watch } from "./talks.ts";

/** One message that cannot be read: nothing is guessed of what follows it, and the connection is not lost for good. */
const plain: readonly Turn[] = Array.from({ length: 12 }, (_, n) => ({ writes: n % 2 === 1, cut: 0, piped: false }));
const chunk = (bytes: Buffer, sequenceNumber = 5) =>
  encodeMsgChunk({ channelId: 7, tokenId: 1, sequenceNumber, requestId: sequenceNumber, body: bytes });

const PROTOCOLS: readonly Case[] = [
  {
    protocol: "Modbus",
    talk: modbus,
    bad: [
      { name: "a coil set to what is neither on nor off", up: true, bytes: adu(90, "05 0001 0001") },
      { name: "a request that ends early", up: true, bytes: adu(90, "06 0001 03") },
      { name: "another protocol identifier", up: true, bytes: adu(90, "05 0001 ff00").fill(1, 2, 3) },
      {
        name: "a valid write behind it in the segment",
        up: true,
        bytes: Buffer.concat([adu(90, "05 0001 0001"), adu(91, "06 0001 0063")]),
      },
      { name: "an answer with another protocol identifier", up: false, bytes: adu(90, "06 0001 0063").fill(1, 2, 3) },
    ],
    /** Its protocol identifier is not that of Modbus, so that no server takes what follows for a part of it. */
    noise: fc.uint8Array({ minLength: 8, maxLength: 40 }).map((bytes) => Buffer.from(bytes).fill(0x5a, 2, 4)),
  },
  {
    protocol: "OPC UA",
    talk: opcua,
    bad: [
      { name: "a Read that ends within its header", up: true, bytes: chunk(Buffer.from([1, 0, 0x77, 2, 1])) },
      { name: "an unknown type of message", up: true, bytes: Buffer.from("XYZF\x10\0\0\0\0\0\0\0\0\0\0\0") },
      { name: "an opening cut off within its header", up: true, bytes: shortened(opn(5, openBody(0)), 20) },
      { name: "an answer of an unknown type of message", up: false, bytes: Buffer.from("XYZF\x08\0\0\0") },
    ],
    noise: fc.uint8Array({ minLength: 8, maxLength: 40 }).map((bytes) => Buffer.from(bytes).fill(0x5a, 0, 3)),
  },
];

interface Case {
  readonly protocol: string;
  readonly talk: typeof modbus;
  readonly bad: readonly { readonly name: string; readonly up: boolean; readonly bytes: Buffer }[];
  readonly noise: fc.Arbitrary<Buffer>;
}

/** A chunk that says truly how short it is. */
function shortened(bytes: Buffer, length: number): Buffer {
  const short = Buffer.from(bytes.subarray(0, length));
  short.writeUInt32LE(length, 4);
  return short;
}

describe.each(PROTOCOLS)("$protocol", ({ talk, bad, noise }) => {
  test.each(bad)("$name: said, counted, and what follows is judged from where it fits again", async ({ up, bytes }) => {
    for (let before = 2; before < plain.length - 4; before += 1) {
      const { capture, writes } = talk(plain, [{ before, up, bytes }]);
      const watched = await watch(capture.records);
      const seen = judged(watched);
      expect(isWithin(seen, writes)).toBe(true);
      expect([before, seen.at(-1)]).toEqual([before, writes.at(-1)]);
      expect(seen.length).toBeGreaterThanOrEqual(writes.length - 2);
      const { unread } = watched.monitor;
      expect([unread.unreadable, unread.resynchronised, unread.blind, unread.gaps]).toEqual([1, 1, 0, 0]);
      expect(unread.bytes).toBeGreaterThanOrEqual(bytes.length);
      expect(watched.says.join("\n")).toMatch(/: blind until .*[\s\S]*judged from now on; \d+ bytes/);
    }
  });

  test("whatever it is, and however often: nothing is judged that was not sent, or twice", async () => {
    let resumed = 0;
    const some = fc.array(fc.record({ before: fc.nat(13), up: fc.boolean(), bytes: noise }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(turns, some, async (course, spoilt: readonly Noise[]) => {
        const { capture, writes } = talk(course, spoilt);
        resumed += await readOn(capture.records, writes);
      }),
      { numRuns: 250 },
    );
    expect(resumed).toBeGreaterThan(60);
  });
});

test("for as long as it is not read on, the layer says that it is blind", async () => {
  const { capture } = modbus(plain.slice(0, 2), [{ before: 1, up: true, bytes: adu(90, "05 0001 0001") }]);
  const { monitor } = await watch(capture.records.slice(0, -2));
  const endMs = capture.records.at(-1)?.timeMs ?? 0;
  expect(monitor.blindUntil(endMs)).toMatch(/^blind until a request and its answer fit in a connection/);
  for (const record of capture.records.slice(-2)) monitor.frame(record);
  expect(monitor.blindUntil(endMs)).toMatch(/a moment ago/);
  expect(monitor.blindUntil(endMs + LEAST_VISIBLE_MS)).toBeUndefined();
});

describe("nothing is lost by", () => {
  const polls: readonly { readonly name: string; readonly ask: string; readonly answer: string }[] = [
    { name: "a poll of more registers than there may be", ask: "03 0000 007e", answer: "83 03" },
    { name: "a poll of none", ask: "01 0000 0000", answer: "81 03" },
    { name: "a poll beyond the last address", ask: "04 ffff 0002", answer: "84 02" },
    { name: "a device that answers with less than was asked for", ask: "03 0000 0003", answer: "03 04 012c 00c8" },
  ];

  test.each(polls)("$name, again and again: said once, counted, and all else is judged", async ({ ask, answer }) => {
    const noise = plain.flatMap((_, before): readonly Noise[] => [
      { before, up: true, bytes: adu(100 + before, ask) },
      { before, up: false, bytes: adu(100 + before, answer) },
    ]);
    const { capture, writes } = modbus(plain, noise);
    const { monitor, says, ...watched } = await watch(capture.records);
    expect(judged({ monitor, says, ...watched })).toEqual(writes);
    expect(monitor.unread).toMatchObject({ unreadable: plain.length, resynchronised: 0, blind: 0, bytes: 0 });
    expect(says.filter((text) => text.includes("it was not judged")).length).toBe(1);
    expect(says.join("\n")).toContain(`${plain.length} messages that cannot be read`);
    expect(monitor.blindUntil(capture.records.at(-1)?.timeMs ?? 0)).toBeUndefined();
  });
});
