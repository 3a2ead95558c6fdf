import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openClock, type PlantClock } from "#point/clock.ts";

/** A clock on a socket: what its loss and its nonsense do to the process that follows it. */
const AT = { host: "127.0.0.1", port: 18_951 };
let server: Server;
let sockets: Socket[];
let clock: PlantClock | undefined;

beforeEach(async () => {
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  });
  server.listen(AT);
  await once(server, "listening");
});

afterEach(async () => {
  clock?.close();
  clock = undefined;
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test("a clock that cannot be reached is an error in one sentence, and not the end of the process", async () => {
  await expect(openClock("tcp:127.0.0.1:18952", "p")).rejects.toThrow("cannot be reached");
});

test("a clock that is lost by a reset stands still, and the process goes on", async () => {
  clock = await openClock(`tcp:${AT.host}:${AT.port}`, "p");
  await until(() => sockets.length === 1);
  sockets[0]?.write('{"tick":1,"atMs":100,"stage":"open"}\n');
  await until(() => clock?.now() === 100);
  sockets[0]?.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(clock.now()).toBe(100);
});

test("nonsense is not followed; a handler that fails is answered for all the same, and ends nothing", async () => {
  clock = await openClock(`tcp:${AT.host}:${AT.port}`, "p");
  clock.on("close", () => Promise.reject(new Error("not today")));
  await until(() => sockets.length === 1);
  const heard: string[] = [];
  sockets[0]?.on("data", (chunk) => void heard.push(chunk.toString()));
  sockets[0]?.write('nonsense\nnull\n{"tick":1,"atMs":"x","stage":"open"}\n{"tick":2,"atMs":200,"stage":"close"}\n');
  await until(() => heard.join("").includes('{"done":2,"stage":"close"}'));
  expect(clock.now()).toBe(200);
});
