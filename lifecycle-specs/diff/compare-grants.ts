import { type LimitName, looser } from "../check/limits.ts";
import { difference, toleranceOf, union, type ValueSet } from "../check/values.ts";
import type { Grant, Permission } from "../check/whitelist.ts";
import type { RuleId } from "../ids.ts";
import type { Tag } from "../plant.ts";
import type { TagOf } from "../words.ts";
import { canonical, type Effect } from "./change.ts";
import { grantInWords, limitInWords, ownValues, scopeInWords, setInWords } from "./grant-words.ts";

/** One way in which a permission is another than before. */
export interface Aspect {
  readonly effect: Effect;
  readonly widens: boolean;
  /** Between who and what: `may now`, `may no longer`, `may`. */
  readonly may: string;
  /** After what: values first, then all else. */
  readonly values: string;
  readonly rest: string;
}

interface BothTags {
  readonly before: Tag | undefined;
  readonly after: Tag | undefined;
}

/** A permission before and after; undefined: there is none. Empty where both let the same through. */
export function compareGrants(
  before: Permission | undefined,
  after: Permission | undefined,
  tags: BothTags,
  nameOf: (rule: RuleId) => string,
  tagOf: TagOf,
): readonly Aspect[] {
  const words = (grants: readonly Grant[], tag: Tag | undefined): string =>
    joined(grants.map((grant) => grantInWords(grant, tag, nameOf, tagOf)));
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [newAspect(after?.grants ?? [], words(after?.grants ?? [], tags.after))];
  const was = words(before.grants, tags.before);
  if (after === undefined) return [aspect("narrowed", "may no longer", "", was === "" ? "" : ` (was ${was})`)];
  const [old, ...moreOld] = before.grants;
  const [now, ...moreNow] = after.grants;
  if (old === undefined || now === undefined) return [];
  if (moreOld.length === 0 && moreNow.length === 0)
    return [
      ...valueAspects(old, now, tags),
      ...limitAspects(old, now, tags, nameOf, tagOf),
      ...declaredAspects(old, now),
    ];
  return severalAspects(before, after, tags, `${words(after.grants, tags.after)} (was ${was})`);
}

/** Without a value, what is asked for comes after a colon. */
function newAspect(grants: readonly Grant[], words: string): Aspect {
  if (words === "") return aspect("widened", "may now", "");
  const hasValue = grants.some(({ values }) => values !== undefined);
  return hasValue ? aspect("widened", "may now", words) : aspect("widened", "may now", "", `: ${words}`);
}

function aspect(effect: Effect, may: string, values: string, rest = "", widens = effect === "widened"): Aspect {
  return { effect, widens, may, values, rest };
}

function joined(alternatives: readonly string[]): string {
  return [...new Set(alternatives)].filter((text) => text !== "").join("; or ");
}

/** What is allowed now and was not, and what was and is not any more. */
function valueAspects(old: Grant, now: Grant, tags: BothTags): readonly Aspect[] {
  if (old.values === undefined && now.values === undefined) return [];
  const { gained, lost } = valueDifference(old, now, tags);
  if (gained.length === 0 && lost.length === 0) return [];
  const shownNow = setInWords(ownValues(now, tags.after), tags.after);
  const was = `(was ${setInWords(ownValues(old, tags.before), tags.before)})`;
  if (lost.length === 0) return [aspect("widened", "may now", shownNow, ` ${was}`)];
  if (gained.length === 0) return [aspect("narrowed", "may", `only ${shownNow}`, ` ${was}`)];
  return [
    aspect("widened", "may now", shownNow, ` ${was}: ${setInWords(gained, tags.after)} is new`),
    aspect("narrowed", "may no longer", setInWords(lost, tags.before), `: now ${shownNow}`),
  ];
}

const EVERYTHING: ValueSet = [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]];

function valueDifference(
  old: Grant,
  now: Grant,
  { before, after }: BothTags,
): { readonly gained: ValueSet; readonly lost: ValueSet } {
  const a = old.values === undefined ? EVERYTHING : ownValues(old, before);
  const b = now.values === undefined ? EVERYTHING : ownValues(now, after);
  const tolerance = after === undefined ? 0 : toleranceOf(after);
  return { gained: difference(b, a, tolerance), lost: difference(a, b, tolerance) };
}

