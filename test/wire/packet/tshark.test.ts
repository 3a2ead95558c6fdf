import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Direction, type ReassemblyEvent, type ReassemblySink, TcpReassembler } from "#wire/packet/index.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { DEBIAN_PYTHON, hasTool } from "../../support/tools.ts";

// Frames by scapy, read by tshark and by us. Neither of the two shares a line with this project.
const FIELDS = [
  "frame.number",
  "ip.src",
  "ipv6.src",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.payload",
  "tcp.checksum.status",
];
/** tshark's word for a right checksum. */
const GOOD = "1";

interface Reading {
  readonly events: readonly ReassemblyEvent[];
  readonly reassembler: TcpReassembler;
}

function read(file: string): Reading {
  const reader = new CaptureReader();
  const reassembler = new TcpReassembler();
  const frames = reader.push(readFileSync(file));
  const events = frames.flatMap((frame) => [...reassembler.push(frame.frame, frame.timeMs, frame)]);
  expect(reader.end()).toBeUndefined();
  return { events: [...events, ...reassembler.end()], reassembler };
}

function tshark(file: string, args: readonly string[]): string {
  const verify = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE"];
  // Only TCP matters here; no dissector above it may swallow a segment.
  const { status, stdout } = spawnSync("tshark", ["-n", "-r", file, ...verify, ...args], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(status).toBe(0);
  return stdout;
}

describe.skipIf(!hasTool("tshark") || !hasTool("scapy"))("against tshark, on captures by scapy", () => {
  let folder = "";
  const file = (name: string): string => join(folder, `${name}.pcap`);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-captures-"));
    const script = join(import.meta.dirname, "captures.py");
    const made = spawnSync(DEBIAN_PYTHON, [script, folder], { encoding: "utf8", timeout: 60_000 });
    expect(made.stderr.includes("Error"), made.stderr).toBe(false);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    { name: "ethernet", what: "VLAN tags, IPv6 extension headers, AH", payloads: 80 },
    { name: "fragments", what: "IPv4 and IPv6 fragments, also backwards", payloads: 24 },
    { name: "cooked", what: "Linux cooked v1", payloads: 16 },
    { name: "cooked2", what: "Linux cooked v2", payloads: 16 },
    { name: "raw", what: "raw IP", payloads: 16 },
    { name: "raw4", what: "raw IPv4", payloads: 8 },
    { name: "raw6", what: "raw IPv6", payloads: 8 },
    { name: "null", what: "BSD loopback", payloads: 16 },
    { name: "loop", what: "OpenBSD loopback", payloads: 16 },
  ])("$name: $what, frame by frame", { timeout: 60_000 }, ({ name, payloads }) => {
    const rows = tshark(file(name), ["-Y", "tcp", "-T", "fields", ...FIELDS.flatMap((field) => ["-e", field])])
      .trimEnd()
      .split("\n")
      .map((row) => row.split("\t"));
    const theirs = rows
      .filter(([, , , , , payload]) => payload !== "")
      .map(([frame, v4, v6, src, dst, payload, checksum]) => {
        expect(checksum).toBe(GOOD);
        return [Number(frame), v4 || v6, Number(src), Number(dst), payload];
      });
    expect(theirs).toHaveLength(payloads);
    const { events, reassembler } = read(file(name));
    const ours = events.flatMap((event) => {
      if (event.kind !== "data") return [];
      const { client, server } = event.flow;
      const [from, to] = event.direction === "client-to-server" ? [client, server] : [server, client];
      return [[event.frame, from.ip, from.port, to.port, event.bytes.toString("hex")]];
    });
    expect(ours).toEqual(theirs);
    expect(events.filter(({ kind }) => kind !== "data" && kind !== "open" && kind !== "close")).toEqual([]);
    const { frames, segments, other, fragments } = reassembler.stats;
    expect(segments + other + fragments).toBe(frames);
  });

  test("order: reorder, repetition and loss, stream by stream", { timeout: 60_000 }, () => {
    const streams = [0, 1, 2];
    const out = tshark(file("order"), [
      ...["-o", "tcp.reassemble_out_of_order:TRUE", "-q"],
      ...streams.flatMap((i) => ["-z", `follow,tcp,hex,${i}`]),
    ]);
    const theirs = streams.map((i) => followed(out, i));
    const { events } = read(file("order"));
    for (const [i, { up, down, missing }] of theirs.entries()) {
      expect(streamOf(events, 42_000 + i, "client-to-server")).toBe(up);
      const ours = streamOf(events, 42_000 + i, "server-to-client");
      // What is missing is not stepped over.
      expect(ours).toBe(down);
      expect(missing).toBe(i === 2);
      expect(ours.length).toBeGreaterThan(0);
    }
    const blind = events.filter(({ kind }) => kind === "blind");
    expect(blind).toMatchObject([{ reason: "gap", direction: "server-to-client", flow: { client: { port: 42_002 } } }]);
  });

  test("mutated captures never throw, and every frame is counted", () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 40, size: "max" });
    const captures = ["ethernet", "fragments", "order", "cooked2", "null"].map((name) => readFileSync(file(name)));
    fc.assert(
      fc.property(
        fc.constantFrom(...captures),
        edits,
        fc.constantFrom(true, false, "auto" as const),
        (whole, changes, verify) => {
          const copy = Buffer.from(whole);
          // The file header stays, so that most of the rest is read.
          for (const [at, value] of changes) copy.writeUInt8(value, 24 + (at % (copy.length - 24)));
          const reader = new CaptureReader();
          const reassembler = new TcpReassembler({ verifyChecksums: verify, maxFlows: 8, maxDatagrams: 4 });
          let frames = 0;
          for (const frame of reader.push(copy)) {
            frames += 1;
            reassembler.push(frame.frame, frame.timeMs, frame);
          }
          reassembler.end();
          const { segments, other, fragments, malformed, cut, linkType, flows } = reassembler.stats;
          expect(segments + other + fragments + malformed + cut + linkType).toBe(frames);
          expect(flows).toBeLessThanOrEqual(8);
          expect(reader.end() === undefined).toBe(reader.state.kind === "frames" && reader.pendingBytes === 0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a sink hears the same as the list of events", () => {
    const { events } = read(file("order"));
    const heard: unknown[] = [];
    const sink: ReassemblySink = {
      open: (flow, joinedLate, timeMs, frame) => heard.push({ kind: "open", flow, joinedLate, timeMs, frame }),
      data: (flow, direction, bytes, timeMs, frame) =>
        heard.push({ kind: "data", flow, direction, bytes, timeMs, frame }),
      overlap: (flow, direction, differingBytes, timeMs, frame) =>
        heard.push({ kind: "overlap", flow, direction, differingBytes, timeMs, frame }),
      blind: (flow, direction, reason, timeMs, frame) =>
        heard.push({ kind: "blind", flow, direction, reason, timeMs, frame }),
      close: (flow, reason, timeMs, frame) => heard.push({ kind: "close", flow, reason, timeMs, frame }),
      skipped: (reason, srcIp, dstIp, error, timeMs, frame) =>
        heard.push({ kind: "skipped", reason, srcIp, dstIp, error, timeMs, frame }),
    };
    const reassembler = new TcpReassembler({}, sink);
    for (const frame of new CaptureReader().push(readFileSync(file("order"))))
      expect(reassembler.push(frame.frame, frame.timeMs, frame)).toEqual([]);
    expect(reassembler.end()).toEqual([]);
    expect(heard).toEqual(events);
  });
});

