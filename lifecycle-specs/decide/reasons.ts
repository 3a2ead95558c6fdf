/**
 * Every reason for a deny, with its sentence for people. One table for decision core, layers, page and documents.
 * Codes are a contract: they appear in logs and `--json` output.
 */
export const REASONS = {
  SOURCE_UNKNOWN: "no declared device has this source address",
  LINK_UNKNOWN: "no link is declared from this device to this server over this protocol",
  PHASE_UNKNOWN: "this point holds no phase yet",
  TAG_UNKNOWN: "no tag is bound to this address",
  TAG_PARTIAL: "the message touches only a part of a tag",
  TYPE_MISMATCH: "the value is not of the tag's type",
  NO_RULE: "no phase allows this",
  PHASE_FORBIDS: "another phase allows this, the present one does not",
  STEP_FORBIDS: "another step of this phase allows this, the present one does not",
  SOURCE_FORBIDS: "another device may do this, this one may not",
  VALUE_BELOW: "the value is below the rule's lower bound",
  VALUE_ABOVE: "the value is above the rule's upper bound",
  VALUE_NOT_LISTED: "the value is not one of those the rule lists",
  STEP_TOO_LARGE: "the change is larger than the rule's largest step",
  STEP_REFERENCE_UNKNOWN: "the present value is not known here, so the step cannot be judged",
  TOO_OFTEN: "more messages than the rule's rate allows",
  CAUSE_MISSING: "what must come before has not happened, or not for long enough",
  CAUSE_UNKNOWN: "what must come before was not seen here",
  WINDOW_FORBIDS: "a phase change is under way, and the old and the new phase do not both allow this",
  FUNCTION_FORBIDDEN: "the function code or service is not one that a rule can allow",
  SECURITY_POLICY: "this layer cannot look into this security policy, so the channel is refused",
  MALFORMED: "the message is not what its protocol prescribes",
  UNSOLICITED: "a response that no request asked for",
  OVERLOADED: "too many messages are waiting",
  CONNECTION_LIMIT: "too many connections from this source",
  INTERNAL: "the decision itself failed",
} as const satisfies Record<string, string>;

export type ReasonCode = keyof typeof REASONS;
