import { conditionInWords } from "../conditions.ts";
import type { Failure } from "./judge-rule.ts";
import type { Observation } from "./observation.ts";
import { REASONS } from "./reasons.ts";
import type { CompiledRule, Place, Tables } from "./tables.ts";

const MAX_PLACES_NAMED = 3;

/** The reason of a deny in words, with the values at hand. */
export function failureInWords(
  tables: Tables,
  observation: Observation,
  failure: Failure,
  places: readonly Place[],
): string {
  const { reason, rule, bound } = failure;
  const item = observation.items[failure.item];
  const unit = unitOf(tables, observation, failure);
  const name = item?.tag ?? item?.address ?? observation.message;
  const value = `${name} ${item?.value === undefined ? "?" : number(item.value)}${unit}`;
  const by = rule === undefined ? "" : ` (${rule.rule.id})`;
  switch (reason) {
    case "SOURCE_UNKNOWN":
      return `${observation.sourceAddress}: ${REASONS[reason]}`;
    case "LINK_UNKNOWN":
      return `${observation.source} to ${observation.target}: ${REASONS[reason]}`;
    case "TAG_UNKNOWN":
      return `${item?.address ?? observation.message} of ${observation.target}: ${REASONS[reason]}`;
    case "VALUE_BELOW":
      return `${value} is below ${number(bound)}${unit}${by}`;
    case "VALUE_ABOVE":
      return `${value} is above ${number(bound)}${unit}${by}`;
    case "VALUE_NOT_LISTED":
      return `${value} is not one of ${(rule?.rule.value?.oneOf ?? []).map(number).join(", ")}${by}`;
    case "TYPE_MISMATCH":
      return `${name}: ${REASONS[reason]}${by}`;
    case "STEP_TOO_LARGE":
      return `${value} is more than ${number(rule?.rule.value?.maxStep)}${unit} away from ${number(bound)}${unit}${by}`;
    case "STEP_REFERENCE_UNKNOWN":
      return `${value}: ${REASONS[reason]}${by}`;
    case "TOO_OFTEN":
      return `${name}: ${rateInWords(rule)} at most${by}`;
    case "CAUSE_MISSING":
    case "CAUSE_UNKNOWN":
      return `${name} needs ${causeInWords(rule)}: ${REASONS[reason]}${by}`;
    case "STEP_FORBIDS":
    case "PHASE_FORBIDS":
    case "SOURCE_FORBIDS":
      return `${attempt(observation, item?.tag)}: ${REASONS[reason]} (${placesInWords(places)})`;
    case "NO_RULE":
      return `${attempt(observation, item?.tag)}: ${REASONS[reason]}`;
    default:
      return REASONS[reason];
  }
}

/** `hmi-1 may not write DOS201.SP of plc-1`. */
function attempt(observation: Observation, tag: string | undefined): string {
  const what = tag === undefined ? "to" : `${tag} of`;
  return `${observation.source ?? "nobody"} may not ${observation.operation} ${what} ${observation.target}`;
}

function placesInWords(places: readonly Place[]): string {
  const words = places.map(({ phase, step, rule }) => {
    if (phase === undefined) return rule.rule.id;
    return step === undefined ? `${rule.rule.id} in ${phase}` : `${rule.rule.id} in ${phase}/${step}`;
  });
  const named = words.slice(0, MAX_PLACES_NAMED).join(", ");
  return words.length > MAX_PLACES_NAMED ? `${named} and ${words.length - MAX_PLACES_NAMED} more` : named;
}

function rateInWords(rule: CompiledRule | undefined): string {
  const { most = 0, perMs = 0 } = rule?.rule.cadence ?? {};
  return `${most} in ${perMs / 1000} s`;
}

function causeInWords(rule: CompiledRule | undefined): string {
  return rule?.cause === undefined ? "nothing" : conditionInWords(rule.cause.condition);
}

function unitOf(tables: Tables, observation: Observation, failure: Failure): string {
  const tag = observation.items[failure.item]?.tag;
  const unit = tag === undefined ? undefined : tables.tags.get(tag)?.tag.unit;
  return unit === undefined || unit === "" ? "" : ` ${unit}`;
}

/** Six digits: enough for any of the scales, and free of binary noise. */
function number(value: number | undefined): string {
  return value === undefined ? "?" : String(Number(value.toPrecision(6)));
}
