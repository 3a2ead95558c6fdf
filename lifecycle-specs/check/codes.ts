import { LAYER_CHECKS, LAYER_CODES } from "./codes-layers.ts";
import { MACHINE_CHECKS, MACHINE_CODES } from "./codes-machine.ts";
import type { Guarantee, Severity } from "./report.ts";

/** What every finding of one code has in common. */
export interface CodeOfCheck {
  readonly guarantee: Guarantee;
  readonly severity: Severity;
  /** One sentence: what helps. */
  readonly advice: string;
}

/** Every code of `sekisho spec check`, with its sentence. Codes are a contract. */
export const CHECK_CODES = { ...MACHINE_CODES, ...LAYER_CODES } as const satisfies Record<string, string>;

export type CheckCode = keyof typeof CHECK_CODES;

export const CODES_OF_CHECK: Readonly<Record<CheckCode, CodeOfCheck>> = { ...MACHINE_CHECKS, ...LAYER_CHECKS };

export function isCheckCode(code: string): code is CheckCode {
  return Object.hasOwn(CHECK_CODES, code);
}
