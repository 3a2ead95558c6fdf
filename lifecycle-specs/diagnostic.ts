import { CHECK_CODES } from "./check/codes.ts";

/**
 * Everything that can be wrong with a plant folder, with the sentence for the documents. The message of one diagnostic says what
 * is wrong in the case at hand, and what to do. Codes are a contract: they appear in `--json` output.
 */
export const DIAGNOSTICS = {
  PLANT_NOT_FOUND: "no plant has this name and no folder is there",
  FILE_UNREADABLE: "the file cannot be read, or is not UTF-8",
  FILE_TOO_LARGE: "the file is larger than 32 MiB, or holds too many pieces",
  FILE_TWICE: "a plant folder has the same file in two notations",
  MODULE_FAILED: "the TypeScript file cannot be run",
  VALUE_NOT_DATA: "what the TypeScript file exports is not plain data",
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
  ZONE_MISSING: "a zone of the plant has no part in the lifecycle",
  ZONE_MIXED: "a phase of another zone, or a second one of the same, stands where it cannot",
  DEVICE_UNKNOWN: "the plant has no such device",
  SUBJECT_UNKNOWN: "the plant has no such device and no such link",
  TAG_UNKNOWN: "the plant has no such tag",
  RAW_UNKNOWN: "the plant has no such raw function",
  PHASE_UNKNOWN: "the lifecycle has no such phase",
  STEP_UNKNOWN: "the phase has no such step",
  RULE_UNKNOWN: "the lifecycle has no such rule",
  STATE_UNKNOWN: "the tag has no such state",
  MASK_UNKNOWN: "no mask generates the containment",
  TEMPLATE_SHAPE: "a phase and a group have the same name in the file and in its template",
  PLANT_MISMATCH: "the lifecycle is written for another plant",
  ADDRESS_INVALID: "the text is neither an IPv4 or IPv6 address nor one with a range of source ports",
  ADDRESS_TAKEN: "two devices have the same address",
  BINDING_TYPE: "the type does not fit the Modbus table",
  BINDING_TAKEN: "two tags lie on the same coil, input or register, or on the same node",
  METHOD_BINDING: "methods and their arguments are bound otherwise than variables",
  RAW_TAKEN: "the function code or service is declared already, or is one that is looked into",
  RANGE_CROSSED: "a lower bound lies above its upper bound",
  VALUE_OUTSIDE_RANGE: "a value lies outside the range of its tag",
  VALUE_MISPLACED: "only what is written, called, put out or reported has a value",
  STATE_NEEDED: "the tag stands for states, which are named and not compared as numbers",
  TAGS_MISPLACED: "the operation is about tags, devices or raw functions, and the rule names others",
  TAG_UNBOUND: "the tag cannot be reached over the network",
  TAG_READ_ONLY: "the tag cannot be written over the network",
  METHOD_TAG: "the rule is about calling and the tag is no method, or the other way round",
  OUTPUT_SOURCE: "outputs belong to the control program, and only to it",
  OUTPUT_TAG: "the rule is about outputs and the tag is none, or the other way round",
  REPORT_SOURCE: "a server reports its own tags, and only them",
  FORM_MISPLACED: "functions, quantity, files, objects or roles stand where they have no meaning",
  FUNCTION_UNFIT: "the function code does not do what the rule allows",
  CAUSALITY_MISPLACED: "the layer that judges the rule cannot see what it depends on",
  TRANSITION_EVENT: "a transition needs one event: a request, a condition or a time",
  ...CHECK_CODES,
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof DIAGNOSTICS;

export interface Location {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Of a TypeScript file: the place in the value that it exports, `devices.hmi-1.role`; line and column are then 1. */
  readonly path?: string;
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

/** `lifecycle.yaml:12:7`, as editors and terminals make it a link; of a TypeScript file `plant.ts: devices.hmi-1.role`. */
export function formatLocation({ file, line, column, path }: Location): string {
  if (path === undefined) return `${file}:${line}:${column}`;
  return path === "" ? file : `${file}: ${path}`;
}

/** `lifecycle.yaml:12:7: unknown phase … [PHASE_UNKNOWN]`. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  return `${formatLocation(diagnostic)}: ${diagnostic.message} [${diagnostic.code}]`;
}
