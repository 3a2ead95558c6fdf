import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CaptureReader,
  encodePcapHeader,
  encodePcapRecord,
  MAX_BLOCK_BYTES,
  type TimedFrame,
} from "#wire/pcap/index.ts";
import { Blocks, type Option, resolution } from "./blocks.ts";

const FRAME = Buffer.from("0123456789");
const text = (frames: readonly TimedFrame[]): string[] => frames.map(({ frame }) => frame.toString());

function read(bytes: Buffer): { readonly frames: readonly TimedFrame[]; readonly reader: CaptureReader } {
  const reader = new CaptureReader();
  return { frames: reader.push(bytes), reader };
}

describe.each(["big-endian", "little-endian"] as const)("pcapng, %s", (order) => {
  const b = new Blocks(order);
  const count = (code: number, value: bigint): Option => ({ code, value: b.u64(value) });

  test("interfaces with their own link types and resolutions", () => {
    const { frames, reader } = read(
      Buffer.concat([
        b.section([{ code: 4, value: Buffer.from("by hand") }]),
        b.interface(1, 0, [{ code: 2, value: Buffer.from("eth0") }]),
        b.interface(113, 65535, [resolution(9)]),
        b.interface(276, 0, [resolution(0x80 | 10), { code: 14, value: b.u64(100n) }]),
        b.interface(101, 0, [resolution(12)]),
        b.enhanced(0, 1_700_000_000_123_456n, FRAME),
        b.enhanced(1, 1_700_000_000_123_456_789n, FRAME, 99),
        b.enhanced(2, (7n << 10n) | 512n, Buffer.from("abc")),
        b.enhanced(3, 5_000_000_000_123n, Buffer.alloc(0)),
      ]),
    );
    expect(frames).toMatchObject([
      { number: 1, linkType: 1, interfaceId: 0, seconds: 1_700_000_000, nanoseconds: 123_456_000, originalLength: 10 },
      {
        number: 2,
        linkType: 113,
        interfaceId: 1,
        seconds: 1_700_000_000,
        nanoseconds: 123_456_789,
        originalLength: 99,
      },
      { number: 3, linkType: 276, interfaceId: 2, timeMs: 107_500 },
      { number: 4, linkType: 101, interfaceId: 3, seconds: 5, nanoseconds: 0 },
    ]);
    expect(frames[0]?.timeMs).toBe(1_700_000_000_123.456);
    expect(text(frames)).toEqual(["0123456789", "0123456789", "abc", ""]);
    expect(reader.state).toEqual({ kind: "frames", format: "pcapng" });
    expect(reader.end()).toBeUndefined();
  });

  test("any 64-bit time stamp at any resolution is read as big integers read it", () => {
    const exponents = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 128, max: 128 + 70 }));
    fc.assert(
      fc.property(exponents, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (byte, stamp) => {
        const { frames } = read(
          Buffer.concat([b.section(), b.interface(1, 0, [resolution(byte)]), b.enhanced(0, stamp, FRAME)]),
        );
        const units = byte < 128 ? 10n ** BigInt(byte) : 2n ** BigInt(byte - 128);
        const nanoseconds = ((stamp % units) * 1_000_000_000n) / units;
        expect(frames).toMatchObject([{ seconds: Number(stamp / units), nanoseconds: Number(nanoseconds) }]);
      }),
    );
  });

  test("a simple packet is cut to the snapshot length of the first interface and has the time before it", () => {
    const { frames } = read(
      Buffer.concat([
        b.section(),
        b.interface(1, 4),
        b.enhanced(0, 2_000_000n, Buffer.from("time")),
        b.simple(Buffer.from("0123"), 10),
        b.simple(Buffer.from("ab")),
      ]),
    );
    expect(text(frames)).toEqual(["time", "0123", "ab"]);
    expect(frames.map(({ timeMs, originalLength }) => [timeMs, originalLength])).toEqual([
      [2000, 4],
      [2000, 10],
      [2000, 2],
    ]);
  });

  test("blocks that are no packets are passed over; those that Wireshark lists take a number", () => {
    const { frames } = read(
      Buffer.concat([
        b.section(),
        b.interface(),
        b.block(4, b.words(0)),
        b.block(0x77, Buffer.from("unknown")),
        b.enhanced(0, 1n, FRAME),
        b.block(9, Buffer.from("__REALTIME_TIMESTAMP=1\n")),
        b.block(0xbad, b.words(32473), Buffer.from("custom")),
        b.obsolete(0, 0xffff, 2n, FRAME),
      ]),
    );
    expect(frames.map(({ number }) => number)).toEqual([1, 4]);
  });

  test("drops: the latest statistics of each interface, of all sections, and what packets tell", () => {
    const statistics = (id: number, byInterface: bigint, bySystem: bigint) =>
      b.statistics(id, [count(4, 1000n), count(5, byInterface), count(7, bySystem)]);
    const { reader } = read(
      Buffer.concat([
        b.section(),
        b.interface(),
        b.interface(),
        statistics(0, 1n, 2n),
        statistics(0, 3n, 4n),
        statistics(1, 10n, 20n),
        b.enhanced(0, 1n, FRAME, 10, [count(4, 5n)]),
        b.obsolete(0, 7, 2n, FRAME),
        b.section(),
        b.interface(),
        statistics(0, 100n, 0n),
      ]),
    );
    expect(reader.drops).toEqual({ byInterface: 113, bySystem: 24, betweenPackets: 12 });
    expect(reader.end()).toBeUndefined();
  });

  test("another section begins anew, in the other byte order", () => {
    const o = new Blocks(order === "big-endian" ? "little-endian" : "big-endian");
    const first = [b.section(), b.interface(1), b.interface(1), b.enhanced(1, 1n, Buffer.from("one"))];
    const second = [o.section([], 2), o.interface(101), o.enhanced(0, 2n, Buffer.from("two"))];
    const { frames } = read(Buffer.concat([...first, ...second]));
    expect(frames).toMatchObject([
      { number: 1, linkType: 1, interfaceId: 1 },
      { number: 2, linkType: 101, interfaceId: 0 },
    ]);
    const { reader } = read(Buffer.concat([...first, o.section(), o.enhanced(0, 2n, FRAME)]));
    expect(reader.state).toMatchObject({ kind: "failed", error: { code: "PC_INTERFACE" } });
  });

  test("statistics of an interface that nobody described are passed over: no packet depends on them", () => {
    const blocks = [b.section(), b.interface(), b.statistics(7, []), b.enhanced(0, 1n, FRAME)];
    expect(read(Buffer.concat(blocks)).frames).toHaveLength(1);
  });

  const start = [b.section(), b.interface()];
  const startBytes = Buffer.concat(start).length;
  const damaged = (block: Buffer, at: number, value: number): Buffer => {
    const copy = Buffer.from(block);
    b.words(value).copy(copy, at);
    return Buffer.concat([...start, copy]);
  };
  const packet = b.enhanced(0, 1n, FRAME, 10, [{ code: 1, value: Buffer.from("hi") }]);
  test.each([
    { name: "length no multiple of four", bytes: damaged(packet, 4, 0x31), code: "PC_BLOCK_LENGTH", at: 4 },
    { name: "length below 12", bytes: damaged(packet, 4, 8), code: "PC_BLOCK_LENGTH", at: 4 },
    {
      name: "lengths differ",
      bytes: damaged(packet, packet.length - 4, 12),
      code: "PC_BLOCK_LENGTH",
      at: packet.length - 4,
    },
    { name: "a block above 16 MiB", bytes: damaged(packet, 4, MAX_BLOCK_BYTES + 4), code: "PC_BLOCK_SIZE", at: 4 },
    { name: "captured length past the block", bytes: damaged(packet, 20, 29), code: "PC_RECORD_LENGTH", at: 20 },
    { name: "captured length 2^32-1", bytes: damaged(packet, 20, 0xffffffff), code: "PC_RECORD_LENGTH", at: 20 },
    { name: "an interface nobody described", bytes: damaged(packet, 8, 1), code: "PC_INTERFACE", at: 8 },
    { name: "an option past the block", bytes: damaged(packet, 40, 0x00ff00ff), code: "PC_OPTION", at: 40 },
    {
      name: "too short for its type",
      bytes: Buffer.concat([...start, b.block(6, b.words(0))]),
      code: "PC_BLOCK_LENGTH",
      at: 4,
    },
    {
      name: "a resolution of two bytes",
      bytes: Buffer.concat([...start, b.interface(1, 0, [{ code: 9, value: Buffer.alloc(2) }])]),
      code: "PC_OPTION",
      at: 20,
    },
  ])("$name ends the capture; what came before is delivered", ({ bytes, code, at }) => {
    const reader = new CaptureReader();
    const whole = Buffer.concat([...start, b.enhanced(0, 1n, FRAME), bytes.subarray(startBytes)]);
    expect(reader.push(whole)).toHaveLength(1);
    const offset = startBytes + b.enhanced(0, 1n, FRAME).length + at;
    expect(reader.state).toMatchObject({ kind: "failed", error: { code, offset } });
    expect(reader.end()).toMatch(`the capture cannot be read from byte ${offset} on: ${code}:`);
    expect(reader.pendingBytes).toBe(0);
    expect(reader.push(Buffer.concat(start))).toEqual([]);
  });

  test("version 2.0 and a section without byte-order magic are refused", () => {
    const version = Buffer.from(b.section());
    b.words([2, 16]).copy(version, 12);
    expect(read(version).reader.state).toMatchObject({ error: { code: "PC_VERSION", offset: 12 } });
    const magic = Buffer.from(b.section());
    magic.writeUInt32BE(0x11223344, 8);
    expect(read(magic).reader.state).toMatchObject({ error: { code: "PC_BYTE_ORDER", offset: 8 } });
  });

  test("4096 interfaces are taken, one more is not", () => {
    const many = (n: number) =>
      read(Buffer.concat([b.section(), ...Array<Buffer>(n).fill(b.interface())])).reader.state;
    expect(many(4096).kind).toBe("frames");
    expect(many(4097)).toMatchObject({ kind: "failed", error: { code: "PC_INTERFACES" } });
  });

  test("a block of 16 MiB is read, and its memory follows the bytes that came", () => {
    const data = MAX_BLOCK_BYTES - 32;
    const block = b.enhanced(0, 1n, Buffer.alloc(data));
    expect(block.length).toBe(MAX_BLOCK_BYTES);
    const before = process.memoryUsage().arrayBuffers;
    const claims = Array.from({ length: 64 }, () => {
      const reader = new CaptureReader();
      reader.push(Buffer.concat([...start, block.subarray(0, 100)]));
      return reader;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 16384);
    expect(claims.at(-1)?.pendingBytes).toBe(100);
    const reader = new CaptureReader();
    reader.push(Buffer.concat(start));
    let frames = 0;
    for (let at = 0; at < block.length; at += 999_999) frames += reader.push(block.subarray(at, at + 999_999)).length;
    expect(frames).toBe(1);
    expect(reader.end()).toBeUndefined();
  });
});

