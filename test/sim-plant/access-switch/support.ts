import { connect, createServer, type Server, type Socket } from "node:net";
import type { PlantClock, Stage } from "#point/clock.ts";
import type { Endpoint } from "#sim/address-plan.ts";

/** A clock that stands still until the test moves it. */
export interface HandClock extends PlantClock {
  run(stage: Stage, atMs: number): Promise<void>;
}

export function handClock(startMs = 1000): HandClock {
  const handlers: { stage: Stage; handler: (tick: number, atMs: number) => void | Promise<void> }[] = [];
  let now = startMs;
  return {
    now: () => now,
    on: (stage, handler) => void handlers.push({ stage, handler }),
    close: () => undefined,
    run: async (stage, atMs) => {
      now = atMs;
      for (const entry of handlers) if (entry.stage === stage) await entry.handler(atMs / 100, atMs);
    },
  };
}

/** A TCP server for tests: what arrived, from where, and a chance to answer. */
export interface Listener {
  readonly at: Endpoint;
  readonly server: Server;
  readonly sockets: Socket[];
  readonly from: string[];
  close(): Promise<void>;
}

export function listenOn(host: string, onSocket: (socket: Socket) => void, port = 0): Promise<Listener> {
  const sockets: Socket[] = [];
  const from: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    from.push(socket.remoteAddress ?? "");
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("no address");
      resolve({
        at: { host, port: address.port },
        server,
        sockets,
        from,
        close: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}

export function dial(at: Endpoint, localAddress?: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...at, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** Resolves with the bytes once `count` have come. */
export function receive(socket: Socket, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      held = Buffer.concat([held, chunk]);
      if (held.length < count) return;
      socket.off("data", onData);
      resolve(held);
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error(`closed after ${held.length} of ${count} bytes`)));
  });
}

export function closed(socket: Socket): Promise<void> {
  return socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once("close", () => resolve()));
}

/** Waits until `holds`, for at most `ms` real time. */
export async function until(holds: () => boolean, ms = 3000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error("what the test waits for did not happen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
