import type { Socket } from "node:net";

/** MQTT 3.1.1 §2.2.3: the remaining length takes at most four bytes. */
const MAX_LENGTH_BYTES = 4;
const CONTINUES = 0x80;

type Header = { readonly part: "type" } | { readonly part: "length"; readonly sum: number; readonly read: number };

/**
 * Watches packet boundaries of an MQTT stream without looking into packets. A packet that announces more than the limit ends
 * the stream at its header, before anybody buffers it: the broker's own parser has no such limit.
 */
export class PacketLimit {
  readonly #maxBytes: number;
  #header: Header = { part: "type" };
  #bodyLeft = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False: a packet is too large, or its length is not one. */
  accept(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= taken;
        at += taken;
        continue;
      }
      if (!this.#headerByte(chunk.readUInt8(at))) return false;
      at += 1;
    }
    return true;
  }

  #headerByte(byte: number): boolean {
    if (this.#header.part === "type") {
      this.#header = { part: "length", sum: 0, read: 0 };
      return true;
    }
    const sum = this.#header.sum + (byte & ~CONTINUES) * 128 ** this.#header.read;
    const read = this.#header.read + 1;
    if (sum > this.#maxBytes) return false;
    if ((byte & CONTINUES) !== 0) {
      this.#header = { part: "length", sum, read };
      return read < MAX_LENGTH_BYTES;
    }
    this.#header = { part: "type" };
    this.#bodyLeft = sum;
    return true;
  }
}

/** Watches what is read from the socket. The broker pulls with `read`, so a refused chunk never reaches its parser. */
export function limitPackets(socket: Socket, maxBytes: number): Socket {
  const limit = new PacketLimit(maxBytes);
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    if (!Buffer.isBuffer(chunk) || limit.accept(chunk)) return chunk;
    socket.destroy();
    return null;
  };
  return socket;
}
