import { REASONS, type ReasonCode } from "./reasons.ts";

/**
 * A verdict as one number. From 0: allowed, by which rule; below 0: denied, with the reason, the rule that came closest and the
 * item that failed. It belongs to the tables that it was made with.
 *
 * | id           | meaning, R being the number of rules                                                     |
 * | ------------ | ---------------------------------------------------------------------------------------- |
 * | 0 … R − 1    | allowed by this rule                                                                     |
 * | R … 2R − 1   | the same, and a safety rule's rate is exceeded                                           |
 * | 2R, 2R + 1   | allowed by several rules, one for each item; 2R + 1: one of them is in excess            |
 * | −1 − n       | denied; n = code + CODES × ((rule + 1) + (R + 1) × (item + 1)), rule and item −1 if none |
 */
export type VerdictId = number;

/** No rule, or no item: the whole message. */
export const NONE = -1;

const CODES: readonly ReasonCode[] = Object.keys(REASONS).filter(isReasonCode);

/** The number by which the core knows a reason. Not a contract: it follows the order of `REASONS`. */
export function codeOf(reason: ReasonCode): number {
  return CODES.indexOf(reason);
}

export function denyId(ruleCount: number, code: number, rule: number, item: number): VerdictId {
  return -1 - (code + CODES.length * (rule + 1 + (ruleCount + 1) * (item + 1)));
}

/** What a deny's id says. */
export interface Denied {
  readonly reason: ReasonCode;
  /** Index of the rule that came closest, or -1. */
  readonly rule: number;
  readonly item: number;
}

export function readDeny(ruleCount: number, id: VerdictId): Denied {
  const reason = CODES[codeIn(id)] ?? "INTERNAL";
  return { reason, rule: ruleIn(ruleCount, id), item: itemIn(ruleCount, id) };
}

export function codeIn(id: VerdictId): number {
  return (-1 - id) % CODES.length;
}

export function ruleIn(ruleCount: number, id: VerdictId): number {
  return (Math.floor((-1 - id) / CODES.length) % (ruleCount + 1)) - 1;
}

export function itemIn(ruleCount: number, id: VerdictId): number {
  return Math.floor((-1 - id) / (CODES.length * (ruleCount + 1))) - 1;
}

function isReasonCode(text: string): text is ReasonCode {
  return Object.hasOwn(REASONS, text);
}
