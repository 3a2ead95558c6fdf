import { type DraftRule, duration, type RuleFields } from "./draft.ts";
import { NO_FACTS, seen } from "./draft-rules.ts";
import type { Evidence, LearnedPoll, LearnedService } from "./evidence.ts";
import { markOf, ruleName } from "./rule-name.ts";

/** What only looks is drafted for every phase: it changes nothing, and a poll goes on whatever the plant does. */
export function lookingRules(evidence: Evidence): readonly DraftRule[] {
  const polls = evidence.polls.filter(({ tags }) => tags.length > 0);
  const shared = new Set(polls.filter((poll) => isShared(poll, polls)));
  const groups = new Map<string, LearnedPoll[]>();
  for (const poll of shared) groups.set(kindOf(poll), [...(groups.get(kindOf(poll)) ?? []), poll]);
  return [
    ...polls.filter((poll) => !shared.has(poll)).map(blockRule),
    ...[...groups.values()].map(groupRule),
    ...evidence.services.map(serviceRule),
  ];
}

/** Another poll asks for some of the same. */
function isShared(poll: LearnedPoll, polls: readonly LearnedPoll[]): boolean {
  const mine = new Set(poll.tags);
  return polls.some(
    (other) => other !== poll && kindOf(other) === kindOf(poll) && other.tags.some((tag) => mine.has(tag)),
  );
}

function kindOf({ source, target, operation, functionCode }: LearnedPoll): string {
  const by = functionCode === undefined ? "ua" : `fc${functionCode}`;
  return `${operation}-${source}-${by}-${target}`;
}

function blockRule(poll: LearnedPoll): DraftRule {
  const { tags, quantity, gaps, sightings } = poll;
  const { rhythm } = gaps;
  const every =
    rhythm === undefined ? {} : { every: { period: duration(rhythm.periodMs), jitter: duration(rhythm.jitterMs) } };
  const apart = gaps.count === 0 ? "" : `; ${Math.round(gaps.leastMs)} to ${Math.round(gaps.mostMs)} ms apart`;
  // Two blocks may begin with the same tag: the mark tells their lists apart.
  const mark = tags.length === 1 ? "" : `-${markOf(tags.join(" "))}`;
  return {
    ...{ id: ruleName(`${kindOf(poll)}-${tags.length}${mark}-${tags[0] ?? ""}`), phase: undefined },
    fields: { ...fieldsOf(poll, tags, quantity), ...every },
    facts: { ...NO_FACTS, gapMs: gaps.leastMs },
    evidence: `${seen(sightings)}${apart}`,
  };
}

/**
 * Blocks that overlap are one rule without a rhythm: a message of the one would be allowed by the rule of the other too, and take the
 * place of its next message.
 */
function groupRule(polls: readonly LearnedPoll[]): DraftRule {
  const [most] = [...polls].sort((a, b) => b.sightings.count - a.sightings.count);
  if (most === undefined) throw new Error("unreachable: a group has a poll");
  const tags = [...new Set(polls.flatMap((poll) => poll.tags))];
  const quantity = Math.max(...polls.map((poll) => poll.quantity));
  return {
    ...{ id: ruleName(`${kindOf(most)}-overlapping`), phase: undefined, fields: fieldsOf(most, tags, quantity) },
    ...{
      facts: { ...NO_FACTS, gapMs: 0 },
      evidence: `${polls.length} blocks that overlap; the most frequent ${seen(most.sightings)}`,
    },
  };
}

function fieldsOf(
  { source, target, operation, functionCode }: LearnedPoll,
  tags: LearnedPoll["tags"],
  quantity: number,
): RuleFields {
  const [first = ""] = tags;
  const what = tags.length === 1 ? first : `${first} and ${tags.length - 1} more`;
  return {
    says: `Learned: ${source} may ${operation === "read" ? "read" : "subscribe to"} ${what} of ${target}.`,
    ...{ from: [source], may: operation, tags },
    ...(functionCode === undefined ? {} : { functions: [functionCode] }),
    ...(quantity === 0 ? {} : { quantity }),
  };
}

function serviceRule({ source, target, operation, functions, sightings }: LearnedService): DraftRule {
  const forms = [...functions].map((form) => (form.includes("/") ? form : Number(form)));
  const fields: RuleFields = {
    says: `Learned: ${source} may ${WORDS[operation]} ${target}.`,
    ...{ from: [source], may: operation, to: [target] },
    ...(forms.length === 0 ? {} : { functions: forms }),
  };
  const id = ruleName(`${operation}-${source}-${target}`);
  return { id, facts: NO_FACTS, phase: undefined, fields, evidence: seen(sightings) };
}

const WORDS = { session: "hold a session with", browse: "browse", diagnose: "diagnose" } as const;
