import type { Layer } from "../decide/observation.ts";
import { type FileRange, type FormRule, holdsSpan, namesAll } from "../form.ts";
import type { Rule } from "../lifecycle.ts";

/** What a rule asks of who asks, and of the form of the message. */
export interface MessageLimits {
  readonly roles?: readonly string[];
  readonly form?: FormRule;
}

export const MESSAGE_LIMIT_NAMES = ["roles", "functions", "quantity", "files", "objects"] as const;
export type MessageLimitName = (typeof MESSAGE_LIMIT_NAMES)[number];

/**
 * The PLC sees no messages. Of roles it is what is declared that counts at the HMI layer as at the switch: the one cannot see them, and
 * says so as a fact, and the other judges them.
 */
export function messageLimitsOf({ roles, form }: Rule, layer: Layer): MessageLimits {
  if (layer === "plc") return {};
  return { ...(roles === undefined ? {} : { roles }), ...(form === undefined ? {} : { form }) };
}

/** The limits of `wide` that `narrow` does not keep by itself. */
export function looserMessage(narrow: MessageLimits, wide: MessageLimits): Readonly<Record<MessageLimitName, boolean>> {
  const [own, other] = [narrow.form ?? {}, wide.form ?? {}];
  return {
    roles: exceeds(narrow.roles, wide.roles, (a, b) => a.every((role) => b.includes(role))),
    functions: exceeds(own.functions, other.functions, (a, b) => namesAll(b, a)),
    quantity: exceeds(own.quantity, other.quantity, (a, b) => a <= b),
    files: exceeds(own.files, other.files, (a, b) => a.every((range) => b.some((around) => isWithin(range, around)))),
    objects: exceeds(own.objects, other.objects, (a, b) => a.every(([least, most]) => holdsSpan(b, least, most))),
  };
}

function exceeds<T>(narrow: T | undefined, wide: T | undefined, isWithinIt: (narrow: T, wide: T) => boolean): boolean {
  return wide !== undefined && (narrow === undefined || !isWithinIt(narrow, wide));
}

function isWithin(range: FileRange, around: FileRange): boolean {
  return holdsSpan([around.files], ...range.files) && holdsSpan([around.records], ...range.records);
}
