import { expect, test } from "vitest";
import { FORGET_MS } from "#hmi-monitor/modbus-conversation.ts";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { watching } from "./capture.ts";

// Frames that a sender makes by hand. The same, against a real server, in namespaces: test/e2e/namespaces-evasion.test.ts.

const { SYN, ACK, RST, URG } = TCP_FLAG;
const HMI = { mac: "02:00:00:00:00:01", ip: "127.10.1.11", port: 40_001 };
const PLC = { mac: "02:00:00:00:00:02", ip: "127.10.2.1", port: 1502 };
const START_MS = 1_000_000;
/** FC 06 to register 1 of unit 1: the set-point of the dosing, in tenths. */
const write = (word: number): Buffer => Buffer.from(`00010000000601060001${word.toString(16).padStart(4, "0")}`, "hex");

interface Segment {
  readonly flags?: number;
  readonly payload?: Buffer;
  /** from the first byte */
  readonly at?: number;
  readonly ack?: number;
}

const up = ({ flags = ACK, payload = Buffer.alloc(0), at = 0, ack = 0 }: Segment): Buffer =>
  buildTcpFrame({
    ...{ srcMac: HMI.mac, dstMac: PLC.mac, srcIp: HMI.ip, dstIp: PLC.ip, srcPort: HMI.port, dstPort: PLC.port },
    ...{ seq: 1000 + at, ack: 5000 + ack, flags, payload },
  });
const down = ({ flags = ACK, payload = Buffer.alloc(0), at = 0, ack = 0 }: Segment): Buffer =>
  buildTcpFrame({
    ...{ srcMac: PLC.mac, dstMac: HMI.mac, srcIp: PLC.ip, dstIp: HMI.ip, srcPort: PLC.port, dstPort: HMI.port },
    ...{ seq: 5000 + at, ack: 1000 + ack, flags, payload },
  });
const HANDSHAKE = [up({ flags: SYN, at: -1 }), down({ flags: SYN | ACK, at: -1 }), up({})];

async function watched(frames: readonly Buffer[], afterMs = 0) {
  const watch = await watching();
  let timeMs = START_MS;
  for (const frame of [...HANDSHAKE, ...frames]) {
    timeMs += 1;
    watch.monitor.frame({ timeMs, frame, originalLength: frame.length });
  }
  watch.monitor.look(timeMs + afterMs);
  watch.monitor.tick(timeMs + afterMs);
  return watch;
}

const unanswered = "1 commands got no answer: they may not have been carried out";

test("a command that nobody answers is said to have no answer: after a time, or at the end of the connection", async () => {
  const asked = up({ payload: write(250) });
  const before = await watched([asked], FORGET_MS - 10);
  expect([before.writes().length, before.says]).toEqual([1, []]);
  expect((await watched([asked], FORGET_MS + 10)).says).toEqual([unanswered]);
  expect((await watched([asked, up({ flags: RST, at: 12 })])).says).toEqual([unanswered]);
});

test("one that is answered, with an exception too, and a read that is not, are no matter of note", async () => {
  const asked = up({ payload: write(250) });
  for (const payload of [write(250), Buffer.from("000100000003018604", "hex")]) {
    const { says } = await watched([asked, down({ payload, ack: 12 })], FORGET_MS + 10);
    expect(says).toEqual([]);
  }
  const read = up({ payload: Buffer.from("000100000006010300010001", "hex") });
  expect((await watched([read], FORGET_MS + 10)).says).toEqual([]);
});

test("urgent bytes: nothing more of the connection is judged, however well it reads", async () => {
  const [pointer, request] = [up({ flags: ACK | URG }), up({ payload: write(250) })];
  const answer = down({ payload: write(250), ack: 12 });
  const { writes, says, monitor } = await watched([pointer, request, answer]);
  expect(writes()).toEqual([]);
  expect(says[0]).toMatch(/marked urgent/);
  expect(monitor.unread).toMatchObject({ blind: 1, resynchronised: 0, bytes: 24 });
});

test("fragments of two contents are said with who sent them", async () => {
  const { says } = await watched([fragment(0, true), fragment(1, true), fragment(1, true, 0xff)]);
  expect(says[0]).toBe(
    `${HMI.ip} → ${PLC.ip}: fragments of a datagram came with two contents, and receivers differ in which they take`,
  );
});

/** A piece of eight bytes of an IPv4 datagram. */
function fragment(nth: number, more: boolean, fill = 0): Buffer {
  const frame = Buffer.from(up({}).subarray(0, 14 + 20 + 8)).fill(fill, 34);
  frame.writeUInt16BE(28, 16);
  frame.writeUInt16BE((more ? 0x2000 : 0) | nth, 20);
  frame.writeUInt16BE(0, 24);
  let sum = 0;
  for (let i = 14; i < 34; i += 2) sum += frame.readUInt16BE(i);
  frame.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 24);
  return frame;
}
