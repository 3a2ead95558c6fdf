import { TagId } from "#specs/ids.ts";

/**
 * The field wiring, JSON lines over TCP. PLC → plant, once: `{"join":"plc-1"}`; plant → PLC, per tick:
 * `{"tick":n,"atMs":t,"dtMs":100,"field":{"LIT101":1.234,…}}`; PLC → plant: `{"tick":n,"outputs":{"P101.OUT":50,…}}`.
 */
export interface FieldTick {
  readonly tick: number;
  /** Plant time, ms. */
  readonly atMs: number;
  readonly dtMs: number;
  readonly field: ReadonlyMap<TagId, number>;
}

export interface FieldAnswer {
  readonly tick: number;
  readonly outputs: ReadonlyMap<TagId, number>;
}

export function readFieldTick(value: unknown): FieldTick | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!("tick" in value) || !("atMs" in value) || !("dtMs" in value) || !("field" in value)) return undefined;
  const { tick, atMs, dtMs } = value;
  const field = readValues(value.field);
  if (typeof tick !== "number" || typeof atMs !== "number" || typeof dtMs !== "number" || field === undefined)
    return undefined;
  return { tick, atMs, dtMs, field };
}

export function readFieldAnswer(value: unknown): FieldAnswer | undefined {
  if (typeof value !== "object" || value === null || !("tick" in value) || !("outputs" in value)) return undefined;
  const outputs = readValues(value.outputs);
  if (typeof value.tick !== "number" || outputs === undefined) return undefined;
  return { tick: value.tick, outputs };
}

export function readJoin(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("join" in value)) return undefined;
  return typeof value.join === "string" ? value.join : undefined;
}

function readValues(value: unknown): ReadonlyMap<TagId, number> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const values = new Map<TagId, number>();
  for (const [name, number] of Object.entries(value)) {
    if (typeof number !== "number" || !/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name)) return undefined;
    values.set(TagId(name), number);
  }
  return values;
}
