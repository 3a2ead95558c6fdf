import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodePcapHeader, encodePcapRecord, MAX_SNAPLEN, PcapReader, type PcapRecord } from "#wire/pcap/index.ts";

const VARIANTS = [
  { byteOrder: "big-endian", resolution: "microseconds", magic: "a1b2c3d4" },
  { byteOrder: "little-endian", resolution: "microseconds", magic: "d4c3b2a1" },
  { byteOrder: "big-endian", resolution: "nanoseconds", magic: "a1b23c4d" },
  { byteOrder: "little-endian", resolution: "nanoseconds", magic: "4d3cb2a1" },
] as const;

/** A file header by hand: magic, version, zone, accuracy, snapshot length, link type. */
const fileHeader = (snaplen: number, magic = "a1b2c3d4", version = "00020004"): Buffer =>
  Buffer.from(`${magic}${version}0000000000000000${snaplen.toString(16).padStart(8, "0")}00000001`, "hex");
const recordHeader = (captured: number, original: number, fraction = 0): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(fraction, 4);
  bytes.writeUInt32BE(captured, 8);
  bytes.writeUInt32BE(original, 12);
  return bytes;
};

describe.each(VARIANTS)("$byteOrder, $resolution", (variant) => {
  test("what the writer writes the reader reads", () => {
    const frames = [
      { timeMs: 0, frame: Buffer.from("abc") },
      { timeMs: 1_700_000_000_123.457, frame: Buffer.alloc(0) },
      { timeMs: 59_999.9999999, frame: Buffer.alloc(1514, 7) },
    ];
    const header = encodePcapHeader(variant);
    expect(header.toString("hex", 0, 4)).toBe(variant.magic);
    const reader = new PcapReader();
    const stream = Buffer.concat([
      header,
      ...frames.map(({ timeMs, frame }) => encodePcapRecord(timeMs, frame, variant)),
    ]);
    const records = reader.push(stream);
    expect(records.map(({ frame }) => frame)).toEqual(frames.map(({ frame }) => frame));
    const digits = variant.resolution === "microseconds" ? 2 : 3;
    records.forEach((record, i) => {
      expect(record.timeMs).toBeCloseTo(frames[i]?.timeMs ?? -1, digits);
    });
    const { byteOrder, resolution } = variant;
    expect(reader.state).toEqual({
      kind: "records",
      header: { byteOrder, resolution, snaplen: MAX_SNAPLEN, linkType: 1 },
    });
  });

  test("a stream cut at every byte gives the same records", () => {
    const stream = Buffer.concat([
      encodePcapHeader(variant),
      encodePcapRecord(1, Buffer.from("one"), variant),
      encodePcapRecord(2, Buffer.alloc(0), variant),
      encodePcapRecord(3, Buffer.from("three"), variant),
    ]);
    const want = [{ timeMs: 1 }, { timeMs: 2 }, { timeMs: 3 }];
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const reader = new PcapReader();
      const records = [...reader.push(stream.subarray(0, cut)), ...reader.push(stream.subarray(cut))];
      expect(records).toMatchObject(want);
      expect(records.map(({ frame }) => frame.toString())).toEqual(["one", "", "three"]);
      expect(reader.pendingBytes).toBe(0);
    }
  });
});

test("fractions of a millisecond are kept", () => {
  const [record] = new PcapReader().push(
    Buffer.concat([encodePcapHeader(), encodePcapRecord(1234.567, Buffer.from([1]))]),
  );
  expect(record?.timeMs).toBe(1234.567);
});

test.each([0, 262145, 0x7fffffff])("a snapshot length of %i is none, records are bounded all the same", (snaplen) => {
  const reader = new PcapReader();
  expect(reader.push(Buffer.concat([fileHeader(snaplen), recordHeader(2, 2), Buffer.from([1, 2])]))).toHaveLength(1);
  expect(reader.state).toMatchObject({ kind: "records", header: { snaplen: MAX_SNAPLEN } });
});

test("a frame the capture cut keeps its original length", () => {
  const stream = Buffer.concat([fileHeader(64), recordHeader(2, 1514), Buffer.from([1, 2])]);
  expect(new PcapReader().push(stream)).toMatchObject([{ originalLength: 1514, frame: Buffer.from([1, 2]) }]);
});

test("records byte by byte", () => {
  const stream = Buffer.concat([encodePcapHeader(), encodePcapRecord(5, Buffer.from("abc"))]);
  const reader = new PcapReader();
  const records: PcapRecord[] = [];
  for (const byte of stream) records.push(...reader.push(Buffer.from([byte])));
  expect(records).toMatchObject([{ timeMs: 5, frame: Buffer.from("abc"), originalLength: 3 }]);
});

test.each([
  { name: "no magic number", bytes: Buffer.alloc(24), code: "PC_MAGIC", offset: 0 },
  { name: "pcapng", bytes: Buffer.from("0a0d0d0a".padEnd(48, "0"), "hex"), code: "PC_MAGIC", offset: 0 },
  { name: "version 2.3", bytes: fileHeader(64, "a1b2c3d4", "00020003"), code: "PC_VERSION", offset: 4 },
  { name: "the modified format", bytes: fileHeader(64, "a1b2cd34"), code: "PC_MODIFIED", offset: 0 },
  {
    name: "record above the largest snapshot length",
    bytes: Buffer.concat([fileHeader(64), recordHeader(262145, 262145)]),
    code: "PC_RECORD_LENGTH",
    offset: 24 + 8,
  },
])("$name ends the stream for good", ({ bytes, code, offset }) => {
  const reader = new PcapReader();
  expect(reader.push(bytes)).toEqual([]);
  expect(reader.state).toMatchObject({ kind: "failed", error: { code, offset } });
  expect(reader.push(encodePcapHeader())).toEqual([]);
  expect(reader.state.kind).toBe("failed");
});

test("what careless writers leave is read as tshark reads it: a full second of fractions, an original length below the captured", () => {
  const reader = new PcapReader();
  const bytes = Buffer.concat([fileHeader(64), recordHeader(3, 2, 1_500_000), Buffer.from("abc")]);
  expect(reader.push(bytes)).toMatchObject([{ timeMs: 1500, frame: Buffer.from("abc"), originalLength: 3 }]);
});

test("a record of the snapshot length is read, at most one record is held", () => {
  const reader = new PcapReader();
  reader.push(fileHeader(MAX_SNAPLEN));
  reader.push(recordHeader(MAX_SNAPLEN, MAX_SNAPLEN));
  reader.push(Buffer.alloc(MAX_SNAPLEN - 1));
  expect(reader.pendingBytes).toBe(16 + MAX_SNAPLEN - 1);
  expect(reader.push(Buffer.alloc(1))).toHaveLength(1);
  expect(reader.pendingBytes).toBe(0);
});

test("the writer refuses what the format cannot hold", () => {
  expect(() => encodePcapRecord(0, Buffer.alloc(MAX_SNAPLEN + 1))).toThrow("frame of 262145 bytes is above 262144");
  expect(() => encodePcapRecord(-1, Buffer.alloc(1))).toThrow(RangeError);
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), fc.boolean(), (chunks, valid) => {
      const reader = new PcapReader();
      if (valid) reader.push(encodePcapHeader());
      for (const chunk of chunks) reader.push(Buffer.from(chunk));
    }),
  );
});
