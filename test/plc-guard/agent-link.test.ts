import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type AgentLink, serveAgentLink } from "#plc-guard/agent-link.ts";
import { Guard } from "#plc-guard/guard.ts";
import { MAX_TO_GUARD_BYTES } from "#plc-guard/link-messages.ts";
import { PLC1, position, take, until, values, waterTreatment } from "./support.ts";

const HOST = "127.250.3.1";
const toClose: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of toClose.splice(0).reverse()) await end();
});

interface Bench {
  readonly guard: Guard;
  readonly link: AgentLink;
  readonly kept: string[];
}

async function bench(accept?: readonly string[]): Promise<Bench> {
  const guard = new Guard(waterTreatment(), PLC1, "enforce");
  const kept: string[] = [];
  const link = await serveAgentLink({
    host: HOST,
    port: 0,
    guard,
    persist: (saved) => kept.push(saved),
    ...(accept === undefined ? {} : { accept }),
  });
  toClose.push(() => link.close());
  return { guard, link, kept };
}

interface Agent {
  readonly socket: Socket;
  readonly got: unknown[];
  say(message: object): void;
  reports(): readonly object[];
}

async function agent(port: number, localAddress = "127.250.3.9"): Promise<Agent> {
  const socket = connect({ host: HOST, port, localAddress });
  toClose.push(() => void socket.destroy());
  const got: unknown[] = [];
  let held = "";
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    const lines = (held + chunk.toString()).split("\n");
    held = lines.pop() ?? "";
    for (const line of lines) got.push(JSON.parse(line));
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    socket,
    got,
    say: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    reports: () =>
      got.filter((value): value is object => typeof value === "object" && value !== null && "scan" in value),
  };
}

describe("reports", () => {
  test("each half second of plant time, and at once when there is news", async () => {
    const { guard, link } = await bench();
    const a = await agent(link.port);
    a.say({ position: position("normal", ["produce"]) });
    await until(() => guard.status().state === "in-force");
    for (let scan = 1; scan <= 12; scan += 1) {
      if (scan === 8) guard.latch(scan, 800, values({ "DOS201.SP": 2 }), values({ "DOS201.SP": 9 }));
      link.afterScan(scan, scan * 100, values({ LIT101: 1.5, FIT101: Number.NaN }));
    }
    await until(() => a.reports().length === 4);
    expect(a.reports()).toMatchObject([
      {
        scan: 1,
        atMs: 100,
        device: "plc-1",
        state: "in-force",
        phase: "normal",
        steps: ["produce"],
        epoch: 1,
        receipts: [],
      },
      { scan: 5, atMs: 500, tags: { LIT101: 1.5 }, receipts: [] },
      { scan: 8, atMs: 800, denied: 1, receipts: [{ reason: "VALUE_ABOVE", scan: 8 }] },
      { scan: 10, atMs: 1000, receipts: [] },
    ]);
    expect(a.reports()[1]).toHaveProperty("tags", { LIT101: 1.5 });
  });

  test("receipts wait for an agent, and a new agent is told at once where the guard stands", async () => {
    const { guard, link } = await bench();
    guard.adopt(position("normal", ["produce"]), 0);
    guard.latch(1, 100, values({ "DOS201.SP": 2 }), values({ "DOS201.SP": 9 }));
    link.afterScan(1, 100, values({}));
    const a = await agent(link.port);
    await until(() => a.reports().length === 1);
    expect(a.reports()).toMatchObject([{ scan: 1, phase: "normal", receipts: [{ seq: 1 }] }]);
  });

  test("a beat goes out also while nothing is scanned", async () => {
    const { link } = await bench();
    const a = await agent(link.port);
    await until(() => a.got.length > 0);
    expect(a.got[0]).toEqual({ beat: expect.any(Number) });
  });
});