function streamOf(events: readonly ReassemblyEvent[], port: number, direction: Direction): string {
  const parts = events.flatMap((event) =>
    event.kind === "data" && event.flow.client.port === port && event.direction === direction ? [event.bytes] : [],
  );
  return Buffer.concat(parts).toString("hex");
}

/** The two directions of a stream in tshark's `follow,tcp,hex`: rows of the server are indented. Bytes that it misses are a remark
 *  among the bytes. */
function followed(
  out: string,
  stream: number,
): { readonly up: string; readonly down: string; readonly missing: boolean } {
  const start = out.indexOf(`Filter: tcp.stream eq ${stream}\n`);
  const rows = out.slice(start, out.indexOf("=====", start)).split("\n").slice(3);
  const hex = (side: RegExp) => rows.map((row) => side.exec(row)?.[1]?.replaceAll(" ", "") ?? "").join("");
  const bytes = "[0-9A-F]{8} {2}((?:[0-9a-f]{2} {1,2})+)";
  const down = hex(new RegExp(`^\\t${bytes}`));
  const remark = /5b(?:3\d)+/.exec(down);
  const missing = Buffer.from(down, "hex").includes(" bytes missing in capture file]");
  return {
    up: hex(new RegExp(`^${bytes}`)),
    down: missing && remark !== null ? down.slice(0, remark.index) : down,
    missing,
  };
}
