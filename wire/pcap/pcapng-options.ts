import { readU16 } from "./format.ts";
import { OPTION, OPTION_FIELD, padded } from "./pcapng-format.ts";

/** Takes one option: `at` and `length` tell where its value lies. */
export type OptionVisitor = (code: number, at: number, length: number) => void;

/**
 * Walks the options that lie in `at..end`. Answers undefined, or the offset of the option that does not fit.
 * The end option may be missing. @see draft-ietf-opsawg-pcapng §3.5
 */
export function walkOptions(
  bytes: Buffer,
  at: number,
  end: number,
  bigEndian: boolean,
  visit?: OptionVisitor,
): number | undefined {
  let next = at;
  while (next < end) {
    if (end - next < OPTION_FIELD.VALUE) return next;
    const code = readU16(bytes, next + OPTION_FIELD.CODE, bigEndian);
    const length = readU16(bytes, next + OPTION_FIELD.LENGTH, bigEndian);
    if (code === OPTION.END) return length === 0 ? undefined : next;
    const value = next + OPTION_FIELD.VALUE;
    if (value + padded(length) > end) return next;
    visit?.(code, value, length);
    next = value + padded(length);
  }
  return undefined;
}
