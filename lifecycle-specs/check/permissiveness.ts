import type { Locate } from "../diagnostic.ts";
import type { Phase } from "../lifecycle.ts";
import { changesState, throughMask } from "../mask.ts";
import { effectiveRules } from "../positions.ts";
import { phaseKey } from "./phase-lists.ts";
import type { Checked, PhasePermissiveness, RawFinding } from "./report.ts";
import { shareOf, union, type ValueSet, valuesInWords } from "./values.ts";
import { allValues, type Book, bookOf, type Permission, permissionsOfRules } from "./whitelist.ts";

/** Above this share of state-changing commands a phase says why it allows so much. */
export const PERMISSIVE = 0.9;

/** Commands of one phase: by key, with the union of the values that any of its steps allows. */
type Allowed = ReadonlyMap<string, Weighed>;

interface Weighed {
  readonly permission: Permission;
  /** undefined: it carries no value, and counts whole. */
  readonly values: ValueSet | undefined;
}

/**
 * For each phase the share of what its zone's phases allow together: of all (source, target, operation, tag), each with the part of
 * the tag's range that the phase allows. Judged as at the HMI layer; what a control program puts out is no command. Safety rules
 * stand in every phase and count in each. Rates and causes do not count: what is allowed rarely is allowed.
 */
export function permissivenessOf({
  locate,
  ...spec
}: Checked & { readonly locate: Locate }): readonly PhasePermissiveness[] {
  return figures(spec).map(({ phase, changes, reads }) => ({
    ...locate(phaseKey(phase)),
    phase: phase.id,
    changes: rounded(changes),
    reads: rounded(reads),
    ...(phase.because === undefined ? {} : { because: phase.because }),
  }));
}

/** Generated containments have no place of their own for a reason: their origin gives it. */
export function permissivePhasesSayWhy(spec: Checked): readonly RawFinding[] {
  return figures(spec).flatMap(({ phase, changes, widest }): readonly RawFinding[] => {
    if (changes <= PERMISSIVE || phase.mask !== undefined || (phase.because ?? "").trim() !== "") return [];
    const message = `phase \`${phase.id}\` allows ${percent(changes)} of the state-changing commands of all phases; allow less in it, or say \`because: …\``;
    return [{ at: `phase:${phase.id}`, code: "PERMISSIVE", message, trace: widest() }];
  });
}

interface Figure {
  readonly phase: Phase;
  readonly changes: number;
  readonly reads: number;
  /** Some of its commands, for people. */
  readonly widest: () => readonly string[];
}

function figures({ plant, lifecycle }: Checked): readonly Figure[] {
  const book = bookOf(plant, lifecycle);
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const allowed = new Map(written.map((phase) => [phase.id, allowedIn({ plant, lifecycle }, phase)]));
  const zones = new Map(
    lifecycle.regions.map(({ zone }) => [
      zone,
      together(written.filter((phase) => phase.zone === zone).flatMap(({ id }) => allowed.get(id) ?? [])),
    ]),
  );
  const totals = new Map([...zones].map(([zone, all]) => [zone, sumOf(grouped(book, all), () => true)]));
  const groups = new Map([...allowed].map(([id, all]) => [id, grouped(book, all)]));
  return lifecycle.phases.map((phase) => {
    const total = totals.get(phase.zone) ?? NOTHING;
    const own = sumOf(groups.get(phase.mask?.origin ?? phase.id) ?? [], ({ permission }) =>
      passes(plant, phase, permission),
    );
    const all = allowed.get(phase.id);
    return {
      phase,
      changes: total.changes === 0 ? 0 : own.changes / total.changes,
      reads: total.reads === 0 ? 0 : own.reads / total.reads,
      widest: () => (all === undefined ? [] : inWords(book, all)),
    };
  });
}

function allowedIn({ plant, lifecycle }: Checked, phase: Phase): Allowed {
  const rules = [effectiveRules(lifecycle, phase, undefined), ...phase.steps.map((step) => step.rules)].flat();
  const permissions = permissionsOfRules(plant, lifecycle, phase, rules, "hmi");
  return new Map([...permissions].map(([key, permission]) => [key, { permission, values: allValues(permission) }]));
}

function together(list: readonly Allowed[]): Allowed {
  const all = new Map<string, Weighed>();
  for (const [key, weighed] of list.flatMap((allowed) => [...allowed])) {
    const known = all.get(key);
    if (known === undefined) all.set(key, weighed);
    else if (known.values !== undefined) {
      const values = weighed.values === undefined ? undefined : union([...known.values, ...weighed.values]);
      all.set(key, { permission: known.permission, values });
    }
  }
  return all;
}

interface Sum {
  readonly changes: number;
  readonly reads: number;
}

const NOTHING: Sum = { changes: 0, reads: 0 };

/** Weights of one phase by what a mask can tell apart: whether safety is in it, source, target and operation. */
interface Group extends Sum {
  readonly permission: Permission;
}

function grouped(book: Book, allowed: Allowed): readonly Group[] {
  const groups = new Map<string, { permission: Permission; changes: number; reads: number }>();
  for (const { permission, values } of allowed.values()) {
    const { source, target, operation, grants } = permission;
    const isSafe = grants.some(({ rule }) => rule.safety);
    const key = `${isSafe ? "safe" : ""} ${source} ${target} ${operation}`;
    const group = groups.get(key) ?? { permission, changes: 0, reads: 0 };
    const tag = permission.tag === undefined ? undefined : book.tag(permission.tag);
    const weight = tag === undefined || values === undefined ? 1 : shareOf(tag, values);
    if (changesState(operation)) group.changes += weight;
    else group.reads += weight;
    groups.set(key, group);
  }
  return [...groups.values()];
}

function sumOf(groups: readonly Group[], counts: (group: Group) => boolean): Sum {
  return groups
    .filter(counts)
    .reduce((sum, { changes, reads }) => ({ changes: sum.changes + changes, reads: sum.reads + reads }), NOTHING);
}

function passes(plant: Checked["plant"], { mask }: Phase, { grants, source, target }: Permission): boolean {
  if (mask === undefined) return true;
  return grants.some(({ rule }) => throughMask(plant, mask, rule, source, target) !== "masked");
}

/** How many commands of a permissive phase are named. */
const NAMED = 8;

function inWords(book: Book, allowed: Allowed): readonly string[] {
  const changing = [...allowed.values()].filter(({ permission }) => changesState(permission.operation));
  const named = changing.slice(0, NAMED).map(({ permission: { source, target, operation, tag, raw }, values }) => {
    const known = tag === undefined ? undefined : book.tag(tag);
    const range = known === undefined || values === undefined ? "" : `: ${valuesInWords(known, values)}`;
    return `${source} may ${operation} ${tag ?? raw ?? target}${range}`;
  });
  return changing.length > NAMED ? [...named, `and ${changing.length - NAMED} more`] : named;
}

/** Three digits are enough for a figure that people compare. */
function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
