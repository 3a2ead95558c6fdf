import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildTcpFrame, LINK_TYPE, TCP_FLAG } from "#wire/packet/index.ts";
import { CaptureReader, PcapngWriter, type TimedFrame } from "#wire/pcap/index.ts";
import { hasTool } from "../../support/tools.ts";

const ETHERNET = buildTcpFrame({
  ...{ srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b", srcIp: "10.0.0.10", dstIp: "10.0.0.20" },
  ...{ srcPort: 40000, dstPort: 502, seq: 1, ack: 1, flags: TCP_FLAG.ACK, payload: Buffer.from("x") },
});

function frame(number: number, nanoseconds: number, linkType: number = LINK_TYPE.ETHERNET): TimedFrame {
  const seconds = 1_700_000_000;
  const bytes = linkType === LINK_TYPE.ETHERNET ? ETHERNET : ETHERNET.subarray(14);
  const timeMs = seconds * 1000 + nanoseconds / 1e6;
  return { number, timeMs, seconds, nanoseconds, linkType, interfaceId: 0, frame: bytes, originalLength: bytes.length };
}

const FRAMES = [frame(1, 1), frame(2, 123_456_789), frame(3, 999_999_999, LINK_TYPE.RAW), frame(4, 0)];
const COMMENTS = [["deny NO_RULE, phase `normal`", "rule r17 → Füllstand"], [], ["third"], ["line one\nline two"]];

function capture(): Buffer {
  const writer = new PcapngWriter();
  const parts = FRAMES.map((captured, i) => writer.frame(captured, COMMENTS[i]));
  return Buffer.concat([writer.header({ application: "sekisho", comment: "what would have been denied" }), ...parts]);
}

test("what the writer writes the reader reads, to the nanosecond", () => {
  const reader = new CaptureReader();
  expect(reader.push(capture())).toEqual(
    FRAMES.map((captured) => ({ ...captured, interfaceId: captured.number === 3 ? 1 : 0 })),
  );
  expect(reader.end()).toBeUndefined();
});

test("any frame, time and comment survive", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 0, max: 2 ** 34 }),
      fc.nat(999_999_999),
      fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 4 }),
      (bytes, seconds, nanoseconds, comments) => {
        const writer = new PcapngWriter();
        const captured = { ...frame(1, nanoseconds), frame: Buffer.from(bytes), seconds, originalLength: bytes.length };
        const read = new CaptureReader().push(Buffer.concat([writer.header(), writer.frame(captured, comments)]));
        expect(read.map((one) => [one.seconds, one.nanoseconds])).toEqual([[seconds, nanoseconds]]);
        expect(read[0]?.frame.equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test("a frame without nanoseconds keeps its time to the µs", () => {
  const { seconds, nanoseconds, ...plain } = frame(1, 123_456_000);
  const writer = new PcapngWriter();
  const [read] = new CaptureReader().push(Buffer.concat([writer.header(), writer.frame(plain)]));
  expect(read).toMatchObject({ seconds, nanoseconds });
});

test("what the format cannot hold is a programming error; a long comment is cut between two characters", () => {
  const writer = new PcapngWriter();
  expect(() => writer.frame({ ...frame(7, 0), seconds: -1 })).toThrow("frame 7 has a time before 1970");
  const last = 2 ** 64 / 1e9;
  expect(() => writer.frame({ ...frame(8, 0), seconds: Math.ceil(last) })).toThrow("frame 8 has a time before 1970 or");
  expect(() => new PcapngWriter().frame({ ...frame(8, 0), seconds: Math.floor(last) })).not.toThrow();
  expect(() => writer.frame({ ...frame(1, 0), frame: Buffer.alloc(16 << 20) })).toThrow("does not fit a pcapng block");
  // 65534 bytes of one, then one character of two bytes: it does not fit 65535.
  const block = writer.frame(frame(1, 0), [`${"a".repeat(65_534)}ü`]);
  expect(block.indexOf("aü")).toBe(-1);
  expect(new CaptureReader().push(Buffer.concat([writer.header(), block]))).toHaveLength(1);
});

describe.skipIf(!hasTool("tshark"))("Wireshark reads it", () => {
  let folder = "";
  let file = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-pcapng-"));
    file = join(folder, "replay.pcapng");
    writeFileSync(file, capture());
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (tool: string, args: readonly string[]): string => {
    const { status, stdout } = spawnSync(tool, args, { encoding: "utf8", timeout: 20_000 });
    expect(status).toBe(0);
    return stdout;
  };

  test("tshark: numbers, times, link types and comments", { timeout: 30_000 }, () => {
    const fields = ["frame.number", "frame.time_epoch", "frame.interface_id", "tcp.dstport", "frame.comment"];
    const out = run("tshark", ["-n", "-r", file, "-T", "json", ...fields.flatMap((field) => ["-e", field])]);
    const read: { _source: { layers: Record<string, string[]> } }[] = JSON.parse(out);
    const rows = read.map(({ _source: { layers } }) => fields.map((field) => layers[field] ?? []));
    const epoch = ["1700000000.000000001", "1700000000.123456789", "1700000000.999999999", "1700000000.000000000"];
    expect(rows).toEqual(
      COMMENTS.map((comments, i) => [[`${i + 1}`], [epoch[i]], [i === 2 ? "1" : "0"], ["502"], comments]),
    );
  });

  test.skipIf(!hasTool("capinfos"))("capinfos: a whole file of two interfaces, in ns", { timeout: 30_000 }, () => {
    const out = run("capinfos", [file]);
    expect(out).toMatch(/Number of packets:\s+4/);
    expect(out).toMatch(/File encapsulation:\s+Per packet/);
    expect(out).toMatch(/Number of interfaces in file:\s+2/);
    expect(out).toMatch(/Capture application:\s+sekisho/);
    expect(out).toMatch(/Time precision:\s+nanoseconds|File timestamp precision:\s+nanoseconds/);
    expect(out).toContain("what would have been denied");
  });
});
