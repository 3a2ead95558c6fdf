import { connect, type Socket } from "node:net";

/** A client that says any bytes, and keeps what it is told. */
export class RawClient {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#look();
    });
    socket.on("error", () => undefined);
    socket.on("connect", () => this.#look());
    socket.on("close", () => {
      this.closed = true;
      this.#look();
    });
  }

  static async open(to: { readonly host: string; readonly port: number }, from: string): Promise<RawClient> {
    const socket = connect({ ...to, localAddress: from, noDelay: true });
    const client = new RawClient(socket);
    // A connection that is refused by a reset may be over before it was open.
    await client.until(() => client.closed || !socket.connecting);
    return client;
  }

  say(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? hex(bytes) : bytes);
  }

  /** So many whole ADUs have come, or the connection is closed. */
  async answers(count: number): Promise<readonly string[]> {
    await this.until(() => this.closed || adus(this.received).length >= count);
    return adus(this.received);
  }

  async ended(): Promise<void> {
    await this.until(() => this.closed);
  }

  close(): void {
    this.socket.destroy();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

/** An ADU with the length that its PDU has. */
export function adu(transaction: number, pdu: string, unit = 1): Buffer {
  const body = hex(pdu);
  const head = Buffer.alloc(7);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt16BE(body.length + 1, 4);
  head.writeUInt8(unit, 6);
  return Buffer.concat([head, body]);
}

/** Whole ADUs as hex. */
export function adus(bytes: Buffer): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at + 6 <= bytes.length; ) {
    const end = at + 6 + bytes.readUInt16BE(at + 4);
    if (end > bytes.length) break;
    found.push(bytes.toString("hex", at, end));
    at = end;
  }
  return found;
}
