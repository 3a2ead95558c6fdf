import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type RunningCoordinator, runCoordinator } from "#coordinator/main.ts";
import { OtherBundles } from "#coordinator/other-bundles.ts";
import type { StateAnswer } from "#coordinator/page-messages.ts";
import { joinTeam, until } from "./fake-point.ts";
import { BUNDLE } from "./plant.ts";

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function begin(): Promise<RunningCoordinator> {
  const runDir = mkdtempSync(join(tmpdir(), "sekisho-other-bundles-"));
  const ports = { mqtt: { port: 0 }, http: { port: 0 } };
  const coordinator = await runCoordinator({
    bundle: BUNDLE,
    runDir,
    fresh: true,
    page: false,
    stageMs: 400,
    ...ports,
  });
  stops.push(() => rmSync(runDir, { recursive: true, force: true }));
  stops.push(() => coordinator.close());
  return coordinator;
}

test("a point that holds another bundle is told of, and every prepare says by which bundle the zone is led", async () => {
  const coordinator = await begin();
  const team = await joinTeam(coordinator.mqttPort);
  for (const point of team.all) stops.push(() => point.leave());
  const state = async () => {
    const response = await fetch(`http://127.0.0.1:${coordinator.httpPort}/api/state`);
    return ((await response.json()) as StateAnswer).state;
  };
  await until("everybody agrees", async () => (await state()).points.every((p) => p.health === "up" && p.agrees));
  const differing = async () => (await state()).detections.filter(({ reason }) => reason === "BUNDLE_DIFFERS");
  expect(await differing()).toEqual([]);
  team.filter.bundle = "f".repeat(64);
  team.filter.status();
  await until("it is told", async () => (await differing()).length > 0);
  expect((await differing())[0]).toMatchObject({
    severity: "notice",
    source: "switch-filter",
    says: expect.stringMatching(
      /^switch-filter holds bundle f{12}, and this coordinator leads by bundle [0-9a-f]{12};/,
    ),
  });
  await fetch(`http://127.0.0.1:${coordinator.httpPort}/api/request`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ request: "start", person: "anna", role: "operator" }),
  });
  const prepare = team.filter.orders.find(({ order }) => order === "prepare");
  expect(prepare).toMatchObject({ bundle: BUNDLE.id });
});

test("each point is told of once for each bundle, and of no more points than there may be", () => {
  const bundles = new OtherBundles("own");
  const heard = (point: string, bundle: string, state: "in-force" | "down" = "in-force") =>
    bundles.heard({ point, bundle, state }) !== undefined;
  expect([heard("a", "own"), heard("a", "x", "down"), heard("a", "x"), heard("a", "x")]).toEqual([
    false,
    false,
    true,
    false,
  ]);
  expect([heard("a", "y"), heard("a", "own"), heard("a", "y")]).toEqual([true, false, true]);
  const told = Array.from({ length: 70 }, (_, n) => heard(`p${n}`, "x"));
  expect(told.filter(Boolean)).toHaveLength(63);
});
