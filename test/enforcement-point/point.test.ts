import { createServer } from "node:net";
import { Aedes } from "aedes";
import { expect, test } from "vitest";
import { topic } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { MAX_DENY_RECEIPTS_PER_SECOND, MAX_NOTICES_PER_SECOND } from "#point/point-messages.ts";
import { buildBundle } from "#specs/bundle.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, LinkId, PhaseId, TagId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { waterTreatment } from "../support/plant.ts";

const clock: PlantClock = { now: () => 1_000_000, on: () => undefined, close: () => undefined };
const PORT = 18_953;

function bundleWith(mode: Mode) {
  const { plant, lifecycle } = waterTreatment();
  return buildBundle({ ...plant, links: plant.links.map((link) => ({ ...link, mode })) }, lifecycle);
}

const observation: Observation = {
  ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:1", target: DeviceId("plc-1"), link: LinkId("hmi-plc1") },
  ...{ operation: "write", message: "Write Single Register (06)" },
  items: [{ tag: TagId("DOS201.SP"), address: "unit 1 holding register 1", value: 9 }],
};
const stranger: Observation = { ...observation, source: undefined, link: undefined };

test.each([
  { mode: "enforce", link: "enforce", value: "blocked", unknown: "blocked" },
  { mode: "enforce", link: "monitor", value: "forwarded", unknown: "blocked" },
  { mode: "enforce", link: "off", value: "forwarded", unknown: "blocked" },
  { mode: "monitor", link: "enforce", value: "forwarded", unknown: "forwarded" },
] as const)(
  "point $mode, link $link: a forbidden value is $value, a stranger $unknown",
  async ({ mode, link, value, unknown }) => {
    const point = new Point({
      ...{ point: "p", layer: "switch", bundle: bundleWith(link), mode, clock, standalonePhase: PhaseId("normal") },
    });
    await point.start();
    const judged = point.judge(observation);
    expect(judged.verdict).toMatchObject({ verdict: "deny", mode: "enforce" });
    expect(judged.action).toBe(value);
    expect(point.judge(stranger).action).toBe(unknown);
  },
);

test("a flood of denies and notices reaches the bus within its limits; the rest is counted", async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(PORT, "127.0.0.1", resolve));
  let receipts = 0;
  let notices = 0;
  let lost = 0;
  aedes.on("publish", (packet) => {
    if (packet.topic === topic.receipt("p")) receipts += 1;
    if (packet.topic === topic.notice("p")) notices += 1;
    if (packet.topic === topic.status("p")) lost = JSON.parse(packet.payload.toString()).lost;
  });
  const point = new Point({
    ...{ point: "p", layer: "switch", bundle: bundleWith("enforce"), mode: "enforce", clock },
    bus: { url: `mqtt://127.0.0.1:${PORT}` },
  });
  await point.start(200);
  const notice = { code: "MALFORMED", severity: "detection", locus: [], source: "", target: "", says: "" } as const;
  for (let i = 0; i < 1000; i += 1) {
    point.settle(point.judge(stranger), "denied");
    point.notice(notice);
  }
  await point.close();
  // A few tokens may come back while the loop runs.
  expect(receipts).toBeGreaterThanOrEqual(MAX_DENY_RECEIPTS_PER_SECOND);
  expect(receipts).toBeLessThan(2 * MAX_DENY_RECEIPTS_PER_SECOND);
  expect(notices).toBeGreaterThanOrEqual(MAX_NOTICES_PER_SECOND);
  expect(notices).toBeLessThan(2 * MAX_NOTICES_PER_SECOND);
  expect(lost).toBe(2000 - receipts - notices);
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  await new Promise((resolve) => server.close(resolve));
});
