import type { PhaseId, ZoneId } from "../ids.ts";
import { type Lifecycle, LOCI, type Locus, type Phase, type Step } from "../lifecycle.ts";
import { findPhase } from "../positions.ts";
import { durationInWords, listInWords, stepEventInWords, type TagOf } from "../words.ts";
import { change, changed, type Found, grown, narrowed, type Spec, shifted, widened } from "./change.ts";
import { type Labelled, labelled } from "./labels.ts";
import { transitionChanges } from "./transition-changes.ts";

/** What leads where in what is on both sides, and what else there is to be in: steps, transitions, containments. */
export function machineChanges(before: Spec, after: Spec, tagOf: TagOf): readonly Found[] {
  const labels = labelled(before.lifecycle, after.lifecycle);
  return [
    ...generatedChanges(before.lifecycle, after.lifecycle),
    ...after.lifecycle.phases.flatMap((phase) => {
      const was = findPhase(before.lifecycle, phase.id);
      if (was === undefined) return [];
      const found = [
        ...natureChanges(was, phase),
        ...stepChanges(was, phase, tagOf, labels),
        ...transitionChanges(was, phase, tagOf, labels),
        ...containmentChanges(before.lifecycle, after.lifecycle, phase.id),
      ];
      return found.map((one) => ({ ...one, where: phase.id }));
    }),
    ...regionChanges(before.lifecycle, after.lifecycle),
  ];
}

/** Phases that are new or gone, but for the generated ones. */
export function phaseChanges(before: Spec, after: Spec): readonly Found[] {
  const [old, now] = [written(before.lifecycle), written(after.lifecycle)];
  const ids = (phases: readonly Phase[]) => new Set(phases.map(({ id }) => id));
  const [oldIds, nowIds] = [ids(old), ids(now)];
  return [
    ...now
      .filter(({ id }) => !oldIds.has(id))
      .map((phase) => widened("phase", `phase ${phase.id} is new${sizeOf(phase)}`, phase.id)),
    ...old
      .filter(({ id }) => !nowIds.has(id))
      .map((phase) => narrowed("phase", `phase ${phase.id} is gone${sizeOf(phase)}`, phase.id)),
  ];
}

function written({ phases }: Lifecycle): readonly Phase[] {
  return phases.filter(({ mask }) => mask === undefined);
}

function sizeOf({ containment, steps }: Phase): string {
  const parts = [
    ...(containment ? ["a containment"] : []),
    ...(steps.length === 0
      ? []
      : [`with ${steps.length === 1 ? "step" : "steps"} ${listInWords(steps.map(({ id }) => id))}`]),
  ];
  return parts.length === 0 ? "" : `, ${parts.join(", ")}`;
}

/** Generated containments come in numbers: those of one origin and one subject are told together. */
function generatedChanges(before: Lifecycle, after: Lifecycle): readonly Found[] {
  const groups = (some: Lifecycle, other: Lifecycle): ReadonlyMap<string, Phase[]> => {
    const known = new Set(other.phases.map(({ id }) => id));
    const found = new Map<string, Phase[]>();
    for (const phase of some.phases.filter(({ id, mask }) => mask !== undefined && !known.has(id))) {
      const { subject } = phase.mask ?? { subject: { device: "" } };
      const name = "device" in subject ? subject.device : `link ${subject.link}`;
      const key = `${name} (${listInWords([phase.mask?.level ?? ""])})`;
      found.set(key, [...(found.get(key) ?? []), phase]);
    }
    return found;
  };
  const tell =
    (made: (says: string, ...about: readonly string[]) => Found, word: string) =>
    ([key, phases]: [string, Phase[]]): Found => {
      const origins = phases.flatMap(({ mask }) => (mask === undefined ? [] : [mask.origin]));
      return made(
        `a generated containment of ${key} from ${listInWords(origins)} ${word}`,
        ...phases.map(({ id }) => id),
      );
    };
  const containment = (says: string, ...about: readonly string[]) => changed("containment", says, ...about);
  return [
    ...[...groups(after, before)].map(tell(containment, "is new")),
    ...[...groups(before, after)].map(tell(containment, "is gone")),
  ];
}

function natureChanges(was: Phase, is: Phase): readonly Found[] {
  const found: Found[] = [];
  if (was.containment !== is.containment)
    found.push(
      changed(
        "phase",
        is.containment ? "the phase is a containment now" : "the phase is no containment any more",
        is.id,
      ),
    );
  if (was.zone !== is.zone)
    found.push(shifted("phase", `the phase belongs to zone ${is.zone} now (was ${was.zone})`, is.id));
  if (was.initial !== is.initial && was.initial !== undefined && is.initial !== undefined)
    found.push(
      shifted("step", `the phase begins with step ${is.initial} now (was ${was.initial})`, is.initial, was.initial),
    );
  return found;
}

function stepChanges(was: Phase, is: Phase, tagOf: TagOf, labels: Labelled): readonly Found[] {
  const oldIds = new Set(was.steps.map(({ id }) => id));
  const nowIds = new Set(is.steps.map(({ id }) => id));
  return [
    ...is.steps.filter(({ id }) => !oldIds.has(id)).map(({ id }) => widened("step", `step ${id} is new`, id)),
    ...was.steps.filter(({ id }) => !nowIds.has(id)).map(({ id }) => narrowed("step", `step ${id} is gone`, id)),
    ...is.steps.flatMap((step) => {
      const old = was.steps.find(({ id }) => id === step.id);
      return old === undefined ? [] : [...dwellChanges(old, step), ...nextChanges(old, step, tagOf, labels)];
    }),
  ];
}

