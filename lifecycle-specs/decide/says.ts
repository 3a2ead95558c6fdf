import { conditionInWords } from "../conditions.ts";
import { type FileRange, filesInWords, functionInWords, spanInWords } from "../form.ts";
import type { Condition } from "../lifecycle.ts";
import { RATE_LIMIT_MS } from "../mask.ts";
import { listInWords } from "../words.ts";
import type { CompiledRule } from "./compile-rules.ts";
import type { History } from "./history.ts";
import { fileBeyond } from "./judge-form.ts";
import type { Observation } from "./observation.ts";
import type { RulePlace } from "./places.ts";
import { REASONS, type ReasonCode } from "./reasons.ts";
import type { Tables } from "./tables.ts";

const MAX_PLACES_NAMED = 3;

/** What is known of a deny when its sentence is made. */
export interface Failure {
  readonly reason: ReasonCode;
  /** The rule that came closest, where one matched who and what. */
  readonly rule: CompiledRule | undefined;
  /** Index of the item, -1: the whole message. */
  readonly item: number;
  /** Where rules stand that would allow it. */
  readonly places: readonly RulePlace[];
}

/** The reason of a deny in words, with the values at hand. */
export function failureInWords(tables: Tables, observation: Observation, history: History, failure: Failure): string {
  const { reason, rule, places } = failure;
  const item = observation.items[failure.item];
  const tag = item?.tag === undefined ? undefined : tables.tags.get(item.tag);
  const unit = tag === undefined || tag.tag.unit === "" ? "" : ` ${tag.tag.unit}`;
  const name = item?.tag ?? item?.address ?? observation.message;
  const value = `${name} ${number(item?.value)}${unit}`;
  const { cadence, causality, value: bounds, form, roles = [] } = rule?.rule ?? {};
  const [low, high] = tag?.tag.range ?? [Number.NaN, Number.NaN];
  const by = rule === undefined ? "" : ` (${rule.rule.id})`;
  const reference = number(tag === undefined ? undefined : history.values[tag.index]) + unit;
  switch (reason) {
    case "SOURCE_UNKNOWN":
      return `${observation.sourceAddress}: ${REASONS[reason]}`;
    case "LINK_UNKNOWN":
      return `${observation.source} to ${observation.target}: ${REASONS[reason]}`;
    case "TAG_UNKNOWN":
      return `${item?.address ?? observation.message} of ${observation.target}: ${REASONS[reason]}`;
    case "TAG_PARTIAL":
      return `${item?.address ?? observation.message} of ${observation.target}: ${REASONS[reason]} (${item?.partOf})`;
    case "FUNCTION_FORBIDDEN":
      return `${observation.message} of ${observation.target}: ${REASONS[reason]}`;
    case "LENGTH_FORBIDDEN":
      return `${observation.message} has ${lengthInWords(tables, observation)}${by}`;
    case "ROLE_MISSING":
      return `${observation.source} needs the role ${listInWords(roles, "or")} and is known by none here${by}`;
    case "ROLE_NOT_ALLOWED":
      return `${observation.source} has the role ${observation.role}, and ${listInWords(roles, "or")} may do this${by}`;
    case "FUNCTION_NOT_ALLOWED":
      return `${name} may be done by function ${listInWords((form?.functions ?? []).map(functionInWords), "or")}, not by ${observation.message}${by}`;
    case "QUANTITY_ABOVE":
      return `${observation.message} is about ${observation.quantity ?? "nobody knows how many"}, and ${form?.quantity} at once are allowed${by}`;
    case "FILE_NOT_ALLOWED":
      return `${fileInWords(observation, form?.files ?? [])} is not within ${(form?.files ?? []).map(filesInWords).join(", ")}${by}`;
    case "OBJECT_NOT_ALLOWED":
      return `${observation.message} shows objects ${spanInWords(observation.objects ?? [0, 0])}, and ${(form?.objects ?? []).map(spanInWords).join(", ")} may be read${by}`;
    case "VALUE_BELOW":
      return `${value} is below ${number(Math.max(bounds?.min ?? low, low))}${unit}${by}`;
    case "VALUE_ABOVE":
      return `${value} is above ${number(Math.min(bounds?.max ?? high, high))}${unit}${by}`;
    case "VALUE_NOT_LISTED":
      return `${value} is not one of ${(bounds?.oneOf ?? []).map(number).join(", ")}${by}`;
    case "TYPE_MISMATCH":
      return `${name}: ${REASONS[reason]}${by}`;
    case "STEP_TOO_LARGE":
      return `${value} is more than ${number(bounds?.maxStep)}${unit} away from ${reference}${by}`;
    case "STEP_REFERENCE_UNKNOWN":
      return `${value}: ${REASONS[reason]}${by}`;
    case "RAMP_TOO_FAST":
      return `${value} is farther from ${reference} than ${number(bounds?.rampPerS)}${unit} per second allow${by}`;
    case "STALE":
      return `${value} has not changed for ${seconds(bounds?.staleMs)}${by}`;
    case "TOO_OFTEN":
      return `${name}: ${cadence?.rate?.most} in ${seconds(cadence?.rate?.perMs)} at most${by}`;
    case "TOO_EARLY":
      return `${name}: one each ${seconds(cadence?.period?.everyMs)}, at most ${seconds(cadence?.period?.jitterMs)} early${by}`;
    case "RATE_LIMITED":
      return `${name}: ${REASONS[reason]}, once in ${seconds(RATE_LIMIT_MS)}${by}`;
    case "CAUSE_MISSING":
    case "CAUSE_UNKNOWN":
      return `${name} needs ${inWords(causality?.after)}: ${REASONS[reason]}${by}`;
    case "CAUSE_AGAINST":
    case "CAUSE_AGAINST_UNKNOWN":
      return `${name} must not be while ${inWords(causality?.notWhile)}: ${REASONS[reason]}${by}`;
    case "ORDER_MISSING":
    case "ORDER_USED":
      return `${name} needs ${causality?.follows?.rule} within ${seconds(causality?.follows?.withinMs)} before: ${REASONS[reason]}${by}`;
    case "TOO_CLOSE":
      return `${name} needs ${seconds(causality?.apart?.withinMs)} after ${causality?.apart?.rules.join(", ")}: ${REASONS[reason]}${by}`;
    case "STEP_FORBIDS":
    case "PHASE_FORBIDS":
    case "SOURCE_FORBIDS":
    case "CONTAINED":
      return `${attempt(observation, item?.tag)}: ${REASONS[reason]} (${placesInWords(places)})`;
    case "NO_RULE":
      return `${attempt(observation, item?.tag)}: ${REASONS[reason]}`;
    default:
      return REASONS[reason];
  }
}