const b = new Blocks("little-endian");
const CAPTURES = {
  pcapng: Buffer.concat([
    b.section(),
    b.interface(),
    ...["one", "two", "three", "four"].map((frame, i) => b.enhanced(0, BigInt(i), Buffer.from(frame))),
    b.statistics(0, []),
  ]),
  "classic pcap": Buffer.concat([
    encodePcapHeader(),
    ...["one", "two", "three", "four"].map((frame, i) => encodePcapRecord(i, Buffer.from(frame))),
  ]),
};

describe.each(Object.entries(CAPTURES))("%s, cut", (_, whole) => {
  const all = text(read(whole).frames);

  test("at any byte: a prefix of the frames, and a sentence with the offset unless it is between two", () => {
    expect(all).toEqual(["one", "two", "three", "four"]);
    let clean = 0;
    for (let cut = 0; cut < whole.length; cut += 1) {
      const { frames, reader } = read(whole.subarray(0, cut));
      expect(all.slice(0, frames.length)).toEqual(text(frames));
      const said = reader.end();
      if (said === undefined) clean += 1;
      else if (cut >= 4)
        expect(said).toMatch(/^the capture is cut short in a .* at byte \d+: \d+ of \d+ bytes are there/);
      else expect(said).toBe(`the capture has no header: it ends after ${cut} bytes; give it a pcap or pcapng file`);
    }
    // Between two blocks, or two records, nothing tells that more should follow.
    expect(clean).toBe(whole === CAPTURES.pcapng ? 6 : 4);
  });

  test("into any chunks: the same frames", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 12 }), (cuts) => {
        const reader = new CaptureReader();
        const ends = [...cuts.sort((x, y) => x - y), whole.length];
        const frames = ends.flatMap((end, i) => reader.push(whole.subarray(ends[i - 1] ?? 0, end)));
        expect(text(frames)).toEqual(all);
        expect(reader.end()).toBeUndefined();
      }),
    );
    const reader = new CaptureReader();
    expect(text([...whole].flatMap((byte) => reader.push(Buffer.from([byte]))))).toEqual(all);
  });

  test("mutated in any way: never throws, always ends with a prefix, a sentence or a whole read", () => {
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(edits, fc.integer({ min: 1, max: whole.length }), (changes, chunk) => {
        const copy = Buffer.from(whole);
        for (const [at, value] of changes) copy.writeUInt8(value, at);
        const reader = new CaptureReader();
        let frames = 0;
        for (let at = 0; at < copy.length; at += chunk) frames += reader.push(copy.subarray(at, at + chunk)).length;
        const said = reader.end();
        expect(frames).toBeLessThanOrEqual(whole.length / 16);
        if (reader.state.kind === "failed") expect(said).toContain("cannot be read from byte");
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([
  { name: "gzip", hex: "1f8b0800", code: "PC_COMPRESSED" },
  { name: "zstd", hex: "28b52ffd", code: "PC_COMPRESSED" },
  { name: "text", hex: "68656c6c6f", code: "PC_MAGIC" },
])("$name is refused with a sentence", ({ hex, code }) => {
  const { reader } = read(Buffer.from(hex, "hex"));
  expect(reader.state).toMatchObject({ kind: "failed", error: { code, offset: 0 } });
});

test("a frame is a view of the chunk where it lies whole in one", () => {
  const chunk = CAPTURES.pcapng;
  for (const { frame } of read(chunk).frames) expect(frame.buffer).toBe(chunk.buffer);
});
