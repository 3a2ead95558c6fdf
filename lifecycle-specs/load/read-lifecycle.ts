import { PlantId, type ZoneId } from "../ids.ts";
import type { Lifecycle, Phase } from "../lifecycle.ts";
import { type Cursor, type Fields, quote } from "./cursor.ts";
import { MAX_PHASES, PhaseBook } from "./phase-book.ts";
import type { PlantIndex } from "./plant-index.ts";
import type { Shared } from "./read-phases.ts";
import { RuleReader } from "./read-rule.ts";
import { PART_KEYS, ZoneReader } from "./read-zone.ts";
import { suggest } from "./suggest.ts";
import type { Templates } from "./templates.ts";

const KEYS = ["plant", "version", "lease", "skew", "change", "mirrorDelay", "rules"];
const MAX_VERSION = 0xffff_ffff;
const DEFAULT_SKEW_MS = 100;
const DEFAULT_CHANGE_MS = 5000;

/** Reads `lifecycle.yaml` for a plant; undefined after a diagnostic that leaves no lifecycle to speak of. */
export function readLifecycle(root: Cursor, index: PlantIndex, templates: Templates): Lifecycle | undefined {
  const several = root.hasKey("zones");
  const fields = root.fields("the lifecycle", several ? [...KEYS, "zones"] : [...KEYS, ...PART_KEYS]);
  if (fields === undefined) return undefined;
  const shared: Shared = { index, rules: new RuleReader(index), book: new PhaseBook() };
  const plant = readPlantName(fields.need("plant"), index);
  const version = fields.need("version")?.integer("version", 0, MAX_VERSION);
  fields.get("lease")?.remember("lease");
  const leaseMs = fields.need("lease")?.duration("lease");
  const skewMs = fields.get("skew")?.duration("skew", 0) ?? DEFAULT_SKEW_MS;
  const changeMs = fields.get("change")?.duration("change") ?? DEFAULT_CHANGE_MS;
  const mirrorDelayMs = fields.get("mirrorDelay")?.duration("mirrorDelay", 0);
  const rules = shared.rules.read(fields.get("rules"));
  const zones = several ? readZones(fields.need("zones"), shared) : onlyZone(root, fields, shared);

  for (const zone of zones) zone.declare(templates);
  const regions = zones.flatMap((zone) => zone.region(zones.length === 1) ?? []);
  const written = zones.flatMap((zone) => zone.write());
  if (written.length > MAX_PHASES)
    root.fail("NUMBER_INVALID", `the lifecycle has ${written.length} phases, more than ${MAX_PHASES}; split the plant`);
  const byId = new Map<string, Phase>(written.map((phase) => [phase.id, phase]));
  const generated = zones.flatMap((zone) => zone.generate(byId));
  const choices = zones.flatMap((zone) => zone.choices());
  for (const [place, { at }] of choices.entries()) at.remember(`containment:${place}`);
  shared.rules.checkNamed();
  if (plant === undefined || version === undefined || leaseMs === undefined) return undefined;
  return {
    plant,
    version,
    regions,
    leaseMs,
    skewMs,
    changeMs,
    ...(mirrorDelayMs === undefined ? {} : { mirrorDelayMs }),
    rules,
    phases: [...written, ...generated],
    containments: choices.map(({ choice }) => choice),
  };
}

function readPlantName(cursor: Cursor | undefined, { plant }: PlantIndex): PlantId | undefined {
  const id = cursor?.named(PlantId);
  if (id === undefined || id === plant.id) return id;
  return cursor?.fail(
    "PLANT_MISMATCH",
    `the lifecycle is for plant \`${id}\`, but plant.yaml describes \`${plant.id}\`; correct one of the two`,
  );
}

/** A plant of one zone has its part at the top level. */
function onlyZone(root: Cursor, fields: Fields, shared: Shared): readonly ZoneReader[] {
  const [zone, ...more] = [...shared.index.zones.values()];
  if (zone === undefined) return [];
  if (more.length === 0) return [new ZoneReader(fields, { zone: zone.id, prefix: "" }, shared)];
  root.fail(
    "ZONE_MISSING",
    `the plant has ${more.length + 1} zones; give each its part, as in \`zones: { ${zone.id}: { initial: … } }\``,
  );
  return [];
}

/** Each zone of the plant has one part. */
function readZones(map: Cursor | undefined, shared: Shared): readonly ZoneReader[] {
  const { zones } = shared.index;
  const entries = map?.entries("zones") ?? [];
  const missing = [...zones.keys()].filter((id) => !entries.some(({ name }) => name === id));
  if (missing.length > 0)
    map?.fail("ZONE_MISSING", `zone \`${missing.join("`, `")}\` of the plant has no part here; add it to \`zones\``);
  return entries.flatMap(({ key, name, value }) => {
    const id: ZoneId | undefined = zones.get(name)?.id;
    if (id === undefined) {
      const says = `unknown zone \`${quote(name)}\`${suggest(name, zones.keys())}; name one that plant.yaml declares`;
      return key.fail("ZONE_UNKNOWN", says) ?? [];
    }
    const fields = value.fields(`zone \`${id}\``, PART_KEYS);
    if (fields === undefined) return [];
    return new ZoneReader(fields, { zone: id, prefix: zones.size > 1 ? `${id}.` : "" }, shared);
  });
}
