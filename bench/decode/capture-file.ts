import { closeSync, openSync, writeSync } from "node:fs";
import { buildTcpFrame, MAX_SEGMENT_BYTES, TCP_FLAG } from "#wire/packet/index.ts";
import { encodePcapHeader } from "#wire/pcap/index.ts";

/** Bytes collected before they are written. */
const BLOCK_BYTES = 4 << 20;
const RECORD_BYTES = 16;
const MAX_FRAME_BYTES = 2048;

export interface Station {
  readonly mac: string;
  readonly ip: string;
  readonly port: number;
}

/** Writes a classic pcap file of well-formed TCP conversations, frame by frame, in constant memory. */
export class CaptureFile {
  readonly #file: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #at = 0;
  #packets = 0;
  #timeUs = 1_750_000_000_000_000;

  constructor(path: string) {
    this.#file = openSync(path, "w");
    this.#at = encodePcapHeader({ byteOrder: "little-endian" }).copy(this.#block);
  }

  get packets(): number {
    return this.#packets;
  }

  /** Lets µs pass. */
  wait(us: number): void {
    this.#timeUs += Math.round(us);
  }

  frame(bytes: Buffer): void {
    if (this.#at + RECORD_BYTES + MAX_FRAME_BYTES > BLOCK_BYTES) this.#flush();
    const head = this.#at;
    this.#block.writeUInt32LE(Math.floor(this.#timeUs / 1e6), head);
    this.#block.writeUInt32LE(this.#timeUs % 1e6, head + 4);
    this.#block.writeUInt32LE(bytes.length, head + 8);
    this.#block.writeUInt32LE(bytes.length, head + 12);
    this.#at += RECORD_BYTES + bytes.copy(this.#block, head + RECORD_BYTES);
    this.#packets += 1;
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    for (let done = 0; done < this.#at; ) done += writeSync(this.#file, this.#block, done, this.#at - done);
    this.#at = 0;
  }
}

/** One TCP connection in a capture file. */
export class Conversation {
  readonly #file: CaptureFile;
  readonly #ends: { readonly client: Station; readonly server: Station };
  readonly #next = { client: 0, server: 0 };

  constructor(file: CaptureFile, client: Station, server: Station, isn: number) {
    this.#file = file;
    this.#ends = { client, server };
    this.#next = { client: isn >>> 0, server: (isn * 3 + 7) >>> 0 };
  }

  open(): void {
    this.#send("client", TCP_FLAG.SYN, Buffer.alloc(0), 1);
    this.#send("server", TCP_FLAG.SYN | TCP_FLAG.ACK, Buffer.alloc(0), 1);
    this.acknowledge("client");
  }

  /** Bytes of the stream, in segments of Ethernet's size. */
  data(from: "client" | "server", bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT_BYTES) {
      const part = bytes.subarray(at, at + MAX_SEGMENT_BYTES);
      this.#send(from, TCP_FLAG.ACK | TCP_FLAG.PSH, part, part.length);
    }
  }

  /** A segment that carries nothing: what a receiver sends when it has nothing to say for the delay of its acknowledgement. */
  acknowledge(from: "client" | "server"): void {
    this.#send(from, TCP_FLAG.ACK, Buffer.alloc(0), 0);
  }

  #send(from: "client" | "server", flags: number, payload: Buffer, advances: number): void {
    const to = from === "client" ? "server" : "client";
    const { mac: srcMac, ip: srcIp, port: srcPort } = this.#ends[from];
    const { mac: dstMac, ip: dstIp, port: dstPort } = this.#ends[to];
    const seq = this.#next[from];
    const ack = (flags & TCP_FLAG.ACK) === 0 ? 0 : this.#next[to];
    this.#file.frame(
      buildTcpFrame({ srcMac, dstMac, srcIp, dstIp, srcPort, dstPort, seq, ack, flags, payload, window: 64_240 }),
    );
    this.#next[from] = (seq + advances) >>> 0;
  }
}
