import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serveAgentLink } from "#plc-guard/agent-link.ts";
import { Guard } from "#plc-guard/guard.ts";
import { type PlcGuardAgent, runPlcGuardAgent } from "#plc-guard/main.ts";
import { topic } from "#point/bus.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { PLC1, until, values, waterTreatment } from "./support.ts";

const HOST = "127.250.3.3";
const first = waterTreatment();
const heard: { readonly topic: string; readonly payload: Readonly<Record<string, unknown>> }[] = [];
const toClose: (() => Promise<void> | void)[] = [];
let agent: PlcGuardAgent;

beforeEach(async () => {
  heard.length = 0;
  const broker = await Aedes.createBroker();
  const server: Server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  broker.on("publish", (packet) => {
    if (!packet.topic.startsWith("$SYS"))
      heard.push({ topic: packet.topic, payload: JSON.parse(packet.payload.toString()) });
  });
  toClose.push(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const link = await serveAgentLink({ host: HOST, port: 0, guard: new Guard(first, PLC1, "enforce") });
  toClose.push(() => link.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  agent = await runPlcGuardAgent({
    ...{ bundle: first, guards: [{ device: PLC1, host: HOST, port: link.port }], mode: "enforce" },
    clock: { now: () => 0, on: () => undefined, close: () => undefined },
    bus: { url: `mqtt://${HOST}:${port}` },
  });
  toClose.push(() => agent.close());
  await until(() => {
    link.afterScan(1, 100, values({}));
    return last(topic.status("guard-plc-1"))?.["judgedUpToMs"] === 100;
  });
});

afterEach(async () => {
  for (const end of toClose.splice(0).reverse()) await end();
});

const last = (where: string) => heard.filter((message) => message.topic === where).at(-1)?.payload;
const next = (devices: (of: Bundle["plant"]["devices"]) => Bundle["plant"]["devices"]): Bundle =>
  buildBundle({ ...first.plant, devices: devices(first.plant.devices) }, { ...first.lifecycle, version: 2 });

test("a bundle that was taken is told of, with the one that the guard in the PLC still holds", async () => {
  const second = next((of) => of);
  expect(agent.takeBundle(() => second)).toMatchObject({ taken: true });
  await until(() => last(topic.notice("guard-plc-1")) !== undefined);
  expect(last(topic.notice("guard-plc-1"))).toMatchObject({
    code: "BUNDLE_TAKEN",
    says: expect.stringMatching(
      new RegExp(
        `^bundle ${second.id.slice(0, 12)} .* is in force for the agent; the guard in plc-1 holds bundle ${first.id.slice(0, 12)}$`,
      ),
    ),
  });
  expect(last(topic.status("guard-plc-1"))).toMatchObject({ bundle: first.id });
});

test("one without the PLC, an older one, and one that cannot be opened are refused", async () => {
  const without = next((of) => of.filter(({ id }) => id !== PLC1));
  const answers = [
    agent.takeBundle(() => without),
    agent.takeBundle(() => buildBundle(first.plant, { ...first.lifecycle, version: 0 })),
    agent.takeBundle(() => {
      throw new Error("there is no such file");
    }),
  ];
  expect(answers.map(({ taken }) => taken)).toEqual([false, false, false]);
  expect(answers[0]?.says).toContain("device `plc-1`, whose guard this is, is not in the bundle");
  await until(() => last(topic.notice("guard-plc-1")) !== undefined);
  expect(last(topic.notice("guard-plc-1"))).toMatchObject({ code: "BUNDLE_REFUSED" });
});
