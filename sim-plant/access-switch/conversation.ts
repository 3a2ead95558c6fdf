import { TCP_FLAG } from "#wire/packet/tcp.ts";
import { buildTcpFrame, MAX_SEGMENT_BYTES } from "#wire/packet/tcp-frame.ts";
import type { Endpoint } from "../address-plan.ts";

export type Side = "client" | "server";

const SEQUENCE_SPACE = 0x1_0000_0000;
const NO_PAYLOAD = Buffer.alloc(0);
const { SYN, ACK, PSH, FIN, RST } = TCP_FLAG;

/** A MAC address for an IPv4 address: locally administered, `02:00` and the four numbers. */
export function macOf(ip: string): string {
  const octets = ip.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "00", ...octets].join(":");
}

/**
 * One relayed TCP connection as it would look on the wire. A relay sees bytes, not segments; this makes the segments up:
 * handshake, data of at most 1460 bytes with the acknowledgement of the other side, end or reset. Pure.
 *
 * @see RFC 9293 §3.5 (establishing), §3.6 (closing), §3.10.7.1 (reset)
 */
export class Conversation {
  readonly #client: Endpoint;
  readonly #server: Endpoint;
  /** Next sequence number of each side. */
  readonly #next: Record<Side, number>;
  #over = false;

  /** @param server the address the client believes to talk to  @param number of the connection; gives the initial sequence numbers */
  constructor(client: Endpoint, server: Endpoint, number: number) {
    this.#client = client;
    this.#server = server;
    // Spread over the whole space, so that wrapping is an ordinary case here as on a real network.
    const initial = Math.imul(number + 1, 0x9e3779b1) >>> 0;
    this.#next = { client: initial, server: (initial ^ 0x5bd1e995) >>> 0 };
  }

  open(): readonly Buffer[] {
    return [this.#step("client", SYN, 1, 0), this.#step("server", SYN | ACK, 1), this.#step("client", ACK, 0)];
  }

  /** The server did not take the connection. */
  refused(): readonly Buffer[] {
    this.#over = true;
    return [this.#step("client", SYN, 1, 0), this.#step("server", RST | ACK, 0)];
  }

  data(from: Side, bytes: Buffer): readonly Buffer[] {
    if (this.#over) return [];
    const frames: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT_BYTES) {
      const payload = bytes.subarray(at, at + MAX_SEGMENT_BYTES);
      const last = at + payload.length === bytes.length;
      frames.push(this.#frame(from, last ? PSH | ACK : ACK, payload));
      this.#advance(from, payload.length);
    }
    frames.push(this.#step(other(from), ACK, 0));
    return frames;
  }

  end(from: Side): readonly Buffer[] {
    if (this.#over) return [];
    return [this.#step(from, FIN | ACK, 1), this.#step(other(from), ACK, 0)];
  }

  /** Nothing comes after a reset; a second one says nothing. */
  reset(from: Side): readonly Buffer[] {
    if (this.#over) return [];
    this.#over = true;
    return [this.#step(from, RST | ACK, 0)];
  }

  #step(from: Side, flags: number, consumes: 0 | 1, ack = this.#next[other(from)]): Buffer {
    const frame = this.#frame(from, flags, NO_PAYLOAD, ack);
    this.#advance(from, consumes);
    return frame;
  }

  #frame(from: Side, flags: number, payload: Buffer, ack = this.#next[other(from)]): Buffer {
    const [src, dst] = from === "client" ? [this.#client, this.#server] : [this.#server, this.#client];
    return buildTcpFrame({
      srcMac: macOf(src.host),
      dstMac: macOf(dst.host),
      srcIp: src.host,
      dstIp: dst.host,
      srcPort: src.port,
      dstPort: dst.port,
      seq: this.#next[from],
      ack,
      flags,
      payload,
    });
  }

  #advance(side: Side, by: number): void {
    this.#next[side] = (this.#next[side] + by) % SEQUENCE_SPACE;
  }
}

function other(side: Side): Side {
  return side === "client" ? "server" : "client";
}
