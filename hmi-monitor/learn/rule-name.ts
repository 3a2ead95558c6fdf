import { createHash } from "node:crypto";

/** Longest name that is made; the language takes 128. */
const MAX_NAME = 120;
const MARK_DIGITS = 6;

/** A name that the language takes: what is too long ends in a mark of the whole, the same for the same name each time. */
export function ruleName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]/g, "-");
  return plain.length <= MAX_NAME ? plain : `${plain.slice(0, MAX_NAME - MARK_DIGITS - 1)}-${markOf(name)}`;
}

/** A few digits that tell one list from another. */
export function markOf(text: string): string {
  return digestOf(text).slice(0, MARK_DIGITS);
}

/** Stands for a text that is too long to be kept. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
