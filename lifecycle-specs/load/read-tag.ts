import { TagId } from "../ids.ts";
import type { Device, OpcUaBinding, Tag, TagKind } from "../plant.ts";
import type { Cursor, Fields } from "./cursor.ts";
import { claim, placesOf, readMethodNode, readModbus, readVariableNode } from "./read-binding.ts";
import { readById, reference, references } from "./read-by-id.ts";
import { type Dialects, readStates } from "./read-states.ts";
import { MAX_VALUE, readTagValue } from "./read-tag-value.ts";

export const TAG_KINDS = [
  "command",
  "set-point",
  "measurement",
  "status",
  "output",
  "method",
  "argument",
] as const satisfies readonly TagKind[];

const KEYS = ["title", "kind", "device", "unit", "range", "modbus", "opcua", "states", "safe"];
const METHOD_KEYS = ["title", "kind", "device", "opcua"];
const ARGUMENT_KEYS = ["title", "kind", "device", "unit", "range", "states"];

/** A tag, and what is still to be looked up: the arguments of a method may be declared after it. */
interface Draft {
  readonly tag: Tag;
  readonly arguments?: Cursor;
}

/** Reads the tags of a plant. */
export function readTags(
  map: Cursor | undefined,
  devices: ReadonlyMap<string, Device>,
  dialects: () => Dialects,
): readonly Tag[] {
  const taken = new Map<string, TagId>();
  const drafts = readById(map, "tags", TagId, (id, value, key) => {
    key.remember(`tag:${id}`);
    const draft = new TagReader(id, value, devices, dialects).read();
    if (draft !== undefined) claim(id, placesOf(draft.tag), taken, value);
    return draft;
  });
  const tags = new Map<string, Tag>(drafts.map(({ tag }) => [tag.id, tag]));
  return drafts.map((draft) => withArguments(draft, tags));
}

class TagReader {
  readonly #id: TagId;
  readonly #value: Cursor;
  readonly #devices: ReadonlyMap<string, Device>;
  readonly #dialects: () => Dialects;

  constructor(id: TagId, value: Cursor, devices: ReadonlyMap<string, Device>, dialects: () => Dialects) {
    this.#id = id;
    this.#value = value;
    this.#devices = devices;
    this.#dialects = dialects;
  }

  read(): Draft | undefined {
    const written = this.#value.peek("kind");
    const keys = written === "method" ? METHOD_KEYS : written === "argument" ? ARGUMENT_KEYS : KEYS;
    const fields = this.#value.fields(`tag \`${this.#id}\``, keys);
    const title = fields?.need("title")?.text("title");
    const kind = fields?.need("kind")?.word("kind", TAG_KINDS);
    const device = reference(fields?.need("device"), "device", this.#devices)?.id;
    if (fields === undefined || kind === undefined) return undefined;
    const rest = kind === "method" ? this.#method(fields) : this.#variable(fields);
    if (title === undefined || device === undefined || rest === undefined) return undefined;
    const { arguments: pending, ...parts } = rest;
    return {
      tag: { id: this.#id, title, kind, device, ...parts },
      ...(pending === undefined ? {} : { arguments: pending }),
    };
  }

  #variable(fields: Fields): (Omit<Tag, "id" | "title" | "kind" | "device"> & { arguments?: Cursor }) | undefined {
    const range = readRange(fields.need("range"));
    const unit = fields.get("unit")?.text("unit") ?? "";
    const modbus = readModbus(fields.get("modbus"));
    const opcua = readVariableNode(fields.get("opcua"));
    if (range === undefined) return undefined;
    const states = readStates(fields.get("states"), this.#dialects, range);
    const shown = { id: this.#id, unit, range, ...(states === undefined ? {} : { states }) };
    const safe = readTagValue(fields.get("safe"), "safe", shown);
    return {
      unit,
      range,
      ...(modbus === undefined ? {} : { modbus }),
      ...(opcua === undefined ? {} : { opcua }),
      ...(states === undefined ? {} : { states }),
      ...(safe === undefined ? {} : { safe }),
    };
  }

  /** A method has no value of its own; its range is that of a truth value, so that it can stand where a tag does. */
  #method(fields: Fields): (Omit<Tag, "id" | "title" | "kind" | "device"> & { arguments?: Cursor }) | undefined {
    const node = readMethodNode(fields.need("opcua"));
    if (node === undefined) return undefined;
    const { binding, arguments: pending } = node;
    return { unit: "", range: [0, 1], opcua: binding, ...(pending === undefined ? {} : { arguments: pending }) };
  }
}

function withArguments({ tag, arguments: list }: Draft, tags: ReadonlyMap<string, Tag>): Tag {
  if (list === undefined || tag.opcua === undefined) return tag;
  const named = references(list, "arguments", "tag", tags) ?? [];
  const other = named.find(({ kind, device }) => kind !== "argument" || device !== tag.device);
  if (other !== undefined) {
    list.fail(
      "METHOD_BINDING",
      `\`${other.id}\` is a ${other.kind} on ${other.device}; name tags of kind \`argument\` on ${tag.device}`,
    );
  }
  const opcua: OpcUaBinding = { ...tag.opcua, arguments: named.map(({ id }) => id) };
  return { ...tag, opcua };
}

function readRange(list: Cursor | undefined): readonly [number, number] | undefined {
  const items = list?.items("range");
  if (list === undefined || items === undefined) return undefined;
  const [low, high] = items.map((item) => item.number("a bound of the range", -MAX_VALUE, MAX_VALUE));
  if (items.length !== 2) return list.fail("TYPE_WRONG", "range is not a pair `[low, high]`");
  if (low === undefined || high === undefined) return undefined;
  if (low >= high) return list.fail("RANGE_CROSSED", `range [${low}, ${high}] is empty; put the lower bound first`);
  return [low, high];
}
