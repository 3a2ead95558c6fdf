import { isAboutTags } from "../decide/operations.ts";
import { type DeviceId, RuleId } from "../ids.ts";
import type { CadenceRule, Operation, Rule, ValueRule } from "../lifecycle.ts";
import type { Plant, Tag } from "../plant.ts";
import { MODES, readById, reference } from "./read-by-id.ts";
import { readCondition, readTagValue } from "./read-condition.ts";
import type { Cursor, Fields } from "./source.ts";

const OPERATIONS = [
  "read",
  "write",
  "call",
  "subscribe",
  "browse",
  "session",
  "program",
  "diagnose",
  "output",
] as const;
const WITH_VALUE: ReadonlySet<Operation> = new Set<Operation>(["write", "call", "output"]);
const KEYS = ["says", "from", "may", "to", "tags", "value", "after", "most", "safety", "mode"];

/** Most messages that one cadence may count: each rule remembers that many times. */
const MAX_CADENCE = 1000;
const MAX_VALUE = 1e9;

/** Reads rules and keeps ids unique over the whole lifecycle. A rule that an alias repeats is one rule. */
export class RuleReader {
  readonly #plant: Plant;
  readonly #seen = new Map<RuleId, { readonly at: Cursor; readonly rule: Rule | undefined }>();

  constructor(plant: Plant) {
    this.#plant = plant;
  }

  get ids(): Iterable<RuleId> {
    return this.#seen.keys();
  }

