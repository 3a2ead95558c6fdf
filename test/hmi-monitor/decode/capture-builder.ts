import { buildTcpFrame, MAX_SEGMENT_BYTES, TCP_FLAG } from "#wire/packet/index.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";

export type End = "client" | "server";

const ENDS = {
  client: { mac: "02:00:00:00:00:0a", ip: "10.0.0.10", port: 40_000 },
  server: { mac: "02:00:00:00:00:0b", ip: "10.0.0.20", port: 502 },
} as const;
const START_MS = 1_750_000_000_000;
const STEP_MS = 10.5;
const NOTHING = Buffer.alloc(0);

export interface BuiltOptions {
  readonly serverPort?: number;
  readonly clientPort?: number;
  readonly vlans?: readonly number[];
  /** The capture begins after the handshake. */
  readonly late?: boolean;
}

/** A capture of one TCP connection, segment by segment as a test says. */
export class BuiltCapture {
  readonly #frames: Buffer[] = [];
  readonly #options: BuiltOptions;
  readonly #next = { client: 1000, server: 2000 };

  constructor(options: BuiltOptions = {}) {
    this.#options = options;
    if (options.late === true) return;
    this.#send("client", 999, 0, TCP_FLAG.SYN, NOTHING);
    this.#send("server", 1999, 1000, TCP_FLAG.SYN | TCP_FLAG.ACK, NOTHING);
    this.#send("client", 1000, 2000, TCP_FLAG.ACK, NOTHING);
  }

  /** One segment, or as many as Ethernet needs. */
  say(from: End, bytes: Buffer): this {
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT_BYTES) {
      const part = bytes.subarray(at, at + MAX_SEGMENT_BYTES);
      const other = from === "client" ? "server" : "client";
      this.#send(from, this.#next[from], this.#next[other], TCP_FLAG.PSH | TCP_FLAG.ACK, part);
      this.#next[from] += part.length;
    }
    return this;
  }

  /** Bytes that the capture missed. */
  lose(from: End, bytes: Buffer): this {
    this.#next[from] += bytes.length;
    return this;
  }

  close(): this {
    this.#send("client", this.#next.client, this.#next.server, TCP_FLAG.FIN | TCP_FLAG.ACK, NOTHING);
    this.#send("server", this.#next.server, this.#next.client + 1, TCP_FLAG.FIN | TCP_FLAG.ACK, NOTHING);
    return this;
  }

  get frames(): readonly Buffer[] {
    return this.#frames;
  }

  pcap(): Buffer {
    return pcapOf(this.#frames);
  }

  #send(from: End, seq: number, ack: number, flags: number, payload: Buffer): void {
    const { serverPort = ENDS.server.port, clientPort = ENDS.client.port, vlans = [] } = this.#options;
    const [src, dst] = from === "client" ? [ENDS.client, ENDS.server] : [ENDS.server, ENDS.client];
    const [srcPort, dstPort] = from === "client" ? [clientPort, serverPort] : [serverPort, clientPort];
    const ends = { srcMac: src.mac, dstMac: dst.mac, srcIp: src.ip, dstIp: dst.ip, srcPort, dstPort };
    this.#frames.push(buildTcpFrame({ ...ends, seq, ack, flags, payload, vlans }));
  }
}

export function pcapOf(frames: readonly Buffer[]): Buffer {
  return Buffer.concat([
    encodePcapHeader(),
    ...frames.map((frame, i) => encodePcapRecord(START_MS + i * STEP_MS, frame)),
  ]);
}
