import type { ModbusBinding } from "#specs/plant.ts";
import { registersOf } from "#specs/raw.ts";

/** Longest value: four registers. Read again for each value, so nothing is allocated on the way of a message. */
const scratch = new DataView(new ArrayBuffer(8));

/** The engineering value of a tag that starts at `words[at]`; undefined when the words are not of its type. */
export function engineeringValue(binding: ModbusBinding, words: readonly number[], at: number): number | undefined {
  const registers = registersOf(binding);
  const swapped = isSwapped(binding);
  if (registers === 1) {
    const word = words[at];
    return word === undefined
      ? undefined
      : ofOneRegister(binding, swapped ? ((word & 0xff) << 8) | (word >>> 8) : word);
  }
  for (let i = 0; i < registers; i += 1) {
    const word = words[at + (binding.wordOrder === "big" ? i : registers - 1 - i)];
    if (word === undefined) return undefined;
    scratch.setUint16(2 * i, word, swapped);
  }
  return ofScratch(binding);
}

/** The same from the bytes of the wire, registers as they lie there; undefined also where they end before the value does. */
export function engineeringValueIn(binding: ModbusBinding, bytes: Buffer, at: number): number | undefined {
  const registers = registersOf(binding);
  if (at + 2 * registers > bytes.length) return undefined;
  const swapped = isSwapped(binding);
  if (registers === 1) {
    const [high, low] = [bytes[at] ?? 0, bytes[at + 1] ?? 0];
    return ofOneRegister(binding, swapped ? (low << 8) | high : (high << 8) | low);
  }
  for (let i = 0; i < registers; i += 1) {
    const from = at + 2 * (binding.wordOrder === "big" ? i : registers - 1 - i);
    scratch.setUint16(2 * i, ((bytes[from] ?? 0) << 8) | (bytes[from + 1] ?? 0), swapped);
  }
  return ofScratch(binding);
}

function isSwapped({ byteOrder, type }: ModbusBinding): boolean {
  return byteOrder === "little" && type !== "bool";
}

/** Most tags are of one register, and need no view of its bytes. */
function ofOneRegister({ type, scale }: ModbusBinding, word: number): number {
  return scaled(type === "int16" ? (word << 16) >> 16 : word, scale);
}

function ofScratch(binding: ModbusBinding): number | undefined {
  const raw = rawValue(binding);
  return Number.isFinite(raw) ? scaled(raw, binding.scale) : undefined;
}

/** Decimal scales are not exact in binary: 30 × 0.1 must be 3. */
function scaled(raw: number, scale: number): number {
  return Math.round(raw * scale * 1e9) / 1e9;
}

function rawValue({ type }: ModbusBinding): number {
  switch (type) {
    case "bool":
    case "uint16":
      return scratch.getUint16(0);
    case "int16":
      return scratch.getInt16(0);
    case "uint32":
      return scratch.getUint32(0);
    case "int32":
      return scratch.getInt32(0);
    case "float32":
      return scratch.getFloat32(0);
    case "float64":
      return scratch.getFloat64(0);
    default: {
      const never: never = type;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
