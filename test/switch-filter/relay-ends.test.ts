import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HALF_CLOSED_MS, LINGER_MS } from "#switch-filter/relay-pair.ts";
import { TURNS_MS } from "#switch-filter/turns.ts";
import { RawClient } from "./raw-client.ts";
import { CHUNK, pass, RelayBench, TURN_BYTES, until } from "./relay-bench.ts";

/** Turns, and how connections end, with sessions that do as a test says. */
const bench = new RelayBench({
  listen: { host: "127.253.2.54", port: 15_054 },
  upstream: { host: "127.253.3.54", port: 15_055 },
  client: "127.253.1.54",
});

beforeEach(() => bench.setUp());
afterEach(() => bench.tearDown());

describe("turns", () => {
  test("what clients send at once is worked off in pieces, in a circle, and none is lost or out of order", async () => {
    const pieces: string[] = [];
    await bench.start({
      fromClient: (output, chunk) => {
        const begun = performance.now();
        while (performance.now() - begun < TURNS_MS / 4);
        pieces.push(chunk.toString("latin1"));
        output.toServer(chunk);
      },
    });
    const chunks = ["a", "b"].map((name) => Buffer.from(name.repeat(30 * TURN_BYTES + 1)));
    const clients = await Promise.all(chunks.map(() => bench.open()));
    for (const [i, client] of clients.entries()) client.say(chunks[i] ?? "");
    await until(() => bench.bytesAtServer === 60 * TURN_BYTES + 2);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBe(TURN_BYTES);
    const order = pieces.map((piece) => piece[0]).join("");
    // The second does not wait for the end of the first.
    expect(order.indexOf("b")).toBeLessThan(order.lastIndexOf("a"));
    for (const name of ["a", "b"]) {
      const own = pieces.filter((piece) => piece.startsWith(name));
      expect(own.join("")).toBe(name.repeat(30 * TURN_BYTES + 1));
    }
    for (const client of clients) client.close();
  });

  test("nothing more is worked off of a connection that has ended", async () => {
    let seen = 0;
    await bench.start({
      fromClient: (output, chunk) => {
        seen += chunk.length;
        output.close("enough");
      },
    });
    const client = await bench.open();
    client.say(CHUNK);
    await client.ended();
    expect(seen).toBe(TURN_BYTES);
  });
});

describe("a client that ends its own side", () => {
  test.each([
    { name: "of a session that cannot say whether it is done", does: pass },
    { name: "in mode off", does: "off" as const },
  ])("$name: the server is told, and what it still says arrives", async ({ does }) => {
    bench.saysMore = true;
    const running = await bench.start(does);
    const client = new RawClient(connect({ ...bench.at.listen, localAddress: bench.at.client, allowHalfOpen: true }));
    client.socket.end("go");
    await until(() => bench.atServer.length === 1 && bench.serverEnds === 1);
    bench.accepted[0]?.end("gone");
    await client.until(() => client.received.length === 4);
    client.close();
    await until(() => running.connections === 0);
  });

  test("and a server that never ends its own: closed after a time, the place is given back", async () => {
    bench.saysMore = true;
    const running = await bench.start(pass);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const ticks = async (holds: () => boolean): Promise<void> => {
        while (!holds()) await new Promise((resolve) => setImmediate(resolve));
      };
      const client = new RawClient(connect({ ...bench.at.listen, localAddress: bench.at.client, allowHalfOpen: true }));
      client.socket.end("go");
      await ticks(() => bench.serverEnds === 1 && vi.getTimerCount() > 0);
      vi.advanceTimersByTime(HALF_CLOSED_MS - 1);
      await ticks(() => true);
      expect(running.connections).toBe(1);
      vi.advanceTimersByTime(1);
      client.close();
      await ticks(() => running.placesTaken === 0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("ends", () => {
  test("a server that cannot be reached: the client is closed, and it is said", async () => {
    const running = await bench.start(pass, { host: bench.at.upstream.host, port: 9 });
    const client = await bench.open();
    client.say(Buffer.from("x"));
    await client.ended();
    expect(bench.upstream).toEqual([false]);
    expect(bench.closed).toBeGreaterThan(0);
    await until(() => running.connections === 0);
  });

  test.each(["end", "destroy", "resetAndDestroy"] as const)(
    "a server that dies by `%s`: the client is closed",
    async (how) => {
      const running = await bench.start(pass);
      const client = await bench.open();
      client.say(Buffer.from("x"));
      await until(() => bench.atServer.length === 1);
      bench.accepted[0]?.[how]();
      await client.ended();
      expect(bench.upstream).toEqual([true]);
      await until(() => running.connections === 0);
    },
  );

  test("what is queued for the client arrives before the end, though the client goes on sending", async () => {
    await bench.start({
      fromClient: (output) => {
        output.toClient(CHUNK);
        output.close("enough");
        output.toServer(Buffer.from("too late"));
        output.toClient(Buffer.from("too late"));
      },
    });
    const client = await bench.open();
    client.say(CHUNK);
    client.say(CHUNK);
    await client.ended();
    expect(client.received.length).toBe(CHUNK.length);
    expect(bench.atServer).toEqual([]);
  });

  test("a client that never takes what is queued loses its place all the same", async () => {
    const big = Buffer.alloc(64 * 1024 * 1024);
    const running = await bench.start({
      fromClient: (output) => {
        output.toClient(big);
        output.close("enough");
      },
    });
    const client = await bench.open();
    client.socket.pause();
    client.say(Buffer.from("x"));
    await until(() => bench.closed === 0 && client.socket.bytesWritten === 1);
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS / 4));
    expect(running.connections).toBe(1);
    await until(() => running.connections === 0);
    client.close();
  });
});
