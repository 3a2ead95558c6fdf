import { expect, test } from "vitest";
import { exemptionsOf } from "#specs/check/exemptions.ts";
import { LAYER_CHECK_LIST } from "#specs/check/list-layers.ts";
import { permissivenessOf } from "#specs/check/permissiveness.ts";
import { PhaseId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Phase } from "#specs/lifecycle.ts";
import type { Device, Plant } from "#specs/plant.ts";
import { LARGE, largePlant } from "../../../bench/bundle/large-plant.ts";

/** Real ms that all checks about layers may take for the plant below; the machine of a developer takes a tenth of it. */
const MOST_MS = 18_000;

/** The size that the checker is built for, in four zones: 12 phases, 60 steps, 1,000 tags, 1,000 rules, and containments of all. */
function inFourZones(): { readonly plant: Plant; readonly lifecycle: Lifecycle } {
  const { plant, lifecycle } = largePlant({ ...LARGE, rules: 1000 });
  const zone = (n: number) => ZoneId(`zone-${n % 4}`);
  const devices = plant.devices.map((device, n): Device => ({ ...device, zone: zone(n) }));
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const zoneOf = new Map(written.map(({ id }, n) => [id, zone(n)]));
  const phases = lifecycle.phases.map(
    (phase): Phase => ({ ...phase, zone: zoneOf.get(phase.mask?.origin ?? phase.id) ?? zone(0) }),
  );
  const regions = [0, 1, 2, 3].map((n) => {
    const own = written[n]?.id ?? PhaseId("none");
    return { zone: zone(n), initial: own, isolated: own };
  });
  const zones = regions.map((region) => ({ id: region.zone, title: region.zone }));
  return { plant: { ...plant, zones, devices }, lifecycle: { ...lifecycle, phases, regions } };
}

test("12 phases, 60 steps, 4 zones, 1,000 tags and 1,000 rules are checked in seconds", () => {
  const spec = inFourZones();
  const written = spec.lifecycle.phases.filter(({ mask }) => mask === undefined);
  expect([written.length, written.flatMap(({ steps }) => steps).length, spec.plant.tags.length]).toEqual([
    12, 60, 1000,
  ]);
  const locate = () => ({ file: "lifecycle.yaml", line: 1, column: 1 });
  const begun = performance.now();
  const said = LAYER_CHECK_LIST.flatMap(({ run }) => run(spec));
  const figures = permissivenessOf({ ...spec, locate });
  exemptionsOf({ ...spec, locate });
  expect(performance.now() - begun).toBeLessThan(MOST_MS);
  expect(said.length).toBeGreaterThan(0);
  expect(figures).toHaveLength(spec.lifecycle.phases.length);
  expect(figures.some(({ changes }) => changes > 0 && changes < 1)).toBe(true);
}, 60_000);
