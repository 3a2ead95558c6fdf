import { createServer, type Server, type Socket } from "node:net";
import { buildLldpFrame } from "#wire/packet/lldp.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import type { Endpoint } from "../address-plan.ts";
import { macOf } from "./conversation.ts";

/** Bytes that may wait for one reader. A reader that falls further behind is dropped, which it sees as a gap. */
const MAX_READER_BYTES = 8 * 1024 * 1024;
const MAX_READERS = 8;
/** Seconds for which an announcement holds: a few rounds. */
const TTL_SECONDS = 5;
const CHASSIS_ID = "access-switch-1";
const PORT_ID = "mirror";

export interface MirrorCounts {
  /** Frames mirrored since the start, announcements included. */
  readonly frames: number;
  /** Readers dropped because they were too slow. */
  readonly dropped: number;
}

/**
 * The mirror port: a classic pcap stream over TCP for everybody who connects, from that moment on. It never holds up the relay:
 * nothing here waits for a reader.
 */
export class MirrorPort {
  readonly #server: Server;
  readonly #readers = new Set<Socket>();
  readonly #maxReaderBytes: number;
  readonly #log: (says: string) => void;
  readonly #mac: string;
  #frames = 0;
  #dropped = 0;

  constructor(options: {
    readonly mac: string;
    readonly maxReaderBytes?: number;
    readonly log: (says: string) => void;
  }) {
    this.#mac = options.mac;
    this.#maxReaderBytes = options.maxReaderBytes ?? MAX_READER_BYTES;
    this.#log = options.log;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_READERS;
  }

  get server(): Server {
    return this.#server;
  }

  get counts(): MirrorCounts {
    return { frames: this.#frames, dropped: this.#dropped };
  }

  /** @param atMs plant time */
  send(atMs: number, frames: readonly Buffer[]): void {
    this.#frames += frames.length;
    if (this.#readers.size === 0) return;
    const records = Buffer.concat(frames.map((frame) => encodePcapRecord(atMs, frame)));
    for (const reader of this.#readers) this.#deliver(reader, records, frames.length);
  }

  /** Says how far the mirror has got in plant time, and how many frames went out before. */
  announce(atMs: number): void {
    const frame = buildLldpFrame({
      srcMac: this.#mac,
      chassisId: CHASSIS_ID,
      portId: PORT_ID,
      ttlSeconds: TTL_SECONDS,
      plantTimeMs: atMs,
      mirroredFrames: this.#frames,
    });
    this.send(atMs, [frame]);
  }

  close(): Promise<void> {
    for (const reader of this.#readers) reader.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #deliver(reader: Socket, records: Buffer, count: number): void {
    if (reader.writableLength + records.length <= this.#maxReaderBytes) {
      reader.write(records);
      return;
    }
    this.#dropped += 1;
    this.#readers.delete(reader);
    reader.resetAndDestroy();
    this.#log(
      `a mirror reader was dropped: ${count} frames and what waited before them (${this.#maxReaderBytes} bytes) are lost to it`,
    );
  }

  #accept(socket: Socket): void {
    this.#readers.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#readers.delete(socket));
    // A mirror port takes nothing in; reading on is how the end of a reader is noticed.
    socket.resume();
    socket.write(encodePcapHeader());
  }
}

/** MAC address of the switch's mirror port. */
export function mirrorMac(mirror: Endpoint): string {
  return macOf(mirror.host);
}
