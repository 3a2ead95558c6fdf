import type { ModbusBinding, ModbusType, OpcUaType } from "./plant.ts";

/** Bounds on an engineering value. Absent where nothing is written. The tag's own range is already taken into account. */
export interface Bounds {
  /** Above `max`: no value at all. */
  readonly min: number;
  readonly max: number;
  readonly oneOf?: readonly number[];
  /** Largest change against the last known value. */
  readonly maxStep?: number;
  /** Largest change per second; the time that counts is that since the last change and the layer's slack, at most one second. */
  readonly rampPerS?: number;
}

/**
 * Bounds on the number that is on the wire: exactly those for which the decision core finds the engineering value in bounds. Of
 * whole numbers and 32-bit floats they are what lies within, to the last one; of doubles they are the bounds as declared, and a
 * difference below a billionth of the tag's range is none.
 */
export interface RawBounds {
  /** Above `max`: no value at all. */
  readonly min: number;
  readonly max: number;
  /** Listed values as intervals, both ends included; mostly of one value each. */
  readonly oneOf?: readonly (readonly [least: number, most: number])[];
  readonly maxStep?: number;
  readonly rampPerS?: number;
}

const REGISTERS: Readonly<Record<ModbusType, number>> = {
  bool: 1,
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  float32: 2,
  float64: 4,
};

/** Registers, or bits of a bit table, that a binding covers. */
export function registersOf({ type }: Pick<ModbusBinding, "type">): number {
  return REGISTERS[type];
}

/** Part of a tag's range below which a difference is taken for rounding of raw × scale. */
const ROUNDING = 1e-9;

/** Difference that is rounding and no difference, in engineering units. */
export function toleranceOf([low, high]: readonly [number, number]): number {
  return (high - low) * ROUNDING;
}

/** Decimal scales are not exact in binary: 30 × 0.1 must be 3. The same rounding as where messages are observed. */
export function engineeringOf(raw: number, scale: number): number {
  return Math.round(raw * scale * 1e9) / 1e9;
}

/**
 * Bounds in raw values of a Modbus binding. A bound is never widened by its scale.
 *
 * @param tolerance in engineering units; default: the binary rounding of the bounds themselves
 */
export function rawOf(
  { type, scale }: Pick<ModbusBinding, "type" | "scale">,
  bounds: Bounds,
  tolerance = roundingOf(bounds),
): RawBounds {
  return boundsOn(LINES[type], scale, bounds, tolerance);
}

/** Bounds in values of an OPC UA type, which are engineering values already. */
export function typedBoundsOf(type: OpcUaType, bounds: Bounds, tolerance = roundingOf(bounds)): RawBounds {
  return boundsOn(UA_LINES[type], 1, bounds, tolerance);
}

/** All finite numbers of a type in rising order, each at a whole-numbered place. */
interface Line {
  readonly first: number;
  readonly last: number;
  at(place: number): number;
}

const itself = (place: number): number => place;
const whole = (first: number, last: number): Line => ({ first, last, at: itself });

const bits = new DataView(new ArrayBuffer(4));
/** The places of 32-bit floats are their bits, read as a whole number with a sign. */
const LARGEST_FLOAT = 0x7f7f_ffff;
const FLOAT_LINE: Line = {
  first: -LARGEST_FLOAT,
  last: LARGEST_FLOAT,
  at(place) {
    bits.setUint32(0, Math.abs(place));
    return place < 0 ? -bits.getFloat32(0) : bits.getFloat32(0);
  },
};

/** undefined: doubles lie too densely for their places to be whole numbers. */
const LINES: Readonly<Record<ModbusType, Line | undefined>> = {
  bool: whole(0, 1),
  uint16: whole(0, 0xffff),
  int16: whole(-0x8000, 0x7fff),
  uint32: whole(0, 0xffff_ffff),
  int32: whole(-0x8000_0000, 0x7fff_ffff),
  float32: FLOAT_LINE,
  float64: undefined,
};

const UA_LINES: Readonly<Record<OpcUaType, Line | undefined>> = {
  Boolean: whole(0, 1),
  SByte: whole(-0x80, 0x7f),
  Byte: whole(0, 0xff),
  Int16: LINES.int16,
  UInt16: LINES.uint16,
  Int32: LINES.int32,
  UInt32: LINES.uint32,
  Float: FLOAT_LINE,
  Double: undefined,
};

/** What no value fits. */
const NOTHING = { min: 1, max: 0 } as const;

function boundsOn(line: Line | undefined, scale: number, bounds: Bounds, tolerance: number): RawBounds {
  const between = (low: number, high: number) => interval(line, scale, low - tolerance, high + tolerance);
  const around = line === undefined ? doubles(bounds, scale) : between(bounds.min, bounds.max);
  if (around === undefined) return NOTHING;
  const [min, max] = around;
  const { oneOf, maxStep, rampPerS } = bounds;
  return {
    min,
    max,
    ...(oneOf === undefined ? {} : { oneOf: listed(oneOf, min, max, scale, line === undefined ? undefined : between) }),
    ...(maxStep === undefined ? {} : { maxStep: largestStep(line, scale, maxStep, tolerance) }),
    ...(rampPerS === undefined ? {} : { rampPerS: rampPerS / scale }),
  };
}

type Interval = readonly [least: number, most: number];

function doubles({ min, max }: Bounds, scale: number): Interval | undefined {
  return min > max ? undefined : [min / scale, max / scale];
}

function listed(
  values: readonly number[],
  min: number,
  max: number,
  scale: number,
  between: ((low: number, high: number) => Interval | undefined) | undefined,
): readonly Interval[] {
  return values.flatMap((value): Interval[] => {
    const raw = value / scale;
    const found: Interval | undefined = between === undefined ? [raw, raw] : between(value, value);
    if (found === undefined) return [];
    const [least, most] = [Math.max(min, found[0]), Math.min(max, found[1])];
    return least > most ? [] : [[least, most]];
  });
}

/** The numbers of a line whose engineering values lie within, both ends included. undefined: there are none. */
function interval(line: Line | undefined, scale: number, low: number, high: number): Interval | undefined {
  if (line === undefined || low > high) return undefined;
  const first = firstPlace(line, (raw) => engineeringOf(raw, scale) >= low);
  const last = firstPlace(line, (raw) => engineeringOf(raw, scale) > high) - 1;
  // + 0: no negative zero
  return first > last ? undefined : [line.at(first) + 0, line.at(last) + 0];
}

/** A step is the difference of two raw values. */
function largestStep(line: Line | undefined, scale: number, step: number, tolerance: number): number {
  if (line === undefined || line === FLOAT_LINE) return step / scale;
  const span = whole(0, line.last - line.first);
  return firstPlace(span, (raw) => engineeringOf(raw, scale) > step + tolerance) - 1;
}

/** The first place from which on something holds, by halving; one behind the last where it never does. */
function firstPlace(line: Line, holds: (raw: number) => boolean): number {
  let from = line.first;
  let to = line.last + 1;
  while (from < to) {
    const middle = from + Math.floor((to - from) / 2);
    if (holds(line.at(middle))) to = middle;
    else from = middle + 1;
  }
  return from;
}

function roundingOf({ min, max }: Bounds): number {
  return ROUNDING * Math.max(Math.abs(min), Math.abs(max));
}
