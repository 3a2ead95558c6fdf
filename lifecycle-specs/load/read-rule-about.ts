import { isAboutTags } from "../decide/operations.ts";
import type { DeviceId, RawId, RuleId } from "../ids.ts";
import type { Operation, Rule } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { PlantIndex } from "./plant-index.ts";
import { reachProblem } from "./reach.ts";
import { reference, references } from "./read-by-id.ts";

/** What a rule is about: tags on their devices, raw functions of devices, or devices as a whole. */
export interface About {
  readonly tags: readonly Tag[];
  readonly raw: readonly RawId[];
  readonly targets: readonly DeviceId[];
}

/** A rule as far as it has been read. */
export interface Begun {
  readonly id: RuleId;
  readonly operation: Operation;
  readonly fields: Fields;
  readonly at: Cursor;
  readonly from: Rule["from"];
}

/** Devices, or `[program]` for outputs and only for them. */
export function readSources(
  list: Cursor | undefined,
  operation: Operation | undefined,
  index: PlantIndex,
): Rule["from"] | undefined {
  const from = list?.items("from", 1)?.flatMap((item): Rule["from"] => {
    if (item.isText("program")) return ["program"];
    const device = reference(item, "device", index.devices)?.id;
    return device === undefined ? [] : [device];
  });
  if (from === undefined || operation === undefined) return from;
  if (operation === "output" ? from.every((source) => source === "program") : !from.includes("program")) return from;
  const says =
    operation === "output"
      ? "an `output` rule is from `[program]` alone; devices `write` commands and set-points instead"
      : `\`program\` may only \`output\`, not \`${operation}\`; name devices here`;
  return list?.fail("OUTPUT_SOURCE", says);
}

export function readAbout(rule: Begun, index: PlantIndex): About | undefined {
  const { operation, fields } = rule;
  if (operation !== "raw")
    fields.get("raw")?.fail("TAGS_MISPLACED", `\`${operation}\` is not about raw functions; write \`may: raw\``);
  if (operation === "raw") return readRawAbout(rule, index);
  if (operation === "report") return readReported(rule, index);
  // Files have no tags: a rule about them is about the device that has them.
  if (operation === "read" && fields.get("files") !== undefined) return readWhole(rule, index);
  if (isAboutTags(operation)) return readTagged(rule, index);
  return readWhole(rule, index);
}

function readTagged(rule: Begun, index: PlantIndex): About | undefined {
  const { operation, fields } = rule;
  fields
    .get("to")
    ?.fail("TAGS_MISPLACED", `\`${operation}\` is about tags, whose devices are its targets; remove \`to\``);
  const tags = needTags(rule, index);
  return tags === undefined ? undefined : { tags, raw: [], targets: devicesOf(tags) };
}

/** Servers report their own tags to clients, so here the devices of the tags are the sources. */
function readReported(rule: Begun, index: PlantIndex): About | undefined {
  const tags = needTags(rule, index);
  const targets = needDevices(rule, index);
  if (tags === undefined || targets === undefined) return undefined;
  const servers = devicesOf(tags);
  const foreign = tags.find(({ device }) => !rule.from.includes(device));
  const idle = rule.from.find((source) => source === "program" || !servers.includes(source));
  const at = rule.fields.get("from");
  if (foreign !== undefined && rule.from.length > 0) {
    return at?.fail(
      "REPORT_SOURCE",
      `\`${foreign.id}\` is a tag of ${foreign.device}, which \`from\` does not name; a server reports its own tags`,
    );
  }
  if (idle === undefined || foreign !== undefined) return { tags, raw: [], targets };
  return at?.fail("REPORT_SOURCE", `none of the tags is a tag of ${idle}; name one of its tags, or remove it`);
}

function readRawAbout(rule: Begun, index: PlantIndex): About | undefined {
  const { id, fields, at } = rule;
  fields
    .get("tags")
    ?.fail("TAGS_MISPLACED", "`raw` is about functions that nobody looks into, not tags; name them with `raw`");
  const list = fields.get("raw");
  if (list === undefined)
    return at.fail("TAGS_MISPLACED", `rule \`${id}\` names no raw function; name some with \`raw: [...]\``);
  const raw = references(list, "raw", "raw function", index.raw);
  const targets = needDevices(rule, index);
  return raw === undefined || targets === undefined
    ? undefined
    : { tags: [], raw: raw.map((each) => each.id), targets };
}

function readWhole(rule: Begun, index: PlantIndex): About | undefined {
  const { operation, fields } = rule;
  const what = fields.get("files") === undefined ? `\`${operation}\`` : "a rule with `files`";
  fields.get("tags")?.fail("TAGS_MISPLACED", `${what} is about whole devices; name them with \`to\``);
  const targets = needDevices(rule, index);
  return targets === undefined ? undefined : { tags: [], raw: [], targets };
}

function needDevices({ id, operation, fields, at }: Begun, index: PlantIndex): readonly DeviceId[] | undefined {
  const to = fields.get("to");
  if (to === undefined)
    return at.fail(
      "TAGS_MISPLACED",
      `rule \`${id}\` may \`${operation}\` with nobody; name devices with \`to: [...]\``,
    );
  return references(to, "to", "device", index.devices)?.map((device) => device.id);
}

/** `[A, B]`, or `{ device: X }`: all tags of a device that the operation can reach. */
function needTags({ id, operation, fields, at }: Begun, index: PlantIndex): readonly Tag[] | undefined {
  const cursor = fields.get("tags");
  if (cursor === undefined)
    return at.fail("TAGS_MISPLACED", `rule \`${id}\` may \`${operation}\` nothing; name its \`tags\``);
  if (cursor.isMap) return tagsOfDevice(cursor, operation, index);
  return cursor.items("tags", 1)?.flatMap((item) => {
    const tag = reference(item, "tag", index.tags);
    const problem = tag === undefined ? undefined : reachProblem(tag, operation);
    if (problem !== undefined) item.fail(problem.code, problem.says);
    return tag === undefined || problem !== undefined ? [] : tag;
  });
}

function tagsOfDevice(cursor: Cursor, operation: Operation, index: PlantIndex): readonly Tag[] | undefined {
  const device = reference(cursor.fields("tags", ["device"])?.need("device"), "device", index.devices)?.id;
  if (device === undefined) return undefined;
  const found = (index.tagsOf.get(device) ?? []).filter((tag) => reachProblem(tag, operation) === undefined);
  if (found.length > 0) return found;
  return cursor.fail(
    "LIST_EMPTY",
    `device \`${device}\` has no tag that can be \`${operation}\`; name tags or another device`,
  );
}

function devicesOf(tags: readonly Tag[]): readonly DeviceId[] {
  return [...new Set(tags.map((tag) => tag.device))];
}
