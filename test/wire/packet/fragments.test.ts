import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildTcpFrame, type ReassemblerOptions, TCP_FLAG, TcpReassembler } from "#wire/packet/index.ts";
import { delivered, outline } from "./conversation.ts";

const TEXT = "The quick brown fox jumps over the lazy dog, 0123456789 times, and once more.";
const BASE = {
  ...{ srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b", srcPort: 40000, dstPort: 502 },
  ...{ seq: 1, ack: 1, flags: TCP_FLAG.ACK, payload: Buffer.from(TEXT) },
};
const FRAME = {
  4: buildTcpFrame({ ...BASE, srcIp: "10.0.0.10", dstIp: "10.0.0.20" }),
  6: buildTcpFrame({ ...BASE, srcIp: "2001:db8::a", dstIp: "2001:db8::b" }),
};
const IP_BYTES = { 4: 20, 6: 40 };
type Version = 4 | 6;
const LENGTH = 20 + TEXT.length;

interface Piece {
  readonly at: number;
  readonly length: number;
  /** default: unless it ends the datagram */
  readonly more?: boolean;
  readonly id?: number;
  /** xor-ed onto the bytes */
  readonly change?: number;
}

/** A fragment of the segment by hand: RFC 791 §3.1, RFC 8200 §4.5. */
function piece(version: Version, { at, length, more = at + length < LENGTH, id = 7, change = 0 }: Piece): Buffer {
  const whole = FRAME[version];
  const head = Buffer.from(whole.subarray(0, 14 + IP_BYTES[version]));
  const segment = whole.subarray(head.length);
  const bytes = Buffer.from(Buffer.concat([segment, Buffer.alloc(66_000)]).subarray(at, at + length)).map(
    (b) => b ^ change,
  );
  if (version === 4) {
    head.writeUInt16BE(20 + bytes.length, 16);
    head.writeUInt16BE(id, 18);
    head.writeUInt16BE((more ? 0x2000 : 0) | (at / 8), 20);
    head.writeUInt16BE(0, 24);
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += head.readUInt16BE(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    head.writeUInt16BE(~sum & 0xffff, 24);
    return Buffer.concat([head, bytes]);
  }
  const extension = Buffer.alloc(8);
  extension.writeUInt8(head.readUInt8(20), 0);
  extension.writeUInt16BE(at | (more ? 1 : 0), 2);
  extension.writeUInt32BE(id, 4);
  head.writeUInt16BE(8 + bytes.length, 18);
  head.writeUInt8(44, 20);
  return Buffer.concat([head, extension, bytes]);
}

function read(version: Version, pieces: readonly Piece[], options: ReassemblerOptions = {}) {
  const reassembler = new TcpReassembler(options);
  const events = pieces.flatMap((p, i) => reassembler.push(piece(version, p), i, { number: i + 1 }));
  return { reassembler, events };
}

const cutEvery = (size: number): Piece[] =>
  Array.from({ length: Math.ceil(LENGTH / size) }, (_, i) => ({
    at: i * size,
    length: Math.min(size, LENGTH - i * size),
  }));

describe.each([4, 6] as const)("IPv%i", (version) => {
  test("a segment in fragments is read when the last piece came, in its frame", () => {
    const { events, reassembler } = read(version, cutEvery(24));
    expect(outline(events)).toEqual(["open late", `> ${TEXT}`]);
    expect(events.map(({ frame }) => frame)).toEqual([5, 5]);
    expect(reassembler.stats).toMatchObject({ frames: 5, fragments: 5, reassembled: 1, segments: 0 });
    // Kept to compare with what comes once more, until its time is over.
    expect(reassembler.tick(2000)).toEqual([]);
    expect(reassembler.stats.heldBytes).toBe(0);
  });

  test("what comes again of a datagram that is whole is quiet; another content of it is said", () => {
    const pieces = cutEvery(24);
    expect(outline(read(version, [...pieces, ...pieces]).events)).toEqual(["open late", `> ${TEXT}`]);
    for (const other of [
      { at: 24, length: 24, change: 1 },
      { at: 24, length: 24, more: false },
      { at: 96, length: 8 },
    ])
      expect(outline(read(version, [...pieces, other]).events)).toEqual([
        "open late",
        `> ${TEXT}`,
        "skipped fragment-overlap",
      ]);
  });

  test("a datagram that is whole gives way to others", () => {
    const many = Array.from({ length: 9 }, (_, id) => cutEvery(48).map((p) => ({ ...p, id }))).flat();
    const { reassembler, events } = read(version, many, { maxDatagrams: 2 });
    expect(reassembler.stats.reassembled).toBe(9);
    expect(events.filter(({ kind }) => kind === "skipped")).toEqual([]);
  });

  test("pieces that come further apart than any receiver waits for at least are not put together", () => {
    const { reassembler } = read(version, [{ at: 0, length: 24 }]);
    expect(outline(reassembler.tick(1001))).toEqual(["skipped fragment-incomplete"]);
  });

  test("in any order, any piece any number of times before the last: the same bytes", () => {
    const sizes = fc.constantFrom(24, 32, 40, 48, 56);
    const orders = sizes.chain((size) => {
      const pieces = cutEvery(size);
      const again = fc.array(fc.nat(pieces.length - 1), { maxLength: 5 });
      return fc.tuple(fc.shuffledSubarray(pieces, { minLength: pieces.length }), again);
    });
    fc.assert(
      fc.property(orders, ([order, again]) => {
        const [last, ...others] = order;
        if (last === undefined) return;
        const repeated = again.flatMap((i) => others[i] ?? []);
        const { events } = read(version, [...others, ...repeated, last]);
        expect(delivered(events)).toBe(TEXT);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    { name: "another start", bad: { at: 16, length: 16 } },
    { name: "another end", bad: { at: 0, length: 32 } },
    { name: "within one, other bytes", bad: { at: 8, length: 8, change: 1 } },
    { name: "the same place, other bytes", bad: { at: 0, length: 24, change: 0x20 } },
  ])("an overlap gives the datagram up, and what still comes of it: $name", ({ bad }) => {
    const { events, reassembler } = read(version, [{ at: 0, length: 24 }, bad, ...cutEvery(24)]);
    expect(outline(events)).toEqual(["skipped fragment-overlap"]);
    const [src, dst] = version === 4 ? ["10.0.0.10", "10.0.0.20"] : ["2001:db8::a", "2001:db8::b"];
    expect(events[0]).toMatchObject({ srcIp: src, dstIp: dst, frame: 2 });
    expect(reassembler.stats.heldBytes).toBe(0);
  });

  test.each([
    { name: "a length that is no multiple of 8", pieces: [{ at: 0, length: 25, more: true }] },
    { name: "no bytes", pieces: [{ at: 8, length: 0, more: true }] },
    {
      name: "two ends",
      pieces: [
        { at: 48, length: 8, more: false },
        { at: 64, length: 8, more: false },
      ],
    },
    {
      name: "past the end",
      pieces: [
        { at: 48, length: 8, more: false },
        { at: 56, length: 8, more: true },
      ],
    },
    {
      name: "an end before bytes that are there",
      pieces: [
        { at: 56, length: 8, more: true },
        { at: 48, length: 8, more: false },
      ],
    },
    { name: "above 65535 bytes", pieces: [{ at: 65_528, length: 8, more: false }] },
  ])("$name is malformed", ({ pieces }) => {
    expect(outline(read(version, pieces).events)).toEqual(["skipped fragment-malformed"]);
  });

  test("65535 bytes are taken", () => {
    expect(read(version, [{ at: 65_528, length: 7, more: false }]).events).toEqual([]);
  });

  test("what stays incomplete is given up after its time, and said once", () => {
    const { reassembler, events } = read(version, [{ at: 0, length: 24 }], { fragmentTimeoutMs: 100 });
    expect(events).toEqual([]);
    expect(reassembler.stats.heldBytes).toBeGreaterThan(0);
    expect(reassembler.tick(100)).toEqual([]);
    expect(outline(reassembler.tick(101))).toEqual(["skipped fragment-incomplete"]);
    expect(reassembler.stats.heldBytes).toBe(0);
    expect(reassembler.end()).toEqual([]);
    expect(outline(read(version, [{ at: 0, length: 24 }]).reassembler.end())).toEqual(["skipped fragment-incomplete"]);
  });

  test("datagrams at once: the limit is held, one more gives the oldest up", () => {
    const started = (n: number): Piece[] => Array.from({ length: n }, (_, id) => ({ at: 0, length: 24, id }));
    expect(read(version, started(3), { maxDatagrams: 3 }).events).toEqual([]);
    const { events, reassembler } = read(version, [...started(4), ...cutEvery(24).map((p) => ({ ...p, id: 3 }))], {
      maxDatagrams: 3,
    });
    expect(outline(events)).toEqual(["skipped fragment-limit", "open late", `> ${TEXT}`]);
    expect(reassembler.stats.heldBytes).toBeLessThan(3 * 2100);
  });

  test("bytes of all datagrams are bounded", () => {
    const huge = Array.from({ length: 100 }, (_, id): Piece => ({ at: 60_000, length: 8, more: true, id }));
    const { events, reassembler } = read(version, huge, { maxFragmentBytes: 1 << 20 });
    expect(reassembler.stats.heldBytes).toBeLessThanOrEqual((1 << 20) + 100 * 2100);
    expect(new Set(outline(events))).toEqual(new Set(["skipped fragment-limit"]));
  });

  test("pieces with holes between them: 64 are held, one more is too many", () => {
    const holes = (n: number): Piece[] => Array.from({ length: n }, (_, i) => ({ at: 16 * i, length: 8, more: true }));
    expect(read(version, holes(64)).events).toEqual([]);
    expect(outline(read(version, holes(65)).events)).toEqual(["skipped fragment-limit"]);
  });
});

test("a TCP header in two fragments is read in IPv4 and refused in IPv6, RFC 7112", () => {
  expect(delivered(read(4, cutEvery(16)).events)).toBe(TEXT);
  expect(outline(read(6, cutEvery(16)).events)).toEqual(["skipped fragment-malformed"]);
});

test("datagrams are told apart by identification", () => {
  const a = cutEvery(48);
  const b = cutEvery(32).map((p) => ({ ...p, id: 8 }));
  const mixed = [a[0], b[0], a[1], b[1], a[2], b[2], b[3]].flatMap((p) => p ?? []);
  expect(outline(read(4, mixed).events)).toEqual(["open late", `> ${TEXT}`]);
});

test("any fragments at all never throw and stay within the bounds", () => {
  const any = fc.record({
    at: fc.nat(20).map((i) => 8 * i),
    length: fc.nat(64),
    more: fc.boolean(),
    id: fc.nat(5),
    change: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 6 as const),
      fc.array(any, { maxLength: 40, size: "max" }),
      (version, pieces) => {
        const limits = { maxDatagrams: 3, maxFragmentBytes: 8192, fragmentTimeoutMs: 20 };
        const { reassembler } = read(version, pieces, { ...limits, verifyChecksums: false });
        expect(reassembler.stats.heldBytes).toBeLessThanOrEqual(8192 + 3 * 2100);
        reassembler.end();
        expect(reassembler.stats.heldBytes).toBe(0);
      },
    ),
    { numRuns: 500 },
  );
});
