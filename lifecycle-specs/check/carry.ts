import type { RawId, TagId } from "../ids.ts";
import type { Operation, Rule } from "../lifecycle.ts";
import type { Link, ModbusBinding, Plant, Protocol, Tag } from "../plant.ts";
import { rawOf } from "../raw.ts";
import { difference, intersection, toleranceOf, type ValueSet, valuesOf } from "./values.ts";

/** Operations of a device as a whole, and the protocols that have messages for them. */
const ABOUT_DEVICES: Readonly<Partial<Record<Operation, readonly Protocol[]>>> = {
  browse: ["opcua"],
  session: ["opcua"],
  program: ["modbus", "opcua"],
  diagnose: ["modbus"],
};

/** Which protocols have messages for an operation on a tag; whether the tag is bound to them is another question. */
const ABOUT_TAGS: Readonly<Partial<Record<Operation, readonly Protocol[]>>> = {
  read: ["modbus", "opcua"],
  write: ["modbus", "opcua"],
  report: ["modbus", "opcua"],
  subscribe: ["opcua"],
  call: ["opcua"],
};

/** What a rule is about, once for each source and target: a tag, a raw function, or (both absent) the device. */
export interface Subject {
  readonly tag?: Tag;
  readonly raw?: RawId;
}

/** Links from one device to another that have a message for the operation on this subject. */
export function linksFor(
  plant: Plant,
  links: readonly Link[],
  operation: Operation,
  { tag, raw }: Subject,
): readonly Link[] {
  return links.filter(({ protocol }) => {
    if (raw !== undefined) return plant.raw.some((named) => named.id === raw && named.protocol === protocol);
    if (tag === undefined) return ABOUT_DEVICES[operation]?.includes(protocol) === true;
    return ABOUT_TAGS[operation]?.includes(protocol) === true && isBound(tag, protocol, operation);
  });
}

/** An argument has no address of its own: it travels with its method. */
function isBound(tag: Tag, protocol: Protocol, operation: Operation): boolean {
  if (tag.kind === "argument") return protocol === "opcua" && (operation === "call" || operation === "report");
  if (protocol === "opcua") return tag.opcua !== undefined;
  const table = tag.modbus?.table;
  return operation === "write" ? table === "coil" || table === "holding-register" : table !== undefined;
}

/** Whether the rule says something about the value of this tag. A method has none, a read asks for none. */
export function carriesValue({ operation }: Rule, { kind }: Tag): boolean {
  return (
    operation === "write" ||
    operation === "output" ||
    operation === "report" ||
    (operation === "call" && kind === "argument")
  );
}

const WHOLE: Readonly<Partial<Record<ModbusBinding["type"], readonly [lowest: number, highest: number]>>> = {
  bool: [0, 1],
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
};

/** What of a tag's range its Modbus type can hold, in engineering units. */
export function holdable(tag: Tag, binding: ModbusBinding): ValueSet {
  const whole = WHOLE[binding.type];
  const range: ValueSet = [tag.range];
  if (whole === undefined) return range;
  const [a, b] = [whole[0] * binding.scale, whole[1] * binding.scale];
  return intersection(range, [[Math.min(a, b), Math.max(a, b)]]);
}

/** The values that a link lets through for a rule: on Modbus those of its raw bounds, back in engineering units. */
export function valuesOnLink(link: Link, tag: Tag, rule: Rule): ValueSet {
  const values = valuesOf(tag, rule.value);
  if (link.protocol === "opcua" || tag.modbus === undefined) return values;
  const { modbus } = tag;
  const back = (raw: number) => raw * modbus.scale;
  const crossing = values.flatMap(([min, max]) => {
    const raw = rawOf(modbus, { min, max });
    if (raw.min > raw.max) return [];
    return [[Math.min(back(raw.min), back(raw.max)), Math.max(back(raw.min), back(raw.max))] as const];
  });
  return intersection(crossing, holdable(tag, modbus));
}

/**
 * Values that a rule allows and its tag's binding has no number for. An interval that loses less than one raw number at an end has lost
 * nothing that could be sent.
 */
export function unsayable({ modbus, ...tag }: Tag, allowed: ValueSet, crossing: ValueSet): ValueSet {
  const scale = modbus === undefined || crossing.length === 0 ? 0 : Math.abs(modbus.scale);
  return allowed.flatMap(([low, high]) =>
    difference([[low, high]], crossing, toleranceOf(tag) + (high > low ? scale : 0)),
  );
}

/** What a rule is about, one by one. */
export function subjectsOf(rule: Rule, tagOf: (id: TagId) => Tag | undefined): readonly Subject[] {
  if (rule.operation === "raw") return rule.raw.map((raw) => ({ raw }));
  if (rule.tags.length === 0) return [{}];
  return rule.tags.flatMap((id) => {
    const tag = tagOf(id);
    return tag === undefined ? [] : [{ tag }];
  });
}
