import {
  buildTcpFrame,
  type Direction,
  type ReassemblyEvent,
  TCP_FLAG,
  type TcpReassembler,
} from "#wire/packet/index.ts";

/** Initial sequence numbers; the client's wraps around within its first bytes. */
export const CLIENT_ISN = 0xfffffffe;
export const SERVER_ISN = 5000;

const CLIENT = { mac: "02:00:00:00:00:0a", ip: "10.0.0.10", port: 40000 };
const SERVER = { mac: "02:00:00:00:00:0b", ip: "10.0.0.20", port: 502 };

export interface SegmentSketch {
  readonly from?: "client" | "server";
  /** offset from the sender's first byte of data; -1 is its SYN */
  readonly at?: number;
  /** offset from the receiver's first byte of data */
  readonly ack?: number;
  readonly flags?: number;
  readonly data?: string | Buffer;
  readonly port?: number;
  readonly clientIsn?: number;
}

const wrap = (value: number): number => value >>> 0;

/** An Ethernet frame of the conversation between 10.0.0.10:40000 and 10.0.0.20:502. */
export function segment(sketch: SegmentSketch): Buffer {
  const clientIsn = sketch.clientIsn ?? CLIENT_ISN;
  const fromClient = (sketch.from ?? "client") === "client";
  const client = { ...CLIENT, port: sketch.port ?? CLIENT.port };
  const [src, dst] = fromClient ? [client, SERVER] : [SERVER, client];
  const [own, other] = fromClient ? [clientIsn, SERVER_ISN] : [SERVER_ISN, clientIsn];
  return buildTcpFrame({
    srcMac: src.mac,
    dstMac: dst.mac,
    srcIp: src.ip,
    dstIp: dst.ip,
    srcPort: src.port,
    dstPort: dst.port,
    seq: wrap(own + 1 + (sketch.at ?? 0)),
    ack: wrap(other + 1 + (sketch.ack ?? 0)),
    flags: sketch.flags ?? TCP_FLAG.ACK,
    payload: Buffer.from(sketch.data ?? ""),
  });
}

export const SYN = segment({ at: -1, flags: TCP_FLAG.SYN });
export const SYN_ACK = segment({ from: "server", at: -1, flags: TCP_FLAG.SYN | TCP_FLAG.ACK });
export const HANDSHAKE: readonly Buffer[] = [SYN, SYN_ACK, segment({})];

/** Pushes frames one ms apart. */
export function run(reassembler: TcpReassembler, frames: readonly Buffer[], startMs = 0): ReassemblyEvent[] {
  return frames.flatMap((frame, i) => reassembler.push(frame, startMs + i));
}

/** All bytes one direction delivered, as text. */
export function delivered(events: readonly ReassemblyEvent[], direction: Direction = "client-to-server"): string {
  const parts = events.flatMap((event) =>
    event.kind === "data" && event.direction === direction ? [event.bytes] : [],
  );
  return Buffer.concat(parts).toString("latin1");
}

/** Events without flows and times, in a short form for comparison. */
export function outline(events: readonly ReassemblyEvent[]): string[] {
  return events.map((event) => {
    switch (event.kind) {
      case "open":
        return event.joinedLate ? "open late" : "open";
      case "data":
        return `${event.direction === "client-to-server" ? ">" : "<"} ${event.bytes.toString("latin1")}`;
      case "overlap":
        return `overlap ${event.differingBytes}`;
      case "blind":
        return `blind ${event.reason}`;
      case "close":
        return `close ${event.reason}`;
      case "skipped":
        return `skipped ${event.reason}`;
      default:
        return event satisfies never;
    }
  });
}
