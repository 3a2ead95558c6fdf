import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { ExceptionName } from "#wire/modbus/index.ts";

/** What becomes of a denied Modbus request. */
export type DenyAction =
  /** Answered in the server's place. */
  | { readonly kind: "exception"; readonly code: number }
  /** Both sides are closed. */
  | { readonly kind: "close" }
  /** Swallowed: neither forwarded nor answered. The client runs into its own time-out; nothing is left that could be sent later. */
  | { readonly kind: "drop" };

/** What a deny is about, as far as its answer goes. */
export const DENY_CLASSES = ["function", "phase", "role", "order", "address", "value", "internal"] as const;
export type DenyClass = (typeof DENY_CLASSES)[number];

export type DenyActions = Readonly<Record<DenyClass, DenyAction>>;

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_DATA_ADDRESS = 2;
const ILLEGAL_DATA_VALUE = 3;
const SERVER_DEVICE_FAILURE = 4;
const MAX_EXCEPTION = 0xff;

const exception = (code: number): DenyAction => ({ kind: "exception", code });

/**
 * A departure from MODBUS AP V1.1b3 §7, which means by 01 that the server does not know the function and by 02 and 03 that it does not have
 * the address or the value: here they say what the rules do not allow. A client handles them in the same way, as it must.
 */
export const DEFAULT_DENY_ACTIONS: DenyActions = {
  function: exception(ILLEGAL_FUNCTION),
  phase: exception(ILLEGAL_FUNCTION),
  role: exception(ILLEGAL_FUNCTION),
  order: exception(ILLEGAL_FUNCTION),
  address: exception(ILLEGAL_DATA_ADDRESS),
  value: exception(ILLEGAL_DATA_VALUE),
  internal: exception(SERVER_DEVICE_FAILURE),
};

/** Every reason has a class: a new one cannot be forgotten here. */
const CLASS_OF: Readonly<Record<ReasonCode, DenyClass>> = {
  SOURCE_UNKNOWN: "role",
  LINK_UNKNOWN: "role",
  SOURCE_FORBIDS: "role",
  ROLE_MISSING: "role",
  ROLE_NOT_ALLOWED: "role",
  PHASE_UNKNOWN: "phase",
  PHASE_FORBIDS: "phase",
  STEP_FORBIDS: "phase",
  CONTAINED: "phase",
  RATE_LIMITED: "phase",
  WINDOW_FORBIDS: "phase",
  NO_RULE: "function",
  FUNCTION_FORBIDDEN: "function",
  FUNCTION_NOT_ALLOWED: "function",
  SECURITY_POLICY: "function",
  TAG_UNKNOWN: "address",
  TAG_PARTIAL: "address",
  FILE_NOT_ALLOWED: "address",
  OBJECT_NOT_ALLOWED: "address",
  QUANTITY_ABOVE: "value",
  TYPE_MISMATCH: "value",
  VALUE_BELOW: "value",
  VALUE_ABOVE: "value",
  VALUE_NOT_LISTED: "value",
  STEP_TOO_LARGE: "value",
  STEP_REFERENCE_UNKNOWN: "value",
  MASK_REFERENCE_UNKNOWN: "value",
  RAMP_TOO_FAST: "value",
  STALE: "value",
  LENGTH_FORBIDDEN: "value",
  TOO_OFTEN: "order",
  TOO_EARLY: "order",
  CAUSE_MISSING: "order",
  CAUSE_UNKNOWN: "order",
  CAUSE_AGAINST: "order",
  CAUSE_AGAINST_UNKNOWN: "order",
  ORDER_MISSING: "order",
  ORDER_USED: "order",
  TOO_CLOSE: "order",
  MALFORMED: "internal",
  UNSOLICITED: "internal",
  OVERLOADED: "internal",
  CONNECTION_LIMIT: "internal",
  INTERNAL: "internal",
};

export function denyClassOf(reason: ReasonCode): DenyClass {
  return CLASS_OF[reason];
}

export function actionFor(actions: DenyActions, reason: ReasonCode): DenyAction {
  return actions[CLASS_OF[reason]];
}

/**
 * Reads the option `--deny`: `value=close,address=exception:4,order=drop`. What it does not name keeps its default.
 *
 * @throws Error in one sentence
 */
export function readDenyActions(text: string): DenyActions {
  const named = new Map<DenyClass, DenyAction>();
  for (const part of text.split(",")) {
    const [left = "", right = "", ...rest] = part.split("=");
    const name = DENY_CLASSES.find((known) => known === left.trim());
    if (name === undefined) throw new Error(`\`${left.trim()}\` is none of ${DENY_CLASSES.join(", ")}`);
    if (named.has(name)) throw new Error(`\`${name}\` is given twice`);
    const action = rest.length === 0 ? readAction(right.trim()) : undefined;
    if (action === undefined) {
      throw new Error(
        `\`${part.trim()}\` does not end in \`close\`, \`drop\` or \`exception:CODE\` with a code of 1 to 255`,
      );
    }
    named.set(name, action);
  }
  return { ...DEFAULT_DENY_ACTIONS, ...Object.fromEntries(named) };
}

function readAction(text: string): DenyAction | undefined {
  if (text === "close" || text === "drop") return { kind: text };
  const code = Number(/^exception:(\d{1,3})$/.exec(text)?.[1] ?? 0);
  return code >= 1 && code <= MAX_EXCEPTION ? exception(code) : undefined;
}

/** What a client is told where an answer was waited for and none came that is one: 0B and 04 of MODBUS AP V1.1b3 §7. Never an invented value. */
export const NO_ANSWER: ExceptionName = "gateway-target-failed-to-respond";
export const BAD_ANSWER: ExceptionName = "server-device-failure";
