import { createServer } from "node:net";
import { Aedes } from "aedes";
import { afterEach, expect, test, vi } from "vitest";
import { topic } from "#point/bus.ts";
import { systemClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { ZoneId } from "#specs/ids.ts";
import { waterTreatment } from "../support/plant.ts";

const PORT = 18_957;
const MIRROR_DELAY_MS = 50;

afterEach(() => {
  vi.restoreAllMocks();
});

test("a layer whose mirror is silent answers an order to narrow when the mirror's delay is over, though its timer is early", async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(PORT, "127.0.0.1", resolve));
  const answers: string[] = [];
  aedes.on("publish", (packet) => {
    if (packet.topic === topic.answer("p")) answers.push(JSON.parse(packet.payload.toString()).order);
  });
  // Retained, for a point that has yet to subscribe.
  const tell = (on: string, message: object) =>
    new Promise<void>((resolve) => {
      const payload = Buffer.from(JSON.stringify(message));
      aedes.publish({ cmd: "publish", topic: on, payload, qos: 0, dup: false, retain: true }, () => resolve());
    });
  const { plant, lifecycle } = waterTreatment();
  const [zone = { id: ZoneId("none") }] = plant.zones;
  const clock = systemClock();
  const point = new Point({
    ...{ point: "p", layer: "hmi", mode: "enforce", passive: true, clock },
    bundle: buildBundle(plant, { ...lifecycle, mirrorDelayMs: MIRROR_DELAY_MS }),
    bus: { url: `mqtt://127.0.0.1:${PORT}` },
  });
  point.setJudgedUpTo(() => Number.NEGATIVE_INFINITY);
  await point.start(0);
  try {
    const about = { zone: zone.id, atMs: 0, steps: [] };
    await tell(topic.position(zone.id), { ...about, phase: "normal", epoch: 1 });
    await expect.poll(() => point.phase, { timeout: 4000 }).toBe("normal");
    const change = { ...about, change: "c", epoch: 2, to: "shutdown" };
    await tell(topic.order(zone.id), { ...change, order: "prepare", from: "normal", window: [] });
    await expect.poll(() => answers, { timeout: 4000 }).toEqual(["prepare"]);
    // A timer may come a part of a ms before its time. Here the clock stands, so that it comes too early for certain.
    const now = performance.now();
    vi.spyOn(performance, "now").mockReturnValue(now);
    await tell(topic.order(zone.id), { ...change, order: "window", layer: "hmi" });
    await expect.poll(() => answers, { timeout: 4000 }).toEqual(["prepare", "window"]);
  } finally {
    vi.restoreAllMocks();
    await point.close();
    clock.close();
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise((resolve) => server.close(resolve));
  }
});
