import type { PhaseId, TagId } from "../ids.ts";
import type { Lifecycle, Phase, Transition } from "../lifecycle.ts";
import { narrows } from "../widening.ts";
import { valueInWords } from "../words.ts";
import { phaseKey, quoted } from "./keys.ts";
import type { Checked, RawFinding, Said } from "./report.ts";
import { isOwn, leadingTo, type Place, reachable, type Space, spaceOf } from "./state-space.ts";
import { isWithin, toleranceOf, union, type ValueSet, valuesOf } from "./values.ts";

/**
 * From every containment, and from where points go by themselves, transitions lead back to each phase that it limits, or to one
 * that allows as much; each request on the way can be made by somebody.
 */
export function containmentsAreLifted(spec: Checked): readonly RawFinding[] {
  const { lifecycle } = spec;
  const space = spaceOf(spec);
  const byId = new Map(lifecycle.phases.map((phase) => [phase.id, phase]));
  return [...originsOf(lifecycle)].flatMap(([to, origins]): readonly RawFinding[] => {
    const containment = byId.get(to);
    const begin = space.entry.get(to);
    if (containment === undefined || begin === undefined) return [];
    const there = phasesOf(space, reachable(space, [begin], isOwn));
    const lost = [...origins].filter((id) => !there.has(id) && !replaced(byId.get(id), there, byId));
    if (lost.length === 0) return [];
    const help =
      containment.mask === undefined ? `add a request to \`${to}\` that leads back` : "let its `back` lead there";
    return [
      {
        at: phaseKey(containment),
        code: "CONTAINMENT_FOR_GOOD",
        message: `containment \`${to}\` can be entered from ${quoted(lost)} and no transitions lead back to what was allowed there; ${help}`,
        trace: [`\`${lost[0]}\``, `contained: \`${to}\``, `from there only ${quoted([...there])} can be reached`],
      },
    ];
  });
}

/** Each containment with every phase that it limits. */
function originsOf({ containments, regions, phases }: Lifecycle): ReadonlyMap<PhaseId, ReadonlySet<PhaseId>> {
  const origins = new Map<PhaseId, Set<PhaseId>>();
  const add = (to: PhaseId, from: PhaseId) => {
    if (from !== to) origins.set(to, (origins.get(to) ?? new Set()).add(from));
  };
  for (const { from, to } of containments) for (const phase of from) add(to, phase);
  for (const { id, mask } of phases) if (mask !== undefined) add(id, mask.origin);
  for (const { zone, isolated } of regions) {
    for (const phase of phases) if (phase.zone === zone && !phase.containment) add(isolated, phase.id);
  }
  return origins;
}

/** Whether some phase that can be reached allows everything that the origin did. */
function replaced(origin: Phase | undefined, there: ReadonlySet<PhaseId>, byId: ReadonlyMap<PhaseId, Phase>): boolean {
  if (origin === undefined) return true;
  return [...there].some((id) => {
    const phase = byId.get(id);
    return phase !== undefined && phase.mask === undefined && narrows(phase, origin);
  });
}

function phasesOf({ places }: Space, indices: ReadonlySet<number>): ReadonlySet<PhaseId> {
  return new Set([...indices].flatMap((index) => places[index]?.phase.id ?? []));
}

/** Requests that no role can make: whoever may only look does not command. */
export function requestsHaveSomebody({ lifecycle }: Checked): readonly RawFinding[] {
  return lifecycle.phases.flatMap((phase) =>
    phase.transitions.flatMap((exit, index): readonly RawFinding[] => {
      if (phase.mask !== undefined || !isForNobody(exit)) return [];
      return [
        {
          at: `exit:${phase.id}/${index}`,
          code: "REQUEST_FOR_NOBODY",
          message: `request \`${exit.event === "operator" ? exit.request : ""}\` of phase \`${phase.id}\` names no role that may command; add \`operator\`, \`engineer\` or \`admin\``,
        },
      ];
    }),
  );
}

