import { codesLeft, type FormRule } from "../form.ts";
import type { RawId, TagId } from "../ids.ts";
import type { Operation, Rule } from "../lifecycle.ts";
import type { Link, Plant, Protocol, Tag } from "../plant.ts";
import { tagFunctions } from "../project/messages.ts";
import { type Bounds, engineeringOf, type RawBounds, rawOf, registersOf, typedBoundsOf } from "../raw.ts";
import { difference, type Interval, toleranceOf, union, type ValueSet, valuesOf } from "./values.ts";

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

/**
 * Links from one device to another that have a message for the operation on this subject.
 *
 * @param form the message must have this form; default: any
 */
export function linksFor(
  plant: Plant,
  links: readonly Link[],
  operation: Operation,
  { tag, raw }: Subject,
  form: FormRule = {},
): readonly Link[] {
  const { functions, files, objects } = form;
  const isModbus = functions !== undefined || files !== undefined || objects !== undefined;
  return links.filter(({ protocol }) => {
    if (isModbus && protocol !== "modbus") return false;
    if (raw !== undefined) return plant.raw.some((named) => named.id === raw && named.protocol === protocol);
    if (tag === undefined) return files !== undefined || ABOUT_DEVICES[operation]?.includes(protocol) === true;
    if (ABOUT_TAGS[operation]?.includes(protocol) !== true || !isBound(tag, protocol, operation)) return false;
    return protocol !== "modbus" || hasForm(tag, operation, form);
  });
}

/** Whether some message of this form is about the whole of a tag. */
function hasForm({ modbus }: Tag, operation: Operation, form: FormRule): boolean {
  if (modbus === undefined || registersOf(modbus) > (form.quantity ?? Number.POSITIVE_INFINITY)) return false;
  return codesLeft(tagFunctions(operation, modbus), form).length > 0;
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

/** The values that a link lets through for a rule, in engineering units: those that the tag's binding has a number for. */
export function valuesOnLink({ protocol }: Link, tag: Tag, rule: Rule): ValueSet {
  const crossing = valuesOf(tag, rule.value).flatMap(([min, max]): Interval[] => {
    const raw = rawBounds(protocol, tag, { min, max });
    const scale = protocol === "modbus" ? (tag.modbus?.scale ?? 1) : 1;
    return raw.min > raw.max ? [] : [[engineeringOf(raw.min, scale), engineeringOf(raw.max, scale)]];
  });
  // What is a rounding outside the range is at its end.
  return union(crossing.map(([low, high]) => [Math.max(low, tag.range[0]), Math.min(high, tag.range[1])]));
}

function rawBounds(protocol: Protocol, tag: Tag, bounds: Bounds): Pick<RawBounds, "min" | "max"> {
  const { modbus, opcua } = tag;
  const tolerance = toleranceOf(tag);
  if (protocol === "modbus") return modbus === undefined ? bounds : rawOf(modbus, bounds, tolerance);
  return opcua === undefined ? bounds : typedBoundsOf(opcua.type, bounds, tolerance);
}

/** Part of a tag's range that a 32-bit float loses at most at the end of an interval. */
const FLOAT_GAP = 1e-6;

/**
 * Values that a rule allows and its tag's bindings have no number for. An interval that loses less than the distance of two numbers
 * at an end has lost nothing that could be sent.
 */
export function unsayable(tag: Tag, allowed: ValueSet, crossing: ValueSet): ValueSet {
  const gap = crossing.length === 0 ? 0 : gapOf(tag);
  return allowed.flatMap(([low, high]) =>
    difference([[low, high]], crossing, toleranceOf(tag) + (high > low ? gap : 0)),
  );
}

function gapOf({ modbus, opcua, range: [low, high] }: Tag): number {
  const ofType = (type: string | undefined, step: number) => {
    if (type === undefined || type === "Double" || type === "float64") return 0;
    return type === "Float" || type === "float32" ? FLOAT_GAP * (high - low) : step;
  };
  return Math.max(ofType(modbus?.type, modbus?.scale ?? 1), ofType(opcua?.type, 1));
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
