import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import { openClock, type PlantClock } from "#point/clock.ts";
import { ClockServer } from "#sim/plant/clock-server.ts";

const AT = { host: "127.63.4.1", port: 9101 };
const SPEC = `tcp:${AT.host}:${AT.port}`;

describe("plant clock", () => {
  const dropped: string[] = [];
  let server: ClockServer;
  let clocks: PlantClock[];

  beforeEach(async () => {
    dropped.length = 0;
    clocks = [];
    server = new ClockServer({
      at: AT,
      patienceMs: 150,
      onDropped: (name, tick, stage) => void dropped.push(`${name} ${tick} ${stage}`),
      log: () => undefined,
    });
    await server.listen();
  });
  afterEach(async () => {
    for (const clock of clocks) clock.close();
    await server.close();
  });

  async function join(name: string, stages: readonly ("open" | "act" | "close")[]): Promise<PlantClock> {
    const clock = await openClock(SPEC, name, stages);
    clocks.push(clock);
    await expect.poll(() => server.has(name)).toBe(true);
    return clock;
  }

  test("a stage ends when those who joined it are done, and only they are asked", async () => {
    const heard: string[] = [];
    const hmi = await join("hmi", ["act"]);
    const point = await join("switch-filter", ["close"]);
    hmi.on("act", async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      heard.push(`hmi ${hmi.now()}`);
    });
    point.on("act", () => void heard.push("point acts"));
    point.on("close", (tick) => void heard.push(`point closes ${tick}`));
    await server.stage(5, 500, "open");
    await server.stage(5, 500, "act");
    expect(heard).toEqual(["hmi 500"]);
    expect(point.now()).toBe(500);
    await server.stage(5, 500, "close");
    expect(heard).toEqual(["hmi 500", "point closes 5"]);
  });

  test("a participant that never finishes is dropped and named; the next stage goes on without it", async () => {
    const slow = await join("slow", ["act"]);
    slow.on("act", () => new Promise(() => undefined));
    await server.stage(1, 100, "open");
    await server.stage(1, 100, "act");
    expect(dropped).toEqual(["slow 1 act"]);
    await server.stage(2, 200, "act");
    expect(server.has("slow")).toBe(false);
  });

  test("a participant that goes away in the middle of a stage leaves the barrier", async () => {
    const leaving = await join("leaving", ["act"]);
    leaving.on("act", () => {
      leaving.close();
      return new Promise(() => undefined);
    });
    await server.stage(1, 100, "act");
    expect(dropped).toEqual([]);
  });

  test("a watcher is told of each round, never waited for", async () => {
    const seen: unknown[] = [];
    const socket: Socket = connect(AT);
    readJsonLines(socket, { maxLineBytes: 4096, onValue: (value) => void seen.push(value) });
    writeJsonLine(socket, { join: "rogue", stages: [], watch: true });
    await expect.poll(() => server.has("rogue")).toBe(true);
    for (let tick = 1; tick <= 10; tick += 1) await server.stage(tick, tick * 100, "open");
    await expect.poll(() => seen.length).toBe(2);
    expect(seen).toEqual([
      { tick: 5, atMs: 500, stage: "open" },
      { tick: 10, atMs: 1000, stage: "open" },
    ]);
    socket.destroy();
  });

  test("who does not begin with a join is turned away", async () => {
    const socket = connect(AT);
    writeJsonLine(socket, { done: 1, stage: "open" });
    await new Promise((resolve) => socket.once("close", resolve));
  });
});
