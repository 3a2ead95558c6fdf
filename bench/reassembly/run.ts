import { buildTcpFrame, type ReassemblySink, TCP_FLAG, TcpReassembler } from "#wire/packet/index.ts";
import { CaptureReader, encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { type Figure, withTarget } from "../figure.ts";

const FRAMES = 400_000;
const ROUNDS = 5;
const CHUNK_BYTES = 65_536;
/** As long as a Modbus request for some registers. */
const MESSAGE = Buffer.from("0001000000060103006b0003", "hex");
const MACS = { srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b" };
const { SYN, ACK, PSH } = TCP_FLAG;

/** `npm run bench -- reassembly`: a capture in memory through reader, checksums and reassembly, on one core. */
export async function benchReassembly(progress: (says: string) => void): Promise<readonly Figure[]> {
  return [100, 10_000].flatMap((connections) => {
    progress(`${connections} connections…`);
    const file = capture(connections);
    const rounds = Array.from({ length: ROUNDS }, () => measure(file, connections));
    const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
    const base = {
      bench: "reassembly",
      case: `${connections} connections`,
      subject: "CaptureReader, TcpReassembler",
      errors,
    };
    const perSecond = Math.max(...rounds.map((round) => round.framesPerSecond));
    const rate: Figure = {
      ...base,
      metric: "frames per second of processor time, best",
      value: perSecond,
      unit: "1/s",
    };
    return [withTarget(rate, ">=", connections === 100 ? 1_000_000 : 500_000)];
  });
}

/** Handshakes, then requests and answers, the connections taking turns. */
function capture(connections: number): Buffer {
  const records = [encodePcapHeader()];
  const said = Array.from({ length: connections }, () => ({ up: 1000, down: 9000 }));
  const none = Buffer.alloc(0);
  const say = (i: number, isUp: boolean, flags: number, payload: Buffer): void => {
    const next = said[i];
    if (next === undefined) return;
    const client = { ip: `10.1.${i >> 8}.${i & 255}`, port: 40_000 };
    const server = { ip: "10.0.0.20", port: 502 };
    const [from, to] = isUp ? [client, server] : [server, client];
    const [seq, ack] = isUp ? [next.up, next.down] : [next.down, next.up];
    const ends = { srcIp: from.ip, srcPort: from.port, dstIp: to.ip, dstPort: to.port };
    records.push(encodePcapRecord(records.length / 20, buildTcpFrame({ ...MACS, ...ends, seq, ack, flags, payload })));
    const used = payload.length + ((flags & SYN) === 0 ? 0 : 1);
    if (isUp) next.up += used;
    else next.down += used;
  };
  for (let i = 0; i < connections; i += 1) {
    say(i, true, SYN, none);
    say(i, false, SYN | ACK, none);
    say(i, true, ACK, none);
  }
  for (let turn = 0; turn < FRAMES / 2; turn += 1) {
    const i = (turn * 7919) % connections;
    say(i, true, ACK | PSH, MESSAGE);
    say(i, false, ACK | PSH, MESSAGE);
  }
  return Buffer.concat(records);
}

function measure(file: Buffer, connections: number): { readonly framesPerSecond: number; readonly errors: number } {
  const count = { opened: 0, bytes: 0, others: 0 };
  const other = (): void => {
    count.others += 1;
  };
  const sink: ReassemblySink = {
    open: () => {
      count.opened += 1;
    },
    data: (_flow, _direction, bytes) => {
      count.bytes += bytes.length;
    },
    overlap: other,
    blind: other,
    close: other,
    skipped: other,
  };
  const reader = new CaptureReader();
  const reassembler = new TcpReassembler({}, sink);
  const before = process.cpuUsage();
  let frames = 0;
  for (let at = 0; at < file.length; at += CHUNK_BYTES) {
    for (const frame of reader.push(file.subarray(at, at + CHUNK_BYTES))) {
      frames += 1;
      reassembler.push(frame.frame, frame.timeMs, frame);
    }
  }
  const { user, system } = process.cpuUsage(before);
  const isRight = count.opened === connections && count.bytes === FRAMES * MESSAGE.length && count.others === 0;
  return { framesPerSecond: frames / ((user + system) / 1e6), errors: isRight && reader.end() === undefined ? 0 : 1 };
}