  has(id: string): RuleId | undefined {
    for (const known of this.#seen.keys()) if (known === id) return known;
    return undefined;
  }

  read(map: Cursor | undefined): readonly Rule[] {
    return readById(map, "rules", RuleId, (id, value, key) => {
      const seen = this.#seen.get(id);
      if (seen?.at.node === value.node) return seen.rule;
      if (seen !== undefined) {
        return key.fail(
          "DUPLICATE_ID",
          `rule \`${id}\` is declared in line ${seen.at.location.line} already; rename one of the two`,
        );
      }
      key.remember(`rule:${id}`);
      const rule = readRule(id, value, this.#plant);
      this.#seen.set(id, { at: value, rule });
      return rule;
    });
  }
}

function readRule(id: RuleId, value: Cursor, plant: Plant): Rule | undefined {
  const fields = value.fields(`rule \`${id}\``, KEYS);
  const says = fields?.need("says")?.text("says");
  const from = readSources(fields?.need("from"), plant);
  const operation = fields?.need("may")?.word("operation", OPERATIONS);
  if (fields === undefined || says === undefined || from === undefined || operation === undefined) return undefined;
  const sourced = checkSources(fields, from, operation);
  const about = readAbout(id, fields, operation, plant, value);
  if (!sourced || about === undefined) return undefined;
  const bounds = readValue(fields.get("value"), operation, about.tags);
  const after = readCondition(fields.get("after"), plant);
  const cadence = readCadence(fields.get("most"));
  const safety = fields.get("safety")?.boolean("safety") ?? false;
  const mode = fields.get("mode")?.word("mode", MODES) ?? "enforce";
  return {
    id,
    says,
    from,
    operation,
    targets: about.targets,
    tags: about.tags.map((tag) => tag.id),
    ...(bounds === undefined ? {} : { value: bounds }),
    ...(cadence === undefined ? {} : { cadence }),
    ...(after === undefined ? {} : { causality: { after } }),
    mode,
    safety,
  };
}

function readSources(list: Cursor | undefined, plant: Plant): readonly (DeviceId | "program")[] | undefined {
  return list?.items("from", 1)?.flatMap((item): readonly (DeviceId | "program")[] => {
    if (item.node.toString().trim() === "program") return ["program"];
    const device = reference(item, "device", plant.devices)?.id;
    return device === undefined ? [] : [device];
  });
}

function checkSources(fields: Fields, from: Rule["from"], operation: Operation): boolean {
  if (operation === "output" ? from.every((source) => source === "program") : !from.includes("program")) return true;
  const says =
    operation === "output"
      ? "an `output` rule is from `[program]` alone; devices `write` commands and set-points instead"
      : `\`program\` may only \`output\`, not \`${operation}\`; name devices here`;
  fields.get("from")?.fail("OUTPUT_SOURCE", says);
  return false;
}

interface About {
  readonly tags: readonly Tag[];
  readonly targets: readonly DeviceId[];
}

function readAbout(id: RuleId, fields: Fields, operation: Operation, plant: Plant, at: Cursor): About | undefined {
  const tags = fields.get("tags");
  const to = fields.get("to");
  if (isAboutTags(operation)) {
    if (to !== undefined)
      to.fail("TAGS_MISPLACED", `\`${operation}\` is about tags, whose devices are its targets; remove \`to\``);
    if (tags === undefined)
      return at.fail("TAGS_MISPLACED", `rule \`${id}\` may \`${operation}\` nothing; name its \`tags\``);
    const found = readTags(tags, operation, plant);
    return found === undefined ? undefined : { tags: found, targets: [...new Set(found.map((tag) => tag.device))] };
  }
  if (tags !== undefined) tags.fail("TAGS_MISPLACED", `\`${operation}\` is about whole devices; name them with \`to\``);
  if (to === undefined)
    return at.fail(
      "TAGS_MISPLACED",
      `rule \`${id}\` may \`${operation}\` with nobody; name devices with \`to: [...]\``,
    );
  const targets = to.items("to", 1)?.flatMap((item) => reference(item, "device", plant.devices)?.id ?? []);
  return targets === undefined ? undefined : { tags: [], targets };
}

/** `[A, B]`, or `{ device: X }`: all tags of a device that the operation can reach. */
function readTags(cursor: Cursor, operation: Operation, plant: Plant): readonly Tag[] | undefined {
  if (!cursor.isMap) {
    return cursor.items("tags", 1)?.flatMap((item) => {
      const tag = reference(item, "tag", plant.tags);
      return tag !== undefined && checkReach(item, tag, operation) ? tag : [];
    });
  }
  const fields = cursor.fields("tags", ["device"]);
  const device = reference(fields?.need("device"), "device", plant.devices)?.id;
  if (device === undefined) return undefined;
  const found = plant.tags.filter((tag) => tag.device === device && reachProblem(tag, operation) === undefined);
  if (found.length > 0) return found;
  return cursor.fail(
    "LIST_EMPTY",
    `device \`${device}\` has no tag that can be \`${operation}\`; name tags or another device`,
  );
}

function checkReach(item: Cursor, tag: Tag, operation: Operation): boolean {
  const problem = reachProblem(tag, operation);
  if (problem === undefined) return true;
  item.fail(problem.code, problem.says);
  return false;
}

function reachProblem(
  { id, kind, modbus, opcua }: Tag,
  operation: Operation,
): { code: "OUTPUT_TAG" | "TAG_UNBOUND" | "TAG_READ_ONLY"; says: string } | undefined {
  if (operation === "output") {
    if (kind === "output") return undefined;
    return {
      code: "OUTPUT_TAG",
      says: `\`${id}\` is a ${kind}, not an output; name output tags or use another operation`,
    };
  }
  if (kind === "output") {
    return { code: "OUTPUT_TAG", says: `\`${id}\` is an output; only the control program may \`output\` it` };
  }
  const bound =
    operation === "subscribe" || operation === "call"
      ? opcua !== undefined
      : modbus !== undefined || opcua !== undefined;
  if (!bound) {
    const need = operation === "subscribe" || operation === "call" ? "an opcua binding" : "a modbus or opcua binding";
    return {
      code: "TAG_UNBOUND",
      says: `\`${id}\` has no binding over which to \`${operation}\` it; give it ${need} in plant.yaml`,
    };
  }
  if (operation !== "write") return undefined;
  const readOnlyTable = modbus?.table === "discrete-input" || modbus?.table === "input-register";
  if (kind === "measurement" || kind === "status" || (readOnlyTable && opcua === undefined)) {
    return {
      code: "TAG_READ_ONLY",
      says: `\`${id}\` is a ${kind}${readOnlyTable ? ` in a ${modbus.table}` : ""} and cannot be written; name a command or set-point`,
    };
  }
  return undefined;
}

function readValue(cursor: Cursor | undefined, operation: Operation, tags: readonly Tag[]): ValueRule | undefined {
  if (cursor === undefined) return undefined;
  if (!WITH_VALUE.has(operation))
    return cursor.fail("VALUE_MISPLACED", `\`${operation}\` has no value; remove \`value\``);
  const fields = cursor.fields("value", ["min", "max", "oneOf", "maxStep"]);
  const inRange = (value: Cursor | undefined, what: string): number | undefined => {
    if (value === undefined) return undefined;
    const read = tags.map((tag) => readTagValue(value, what, tag));
    return read.every((number) => number !== undefined) ? read[0] : undefined;
  };
  const min = inRange(fields?.get("min"), "min");
  const max = inRange(fields?.get("max"), "max");
  const oneOf = fields
    ?.get("oneOf")
    ?.items("oneOf", 1)
    ?.flatMap((item) => inRange(item, "oneOf") ?? []);
  const maxStep = fields?.get("maxStep")?.number("maxStep", Number.MIN_VALUE, MAX_VALUE);
  if (min !== undefined && max !== undefined && min > max) {
    return cursor.fail("RANGE_CROSSED", `min ${min} is above max ${max}; exchange them`);
  }
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(oneOf === undefined ? {} : { oneOf }),
    ...(maxStep === undefined ? {} : { maxStep }),
  };
}

function readCadence(cursor: Cursor | undefined): CadenceRule | undefined {
  const fields = cursor?.fields("most", ["count", "per"]);
  const most = fields?.need("count")?.integer("count", 1, MAX_CADENCE);
  const perMs = fields?.need("per")?.duration("per");
  return most === undefined || perMs === undefined ? undefined : { most, perMs };
}
