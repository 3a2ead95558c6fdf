import type { ModbusBinding } from "./plant.ts";

/** Bounds on a value. Absent where nothing is written. The tag's own range is already taken into account. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly oneOf?: readonly number[];
  readonly maxStep?: number;
}

/** Registers, or bits of a bit table, that a binding covers. */
export function registersOf({ type }: ModbusBinding): number {
  return type === "uint32" || type === "int32" || type === "float32" ? 2 : 1;
}

/** Raw values lie this near to a whole number when they are one: raw = value / scale is rounded in binary. */
const ROUNDING = 1e-6;

/** Bounds in raw values. For integer types: the whole numbers that lie within, so that a bound is never widened by its scale. */
export function rawOf(binding: ModbusBinding, bounds: Bounds): Bounds {
  const raw = (value: number) => value / binding.scale;
  const exact = binding.type === "float32";
  const down = (value: number) => (exact ? raw(value) : Math.floor(raw(value) + ROUNDING) + 0);
  const up = (value: number) => (exact ? raw(value) : Math.ceil(raw(value) - ROUNDING) + 0);
  return {
    min: up(bounds.min),
    max: down(bounds.max),
    ...(bounds.oneOf === undefined
      ? {}
      : { oneOf: bounds.oneOf.map((value) => (exact ? raw(value) : Math.round(raw(value)))) }),
    ...(bounds.maxStep === undefined ? {} : { maxStep: down(bounds.maxStep) }),
  };
}