/** Largest step, ramp, rate, causes and mode, each by itself. */
function limitAspects(
  old: Grant,
  now: Grant,
  tags: BothTags,
  nameOf: (rule: RuleId) => string,
  tagOf: TagOf,
): readonly Aspect[] {
  const [a, b] = [enforced(old), enforced(now)];
  const wider = new Set(looser(b, a));
  const narrower = new Set(looser(a, b));
  const names = new Set<LimitName>([...wider, ...narrower]);
  const said = (grant: Grant, name: LimitName, tag: Tag | undefined) => limitInWords(grant, name, tag, nameOf, tagOf);
  return [
    ...[...names].map((name) => {
      const rest = `, now ${said(now, name, tags.after)} (was ${said(old, name, tags.before)})`;
      return aspect(effectOf(wider.has(name), narrower.has(name)), "may", "", rest, wider.has(name));
    }),
    ...modeAspects(old, now),
  ];
}

/** Limits are compared as if both were enforced: that one of them is not is told by itself. */
function enforced({ limits }: Grant): Grant["limits"] {
  return { ...limits, mode: "enforce" };
}

function effectOf(wider: boolean, narrower: boolean): Effect {
  if (wider && narrower) return "other";
  return wider ? "widened" : "narrowed";
}

const STRICTNESS = { off: 0, monitor: 1, enforce: 2 } as const;
const MODES = {
  off: "not judged beyond who and what (mode off)",
  monitor: "only recorded when it breaks its limits (mode monitor)",
  enforce: "held to its limits (mode enforce)",
} as const;

function modeAspects(old: Grant, now: Grant): readonly Aspect[] {
  const [was, is] = [old.rule.mode, now.rule.mode];
  if (was === is) return [];
  const effect = STRICTNESS[is] < STRICTNESS[was] ? "widened" : "narrowed";
  return [aspect(effect, "may", "", `, now ${MODES[is]} (was ${MODES[was]})`)];
}

/** What decides nothing in the one message and yet belongs to the permission: safety, expected times, what is counted together. */
function declaredAspects(old: Grant, now: Grant): readonly Aspect[] {
  return [...safetyAspects([old], [now]), ...cadenceAspects(old, now)];
}

function safetyAspects(old: readonly Grant[], now: readonly Grant[]): readonly Aspect[] {
  const [was, is] = [old.some(({ rule }) => rule.safety), now.some(({ rule }) => rule.safety)];
  if (was === is) return [];
  return is
    ? [aspect("widened", "may", "", ", now as a safety command: no phase, window or containment denies it")]
    : [aspect("narrowed", "may", "", ", no longer as a safety command: phases, windows and containments may deny it")];
}

function cadenceAspects(old: Grant, now: Grant): readonly Aspect[] {
  const [was, is] = [old.rule.cadence, now.rule.cadence];
  if (was === undefined || is === undefined) return [];
  const found: Aspect[] = [];
  const late = (grant: Grant): number | undefined => {
    const period = grant.rule.cadence?.period;
    return period === undefined ? undefined : period.everyMs + period.jitterMs;
  };
  if (late(old) !== late(now) && late(old) !== undefined && late(now) !== undefined)
    found.push(aspect("other", "may", "", `, late after ${late(now)} ms now (was ${late(old)} ms)`));
  if (now.rule.safety && old.rule.safety && canonical(was) !== canonical(is))
    found.push(aspect("other", "may", "", ", at another rate before it is reported"));
  const [scopeWas, scopeIs] = [scopeInWords(old.rule), scopeInWords(now.rule)];
  if (scopeWas !== scopeIs)
    found.push(aspect("other", "may", "", `, its rate counted over ${scopeIs} (was over ${scopeWas})`, true));
  return found;
}

/** Several rules on one side: each covers a part of the other's, so only the whole is compared. */
function severalAspects(before: Permission, after: Permission, tags: BothTags, words: string): readonly Aspect[] {
  const wider = exceeds(after, before, tags.after, tags.before);
  const narrower = exceeds(before, after, tags.before, tags.after);
  const safety = safetyAspects(before.grants, after.grants);
  if (!wider && !narrower) return safety;
  const effect = effectOf(wider, narrower);
  return [
    aspect(effect, wider ? "may now" : "may", narrower && !wider ? `only ${words}` : words, "", wider),
    ...safety,
  ];
}

/** Whether something of one permission is let through by no rule of the other. Rules may each cover a part of the values. */
function exceeds(some: Permission, other: Permission, tag: Tag | undefined, otherTag: Tag | undefined): boolean {
  const tolerance = tag === undefined ? 0 : toleranceOf(tag);
  return some.grants.some((grant) => {
    const covering = other.grants.filter(
      (one) =>
        looser(enforced(grant), enforced(one)).length === 0 && STRICTNESS[one.rule.mode] <= STRICTNESS[grant.rule.mode],
    );
    const covered = union(
      covering.flatMap((one) => (one.values === undefined ? EVERYTHING : ownValues(one, otherTag))),
    );
    const values = grant.values === undefined ? EVERYTHING : ownValues(grant, tag);
    return difference(values, covered, tolerance).length > 0;
  });
}