function isForNobody(exit: Transition): boolean {
  return exit.event === "operator" && exit.roles.every((role) => role === "viewer");
}

/** What may be set of a tag in one place. */
interface Setting {
  readonly place: Place;
  readonly values: ValueSet;
}

/**
 * Where a command or set-point may be given one value only, a place can be reached in which it may be given another, if any place
 * allows another at all. Tags that may only ever be given one value are listed.
 */
export function commandsCanBeUndone(spec: Checked): readonly Said[] {
  const space = spaceOf(spec);
  return [...settings(space)].flatMap(([id, places]): readonly Said[] => {
    const tag = space.tagOf(id);
    if (tag === undefined) return [];
    const tolerance = toleranceOf(tag);
    const single = places.flatMap(({ place, values }) => {
      const only = onlyValue(values);
      return only === undefined ? [] : [{ place, only }];
    });
    const [first] = single;
    if (first === undefined) return [];
    const others = (value: number) =>
      places.filter(({ values }) => !isWithin(values, [[value, value]], tolerance)).map(({ place }) => place.index);
    if (others(first.only).length === 0) return [onlyEver(id, valueInWords(first.only, tag))];
    return lostPlaces(space, single, others).map(({ place, only }) =>
      forGood(space, id, place, valueInWords(only, tag)),
    );
  });
}

interface Single {
  readonly place: Place;
  readonly only: number;
}

/** Of the places that allow one value only, those from which none can be reached that allows another; one for each value. */
function lostPlaces(
  space: Space,
  single: readonly Single[],
  others: (value: number) => readonly number[],
): readonly Single[] {
  return [...Map.groupBy(single, ({ only }) => only)].flatMap(([only, ofValue]) => {
    const back = leadingTo(space, others(only), isOwn);
    return ofValue.filter(({ place }) => space.reached.has(place.index) && !back.has(place.index)).slice(0, 1);
  });
}

function forGood(space: Space, tag: TagId, { index, phase, step }: Place, value: string): RawFinding {
  const where = step === undefined ? `phase \`${phase.id}\`` : `step \`${step.id}\` of phase \`${phase.id}\``;
  const there = phasesOf(space, reachable(space, [index], isOwn));
  return {
    at: step === undefined ? phaseKey(phase) : `step:${phase.id}/${step.id}`,
    code: "COMMAND_FOR_GOOD",
    message: `in ${where} \`${tag}\` may be set to ${value}, and nothing that can be reached from there may set it to anything else; allow another value there, or lead to where one is allowed`,
    trace: [`${where}: \`${tag}\` is set to ${value}`, `from there only ${quoted([...there])} can be reached`],
  };
}

function onlyEver(tag: TagId, value: string): Said {
  return {
    at: `tag:${tag}`,
    guarantee: "G8",
    fact: `\`${tag}\` may only ever be set to ${value}: nothing that is allowed sets it back, so the plant must do so by itself`,
    detail: { tag, value },
  };
}

/** For each command and set-point, the written places that may set it, and to what. */
function settings(space: Space): ReadonlyMap<TagId, readonly Setting[]> {
  const found = new Map<TagId, { readonly place: Place; values: ValueSet }[]>();
  for (const place of space.places) {
    if (place.phase.mask !== undefined) continue;
    for (const { operation, tags, value } of space.rulesAt(place)) {
      if (operation !== "write") continue;
      for (const id of tags) {
        const tag = space.tagOf(id);
        if (tag === undefined) continue;
        const list = found.get(id) ?? [];
        found.set(id, list);
        const values = valuesOf(tag, value);
        const last = list.at(-1);
        if (last?.place === place) last.values = union([...last.values, ...values]);
        else list.push({ place, values });
      }
    }
  }
  return found;
}

function onlyValue(values: ValueSet): number | undefined {
  const [only, second] = values;
  return only !== undefined && second === undefined && only[0] === only[1] ? only[0] : undefined;
}
