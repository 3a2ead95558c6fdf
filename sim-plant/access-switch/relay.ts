import type { Socket } from "node:net";
import type { Side } from "./conversation.ts";

/** What a relay tells the mirror, always before the bytes go on. */
export interface Tap {
  data(from: Side, bytes: Buffer): void;
  end(from: Side): void;
  reset(from: Side): void;
}

/** Carries one TCP connection both ways. A slow side pauses the other; a half-close and a reset are passed on as such. */
export class Relay {
  readonly #client: Socket;
  readonly #uplink: Socket;

  /** Both sockets are connected and have not been read from. */
  constructor(client: Socket, uplink: Socket, tap: Tap) {
    this.#client = client;
    this.#uplink = uplink;
    pump(client, uplink, "client", tap);
    pump(uplink, client, "server", tap);
  }

  /** The cable is pulled: both ends are reset. */
  cut(): void {
    this.#client.resetAndDestroy();
    this.#uplink.resetAndDestroy();
  }
}

function pump(from: Socket, to: Socket, side: Side, tap: Tap): void {
  from.on("data", (chunk: Buffer) => {
    tap.data(side, chunk);
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => {
    tap.end(side);
    to.end();
  });
  from.on("error", () => from.destroy());
  from.on("close", (failed) => {
    if (!failed && from.readableEnded) return;
    tap.reset(side);
    if (!to.destroyed) to.resetAndDestroy();
  });
}
