import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { dialFrom, isSourceError } from "#sim/access-switch/dial-from.ts";
import { listenOn } from "./support.ts";

const HOST = "127.250.6.1";
const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

async function target() {
  const listener = await listenOn(HOST, () => undefined);
  open.push(listener.close);
  return listener.at;
}

function kept(socket: Socket): Socket {
  open.push(() => void socket.destroy());
  return socket;
}

test("the source address is the one asked for", async () => {
  const socket = kept(await dialFrom(await target(), { address: "127.250.6.2" }));
  expect(socket.localAddress).toBe("127.250.6.2");
});

test("where ports tell devices apart, each connection takes one of the range, until none is left", async () => {
  const at = await target();
  const source = { address: "127.250.6.3", ports: { low: 23_100, high: 23_102 } };
  const ports: (number | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) ports.push(kept(await dialFrom(at, source)).localPort);
  expect([...ports].sort()).toEqual([23_100, 23_101, 23_102]);
  const error: unknown = await dialFrom(at, source).catch((reason: unknown) => reason);
  expect(isSourceError(error)).toBe(true);
});

test("an address that is not this machine's is a source error; a closed port is not", async () => {
  const foreign: unknown = await dialFrom(await target(), { address: "192.0.2.7" }).catch((reason: unknown) => reason);
  expect(isSourceError(foreign)).toBe(true);
  const closed: unknown = await dialFrom({ host: HOST, port: 9 }, undefined).catch((reason: unknown) => reason);
  expect(isSourceError(closed)).toBe(false);
});
