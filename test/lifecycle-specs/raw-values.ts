import type { ModbusBinding, ModbusType } from "#specs/plant.ts";
import { registersOf } from "#specs/raw.ts";

const ENDS: Readonly<Partial<Record<ModbusType, readonly [number, number]>>> = {
  bool: [0, 1],
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
};

/** Values that a type can hold at a place and at the two next to it on either side, and the ends of the type. */
export function neighbours(type: ModbusType, at: number): readonly number[] {
  const ends = ENDS[type];
  if (ends === undefined) return type === "float32" ? floatsAround(at) : [at];
  const [least, most] = ends;
  const around = [-2, -1, 0, 1, 2].flatMap((step) => [Math.floor(at) + step, Math.ceil(at) + step]);
  return [...new Set([...around, least, most])].filter((value) => value >= least && value <= most);
}

function floatsAround(at: number): readonly number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, at);
  const bits = view.getUint32(0);
  return [-2, -1, 0, 1, 2].flatMap((step) => {
    view.setUint32(0, (bits + step) >>> 0);
    const value = view.getFloat32(0);
    return Number.isFinite(value) ? [value] : [];
  });
}

/** The registers, or the bit, in which a client writes a raw value. */
export function wordsOf(binding: ModbusBinding, value: number): readonly number[] {
  const { type, wordOrder, byteOrder } = binding;
  const registers = registersOf(binding);
  const view = new DataView(new ArrayBuffer(8));
  if (type === "float32") view.setFloat32(0, value);
  else if (type === "float64") view.setFloat64(0, value);
  else if (registers === 2) view.setUint32(0, value >>> 0);
  else view.setUint16(0, value & 0xffff);
  const words = Array.from({ length: registers }, (_, i) =>
    view.getUint16(2 * i, byteOrder === "little" && type !== "bool"),
  );
  return wordOrder === "big" ? words : words.reverse();
}
