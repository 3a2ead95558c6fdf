import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_PER_UNDECLARED, MAX_UNDECLARED } from "#switch-filter/connection-places.ts";
import type { RawClient } from "./raw-client.ts";
import { CHUNK, DECLARED, PLACES, pass, RelayBench, until } from "./relay-bench.ts";

/** Sockets, limits and back-pressure, with sessions that do as a test says. */
const bench = new RelayBench({
  listen: { host: "127.253.2.50", port: 15_050 },
  upstream: { host: "127.253.3.50", port: 15_051 },
  client: "127.253.1.50",
});

beforeEach(() => bench.setUp());
afterEach(() => bench.tearDown());

describe("connection limits", () => {
  /** As many at once as the tests need, a batch at a time. */
  async function openMany(count: number, from: string): Promise<readonly RawClient[]> {
    const clients: RawClient[] = [];
    while (clients.length < count) {
      const batch = Math.min(32, count - clients.length);
      clients.push(...(await Promise.all(Array.from({ length: batch }, () => bench.open(from)))));
    }
    return clients;
  }

  test("the last place of an address that nobody declared is given, the next is refused, another address has its own", async () => {
    const running = await bench.start(pass);
    const clients = await openMany(MAX_PER_UNDECLARED, bench.at.client);
    await until(() => running.connections === MAX_PER_UNDECLARED);
    await (await bench.open()).ended();
    expect(bench.refused).toEqual([
      expect.stringContaining(`${bench.at.client} has ${MAX_PER_UNDECLARED} connections here`),
    ]);
    const other = await bench.open("127.253.1.51");
    await until(() => running.connections === MAX_PER_UNDECLARED + 1);
    clients[0]?.close();
    await until(() => running.placesTaken === MAX_PER_UNDECLARED);
    const again = await bench.open();
    await until(() => running.connections === MAX_PER_UNDECLARED + 1);
    for (const client of [...clients, other, again]) client.close();
    await until(() => running.placesTaken === 0);
    expect([running.connections, bench.closed]).toEqual([0, MAX_PER_UNDECLARED + 2]);
  });

  test("all places of undeclared addresses are taken: further ones are refused, and a declared device still has all of its own", async () => {
    const running = await bench.start(pass);
    const strangers = [
      ...(await openMany(MAX_PER_UNDECLARED, bench.at.client)),
      ...(await openMany(MAX_UNDECLARED - MAX_PER_UNDECLARED, "127.253.1.51")),
    ];
    await (await bench.open("127.253.1.52")).ended();
    expect(bench.refused).toEqual([expect.stringContaining(`declares have ${MAX_UNDECLARED} connections here`)]);
    const [one = "", two = ""] = DECLARED;
    const own = [...(await openMany(PLACES.maxPerDevice / 2, one)), ...(await openMany(PLACES.maxPerDevice / 2, two))];
    await until(() => running.connections === MAX_UNDECLARED + PLACES.maxPerDevice);
    await (await bench.open(two)).ended();
    expect(bench.refused[1]).toContain(`hmi-1 has ${PLACES.maxPerDevice} connections here`);
    own[0]?.say(Buffer.from("x"));
    await until(() => bench.atServer.length === 1);
    for (const client of [...strangers, ...own]) client.close();
    await until(() => running.placesTaken === 0);
  });

  test("a client that may do nothing takes none of the server's places", async () => {
    await bench.start({ fromClient: (output) => output.toClient(Buffer.from("no")) });
    const client = await bench.open();
    client.say(Buffer.from("may I?"));
    await client.until(() => client.received.length === 2);
    expect(bench.accepted.length).toBe(0);
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
    const running = await bench.start(does);
    const client = await bench.open();
    client.say(Buffer.from("x"));
    if (does !== "throws" && "fromServer" in does) {
      await until(() => bench.accepted.length === 1);
      bench.accepted[0]?.write("y");
    }
    await client.ended();
    expect(client.received.length).toBe(0);
    expect(bench.faults.length).toBe(1);
    expect(bench.faults[0]).toContain("today");
    await until(() => running.connections === 0);
    const next = await bench.open();
    next.close();
  });
});

describe("back-pressure", () => {
  test("a client that takes no answers is not read: what the session answers by itself does not pile up", async () => {
    let answered = 0;
    await bench.start({
      fromClient: (output) => {
        answered += CHUNK.length;
        output.toClient(CHUNK);
      },
    });
    const client = await bench.open();
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
    await bench.start(does);
    const client = await bench.open();
    client.say(Buffer.from("go"));
    await until(() => bench.accepted.length === 1 && bench.atServer.length === 1);
    const socket = bench.accepted[0];
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
    await until(() => received === total && bench.bytesAtServer === total + 2);
    client.close();
  });
});

test("without a session, bytes pass unseen, and the server may speak first", async () => {
  await bench.start("off");
  const client = await bench.open();
  await until(() => bench.accepted.length === 1);
  bench.accepted[0]?.write("hello");
  await client.until(() => client.received.length === 5);
  client.say(Buffer.from([0, 1, 2, 0xff]));
  await until(() => bench.atServer.length === 1);
  expect(bench.atServer[0]).toEqual(Buffer.from([0, 1, 2, 0xff]));
  client.close();
});

function fail(): never {
  throw new Error("not today");
}
