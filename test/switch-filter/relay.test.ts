import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_SOURCE, Relay } from "#switch-filter/relay.ts";
import type { RelayOptions } from "#switch-filter/relay-options.ts";
import { LINGER_MS } from "#switch-filter/relay-pair.ts";
import type { Session, SessionOutput } from "#switch-filter/session.ts";
import { RawClient } from "./raw-client.ts";

/** Sockets, back-pressure, limits and ends, with sessions that do as a test says. */
const LISTEN = { host: "127.253.2.50", port: 15_050 };
const UPSTREAM = { host: "127.253.3.50", port: 15_051 };
const CLIENT = "127.253.1.50";
const CHUNK = Buffer.alloc(64 * 1024, 0x55);

let server: Server;
let accepted: Socket[];
let atServer: Buffer[];
let faults: string[];
let refused: string[];
let upstream: boolean[];
let closed: number;
let relay: Relay | undefined;

beforeEach(async () => {
  accepted = [];
  atServer = [];
  faults = [];
  refused = [];
  upstream = [];
  closed = 0;
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => void atServer.push(chunk));
  });
  server.listen(UPSTREAM);
  await once(server, "listening");
});

afterEach(async () => {
  await relay?.close();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

type Does = Partial<Pick<Session, "wantsMore">> & {
  readonly fromClient?: (output: SessionOutput, chunk: Buffer) => void;
  readonly fromServer?: (output: SessionOutput, chunk: Buffer) => void;
  readonly expire?: (output: SessionOutput) => void;
};

async function start(does: Does | "off" | "throws", to = UPSTREAM): Promise<Relay> {
  const session: NonNullable<RelayOptions["session"]> = (_client, output) => {
    if (does === "throws") throw new Error("no session today");
    if (does === "off") return undefined;
    return {
      fromClient: (chunk) => does.fromClient?.(output, chunk),
      fromServer: (chunk) => does.fromServer?.(output, chunk),
      expire: () => does.expire?.(output),
      closed: () => {
        closed += 1;
      },
      wantsMore: does.wantsMore ?? true,
      unsettledSinceMs: undefined,
    };
  };
  relay = new Relay({
    listen: LISTEN,
    upstream: to,
    session,
    onRefused: (_client, says) => void refused.push(says),
    onUpstream: (reachable) => void upstream.push(reachable),
    onFault: (_client, says) => void faults.push(says),
  });
  await relay.listen();
  return relay;
}

const open = (from = CLIENT): Promise<RawClient> => RawClient.open(LISTEN, from);
const pass: Does = {
  fromClient: (output, chunk) => output.toServer(chunk),
  fromServer: (output, chunk) => output.toClient(chunk),
};

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("connection limits", () => {
  test("the last connection that one source may have is taken, the next is not, another source's is", async () => {
    const running = await start(pass);
    const clients = await Promise.all(Array.from({ length: MAX_CONNECTIONS_PER_SOURCE }, () => open()));
    await until(() => running.connections === MAX_CONNECTIONS_PER_SOURCE);
    await (await open()).ended();
    expect(refused.length).toBe(1);
    expect(running.connections).toBe(MAX_CONNECTIONS_PER_SOURCE);
    const other = await open("127.253.1.51");
    await until(() => running.connections === MAX_CONNECTIONS_PER_SOURCE + 1);
    clients[0]?.close();
    await until(() => running.connections === MAX_CONNECTIONS_PER_SOURCE);
    const again = await open();
    await until(() => running.connections === MAX_CONNECTIONS_PER_SOURCE + 1);
    for (const client of [...clients, other, again]) client.close();
    await until(() => running.connections === 0);
    expect(closed).toBe(MAX_CONNECTIONS_PER_SOURCE + 2);
  });

  test("the last connection in all is taken, the next is not", async () => {
    const running = await start(pass);
    const sources = MAX_CONNECTIONS / MAX_CONNECTIONS_PER_SOURCE;
    const clients: RawClient[] = [];
    for (let i = 0; i < sources; i += 1) {
      const from = `127.253.1.${100 + i}`;
      clients.push(...(await Promise.all(Array.from({ length: MAX_CONNECTIONS_PER_SOURCE }, () => open(from)))));
    }
    await until(() => running.connections === MAX_CONNECTIONS);
    await (await open("127.253.1.99")).ended();
    expect(running.connections).toBe(MAX_CONNECTIONS);
    expect(refused.length).toBe(1);
    for (const client of clients) client.close();
    await until(() => running.connections === 0);
  });

  test("a client that may do nothing takes none of the server's places", async () => {
    await start({ fromClient: (output) => output.toClient(Buffer.from("no")) });
    const client = await open();
    client.say(Buffer.from("may I?"));
    await client.until(() => client.received.length === 2);
    expect(accepted.length).toBe(0);
    client.close();
  });
});

describe("a mistake of the filter's own ends the connection, and nothing else", () => {
  test.each([
    { name: "in bytes of the client", does: { fromClient: () => fail() } },
    { name: "in bytes of the server", does: { ...pass, fromServer: () => fail() } },
    { name: "in its time-outs", does: { expire: () => fail() } },
    { name: "where the session should begin", does: "throws" as const },
  ])("$name", async ({ does }) => {
    const running = await start(does);
    const client = await open();
    client.say(Buffer.from("x"));
    if (does !== "throws" && "fromServer" in does) {
      await until(() => accepted.length === 1);
      accepted[0]?.write("y");
    }
    await client.ended();
    expect(client.received.length).toBe(0);
    expect(faults.length).toBe(1);
    expect(faults[0]).toContain("today");
    await until(() => running.connections === 0);
    const next = await open();
    next.close();
  });
});

describe("back-pressure", () => {
  test("a client that takes no answers is not read: what the session answers by itself does not pile up", async () => {
    let answered = 0;
    await start({
      fromClient: (output) => {
        answered += CHUNK.length;
        output.toClient(CHUNK);
      },
    });
    const client = await open();
    client.socket.pause();
    for (let i = 0; i < 2000; i += 1) client.socket.write(CHUNK);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // What the kernel holds of both directions, and no more: 2000 chunks are 125 MiB.
    expect(answered).toBeLessThan(60 * 1024 * 1024);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    client.close();
  });

  test.each([
    { name: "with a session", does: pass },
    { name: "in mode off", does: "off" as const },
  ])("$name, a slow server slows its client, and a slow client its server, and all bytes arrive", async ({ does }) => {
    await start(does);
    const client = await open();
    client.say(Buffer.from("go"));
    await until(() => accepted.length === 1 && atServer.length === 1);
    const socket = accepted[0];
    socket?.pause();
    client.socket.pause();
    const total = 300 * CHUNK.length;
    for (let i = 0; i < 300; i += 1) {
      client.socket.write(CHUNK);
      socket?.write(CHUNK);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.socket.writableLength).toBeGreaterThan(0);
    expect(socket?.writableLength).toBeGreaterThan(0);
    socket?.resume();
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (chunk) => {
      received += chunk.length;
    });
    client.socket.resume();
    await until(() => received === total && atServer.reduce((sum, chunk) => sum + chunk.length, 0) === total + 2);
    client.close();
  });
});

describe("ends", () => {
  test("a server that cannot be reached: the client is closed, and it is said", async () => {
    const running = await start(pass, { host: UPSTREAM.host, port: 15_059 });
    const client = await open();
    client.say(Buffer.from("x"));
    await client.ended();
    expect(upstream).toEqual([false]);
    expect(closed).toBeGreaterThan(0);
    await until(() => running.connections === 0);
  });

  test.each(["end", "destroy", "resetAndDestroy"] as const)(
    "a server that dies by `%s`: the client is closed",
    async (how) => {
      const running = await start(pass);
      const client = await open();
      client.say(Buffer.from("x"));
      await until(() => atServer.length === 1);
      accepted[0]?.[how]();
      await client.ended();
      expect(upstream).toEqual([true]);
      await until(() => running.connections === 0);
    },
  );

  test("what is queued for the client arrives before the end, though the client goes on sending", async () => {
    await start({
      fromClient: (output) => {
        output.toClient(CHUNK);
        output.close("enough");
        output.toServer(Buffer.from("too late"));
        output.toClient(Buffer.from("too late"));
      },
    });
    const client = await open();
    client.say(CHUNK);
    client.say(CHUNK);
    await client.ended();
    expect(client.received.length).toBe(CHUNK.length);
    expect(atServer).toEqual([]);
  });

  test("a client that never takes what is queued loses its place all the same", async () => {
    const big = Buffer.alloc(64 * 1024 * 1024);
    const running = await start({
      fromClient: (output) => {
        output.toClient(big);
        output.close("enough");
      },
    });
    const client = await open();
    client.socket.pause();
    client.say(Buffer.from("x"));
    await until(() => closed === 0 && client.socket.bytesWritten === 1);
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS / 4));
    expect(running.connections).toBe(1);
    await until(() => running.connections === 0);
    client.close();
  });
});

test("without a session, bytes pass unseen, and the server may speak first", async () => {
  await start("off");
  const client = await open();
  await until(() => accepted.length === 1);
  accepted[0]?.write("hello");
  await client.until(() => client.received.length === 5);
  client.say(Buffer.from([0, 1, 2, 0xff]));
  await until(() => atServer.length === 1);
  expect(atServer[0]).toEqual(Buffer.from([0, 1, 2, 0xff]));
  client.close();
});

function fail(): never {
  throw new Error("not today");
}
