import { implies } from "../check/limits.ts";
import type { RuleId } from "../ids.ts";
import type { Condition, Phase, Transition } from "../lifecycle.ts";
import { conditionInWords, durationInWords, listInWords, type TagOf, transitionInWords } from "../words.ts";
import { canonical, change, changed, type Found, grown, narrowed, shifted, widened } from "./change.ts";
import type { Labelled } from "./labels.ts";

interface Pair {
  readonly was: Transition;
  readonly is: Transition;
}

/** The ways out of a phase: new ones, those that are gone, and what is different about the others. */
export function transitionChanges(was: Phase, is: Phase, tagOf: TagOf, labels: Labelled): readonly Found[] {
  const { pairs, fresh, gone } = paired(was.transitions, is.transitions);
  const tell = (transition: Transition) => `${transitionInWords(transition, tagOf).join(", ")}: to ${transition.to}`;
  return [
    ...fresh.map((one) => widened("transition", `a new way out, ${tell(one)}`, one.to)),
    ...gone.map((one) => narrowed("transition", `a way out is gone, ${tell(one)}`, one.to)),
    ...pairs.flatMap((pair) => pairChanges(pair, tagOf, labels)),
    ...orderChanges(pairs, was.transitions, is.transitions, tagOf),
  ];
}

/** Finds for each way out the one it was: the same first, then the same event, then the same event elsewhere. */
function paired(old: readonly Transition[], now: readonly Transition[]) {
  const pairs: Pair[] = [];
  let [restOld, restNow] = [old, now];
  for (const keyOf of [whole, eventAndTarget, eventOnly, targetOnly]) {
    for (const is of restNow) {
      const was = restOld.find((one) => keyOf(one) === keyOf(is));
      if (was === undefined) continue;
      pairs.push({ was, is });
      restOld = restOld.filter((one) => one !== was);
      restNow = restNow.filter((one) => one !== is);
    }
  }
  return { pairs, fresh: restNow, gone: restOld };
}

function whole(transition: Transition): string {
  return canonical(transition);
}

function eventOnly(transition: Transition): string {
  switch (transition.event) {
    case "operator":
      return `operator ${transition.request}`;
    case "condition":
      return `condition ${canonical(transition.when ?? null)}`;
    case "after":
      return `after ${transition.ms} ${canonical(transition.when ?? null)}`;
    default: {
      const never: never = transition;
      throw new Error(`unreachable: transition ${JSON.stringify(never)}`);
    }
  }
}

function eventAndTarget(transition: Transition): string {
  return `${eventOnly(transition)} ${transition.to}`;
}

/** Requests are told apart by their names; conditions and times of one kind by where they lead. */
function targetOnly(transition: Transition): string {
  return transition.event === "operator" ? eventAndTarget(transition) : `${transition.event} ${transition.to}`;
}

function pairChanges({ was, is }: Pair, tagOf: TagOf, labels: Labelled): readonly Found[] {
  const name = nameOf(is, tagOf);
  const about = is.to;
  const found: Found[] = [];
  if (was.to !== is.to)
    found.push(shifted("transition", `${name} leads to ${is.to} now (was ${was.to})`, is.to, was.to));
  if (was.event === "operator" && is.event === "operator") found.push(...requestChanges(was, is, name));
  found.push(...conditionChanges(was.when, is.when, name, about, tagOf));
  if (was.event === "after" && is.event === "after" && was.ms !== is.ms)
    found.push(
      change(
        grown(is.ms, was.ms),
        "transition",
        `${name} comes after ${durationInWords(is.ms)} now (was ${durationInWords(was.ms)})`,
        about,
      ),
    );
  const clean = (ms: number | undefined) => (ms === undefined ? "no time" : durationInWords(ms));
  if (was.cleanMs !== is.cleanMs) {
    const says = `${name} needs ${clean(is.cleanMs)} without a detection now (was ${clean(was.cleanMs)})`;
    found.push(change(grown(is.cleanMs ?? 0, was.cleanMs ?? 0), "transition", says, about));
  }
  const withInWords = (one: Transition) =>
    one.with.length === 0 ? "no other zone" : listInWords([...one.with].sort());
  if (withInWords(was) !== withInWords(is))
    found.push(shifted("transition", `${name} takes ${withInWords(is)} along now (was ${withInWords(was)})`, about));
  return [...found, ...engineeringChanges(was, is, name), ...windowChanges(was, is, name, labels)];
}

