import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { DeviceId } from "#specs/ids.ts";
import { Relay } from "#switch-filter/relay.ts";
import type { RelayOptions } from "#switch-filter/relay-options.ts";
import type { Session, SessionOutput } from "#switch-filter/session.ts";
import { RawClient } from "./raw-client.ts";

/** Two addresses of one declared device. */
export const DECLARED = ["127.253.1.60", "127.253.1.61"];
/** Few places in all, so that the tests at the limit are quick; the counts by themselves are in connection-places.test.ts. */
export const PLACES = { maxConnections: 300, maxPerDevice: 200 };
/** A piece of what a client sends, and far from a divisor of its chunks. */
export const TURN_BYTES = 1000;
export const CHUNK = Buffer.alloc(64 * 1024, 0x55);

/** What a session does; the rest of it does nothing. */
export type Does = Partial<Pick<Session, "wantsMore">> & {
  readonly fromClient?: (output: SessionOutput, chunk: Buffer) => void;
  readonly fromServer?: (output: SessionOutput, chunk: Buffer) => void;
  readonly expire?: (output: SessionOutput) => void;
};

export const pass: Does = {
  fromClient: (output, chunk) => output.toServer(chunk),
  fromServer: (output, chunk) => output.toClient(chunk),
};

interface Addresses {
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: { readonly host: string; readonly port: number };
  readonly client: string;
}

/** A relay before a server that keeps what it is told, with sessions that do as a test says. */
export class RelayBench {
  readonly at: Addresses;
  accepted: Socket[] = [];
  atServer: Buffer[] = [];
  faults: string[] = [];
  refused: string[] = [];
  upstream: boolean[] = [];
  /** Sessions that were told that a side has gone. */
  closed = 0;
  /** Connections on which the server was told that nothing more comes. */
  serverEnds = 0;
  /** The server does not end its own side for that. */
  saysMore = false;
  #server: Server | undefined;
  #relay: Relay | undefined;

  constructor(at: Addresses) {
    this.at = at;
  }

  async setUp(): Promise<void> {
    [this.accepted, this.atServer, this.faults, this.refused, this.upstream] = [[], [], [], [], []];
    [this.closed, this.serverEnds, this.saysMore] = [0, 0, false];
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.accepted.push(socket);
      socket.on("end", () => {
        this.serverEnds += 1;
        if (!this.saysMore) socket.end();
      });
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => void this.atServer.push(chunk));
    });
    this.#server.listen(this.at.upstream);
    await once(this.#server, "listening");
  }

  async tearDown(): Promise<void> {
    await this.#relay?.close();
    for (const socket of this.accepted) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  get bytesAtServer(): number {
    return this.atServer.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async start(does: Does | "off" | "throws", to = this.at.upstream): Promise<Relay> {
    const relay = new Relay({
      listen: this.at.listen,
      upstream: to,
      session: this.#session(does),
      turnBytes: TURN_BYTES,
      places: PLACES,
      deviceOf: (address) => (DECLARED.includes(address) ? DeviceId("hmi-1") : undefined),
      onRefused: (_client, says) => void this.refused.push(says),
      onUpstream: (reachable) => void this.upstream.push(reachable),
      onFault: (_client, says) => void this.faults.push(says),
    });
    this.#relay = relay;
    await relay.listen();
    return relay;
  }

  open(from = this.at.client): Promise<RawClient> {
    return RawClient.open(this.at.listen, from);
  }

  #session(does: Does | "off" | "throws"): NonNullable<RelayOptions["session"]> {
    return (_client, output) => {
      if (does === "throws") throw new Error("no session today");
      if (does === "off") return undefined;
      return {
        fromClient: (chunk) => does.fromClient?.(output, chunk),
        fromServer: (chunk) => does.fromServer?.(output, chunk),
        expire: () => does.expire?.(output),
        closed: () => {
          this.closed += 1;
        },
        wantsMore: does.wantsMore ?? true,
        unsettledSinceMs: undefined,
      };
    };
  }
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
