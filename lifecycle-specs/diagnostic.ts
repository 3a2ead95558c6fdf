/**
 * Everything that can be wrong with a plant folder, with the sentence for the documents. The message of one diagnostic says what
 * is wrong in the case at hand, and what to do. Codes are a contract: they appear in `--json` output.
 */
export const DIAGNOSTICS = {
  PLANT_NOT_FOUND: "no plant has this name and no folder is there",
  FILE_UNREADABLE: "the file cannot be read",
  FILE_TOO_LARGE: "the file is larger than 4 MiB",
  YAML_SYNTAX: "the file is not YAML 1.2",
  YAML_TOO_DEEP: "maps and lists are nested too deeply",
  YAML_ALIASES: "aliases are unknown, circular or too many",
  KEY_UNKNOWN: "the key has no meaning here",
  KEY_MISSING: "a key that must be there is not",
  TYPE_WRONG: "a map, list, text, number or truth value stands where another is expected",
  LIST_EMPTY: "a list that needs an entry has none",
  WORD_UNKNOWN: "the word is not one of those that are allowed here",
  NAME_INVALID: "the text is not a name",
  NUMBER_INVALID: "the number is outside what is allowed here",
  DURATION_INVALID: "the text is not a duration such as `500ms`, `3s`, `2m` or `1h`",
  DUPLICATE_ID: "two things of one kind have the same name",
  ZONE_UNKNOWN: "the plant has no such zone",
  DEVICE_UNKNOWN: "the plant has no such device",
  TAG_UNKNOWN: "the plant has no such tag",
  PHASE_UNKNOWN: "the lifecycle has no such phase",
  STEP_UNKNOWN: "the phase has no such step",
  RULE_UNKNOWN: "the lifecycle has no such rule",
  PLANT_MISMATCH: "the lifecycle is written for another plant",
  ADDRESS_INVALID: "the text is neither an IPv4 address nor one with a range of source ports",
  ADDRESS_TAKEN: "two devices have the same address",
  BINDING_TYPE: "the type does not fit the Modbus table",
  BINDING_TAKEN: "two tags lie on the same coil, input or register, or on the same node",
  RANGE_CROSSED: "a lower bound lies above its upper bound",
  VALUE_OUTSIDE_RANGE: "a value lies outside the range of its tag",
  VALUE_MISPLACED: "only what is written, called or put out has a value",
  TAGS_MISPLACED: "the operation is about tags and the rule names none, or the other way round",
  TAG_UNBOUND: "the tag cannot be reached over the network",
  TAG_READ_ONLY: "the tag cannot be written over the network",
  OUTPUT_SOURCE: "outputs belong to the control program, and only to it",
  OUTPUT_TAG: "the rule is about outputs and the tag is none, or the other way round",
  TRANSITION_EVENT: "a transition needs one event: a request, a condition or a time",
  PHASE_UNREACHABLE: "no transition and no containment leads to the phase",
  PHASE_STUCK: "no transition leads out of the phase",
  STEP_UNREACHABLE: "no step leads to the step",
  STEP_STUCK: "nothing leads out of the step, and it has no `max`",
  TRANSITION_AMBIGUOUS: "two transitions of one phase answer the same request",
  CONTAINMENT_TARGET: "a containment leads to a phase that is not marked `containment: true`",
  CONTAINMENT_GAP: "a phase has containments for some loci and none for others",
  CONTAINMENT_SHADOWED: "earlier entries always fit first",
  ISOLATED_NOT_CONTAINMENT: "the isolated phase is not marked `containment: true`",
  SAFETY_NOT_EVERYWHERE: "a safety command is declared in some phases only",
  CONDITION_UNOBSERVABLE: "no enforcement point can observe a tag of the condition",
  CAUSE_OTHER_DEVICE: "the PLC layer cannot see the cause, which lies in another PLC",
  RULE_WITHOUT_LINK: "no link is declared over which the rule could be used",
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof DIAGNOSTICS;

export interface Location {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

export interface Diagnostic extends Location {
  readonly code: DiagnosticCode;
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
}

/** Where a part of the plant or lifecycle is written, by a key such as `rule:estop` or `step:startup/fill`. */
export type Locate = (key: string) => Location;

/** Diagnostics kept of one run; what comes after is not. */
export const MAX_DIAGNOSTICS = 50;

/** `lifecycle.yaml:12:7: unknown phase … [PHASE_UNKNOWN]`, as editors and terminals make it a link. */
export function formatDiagnostic({ file, line, column, code, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message} [${code}]`;
}
