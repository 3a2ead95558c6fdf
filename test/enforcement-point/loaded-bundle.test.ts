import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PlantClock } from "#point/clock.ts";
import { LoadedBundle } from "#point/loaded-bundle.ts";
import { Point } from "#point/point.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { PhaseId, PlantId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";

const { plant, lifecycle, bundle } = waterTreatment();
const changed = (change: Partial<Lifecycle>): Bundle => buildBundle(plant, { ...lifecycle, ...change });
const older = changed({ version: lifecycle.version - 1 });
const newer = changed({ version: lifecycle.version + 1 });

let runDir: string;
beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), "sekisho-loaded-"));
});
afterEach(() => rmSync(runDir, { recursive: true, force: true }));

const loaded = (name = "p") => new LoadedBundle(runDir, name);
const file = () => join(runDir, "p.bundle.json");

describe("the bundle that was loaded last", () => {
  test("is nothing at first: any is taken", () => {
    loaded().refuseOlder(older);
    expect(loaded().keep(bundle)).toBeUndefined();
    expect(JSON.parse(readFileSync(file(), "utf8"))).toEqual({
      plant: plant.id,
      version: lifecycle.version,
      id: bundle.id,
    });
  });

  test("the same, and a newer one, are taken", () => {
    loaded().keep(bundle);
    loaded().refuseOlder(bundle);
    loaded().refuseOlder(newer);
  });

  test.each([
    { name: "an older one", given: older, says: /^the bundle has version \d+, but version \d+ was loaded here before/ },
    {
      name: "another of the same version",
      given: changed({ leaseMs: 1 }),
      says: /as another one that was loaded here/,
    },
    {
      name: "another plant's",
      given: buildBundle({ ...plant, id: PlantId("other") }, { ...lifecycle, plant: PlantId("other") }),
      says: /^the bundle is of plant `other`, but `water-treatment` was loaded here before/,
    },
  ])("$name is refused", ({ given, says }) => {
    loaded().keep(bundle);
    expect(() => loaded().refuseOlder(given)).toThrow(says);
    loaded("q").refuseOlder(given);
  });

  test.each([
    "",
    "{",
    "null",
    '{"plant":"water-treatment","version":"9","id":"x"}',
    '{"plant":"!","version":9,"id":"x"}',
  ])("a record that holds `%s` counts as none", (text) => {
    writeFileSync(file(), text);
    loaded().refuseOlder(older);
  });

  test("that cannot be kept is said in a sentence", () => {
    mkdirSync(file());
    expect(loaded().keep(bundle)).toMatch(/^the bundle's version cannot be kept in .*; an older bundle would be taken/);
  });
});

describe("a point", () => {
  const clock: PlantClock = { now: () => 1_000_000, on: () => undefined, close: () => undefined };
  const start = async (of: Bundle): Promise<Point> => {
    const point = new Point({
      ...{ point: "p", layer: "switch", bundle: of, mode: "enforce", clock, runDir },
      standalonePhase: PhaseId("normal"),
    });
    await point.start();
    return point;
  };

  test("remembers what it loaded, and does not start with an older bundle", async () => {
    await start(bundle);
    await start(newer);
    await expect(start(bundle)).rejects.toThrow(
      /but version \d+ was loaded here before; build one with a higher version$/,
    );
    expect((await start(newer)).phase).toBe("normal");
  });
});
