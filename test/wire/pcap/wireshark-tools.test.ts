import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { CaptureReader, encodePcapHeader, encodePcapRecord, type TimedFrame } from "#wire/pcap/index.ts";
import { hasTool } from "../../support/tools.ts";

// Captures as Wireshark's own tools write them.
const FRAMES = Array.from({ length: 20 }, (_, i) =>
  buildTcpFrame({
    ...{ srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b", srcIp: "10.0.0.10", dstIp: "10.0.0.20" },
    ...{ srcPort: 40000, dstPort: 502, seq: i, ack: 1, flags: TCP_FLAG.ACK, payload: Buffer.alloc(i + 1, i) },
  }),
);
const START_MS = 1_700_000_000_000.125;

describe.skipIf(!hasTool("editcap") || !hasTool("mergecap"))("captures by editcap and mergecap", () => {
  let folder = "";
  const path = (name: string): string => join(folder, name);
  const run = (tool: string, ...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(tool, args, { encoding: "utf8", timeout: 20_000 });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  const read = (name: string): { readonly frames: readonly TimedFrame[]; readonly reader: CaptureReader } => {
    const reader = new CaptureReader();
    return { frames: reader.push(readFileSync(path(name))), reader };
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-tools-"));
    const records = FRAMES.map((frame, i) => encodePcapRecord(START_MS + i, frame));
    writeFileSync(path("ours.pcap"), Buffer.concat([encodePcapHeader(), ...records]));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(["pcap", "nsecpcap", "pcapng"])("editcap -F %s", { timeout: 30_000 }, (format) => {
    run("editcap", "-F", format, path("ours.pcap"), path(format));
    const { frames, reader } = read(format);
    expect(reader.end()).toBeUndefined();
    expect(frames.map(({ frame }) => frame)).toEqual(FRAMES);
    expect(frames.map(({ timeMs }) => timeMs)).toEqual(FRAMES.map((_, i) => START_MS + i));
    expect(frames.map(({ number }) => number)).toEqual(FRAMES.map((_, i) => i + 1));
  });

  test("editcap -F modpcap is refused with a sentence that helps", { timeout: 30_000 }, () => {
    run("editcap", "-F", "modpcap", path("ours.pcap"), path("modified"));
    const { frames, reader } = read("modified");
    expect(frames).toEqual([]);
    expect(reader.end()).toMatch(/PC_MODIFIED: .*convert it first, with tshark -r OLD -w NEW/);
  });

  test("a snapshot length: the frames are cut, their lengths on the wire are kept", { timeout: 30_000 }, () => {
    run("editcap", "-F", "pcapng", "-s", "60", path("ours.pcap"), path("short"));
    const { frames } = read("short");
    expect(frames.map(({ frame }) => frame.length)).toEqual(FRAMES.map(({ length }) => Math.min(60, length)));
    expect(frames.map(({ originalLength }) => originalLength)).toEqual(FRAMES.map(({ length }) => length));
  });

  test("mergecap: files of several link types, one interface each", { timeout: 30_000 }, () => {
    for (const type of ["rawip", "rawip4", "linux-sll"]) {
      run("editcap", "-F", "nsecpcap", "-T", type, path("ours.pcap"), path(type));
    }
    run(
      "mergecap",
      "-F",
      "pcapng",
      "-w",
      path("merged"),
      path("ours.pcap"),
      path("rawip"),
      path("rawip4"),
      path("linux-sll"),
    );
    const fields = ["frame.number", "frame.interface_id", "frame.time_epoch", "frame.len"];
    const out = run("tshark", "-n", "-r", path("merged"), "-T", "fields", ...fields.flatMap((field) => ["-e", field]));
    const theirs = out
      .trimEnd()
      .split("\n")
      .map((row) => row.split("\t"));
    const { frames, reader } = read("merged");
    expect(reader.end()).toBeUndefined();
    const ours = frames.map(({ number, interfaceId, seconds, nanoseconds, originalLength }) => {
      const epoch = `${seconds}.${`${nanoseconds}`.padStart(9, "0")}`;
      return [`${number}`, `${interfaceId}`, epoch, `${originalLength}`];
    });
    expect(ours).toEqual(theirs);
    expect(theirs).toHaveLength(80);
    expect(new Set(frames.map(({ linkType }) => linkType))).toEqual(new Set([1, 101, 228, 113]));
  });
});
