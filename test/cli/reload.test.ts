import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { afterEach, describe, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { waterTreatment } from "../support/plant.ts";
import { RunningPart } from "../support/running-part.ts";

const { plant, lifecycle } = waterTreatment();
const version = (n: number) => buildBundle(plant, { ...lifecycle, version: n });
const BROKER = 18_957;
const ALONE = ["--phase", "normal", "--standalone"];
const AT = "127.251.2.21";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function broker(): Promise<void> {
  const aedes = await Aedes.createBroker();
  const server: Server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(BROKER, "127.0.0.1", resolve));
  stops.push(async () => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise((resolve) => server.close(resolve));
  });
}

async function started(part: string, args: readonly string[]): Promise<RunningPart> {
  const running = new RunningPart(part);
  stops.push(() => running.stop());
  await running.start(version(1), args);
  return running;
}

describe("SIGHUP", () => {
  test.each([
    {
      part: "switch-filter",
      args: [...ALONE, "--link", "hmi-plc1", "--listen", `${AT}:15221`, "--upstream", `${AT}:15222`],
    },
    { part: "hmi-monitor", args: [...ALONE, "--mirror", `${AT}:15223`] },
    { part: "plc-guard", args: ["--bus", `mqtt://127.0.0.1:${BROKER}`, "--plc", `plc-1=${AT}:15224`] },
  ])("$part takes the bundle anew, refuses an older one, and goes on", async ({ part, args }) => {
    await broker();
    const running = await started(part, args);
    expect(await running.offer(version(2))).toMatch(
      /^sekisho: bundle [0-9a-f]{12} \(water-treatment, version 2\) is in force/,
    );
    expect(await running.offer(version(1))).toMatch(/has version 1, but version 2 was loaded .* stays in force$/);
    running.put("nothing of the kind");
    expect(await running.hangUp()).toMatch(/does not begin as a bundle file does.*stays in force$/);
    expect(running.isRunning).toBe(true);
  });

  test("stops a part that has nothing to take anew", async () => {
    const running = await started("coordinator", ["--mqtt", "127.0.0.1:18958", "--http", "127.0.0.1:18959", "--fresh"]);
    running.kill("SIGHUP");
    await expect.poll(() => running.isRunning, { timeout: 6000 }).toBe(false);
  });
});