describe("what the agent brings", () => {
  test("an order is followed, kept, and only then answered", async () => {
    const { guard, link, kept } = await bench();
    link.afterScan(1, 100, values({}));
    const a = await agent(link.port);
    a.say({ position: position("normal", ["produce"], 4) });
    a.say({ order: take("degraded.local-control", 5) });
    await until(() => a.got.some((value) => typeof value === "object" && value !== null && "answer" in value));
    expect(a.got).toContainEqual({
      answer: { point: "guard-plc-1", layer: "plc", change: "c5", order: "take", agreed: true, says: "" },
    });
    expect(kept.map((text) => JSON.parse(text))).toMatchObject([
      { epoch: 4 },
      { epoch: 5, phase: "degraded.local-control" },
    ]);
    expect(guard.status().phase).toBe("degraded.local-control");
  });

  test("a lease holds for as long as it says, in real time, and its end is noticed in the scan", async () => {
    const { guard, link } = await bench();
    const a = await agent(link.port);
    a.say({ position: position("normal", ["produce"]) });
    a.say({ leaseMs: 150 });
    await until(() => guard.status().state === "in-force");
    await until(() => {
      link.afterScan(1, 100, values({}));
      return guard.status().state === "isolated";
    });
    await until(() => a.reports().some((report) => "state" in report && report.state === "isolated"));
    a.say({ leaseMs: 60_000 });
    a.say({ position: position("normal", ["produce"]) });
    await until(() => guard.status().state === "in-force");
  });

  test("tags of other PLCs feed conditions", async () => {
    const { guard, link } = await bench();
    const a = await agent(link.port);
    a.say({ position: position("startup", ["ramp"]) });
    a.say({ atMs: 0, tags: { LIT401: 1, "not a tag!": 2 } });
    await until(() => guard.status().state === "in-force");
    expect(guard.status().steps).toEqual(["ramp"]);
  });

  test.each([
    { name: "an order of another shape", message: { order: { order: "take" } } },
    { name: "a lease below nothing", message: { leaseMs: -1 } },
    { name: "a number", message: 5 },
    { name: "nothing", message: null },
  ])("$name is refused and the link stays", async ({ message }) => {
    const { guard, link } = await bench();
    const a = await agent(link.port);
    a.socket.write(`${JSON.stringify(message)}\n`);
    a.say({ position: position("normal") });
    await until(() => guard.status().state === "in-force");
  });
});

describe("bounds", () => {
  test("a line at the limit is read, one byte more ends the link", async () => {
    const { guard, link } = await bench();
    const a = await agent(link.port);
    const text = JSON.stringify({ position: position("normal") });
    a.socket.write(`${text.padEnd(MAX_TO_GUARD_BYTES)}\n`);
    await until(() => guard.status().state === "in-force");
    a.socket.write("x".repeat(MAX_TO_GUARD_BYTES + 1));
    await until(() => a.socket.destroyed);
  });

  test("what is no JSON ends the link", async () => {
    const { link } = await bench();
    const a = await agent(link.port);
    a.socket.write("hello\n");
    await until(() => a.socket.destroyed);
  });

  test("one agent at a time: the newer one replaces the older", async () => {
    const { link } = await bench();
    const first = await agent(link.port);
    const second = await agent(link.port);
    await until(() => first.socket.destroyed);
    link.afterScan(1, 100, values({}));
    await until(() => second.reports().length === 1);
  });

  test("an agent from another address is refused", async () => {
    const { guard, link } = await bench(["127.250.3.9"]);
    const stranger = await agent(link.port, "127.250.9.66");
    await until(() => stranger.socket.destroyed);
    const known = await agent(link.port, "127.250.3.9");
    known.say({ position: position("normal") });
    await until(() => guard.status().state === "in-force");
  });

  test("a phase that cannot be kept is in force all the same", async () => {
    const guard = new Guard(waterTreatment(), PLC1, "enforce");
    const said: string[] = [];
    const link = await serveAgentLink({
      host: HOST,
      port: 0,
      guard,
      log: (says) => said.push(says),
      persist: () => {
        throw new Error("disk full");
      },
    });
    toClose.push(() => link.close());
    const a = await agent(link.port);
    a.say({ order: take("shutdown", 2) });
    await until(() => a.got.some((value) => typeof value === "object" && value !== null && "answer" in value));
    expect(guard.status().phase).toBe("shutdown");
    expect(said).toEqual(["the phase cannot be kept (disk full)"]);
  });

  test("an address that is taken is named", async () => {
    const { guard, link } = await bench();
    await expect(serveAgentLink({ host: HOST, port: link.port, guard })).rejects.toThrow(
      `cannot listen on ${HOST}:${link.port}`,
    );
  });
});
