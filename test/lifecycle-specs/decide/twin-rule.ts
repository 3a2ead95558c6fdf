import type { Layer, Observation, ObservedItem } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { CadenceRule, CausalityRule, Condition, Operation, Rule } from "#specs/lifecycle.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import type { TwinLog } from "./twin-log.ts";

/** Plant ms between two state-changing messages of one rule under `rate-limit`. */
const RATE_LIMIT_MS = 10_000;
/** A billionth of a tag's range is rounding. */
const ROUNDING = 1e-9;

/** One question about one rule that is for this source, operation and tag. */
export interface Question {
  readonly rule: Rule;
  /** undefined: about the message as a whole. */
  readonly tag: Tag | undefined;
  readonly item: ObservedItem | undefined;
  readonly observation: Observation;
  /** The mask in force limits this rule's rate. */
  readonly limited: boolean;
  readonly layer: Layer;
  readonly nowMs: number;
}

/** What the rule lacks to allow it, in the order role, form, value, change, cadence, causality; undefined: it allows. */
export function lacking(question: Question, plant: Plant, log: TwinLog): ReasonCode | undefined {
  const value = messageLacks(question) ?? valueLacks(question, plant, log);
  if (value !== undefined || question.rule.safety) return value;
  return cadenceLacks(question, log) ?? causeLacks(question, log);
}

/** A safety command beyond its declared rate is allowed all the same, and reported. */
export function exceedsRate(question: Question, log: TwinLog): boolean {
  return question.rule.safety && rateLacks(question.rule.cadence, question, log) !== undefined;
}

/** Roles are known at the switch alone, and the PLC sees no messages. What a message does not say of itself does not fit. */
function messageLacks({ rule: { roles, form }, observation, layer }: Question): ReasonCode | undefined {
  const { role, functionCode, subFunction, quantity, files, objects } = observation;
  if (layer === "switch" && roles !== undefined) {
    if (role === undefined) return "ROLE_MISSING";
    if (!new Set(roles).has(role)) return "ROLE_NOT_ALLOWED";
  }
  if (layer === "plc" || form === undefined) return undefined;
  const named = form.functions?.filter(
    ({ code, sub }) => code === functionCode && [undefined, subFunction].includes(sub),
  );
  if (named?.length === 0) return "FUNCTION_NOT_ALLOWED";
  if (form.quantity !== undefined && (quantity === undefined || quantity > form.quantity)) return "QUANTITY_ABOVE";
  const numbers = ([from, to]: readonly [number, number]) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
  if (form.files !== undefined) {
    const inOneRange = files?.every(({ file, record, count }) =>
      form.files?.some(
        (range) =>
          numbers(range.files).includes(file) &&
          numbers([record, record + count - 1]).every((one) => numbers(range.records).includes(one)),
      ),
    );
    if (inOneRange !== true) return "FILE_NOT_ALLOWED";
  }
  if (form.objects !== undefined) {
    const allowed = new Set(form.objects.flatMap(numbers));
    if (objects === undefined || !numbers(objects).every((id) => allowed.has(id))) return "OBJECT_NOT_ALLOWED";
  }
  return undefined;
}

function valueLacks(question: Question, plant: Plant, log: TwinLog): ReasonCode | undefined {
  const { rule, tag, item, observation } = question;
  if (rule.operation === "raw") {
    const [least, most] = plant.raw.find(({ id }) => id === observation.raw)?.length ?? [0, -1];
    const bytes = observation.bytes ?? Number.NaN;
    return bytes >= least && bytes <= most ? undefined : "LENGTH_FORBIDDEN";
  }
  if (tag === undefined || item === undefined || !carriesValue(rule.operation, tag)) return undefined;
  const { value } = item;
  if (value === undefined || !Number.isFinite(value)) return "TYPE_MISMATCH";
  const near = ROUNDING * (tag.range[1] - tag.range[0]);
  const { min = tag.range[0], max = tag.range[1], oneOf } = rule.value ?? {};
  if (value < tag.range[0] - near || value < min - near) return "VALUE_BELOW";
  if (value > tag.range[1] + near || value > max + near) return "VALUE_ABOVE";
  if (oneOf?.every((one) => Math.abs(one - value) > near)) return "VALUE_NOT_LISTED";
  return changeLacks(question, value, tag, near, log);
}

/** A method is called without a value of its own; what it is called with has one. */
function carriesValue(operation: Operation, { kind }: Tag): boolean {
  if (operation === "call") return kind !== "method";
  return operation === "write" || operation === "output" || operation === "report";
}

