import { PlantId, TagId, ZoneId } from "../ids.ts";
import type { EssentialFunction, Plant, Tag, Zone } from "../plant.ts";
import type { Cursor } from "./cursor.ts";
import { byId } from "./plant-index.ts";
import { readById, references } from "./read-by-id.ts";
import { readDevices } from "./read-device.ts";
import { readLinks } from "./read-link.ts";
import { readRawFunctions } from "./read-raw.ts";
import { readTags } from "./read-tag.ts";
import type { Templates } from "./templates.ts";

const KEYS = ["id", "title", "zones", "devices", "links", "tags", "essential", "raw"];

/** Reads `plant.yaml`; undefined after a diagnostic that leaves no plant to speak of. */
export function readPlant(root: Cursor, templates: Templates): Plant | undefined {
  const fields = root.fields("the plant", KEYS);
  if (fields === undefined) return undefined;
  const id = fields.need("id")?.named(PlantId);
  const title = fields.need("title")?.text("title");
  const zones = readZones(fields.need("zones"));
  const devices = readDevices(fields.need("devices"), byId(zones));
  const links = readLinks(fields.need("links"), byId(devices));
  const tags = readTags(fields.need("tags"), byId(devices), () => templates.dialects);
  const essential = readEssential(fields.get("essential"), byId(tags));
  const raw = readRawFunctions(fields.get("raw"));
  if (id === undefined || title === undefined) return undefined;
  return { id, title, zones, devices, links, tags, essential, raw };
}

function readZones(map: Cursor | undefined): readonly Zone[] {
  if (map?.isEmptyMap === true) map.fail("LIST_EMPTY", "the plant has no zone; name at least one");
  return readById(map, "zones", ZoneId, (id, value, key) => {
    key.remember(`zone:${id}`);
    const title = value.text(`the title of zone \`${id}\``);
    return title === undefined ? undefined : { id, title };
  });
}

function readEssential(map: Cursor | undefined, tags: ReadonlyMap<string, Tag>): readonly EssentialFunction[] {
  return readById(map, "essential", TagId, (id, value, key) => {
    key.remember(`essential:${id}`);
    const entry = value.fields(`essential function \`${id}\``, ["says", "tags"]);
    const says = entry?.need("says")?.text("says");
    const found = references(entry?.need("tags"), "tags", "tag", tags) ?? [];
    return says === undefined ? undefined : { id, says, tags: found.map((tag) => tag.id) };
  });
}
