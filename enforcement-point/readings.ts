import type { Layer, Observation, Verdict } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import { hasReports, type Tables } from "#specs/decide/tables.ts";
import type { DeviceId, LinkId, TagId } from "#specs/ids.ts";
import type { Locus } from "#specs/lifecycle.ts";
import type { Party } from "./observe/party.ts";
import type { OwnNotice } from "./point-messages.ts";
import type { Judged } from "./receipt.ts";

/** A tag's value in an answer. */
export interface Reading {
  readonly tag: TagId;
  readonly value: number;
}

export interface JudgesReadings {
  readonly tables: Tables;
  judge(observation: Observation, atMs: number): Judged;
  forwarded(judged: Judged, atMs: number): void;
  notice(notice: OwnNotice): void;
}

/** Where an implausible reading may have come to be, by who saw it first. */
const SUSPECT_BEFORE_SWITCH: readonly Locus[] = ["field", "plc-logic", "path-switch-plc"];
const SUSPECT_BEFORE_HMI: readonly Locus[] = [...SUSPECT_BEFORE_SWITCH, "switch", "path-hmi-switch"];

/**
 * Judges what a server tells a client, where a rule is about that. What fails is noticed, and withheld only by a rule in enforce mode.
 *
 * @returns false: the answer must not reach the client
 */
export function mayTell(
  point: JudgesReadings,
  { source, target, link }: Party,
  readings: readonly Reading[],
  atMs: number,
): boolean {
  if (source === undefined || source === "program") return true;
  let mayPass = true;
  for (const { tag, value } of readings) {
    if (!hasReports(point.tables, target, source, tag)) continue;
    const judged = point.judge(reportOf(source, target, link, { tag, value }), atMs);
    if (judged.verdict.verdict === "allow") {
      point.forwarded(judged, atMs);
      continue;
    }
    if (NOT_RULED_NOW.has(judged.verdict.reason)) continue;
    point.notice(suspicion(judged, judged.action === "blocked", point.tables.layer));
    if (judged.action === "blocked") mayPass = false;
  }
  return mayPass;
}

/** Rules are about this reading, but none of them is in force at present: nothing says that it is not plausible. */
export const NOT_RULED_NOW: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ...([
    "NO_RULE",
    "PHASE_UNKNOWN",
    "PHASE_FORBIDS",
    "STEP_FORBIDS",
    "WINDOW_FORBIDS",
    "CONTAINED",
    "RATE_LIMITED",
  ] as const),
]);

/** What follows from time and from other readings alone. Whatever else a rule says was judged when the reading was told. */
const BY_NOW: ReadonlySet<ReasonCode> = new Set<ReasonCode>(["STALE", "CAUSE_AGAINST"]);

/** A reading that was told before, and is shown since: is it suspect by now that nothing else was told? */
export function stillShows(
  tables: Tables,
  { source, target, link }: Party,
  reading: Reading,
  verdictOn: (told: Observation) => Verdict,
): OwnNotice | undefined {
  if (source === undefined || source === "program" || !hasReports(tables, target, source, reading.tag))
    return undefined;
  const observation = reportOf(source, target, link, reading);
  const verdict = verdictOn(observation);
  if (verdict.verdict === "allow" || !BY_NOW.has(verdict.reason)) return undefined;
  return suspicion({ observation, verdict }, false, tables.layer);
}

function reportOf(
  source: DeviceId,
  target: DeviceId,
  link: LinkId | undefined,
  { tag, value }: Reading,
): Observation & { readonly operation: "report" } {
  const told = { source: target, sourceAddress: "", target: source, link, message: "report" };
  return { ...told, operation: "report", items: [{ tag, address: tag, value }] };
}

function suspicion(
  { observation, verdict }: Pick<Judged, "observation" | "verdict">,
  isWithheld: boolean,
  layer: Layer,
): OwnNotice {
  return {
    code: isWithheld ? "READING_WITHHELD" : "READING_SUSPECT",
    severity: "detection",
    locus: layer === "hmi" ? SUSPECT_BEFORE_HMI : SUSPECT_BEFORE_SWITCH,
    source: observation.source ?? "",
    target: observation.target,
    says: verdict.verdict === "deny" ? verdict.says : "",
  };
}