function changeLacks(
  { rule, nowMs }: Question,
  value: number,
  { id }: Tag,
  near: number,
  log: TwinLog,
): ReasonCode | undefined {
  const { maxStep, rampPerS, staleMs } = rule.value ?? {};
  const last = log.lastOf(id);
  const change = Math.abs(value - (last?.value ?? Number.NaN));
  if (maxStep !== undefined) {
    if (last === undefined) return "STEP_REFERENCE_UNKNOWN";
    if (change > maxStep + near) return "STEP_TOO_LARGE";
  }
  if (rampPerS !== undefined) {
    if (last === undefined) return "STEP_REFERENCE_UNKNOWN";
    // One second at most for the pause, and what is left of the slack.
    const pauseMs = Math.min(1000 + log.slackFor(rule), Math.max(0, nowMs - last.sinceMs));
    const leftMs = Math.max(0, log.slackFor(rule) - log.slackSpentOn(id));
    if (change > (rampPerS * (pauseMs + leftMs)) / 1000 + near) return "RAMP_TOO_FAST";
  }
  if (staleMs !== undefined && last?.value === value && nowMs - last.sinceMs > staleMs + log.slackFor(rule))
    return "STALE";
  return undefined;
}

function cadenceLacks(question: Question, log: TwinLog): ReasonCode | undefined {
  const { rule, limited, nowMs } = question;
  const declared = rateLacks(rule.cadence, question, log) ?? periodLacks(rule.cadence, question, log);
  if (declared !== undefined || !limited) return declared;
  const window = Math.max(0, RATE_LIMIT_MS - log.slackFor(rule));
  return log.forwardedOf(rule.id).some((atMs) => nowMs - atMs < window) ? "RATE_LIMITED" : undefined;
}

function rateLacks(cadence: CadenceRule | undefined, { rule, nowMs }: Question, log: TwinLog): ReasonCode | undefined {
  if (cadence?.rate === undefined) return undefined;
  const window = Math.max(0, cadence.rate.perMs - log.slackFor(rule));
  const recent = log.forwardedOf(rule.id).filter((atMs) => nowMs - atMs < window);
  return recent.length >= cadence.rate.most ? "TOO_OFTEN" : undefined;
}

function periodLacks(
  cadence: CadenceRule | undefined,
  { rule, nowMs }: Question,
  log: TwinLog,
): ReasonCode | undefined {
  if (cadence?.period === undefined) return undefined;
  const earliest = cadence.period.everyMs - cadence.period.jitterMs - log.slackFor(rule);
  const last = log.forwardedOf(rule.id).at(-1);
  return last !== undefined && nowMs - last < earliest ? "TOO_EARLY" : undefined;
}

/** The PLC sees changes and not messages: the order of messages is not its to judge. */
function causeLacks(question: Question, log: TwinLog): ReasonCode | undefined {
  const { causality } = question.rule;
  if (causality === undefined) return undefined;
  const condition = conditionsLack(causality, question, log);
  return condition ?? (question.layer === "plc" ? undefined : orderLacks(causality, question, log));
}

function conditionsLack(
  { after, notWhile }: CausalityRule,
  { rule, nowMs }: Question,
  log: TwinLog,
): ReasonCode | undefined {
  const slackMs = log.slackFor(rule);
  if (after !== undefined) {
    const truth = log.truth(judgedFor(after, Math.max(0, after.forMs - slackMs), 2 * slackMs), nowMs);
    if (truth === "unknown" && rule.operation !== "report") return "CAUSE_UNKNOWN";
    if (truth === "fails") return "CAUSE_MISSING";
  }
  if (notWhile !== undefined) {
    // What is forbidden at once is so at each layer; only what is forbidden after a time waits longer below.
    const forMs = notWhile.forMs === 0 ? 0 : notWhile.forMs + 2 * slackMs;
    const truth = log.truth(judgedFor(notWhile, forMs, 2 * slackMs), nowMs, "goes on");
    if (truth === "unknown" && rule.operation !== "report") return "CAUSE_AGAINST_UNKNOWN";
    if (truth === "holds") return "CAUSE_AGAINST";
  }
  return undefined;
}

/** The condition as this layer judges it: held for another time, and by readings that may be older by so much. */
function judgedFor({ all, freshMs }: Condition, forMs: number, olderMs: number): Condition {
  return { all, forMs, ...(freshMs === undefined ? {} : { freshMs: freshMs + olderMs }) };
}

function orderLacks(
  { follows, apart }: CausalityRule,
  { rule, nowMs }: Question,
  log: TwinLog,
): ReasonCode | undefined {
  if (follows !== undefined) {
    // An answer is seen earlier further down, the message after it later.
    const within = follows.withinMs + 2 * log.slackFor(rule);
    const answers = log.answeredOf(follows.rule).filter((atMs) => nowMs - atMs <= within);
    if (answers.length === 0) return "ORDER_MISSING";
    if (follows.once && log.unused(follows.rule, rule.id, within, nowMs) === 0) return "ORDER_USED";
  }
  if (apart !== undefined) {
    const window = apart.withinMs - log.slackFor(rule);
    const close = apart.rules.some((other) => log.forwardedOf(other).some((atMs) => nowMs - atMs < window));
    if (close) return "TOO_CLOSE";
  }
  return undefined;
}
