import {
  type FileRange,
  type FormRule,
  MAX_FILE,
  MAX_FUNCTION,
  MAX_OBJECT,
  MAX_QUANTITY,
  MAX_RECORD,
  MAX_SUB_FUNCTION,
  type ModbusFunction,
  ROLE_NAME,
} from "../form.ts";
import {
  type CadenceRule,
  type CausalityRule,
  type Comparison,
  type Condition,
  type Follows,
  OPERATIONS,
  type Rule,
  type ValueRule,
} from "../lifecycle.ts";
import { integer, list, map, number, optional, pair, pattern, truth, words } from "../shape.ts";
import { mode, ms, name, names, says } from "./parts.ts";

const comparison = map<Comparison>({
  tag: name(),
  test: words(["at-least", "at-most", "is"]),
  value: number,
  release: optional(number),
});

/** A condition on tags. */
export const condition = map<Condition>({ all: list(comparison), forMs: ms, freshMs: optional(ms) });

const value = map<ValueRule>({
  min: optional(number),
  max: optional(number),
  oneOf: optional(list(number)),
  maxStep: optional(number),
  rampPerS: optional(number),
  staleMs: optional(ms),
});

/** A point remembers so many times of a rule. */
const MAX_COUNT = 1000;
const cadence = map<CadenceRule>({
  rate: optional(map({ most: integer(1, MAX_COUNT), perMs: ms })),
  period: optional(map({ everyMs: ms, jitterMs: ms })),
});

const causality = map<CausalityRule>({
  after: optional(condition),
  notWhile: optional(condition),
  follows: optional(map<Follows>({ rule: name(), withinMs: ms, once: truth, select: optional(truth) })),
  apart: optional(map({ rules: names(), withinMs: ms })),
});

const form = map<FormRule>({
  functions: optional(
    list(map<ModbusFunction>({ code: integer(1, MAX_FUNCTION), sub: optional(integer(0, MAX_SUB_FUNCTION)) }), 1),
  ),
  quantity: optional(integer(1, MAX_QUANTITY)),
  files: optional(
    list(map<FileRange>({ files: pair(integer(1, MAX_FILE)), records: pair(integer(0, MAX_RECORD)) }), 1),
  ),
  objects: optional(list(pair(integer(0, MAX_OBJECT)), 1)),
});

/** A rule as a bundle carries it. */
export const rule = map<Rule>({
  id: name(),
  says,
  from: names(),
  roles: optional(list(pattern(ROLE_NAME, "is not the name of a role"), 1)),
  operation: words(OPERATIONS),
  targets: names(),
  tags: names(),
  raw: names(),
  form: optional(form),
  value: optional(value),
  cadence: optional(cadence),
  causality: optional(causality),
  mode,
  safety: truth,
});