/** `hmi-1 may not write DOS201.SP of plc-1`; of a report `plc-1 may not report LIT101 to hmi-1`. */
function attempt({ operation, source, target, message, raw }: Observation, tag: string | undefined): string {
  const who = source ?? "nobody";
  if (operation === "report") return `${who} may not report ${tag ?? "anything"} to ${target}`;
  if (operation === "raw") return `${who} may not send ${raw ?? message} to ${target}`;
  const what = tag === undefined ? "to" : `${tag} of`;
  return `${who} may not ${operation} ${what} ${target}`;
}

function placesInWords(places: readonly RulePlace[]): string {
  const words = places.slice(0, MAX_PLACES_NAMED).map(({ phase, step, rule }) => {
    if (phase === undefined) return rule.rule.id;
    return step === undefined ? `${rule.rule.id} in ${phase}` : `${rule.rule.id} in ${phase}/${step}`;
  });
  const more = places.length - words.length;
  return more > 0 ? `${words.join(", ")} and ${more} more` : words.join(", ");
}

function lengthInWords({ raws }: Tables, { raw: id, bytes }: Observation): string {
  const raw = id === undefined ? undefined : raws.get(id);
  const [least, most] = raw?.length ?? [0, 0];
  const allowed = least === most ? `${least}` : `${least} to ${most}`;
  return `${bytes ?? "an unknown number of"} bytes, and ${allowed} are declared`;
}

/** The first records that the rule does not name. */
function fileInWords({ files = [], message }: Observation, ranges: readonly FileRange[]): string {
  const group = files[fileBeyond(ranges, { files }) ?? 0];
  if (group === undefined) return message;
  const { file, record, count } = group;
  return `file ${file} ${count === 1 ? "record" : "records"} ${spanInWords([record, record + count - 1])}`;
}

function inWords(condition: Condition | undefined): string {
  return condition === undefined ? "nothing" : conditionInWords(condition);
}

function seconds(ms: number | undefined): string {
  return `${number(ms === undefined ? undefined : ms / 1000)} s`;
}

/** Six digits: enough for any of the scales, and free of binary noise. */
function number(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "?" : String(Number(value.toPrecision(6)));
}
