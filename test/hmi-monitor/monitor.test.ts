import { beforeEach, describe, expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import { systemClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import { PhaseId } from "#specs/ids.ts";
import { buildLldpFrame, buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { waterTreatment } from "../support/plant.ts";

/** Frames as a mirror port would show them: one operator station talking Modbus to PLC 1. */
const HMI = { ip: "127.10.1.11", mac: "02:00:00:00:00:01", port: 40_001 };
const PLC = { ip: "127.10.2.1", mac: "02:00:00:00:00:02", port: 1502 };
const { bundle, plant } = waterTreatment();

let monitor: Monitor;
let judged: Judged[];
let lost: number;
let says: string[];
let seq: { up: number; down: number };
let atMs: number;

beforeEach(async () => {
  const clock = systemClock();
  const point = new Point({
    point: "hmi-monitor",
    layer: "hmi",
    bundle,
    mode: "enforce",
    passive: true,
    clock,
    standalonePhase: PhaseId("normal"),
  });
  await point.start();
  clock.close();
  judged = [];
  says = [];
  lost = 0;
  vi.spyOn(point, "report").mockImplementation((j) => void judged.push(j));
  vi.spyOn(point, "notice").mockImplementation((n) => void says.push(n.says));
  vi.spyOn(point, "countLost").mockImplementation((n) => {
    lost += n;
  });
  monitor = new Monitor(point, plant, new Map([[1502, "modbus"]]));
  seq = { up: 1000, down: 5000 };
  atMs = 1_000_000;
});

function frame(up: boolean, flags: number, payload: Buffer = Buffer.alloc(0)): void {
  const [from, to] = up ? [HMI, PLC] : [PLC, HMI];
  const [mine, theirs] = up ? [seq.up, seq.down] : [seq.down, seq.up];
  const bytes = buildTcpFrame({
    ...{ srcMac: from.mac, dstMac: to.mac, srcIp: from.ip, dstIp: to.ip, srcPort: from.port, dstPort: to.port },
    ...{ seq: mine, ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : theirs, flags, payload },
  });
  const used = payload.length + ((flags & (TCP_FLAG.SYN | TCP_FLAG.FIN)) === 0 ? 0 : 1);
  if (up) seq.up += used;
  else seq.down += used;
  atMs += 1;
  monitor.frame({ timeMs: atMs, frame: bytes, originalLength: bytes.length });
}

function handshake(): void {
  frame(true, TCP_FLAG.SYN);
  frame(false, TCP_FLAG.SYN | TCP_FLAG.ACK);
  frame(true, TCP_FLAG.ACK);
}

const request = (hex: string): void => frame(true, TCP_FLAG.ACK | TCP_FLAG.PSH, Buffer.from(hex, "hex"));
const answer = (hex: string): void => frame(false, TCP_FLAG.ACK | TCP_FLAG.PSH, Buffer.from(hex, "hex"));

function announce(mirroredFrames: number): boolean {
  const bytes = buildLldpFrame({
    srcMac: PLC.mac,
    chassisId: "sw",
    portId: "mirror",
    ttlSeconds: 2,
    plantTimeMs: atMs,
    mirroredFrames,
  });
  return monitor.frame({ timeMs: atMs, frame: bytes, originalLength: bytes.length });
}

const writes = (): unknown[] =>
  judged
    .filter((j) => j.observation.operation === "write")
    .map((j) => [j.observation.items[0]?.tag, j.observation.items[0]?.value, j.verdict.verdict]);

describe("an operator's commands on the mirror", () => {
  test("a set-point within the phase's range is allowed, once the present value was seen in an answer", () => {
    handshake();
    request("000100000006010300000003");
    answer("00010000000901030601 2c00c805dc".replaceAll(" ", ""));
    request("000200000006010600000140");
    expect(writes()).toEqual([["FIC101.SP", 32, "allow"]]);
  });

  test("a set-point outside the phase's range is a violation, and is not blocked here", () => {
    handshake();
    request("000100000006010600010320");
    expect(writes()).toEqual([["DOS201.SP", 8, "deny"]]);
    expect(judged.at(-1)?.action).toBe("forwarded");
  });

  test("a request split over segments and two in one segment are each seen once", () => {
    handshake();
    request("0001000000060106");
    request("00010320000200000006010600010321");
    expect(writes().length).toBe(2);
  });
});

describe("what cannot be seen is said", () => {
  test("bytes missing from the mirror make the connection blind: nothing after them is judged", () => {
    handshake();
    seq.up += 12;
    request("000200000006010600010320");
    atMs += 5000;
    announce(0);
    request("000300000006010600010320");
    expect(writes()).toEqual([]);
    expect(says.join(" ")).toContain("missing");
  });

  test("frames that the mirror sent and we did not get are counted", () => {
    handshake();
    announce(3);
    request("000100000006010600010320");
    expect(announce(9)).toBe(true);
    // Of the six frames between the two announcements, the first announcement itself and one request arrived.
    expect(lost).toBe(4);
  });
});
