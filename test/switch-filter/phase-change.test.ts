import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { topic } from "#point/bus.ts";
import { systemClock } from "#point/clock.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu, RawClient } from "./raw-client.ts";
import { SERVER_MAKES } from "./servers.ts";

/** A write that the old phase allows, on a connection of the old phase, right after the phase has changed. */
const HMI = "127.253.1.70";
const FILTER = { host: "127.253.2.70", port: 15_070 };
const PLC = { host: "127.253.3.70", port: 15_071 };
const BROKER = 18_954;
const clock = systemClock();
let aedes: Aedes;
let broker: Server;
let server: { stop(): Promise<void> } | undefined;
let filter: RunningFilter | undefined;

beforeAll(async () => {
  aedes = await Aedes.createBroker();
  broker = createServer(aedes.handle);
  await new Promise<void>((resolve) => broker.listen(BROKER, "127.0.0.1", resolve));
  say("position", { phase: "normal", steps: ["produce"], epoch: 3 });
  server = await SERVER_MAKES[0]?.start(PLC);
  filter = await runSwitchFilter({
    bundle: waterTreatment({ "hmi-1": [HMI], "plc-1": [FILTER.host] }).bundle,
    listeners: [{ link: "hmi-plc1", listen: FILTER, upstream: PLC }],
    mode: "enforce",
    clock,
    bus: { url: `mqtt://127.0.0.1:${BROKER}` },
  });
});

afterAll(async () => {
  await filter?.close();
  await server?.stop();
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  await new Promise((resolve) => broker.close(resolve));
  clock.close();
});

function say(what: "position" | "order", message: object): void {
  const payload = JSON.stringify({ zone: "works", atMs: Date.now(), ...message });
  const to = what === "position" ? topic.position("works") : topic.order("works");
  aedes.publish(
    { cmd: "publish", qos: 0, dup: false, retain: what === "position", topic: to, payload },
    () => undefined,
  );
}

function heard(where: string, holds: (payload: { readonly [key: string]: unknown }) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (packet: { readonly topic: string; readonly payload: string | Buffer }): void => {
      if (packet.topic !== where || !holds(JSON.parse(packet.payload.toString()))) return;
      aedes.off("publish", look);
      resolve();
    };
    aedes.on("publish", look);
  });
}

test("from the order on, only what old and new phase allow passes; after it, only the new; and an old epoch brings nothing back", async () => {
  const client = await RawClient.open(FILTER, HMI);
  const write = (transaction: number, tenths: number): Buffer =>
    adu(transaction, `06 0000 ${tenths.toString(16).padStart(4, "0")}`);
  const ask = async (transaction: number, bytes: Buffer): Promise<string> => {
    client.say(bytes);
    return (await client.answers(transaction)).at(-1)?.slice(14, 18) ?? "closed";
  };
  await ask(1, adu(1, "06 0002 05dc"));
  await ask(2, adu(2, "03 0000 0003"));
  const direct = await RawClient.open(PLC, "127.253.3.71");
  direct.say(write(1, 300));
  await direct.answers(1);
  await ask(3, adu(3, "03 0000 0003"));
  expect(await ask(4, write(4, 310))).toBe("0600");
  const change = { change: "c-1", epoch: 4, to: "degraded.local-control", steps: [] };
  for (const order of [
    { ...change, order: "prepare", from: "normal", window: [] },
    { ...change, order: "window", layer: "switch" },
  ]) {
    const answered = heard(topic.answer("switch-filter"), (answer) => answer["order"] === order.order);
    say("order", order);
    await answered;
  }
  expect(await ask(5, write(5, 311))).toBe("8601");
  const taken = heard(topic.status("switch-filter"), (status) => status["phase"] === "degraded.local-control");
  say("order", { ...change, order: "take", layer: "all" });
  await taken;
  expect(await ask(6, write(6, 312))).toBe("8601");
  say("position", { phase: "normal", steps: ["produce"], epoch: 3 });
  say("order", { ...change, epoch: 3, to: "normal", order: "take", layer: "all" });
  await heard(topic.answer("switch-filter"), (answer) => answer["agreed"] === false);
  expect(await ask(7, write(7, 313))).toBe("8601");
  direct.say(adu(2, "03 0000 0001"));
  expect((await direct.answers(2)).at(-1)).toBe(adu(2, "03 02 0136").toString("hex"));
  client.close();
  direct.close();
});