function nameOf(transition: Transition, tagOf: TagOf): string {
  if (transition.event === "operator") return `request ${transition.request}`;
  return `the way to ${transition.to} (${transitionInWords(transition, tagOf)[0] ?? ""})`;
}

type Request = Transition & { readonly event: "operator" };

function requestChanges(was: Request, is: Request, name: string): readonly Found[] {
  const found: Found[] = [];
  const more = is.roles.filter((role) => !was.roles.includes(role));
  const fewer = was.roles.filter((role) => !is.roles.includes(role));
  if (more.length > 0)
    found.push(widened("transition", `${name} may now also be made by ${listInWords(more, "or")}`, is.to));
  if (fewer.length > 0)
    found.push(narrowed("transition", `${name} may no longer be made by ${listInWords(fewer, "or")}`, is.to));
  if (was.persons !== is.persons) {
    const persons = (n: number) => (n === 1 ? "one person" : "two persons");
    const says = `${name} needs ${persons(is.persons)} now (was ${persons(was.persons)})`;
    found.push(change(grown(is.persons, was.persons), "transition", says, is.to));
  }
  if (was.ttlMs !== is.ttlMs) {
    const stands = (ms: number | undefined) => (ms === undefined ? "no time" : durationInWords(ms));
    const says = `${name} stands for ${stands(is.ttlMs)} now (was ${stands(was.ttlMs)})`;
    found.push(change(grown(was.ttlMs ?? 0, is.ttlMs ?? 0), "transition", says, is.to));
  }
  return found;
}

/** A condition that asks for less lets more happen. */
function conditionChanges(
  was: Condition | undefined,
  is: Condition | undefined,
  name: string,
  to: string,
  tagOf: TagOf,
): readonly Found[] {
  const words = (condition: Condition | undefined) =>
    condition === undefined ? "no condition" : conditionInWords(condition, tagOf);
  const weaker = is === undefined || (was !== undefined && implies(was, is));
  const stronger = was === undefined || (is !== undefined && implies(is, was));
  if (weaker && stronger) return [];
  const says = `${name} needs ${words(is)} now (was ${words(was)})`;
  if (weaker) return [widened("transition", says, to)];
  return [stronger ? narrowed("transition", says, to) : shifted("transition", says, to)];
}

/** By the plant's engineering: what the checker counts with, and nothing that is enforced. */
function engineeringChanges(was: Transition, is: Transition, name: string): readonly Found[] {
  const within = (one: Transition) => (one.event === "operator" ? undefined : one.withinMs);
  if (within(was) === within(is)) return [];
  const words = (ms: number | undefined) => (ms === undefined ? "an unknown time" : durationInWords(ms));
  return [
    changed("transition", `${name} is counted on within ${words(within(is))} now (was ${words(within(was))})`, is.to),
  ];
}

function windowChanges(was: Transition, is: Transition, name: string, { labelOf }: Labelled): readonly Found[] {
  const labels = (rules: readonly RuleId[], side: "before" | "after") =>
    new Set(rules.map((rule) => labelOf(side, rule)));
  const [old, now] = [labels(was.window, "before"), labels(is.window, "after")];
  const fresh = is.window.filter((rule) => !old.has(labelOf("after", rule)));
  const gone = was.window.filter((rule) => !now.has(labelOf("before", rule)));
  return [
    ...(fresh.length === 0
      ? []
      : [widened("transition", `${name} lets ${listInWords(fresh)} through while it is under way`, ...fresh)]),
    ...(gone.length === 0
      ? []
      : [narrowed("transition", `${name} no longer lets ${listInWords(gone)} through while it is under way`, ...gone)]),
  ];
}

/** Of conditions that hold at once the first wins. */
function orderChanges(
  pairs: readonly Pair[],
  old: readonly Transition[],
  now: readonly Transition[],
  tagOf: TagOf,
): readonly Found[] {
  const silent = (one: Transition) => one.event !== "operator";
  const byOld = pairs.filter(({ is }) => silent(is)).sort((a, b) => old.indexOf(a.was) - old.indexOf(b.was));
  const byNow = [...byOld].sort((a, b) => now.indexOf(a.is) - now.indexOf(b.is));
  if (byOld.every((pair, index) => pair === byNow[index])) return [];
  const order = listInWords(byNow.map(({ is }) => nameOf(is, tagOf)));
  return [
    shifted("transition", `the ways out are tried in another order now: ${order}`, ...byNow.map(({ is }) => is.to)),
  ];
}
