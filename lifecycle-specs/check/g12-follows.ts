import type { Rule } from "../lifecycle.ts";
import { allRules } from "../positions.ts";
import { durationInWords } from "../words.ts";
import type { Checked, RawFinding } from "./report.ts";
import { type Place, placesOfRules, type Space, spaceOf } from "./state-space.ts";

const t = durationInWords;

/** Rules that follow another in time: the lifecycle gets there soon enough, and their periods fit each other. */
export function followersKeepUp(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  const rules = new Map(allRules(spec.lifecycle).map((rule) => [rule.id, rule]));
  const places = placesOfRules(space);
  return [...rules.values()].flatMap((rule): readonly RawFinding[] => {
    const follows = rule.causality?.follows;
    const leader = follows === undefined ? undefined : rules.get(follows.rule);
    if (follows === undefined || leader === undefined || rule.safety) return [];
    const slow = tooSlow(space, places.get(leader.id) ?? [], places.get(rule.id) ?? [], follows.withinMs);
    if (slow !== undefined) {
      const message = `rule \`${rule.id}\` follows \`${leader.id}\` within ${t(follows.withinMs)}, but at least ${t(slow.ms)} pass between the two; state a longer time, or allow one of them where the other is near`;
      return [{ at: `rule:${rule.id}`, code: "FOLLOWS_TIMING", message, trace: slow.trace }];
    }
    const starved = starves(rule, leader, follows);
    return starved === undefined ? [] : [{ at: `rule:${rule.id}`, code: "FOLLOWS_TIMING", message: starved }];
  });
}

/**
 * A select lets operate what it selects, and who selected it, and nothing and nobody else. What is counted is messages of rules, so each of
 * the two rules is about one tag and for one device, the same.
 */
export function selectsAreOfOneTagAndDevice({ lifecycle }: Checked): readonly RawFinding[] {
  const rules = new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
  return [...rules.values()].flatMap((rule): readonly RawFinding[] => {
    const follows = rule.causality?.follows;
    const select = follows?.select === true ? rules.get(follows.rule) : undefined;
    if (select === undefined) return [];
    const message = manyTags(rule, select) ?? manyDevices(rule, select);
    return message === undefined ? [] : [{ at: `rule:${rule.id}`, code: "SELECT_MANY", message }];
  });
}

function manyTags(operate: Rule, select: Rule): string | undefined {
  const many = [operate, select].find(({ tags }) => tags.length !== 1);
  if (many === undefined) return undefined;
  return `rule \`${operate.id}\` operates what \`${select.id}\` selects, and \`${many.id}\` is about ${many.tags.length} tags; write a pair of rules for each tag`;
}

function manyDevices(operate: Rule, select: Rule): string | undefined {
  const devices = [...new Set([...operate.from, ...select.from])];
  if (devices.length < 2) return undefined;
  return `rule \`${operate.id}\` operates what \`${select.id}\` selects, from ${devices.join(", ")}: what one selects another could operate; write a pair of rules for each device`;
}

/** A rule with a period has its turn only after each message of the other. */
function starves(
  { id, cadence }: Rule,
  leader: Rule,
  { withinMs, once }: { readonly withinMs: number; readonly once: boolean },
): string | undefined {
  const [own, lead] = [cadence?.period, leader.cadence?.period];
  if (own === undefined || lead === undefined) return undefined;
  const latestMs = own.everyMs + own.jitterMs;
  const leadMs = lead.everyMs + lead.jitterMs;
  const gapMs = once ? leadMs : leadMs - withinMs;
  if (gapMs <= latestMs) return undefined;
  const why = once ? "once for each of its messages" : `only within ${t(withinMs)} of it`;
  return `rule \`${id}\` comes every ${t(latestMs)} at the latest, but follows \`${leader.id}\`, which comes every ${t(leadMs)} at the latest, ${why}: up to ${t(gapMs)} pass without; make its period longer, or that of \`${leader.id}\` shorter`;
}

/**
 * The least time from a place of one rule to a place of the other, where it is more than `withinMs`: what the steps in between
 * last at least. What has been waited for may have come true before, and changes of phase may take no time.
 */
function tooSlow(
  space: Space,
  from: readonly Place[],
  to: readonly Place[],
  withinMs: number,
): { readonly ms: number; readonly trace: readonly string[] } | undefined {
  const goal = new Set(to.map(({ index }) => index));
  const before = new Map<number, number>();
  const times = new Map<number, number>(from.map(({ index }) => [index, 0]));
  if ([...times.keys()].some((index) => goal.has(index))) return undefined;
  const sources = new Set(times.keys());
  const open = new Set(sources);
  for (const place of open) {
    open.delete(place);
    for (const move of space.moves[place] ?? []) {
      const ms = (times.get(place) ?? 0) + (sources.has(place) ? 0 : move.leastMs);
      if (ms >= (times.get(move.to) ?? Number.POSITIVE_INFINITY)) continue;
      times.set(move.to, ms);
      before.set(move.to, place);
      open.add(move.to);
    }
  }
  const [nearest] = [...goal]
    .filter((index) => times.has(index))
    .sort((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0));
  const ms = nearest === undefined ? 0 : (times.get(nearest) ?? 0);
  if (nearest === undefined || ms <= withinMs) return undefined;
  return { ms, trace: traceTo(space, nearest, before, times) };
}

function traceTo(
  space: Space,
  end: number,
  before: ReadonlyMap<number, number>,
  times: ReadonlyMap<number, number>,
): readonly string[] {
  const lines: string[] = [];
  for (let at: number | undefined = end; at !== undefined; at = before.get(at)) {
    const place = space.places[at];
    const step = place?.step === undefined ? "" : `, step \`${place.step.id}\``;
    lines.unshift(`\`${place?.phase.id ?? ""}\`${step} after ${t(times.get(at) ?? 0)} at least`);
  }
  return lines;
}