function dwellChanges(was: Step, is: Step): readonly Found[] {
  const time = (ms: number | undefined, none: string) => (ms === undefined ? none : durationInWords(ms));
  const found: Found[] = [];
  if (was.minMs !== is.minMs) {
    const says = `step ${is.id} lasts at least ${time(is.minMs, "no time")} now (was ${time(was.minMs, "no time")})`;
    found.push(change(grown(is.minMs ?? 0, was.minMs ?? 0), "step", says, is.id));
  }
  if (was.maxMs !== is.maxMs) {
    const says = `staying in step ${is.id} is reported after ${time(is.maxMs, "no time at all")} now (was ${time(was.maxMs, "no time at all")})`;
    found.push(
      change(grown(was.maxMs ?? Number.POSITIVE_INFINITY, is.maxMs ?? Number.POSITIVE_INFINITY), "step", says, is.id),
    );
  }
  return found;
}

/** Ways from step to step, each by what it is: `to ramp: FIT101 ≥ 8 m³/h`. */
function nextChanges(was: Step, is: Step, tagOf: TagOf, labels: Labelled): readonly Found[] {
  const ways = (step: Step, side: "before" | "after"): ReadonlyMap<string, string> =>
    new Map(
      step.next.map((next) => {
        const words = `${next.to}: ${stepEventInWords(next, tagOf)}`;
        const named = next.event === "command" ? { ...next, rule: labels.labelOf(side, next.rule) } : next;
        return [`${named.to}: ${stepEventInWords(named, tagOf)}`, words];
      }),
    );
  const [old, now] = [ways(was, "before"), ways(is, "after")];
  const fresh = [...now].flatMap(([key, words]) => (old.has(key) ? [] : [words]));
  const gone = [...old].flatMap(([key, words]) => (now.has(key) ? [] : [words]));
  const [toNow, toOld] = [fresh[0]?.split(": ")[0], gone[0]?.split(": ")[0]];
  if (fresh.length === 1 && gone.length === 1 && toNow === toOld)
    return [
      shifted(
        "step",
        `step ${is.id} leads to ${fresh[0]} now (was ${gone[0]?.slice((toOld ?? "").length + 2)})`,
        is.id,
      ),
    ];
  return [
    ...fresh.map((words) => widened("step", `step ${is.id} now leads to ${words}`, is.id)),
    ...gone.map((words) => narrowed("step", `step ${is.id} no longer leads to ${words}`, is.id)),
  ];
}

/** Where a detection leads, for each locus; loci of which the same is true are told together. */
function containmentChanges(before: Lifecycle, after: Lifecycle, phase: PhaseId): readonly Found[] {
  const groups = new Map<string, Locus[]>();
  for (const locus of LOCI) {
    const [was, is] = [leadsTo(before, phase, locus), leadsTo(after, phase, locus)];
    if (was !== is) {
      const says = `leads to ${is} now (was ${was})`;
      groups.set(says, [...(groups.get(says) ?? []), locus]);
    }
  }
  return [...groups].map(([says, loci]) => {
    const where = loci.length === LOCI.length ? "anywhere" : `at ${listInWords(loci, "or")}`;
    return shifted("containment", `a detection ${where} ${says}`, ...loci);
  });
}

/** `dosing-held for DOS201.SP, else local-control`; the first entry that fits wins. */
function leadsTo({ containments }: Lifecycle, phase: PhaseId, locus: Locus): string {
  const found: string[] = [];
  for (const { from, locus: loci, tags, to } of containments) {
    if (!from.includes(phase) || !loci.includes(locus)) continue;
    found.push(tags === undefined ? to : `${to} for ${listInWords([...tags].sort())}`);
    if (tags === undefined) break;
  }
  return found.length === 0 ? "no containment" : found.join(", else ");
}

function regionChanges(before: Lifecycle, after: Lifecycle): readonly Found[] {
  const region = (lifecycle: Lifecycle, zone: ZoneId) => lifecycle.regions.find((one) => one.zone === zone);
  return after.regions.flatMap((is): readonly Found[] => {
    const was = region(before, is.zone);
    if (was === undefined) return [];
    const found: Found[] = [];
    const name = after.regions.length > 1 ? `zone ${is.zone}` : "the plant";
    if (was.initial !== is.initial)
      found.push(shifted("lifecycle", `${name} begins in ${is.initial} now (was ${was.initial})`, is.initial));
    if (was.isolated !== is.isolated)
      found.push(
        shifted(
          "lifecycle",
          `without a coordinator ${name} is in ${is.isolated} now (was ${was.isolated})`,
          is.isolated,
        ),
      );
    const safe = (one: typeof is) =>
      one.safe === undefined ? "none" : `${one.safe.phase}, within ${durationInWords(one.safe.withinMs)}`;
    if (safe(was) !== safe(is))
      found.push(changed("lifecycle", `the safe state of ${name} is ${safe(is)} now (was ${safe(was)})`, is.zone));
    return found;
  });
}
