import type { ReceiptMessage } from "#point/bus.ts";
import type { DeviceId, TagId } from "#specs/ids.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import type { SourceClass } from "./locus-table.ts";

/** Largest difference in engineering units at which two values of a tag are the same raw value on the wire. */
export type Tolerances = ReadonlyMap<TagId, number>;

const ROUNDING = 1e-6;

export function toleranceOf(plant: Plant): Tolerances {
  return new Map(plant.tags.map((tag) => [tag.id, ROUNDING * Math.max(1, Math.abs(tag.range[1])) + halfRaw(tag)]));
}

/** A tag reached by two protocols is held in the coarser of the two; half a raw step is then no difference. */
function halfRaw(tag: Tag): number {
  return tag.opcua === undefined || tag.modbus === undefined || tag.modbus.type === "bool" ? 0 : tag.modbus.scale / 2;
}

export function sameValue(a: number | null, b: number | null, tolerance: number): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= tolerance;
}

export function sourceClassOf(plant: Plant, source: DeviceId | "program" | null): SourceClass {
  if (source === "program") return "program";
  const role = plant.devices.find((device) => device.id === source)?.role;
  if (role === undefined) return "unknown";
  if (role === "hmi" || role === "engineering") return role;
  return "other";
}

/** Whether two layers' receipts can be of one command: link, operation, tags and values agree. */
export function sameCommand(a: ReceiptMessage, b: ReceiptMessage, tolerances: Tolerances): boolean {
  return sameTarget(a, b) && sameItems(a, b) && a.items.every((item, i) => agrees(item, b.items[i], tolerances));
}

/** The same tags at the same place, but at least one value is another. */
export function differsOnlyInValue(a: ReceiptMessage, b: ReceiptMessage, tolerances: Tolerances): boolean {
  return (
    a.items.length > 0 &&
    sameTarget(a, b) &&
    sameItems(a, b) &&
    !a.items.every((item, i) => agrees(item, b.items[i], tolerances))
  );
}

function sameTarget(a: ReceiptMessage, b: ReceiptMessage): boolean {
  if (a.source !== b.source || a.target !== b.target || a.link !== b.link || a.operation !== b.operation) return false;
  // Two undeclared sources are the same only at the same address; the port tells connections apart, and a relay keeps it.
  return a.source !== null || hostOf(a.sourceAddress) === hostOf(b.sourceAddress);
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

type Item = ReceiptMessage["items"][number];

function sameItems(a: ReceiptMessage, b: ReceiptMessage): boolean {
  return a.items.length === b.items.length && a.items.every((item, i) => samePlace(item, b.items[i]));
}

function samePlace(a: Item, b: Item | undefined): boolean {
  return b !== undefined && a.tag === b.tag && (a.tag !== null || a.address === b.address);
}

function agrees(a: Item, b: Item | undefined, tolerances: Tolerances): boolean {
  if (b === undefined) return false;
  return sameValue(a.value, b.value, a.tag === null ? 0 : (tolerances.get(a.tag) ?? 0));
}
