import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFrame, transactionId, unitId } from "#wire/modbus/index.ts";
import { buildLldpFrame, buildTcpFrame, TCP_FLAG, type TcpFrameFields } from "#wire/packet/index.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { GOLDEN } from "./modbus/golden.ts";

// A second opinion: another implementation of the same standards reads what our encoders wrote.
const hasTshark = spawnSync("tshark", ["--version"]).status === 0;
const ADDRESSES = {
  client: { mac: "02:00:00:00:00:0a", ip: "10.0.0.10", port: 40000 },
  server: { mac: "02:00:00:00:00:0b", ip: "10.0.0.20", port: 502 },
};

interface Said {
  readonly from: "client" | "server";
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Buffer;
}

/** Requests and responses of all examples, one after the other on one connection. */
const CONVERSATION: readonly Said[] = GOLDEN.flatMap(({ request, response }, i): Said[] => {
  const header = { transaction: 0x100 + i, unit: 1 + i };
  return [
    { ...header, from: "client", pdu: Buffer.from(request, "hex") },
    { ...header, from: "server", pdu: Buffer.from(response, "hex") },
  ];
});

function fields(from: "client" | "server", seq: number, ack: number, flags: number, payload: Buffer): TcpFrameFields {
  const src = ADDRESSES[from];
  const dst = ADDRESSES[from === "client" ? "server" : "client"];
  const ends = { srcMac: src.mac, dstMac: dst.mac, srcIp: src.ip, dstIp: dst.ip, srcPort: src.port, dstPort: dst.port };
  return { ...ends, seq, ack, flags, payload };
}

function captureFrames(): Buffer[] {
  const next = { client: 1000, server: 2000 };
  const none = Buffer.alloc(0);
  const frames = [
    buildTcpFrame(fields("client", 999, 0, TCP_FLAG.SYN, none)),
    buildTcpFrame(fields("server", 1999, 1000, TCP_FLAG.SYN | TCP_FLAG.ACK, none)),
    buildTcpFrame(fields("client", 1000, 2000, TCP_FLAG.ACK, none)),
  ];
  for (const { from, transaction, unit, pdu } of CONVERSATION) {
    const adu = encodeFrame({ transactionId: transactionId(transaction), unitId: unitId(unit) }, pdu);
    const other = from === "client" ? "server" : "client";
    frames.push(buildTcpFrame(fields(from, next[from], next[other], TCP_FLAG.PSH | TCP_FLAG.ACK, adu)));
    next[from] += adu.length;
  }
  const alive = { chassisId: "access-switch", portId: "mirror", ttlSeconds: 3, plantTimeMs: 1500, mirroredFrames: 9 };
  frames.push(buildLldpFrame({ srcMac: "02:00:00:00:00:01", ...alive }));
  return frames;
}

describe.skipIf(!hasTshark)("tshark reads the same", () => {
  const frames = captureFrames();
  let folder = "";
  let file = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-wire-"));
    file = join(folder, "modbus.pcap");
    const records = frames.map((frame, i) => encodePcapRecord(1000 + i * 10.5, frame));
    writeFileSync(file, Buffer.concat([encodePcapHeader(), ...records]));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const names = [
    "frame.time_epoch",
    "ip.checksum.status",
    "tcp.checksum.status",
    "tcp.analysis.flags",
    "mbtcp.trans_id",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.exception_code",
    "lldp.chassis.id",
    "_ws.malformed",
  ] as const;

  test("transaction, unit and function of every frame; checksums, times and the LLDP frame", {
    timeout: 10_000,
  }, () => {
    const verify = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"];
    const { status, stdout } = spawnSync(
      "tshark",
      ["-r", file, ...verify, "-T", "fields", ...names.flatMap((n) => ["-e", n])],
      {
        encoding: "utf8",
        timeout: 9000,
      },
    );
    expect(status).toBe(0);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(rows).toHaveLength(frames.length);
    const GOOD = "1";
    rows.forEach(([time, ip, tcp, analysis, , , , , chassis, malformed], i) => {
      expect(Number(time)).toBeCloseTo(1 + i * 0.0105, 6);
      if (i === frames.length - 1) {
        expect(chassis).toBeTruthy();
        return;
      }
      expect([ip, tcp, analysis, malformed], `frame ${i + 1}`).toEqual([GOOD, GOOD, "", ""]);
    });
    const modbus = rows.slice(3, -1).map((row) => row.slice(4, 8));
    const want = CONVERSATION.map(({ transaction, unit, pdu }) => {
      const first = pdu.readUInt8(0);
      const exception = first > 0x80 ? String(pdu.readUInt8(1)) : "";
      return [String(transaction), String(unit), String(first & 0x7f), exception];
    });
    expect(modbus).toEqual(want);
  });
});
