import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SILENT_MS } from "#plc-guard/agent.ts";
import { type AgentLink, serveAgentLink } from "#plc-guard/agent-link.ts";
import { Guard } from "#plc-guard/guard.ts";
import { runPlcGuardAgent } from "#plc-guard/main.ts";
import { HEARTBEAT_MS, topic } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import { PLC1, PLC2, position, take, until, values, WORKS, waterTreatment } from "./support.ts";

const HOST = "127.250.3.2";
const BROKER_HOST = "127.250.5.1";

interface Seen {
  readonly topicName: string;
  readonly payload: Record<string, unknown>;
}

let broker: Aedes;
let server: Server;
let port = 0;
let seen: Seen[] = [];
const toClose: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  broker = await Aedes.createBroker();
  server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, BROKER_HOST, resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  seen = [];
  broker.on("publish", (packet) => {
    if (packet.topic.startsWith("$SYS")) return;
    seen.push({ topicName: packet.topic, payload: JSON.parse(packet.payload.toString()) });
  });
});

afterEach(async () => {
  for (const end of toClose.splice(0).reverse()) await end();
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

function clock(): PlantClock & { closeStage(atMs: number): Promise<void> } {
  let handler: (tick: number, atMs: number) => void | Promise<void> = () => undefined;
  let now = 0;
  return {
    now: () => now,
    on: (stage, h) => {
      if (stage === "close") handler = h;
    },
    close: () => undefined,
    closeStage: async (atMs) => {
      now = atMs;
      await handler(atMs / 100, atMs);
    },
  };
}

async function plc(device: typeof PLC1): Promise<{ guard: Guard; link: AgentLink }> {
  const guard = new Guard(waterTreatment(), device, "enforce");
  const link = await serveAgentLink({ host: HOST, port: 0, guard });
  toClose.push(() => link.close());
  return { guard, link };
}

function tell(topicName: string, payload: object, retain = false): void {
  const packet = {
    cmd: "publish",
    topic: topicName,
    payload: Buffer.from(JSON.stringify(payload)),
    qos: 0,
    dup: false,
    retain,
  };
  broker.publish({ ...packet, cmd: "publish", qos: 0 }, () => undefined);
}

const of = (topicName: string): readonly Record<string, unknown>[] =>
  seen.filter((message) => message.topicName === topicName).map((message) => message.payload);
const lastStatus = (point: string): Record<string, unknown> | undefined => of(topic.status(point)).at(-1);

async function start(...links: readonly { device: typeof PLC1; link: AgentLink }[]) {
  const time = clock();
  const agent = await runPlcGuardAgent({
    bundle: waterTreatment(),
    guards: links.map(({ device, link }) => ({ device, host: HOST, port: link.port })),
    mode: "enforce",
    clock: time,
    bus: { url: `mqtt://${BROKER_HOST}:${port}` },
  });
  toClose.push(() => agent.close());
  return { agent, time };
}

test("positions, leases and orders reach the guard; answers, receipts, tags and status reach the bus", async () => {
  const { guard, link } = await plc(PLC1);
  tell(topic.position(WORKS), position("normal", ["produce"], 3), true);
  const { time } = await start({ device: PLC1, link });
  await until(() => guard.status().state === "in-force");

  guard.latch(1, 500, values({ "DOS201.SP": 2 }), values({ "DOS201.SP": 9 }));
  link.afterScan(1, 500, values({ LIT101: 1.5 }));
  await until(() => of(topic.tags("guard-plc-1")).length > 0);
  expect(of(topic.receipt("guard-plc-1"))).toMatchObject([
    { seq: 1, reason: "VALUE_ABOVE", target: "plc-1", epoch: 3 },
  ]);
  expect(of(topic.tags("guard-plc-1"))).toMatchObject([
    { device: "plc-1", scan: 1, atMs: 500, values: { LIT101: 1.5 } },
  ]);

  await time.closeStage(500);
  await until(() => lastStatus("guard-plc-1")?.["tick"] === 5);
  expect(lastStatus("guard-plc-1")).toMatchObject({
    layer: "plc",
    state: "in-force",
    phase: "normal",
    steps: ["produce"],
    epoch: 3,
    judgedUpToMs: 500,
    judged: 1,
    denied: 1,
    lost: 0,
    mode: "enforce",
  });

  tell(topic.lease, { coordinator: "c", atMs: 0, leaseMs: 60_000 });
  tell(topic.order(WORKS), take("degraded.dosing-held", 4));
  await until(() => of(topic.answer("guard-plc-1")).length > 0);
  expect(of(topic.answer("guard-plc-1"))).toEqual([
    { point: "guard-plc-1", layer: "plc", change: "c4", order: "take", agreed: true, says: "" },
  ]);
  expect(guard.status().phase).toBe("degraded.dosing-held");
});

test("the close of a round waits for the scans of that round", async () => {
  const { link } = await plc(PLC1);
  const { time } = await start({ device: PLC1, link });
  link.afterScan(1, 100, values({}));
  let closed = false;
  const close = time.closeStage(1000).then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(closed).toBe(false);
  link.afterScan(10, 1000, values({}));
  await close;
  await until(() => lastStatus("guard-plc-1")?.["judgedUpToMs"] === 1000);
});

test("tags of one PLC reach the guard of the other", async () => {
  const one = await plc(PLC1);
  const two = await plc(PLC2);
  two.guard.adopt(position("startup", ["dose-check"]), 0);
  await start({ device: PLC1, link: one.link }, { device: PLC2, link: two.link });
  let atMs = 0;
  await until(() => {
    atMs += 500;
    two.link.afterScan(atMs / 100, atMs, values({ LIT401: 0.5 }));
    one.link.afterScan(atMs / 100, atMs, values({ AIT201: 1 }));
    return two.guard.status().steps.map(String).includes("ramp");
  });
});

test("a PLC that falls silent makes its point blind, and that is said", async () => {
  const { link } = await plc(PLC1);
  await start({ device: PLC1, link });
  link.afterScan(1, 100, values({}));
  await until(() => lastStatus("guard-plc-1")?.["judgedUpToMs"] === 100);
  await link.close();
  await until(() => lastStatus("guard-plc-1")?.["state"] === "blind", SILENT_MS + 2 * HEARTBEAT_MS + 1000);
  expect(of(topic.notice("guard-plc-1"))).toMatchObject([
    { code: "PLC_SILENT", severity: "detection", target: "plc-1" },
  ]);
});

test("an agent that stops says so", async () => {
  const { link } = await plc(PLC1);
  const { agent } = await start({ device: PLC1, link });
  await until(() => lastStatus("guard-plc-1") !== undefined);
  await agent.close();
  await until(() => lastStatus("guard-plc-1")?.["state"] === "down");
});

test("an agent without PLCs is refused", async () => {
  await expect(start()).rejects.toThrow("name at least one guard");
});
