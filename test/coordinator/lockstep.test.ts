import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { type RunningCoordinator, runCoordinator } from "#coordinator/main.ts";
import type { StateAnswer, StateView } from "#coordinator/page-messages.ts";
import { joinTeam, type Team, until } from "./fake-point.ts";
import { BUNDLE } from "./plant.ts";

const started: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of started.splice(0).reverse()) await close();
});

/** The plant's side of the clock: announces a stage and resolves when the coordinator is done with it. */
class Conductor {
  readonly #server: Server;
  #socket: Socket | undefined;
  #done: (() => void) | undefined;
  atMs = 0;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#socket = socket;
      socket.on("error", () => undefined);
      createInterface({ input: socket }).on("line", (line) => {
        if (line.includes('"done"')) this.#done?.();
      });
    });
  }

  static open(): Promise<Conductor> {
    const server = createServer();
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(new Conductor(server))));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  stage(stage: "open" | "close"): Promise<void> {
    if (stage === "open") this.atMs += 500;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket?.write(`${JSON.stringify({ tick: this.atMs / 100, atMs: this.atMs, stage })}\n`);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }
}

async function begin(): Promise<{ conductor: Conductor; coordinator: RunningCoordinator; points: Team }> {
  const conductor = await Conductor.open();
  started.push(() => conductor.close());
  const runDir = mkdtempSync(join(tmpdir(), "sekisho-lockstep-"));
  started.push(() => rmSync(runDir, { recursive: true, force: true }));
  const clock = `tcp:127.0.0.1:${conductor.port}`;
  const ports = { mqtt: { port: 0 }, http: { port: 0 } };
  const coordinator = await runCoordinator({ bundle: BUNDLE, runDir, clock, fresh: true, page: false, ...ports });
  started.push(() => coordinator.close());
  const points = await joinTeam(coordinator.mqttPort);
  for (const point of points.all) {
    point.judgedUpToMs = () => conductor.atMs;
    started.push(() => point.leave());
  }
  await until("all agree", async () => (await state(coordinator)).points.every((p) => p.agrees));
  return { conductor, coordinator, points };
}

async function state(coordinator: RunningCoordinator): Promise<StateView> {
  const response = await fetch(`http://127.0.0.1:${coordinator.httpPort}/api/state`);
  return ((await response.json()) as StateAnswer).state;
}

async function start(coordinator: RunningCoordinator): Promise<void> {
  await fetch(`http://127.0.0.1:${coordinator.httpPort}/api/request`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ request: "start", role: "operator", person: "anna" }),
  });
}

test("a round ends only when steps and the phase change that the evidence asks for are done", async () => {
  const { conductor, coordinator, points } = await begin();
  await start(coordinator);
  const filled = { LIT101: 1.5, "MV101.OPEN": 1, FIT101: 28 };
  const stepsSeen: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    await conductor.stage("open");
    points.plc1.tags("plc-1", filled, conductor.atMs);
    points.plc2.tags("plc-2", { FIT401: 25, LIT401: 1 }, conductor.atMs);
    for (const point of points.all) point.status();
    await conductor.stage("close");
    const now = await state(coordinator);
    stepsSeen.push(now.steps.join());
    if (now.phase === "normal") break;
  }
  expect(stepsSeen).toEqual(["fill", "fill", "prime", "prime", "dose-check", "dose-check", "produce"]);
  expect(points.all.map((point) => point.phase)).toEqual(["normal", "normal", "normal", "normal"]);
  expect((await state(coordinator)).changing).toBeNull();
});

test("a round waits for every live point, and not for a killed one", async () => {
  const { conductor, points } = await begin();
  points.filter.judgedUpToMs = () => conductor.atMs - 500;
  await conductor.stage("open");
  let ended = false;
  const round = conductor.stage("close").then(() => {
    ended = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(ended).toBe(false);
  points.filter.kill();
  await round;
  expect(ended).toBe(true);
});

test("a live point that never catches up holds a round for a bounded time", async () => {
  const { conductor, points } = await begin();
  points.filter.judgedUpToMs = () => 0;
  await conductor.stage("open");
  const begun = performance.now();
  await conductor.stage("close");
  expect(performance.now() - begun).toBeLessThan(3500);
});
