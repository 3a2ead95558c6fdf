import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { afterEach, expect, test } from "vitest";
import type { StatusMessage } from "#point/bus.ts";
import { type Bus, joinBus, MAX_OUTBOX } from "#point/bus-client.ts";
import { ZoneId } from "#specs/ids.ts";

/** A real broker on loopback that can be taken away and brought back. */
const PORT = 18_831;
const will: StatusMessage = {
  ...{
    point: "p",
    layer: "switch",
    state: "down",
    says: "gone",
    mode: "enforce",
    zone: ZoneId("works"),
    phase: null,
    steps: [],
    epoch: null,
  },
  ...{ bundle: "b", pid: 1, atMs: 0, judgedUpToMs: 0, judged: 0, denied: 0, lost: 0 },
};
let bus: Bus | undefined;
let broker: { readonly aedes: Aedes; readonly server: Server } | undefined;

afterEach(async () => {
  await bus?.close();
  await stopBroker();
});

async function startBroker(): Promise<Aedes> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(PORT, "127.0.0.1", resolve));
  broker = { aedes, server };
  return aedes;
}

async function stopBroker(): Promise<void> {
  const going = broker;
  broker = undefined;
  if (going === undefined) return;
  await new Promise<void>((resolve) => going.aedes.close(() => resolve()));
  await new Promise<void>((resolve) => going.server.close(() => resolve()));
}

function join(): Promise<Bus> {
  return joinBus({ url: `mqtt://127.0.0.1:${PORT}`, point: "p", will });
}

test("what was published while the bus was away arrives once it is back, in order", async () => {
  bus = await join();
  for (let i = 0; i < 5; i += 1) bus.publish("t/1", { i });
  const aedes = await startBroker();
  const seen: number[] = [];
  aedes.on("publish", (packet) => {
    if (packet.topic === "t/1") seen.push(JSON.parse(packet.payload.toString()).i);
  });
  await expect.poll(() => seen, { timeout: 4000 }).toEqual([0, 1, 2, 3, 4]);
});

test("the outbox is bounded: the oldest go first, and are counted", async () => {
  bus = await join();
  for (let i = 0; i < MAX_OUTBOX; i += 1) bus.publish("t/1", { i });
  expect(bus.dropped).toBe(0);
  bus.publish("t/1", { i: MAX_OUTBOX });
  expect(bus.dropped).toBe(1);
});

test("it subscribes again after the bus was lost, and says when it is lost and back", async () => {
  let aedes = await startBroker();
  bus = await join();
  const states: string[] = [];
  const got: unknown[] = [];
  bus.onState((state) => states.push(state));
  bus.subscribe("order", (payload) => got.push(payload));
  await expect.poll(() => states, { timeout: 4000 }).toEqual(["connected"]);
  await stopBroker();
  await expect.poll(() => states, { timeout: 4000 }).toEqual(["connected", "lost"]);
  aedes = await startBroker();
  await expect.poll(() => states, { timeout: 6000 }).toEqual(["connected", "lost", "connected"]);
  await expect
    .poll(
      () => {
        aedes.publish(
          { cmd: "publish", topic: "order", payload: Buffer.from('{"n":1}'), qos: 0, retain: false, dup: false },
          () => undefined,
        );
        return got.length;
      },
      { timeout: 4000 },
    )
    .toBeGreaterThan(0);
  expect(got[0]).toEqual({ n: 1 });
}, 20_000);
