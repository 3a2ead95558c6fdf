import type { Layer } from "../decide/observation.ts";
import type { DeviceId, PhaseId, RawId, StepId, TagId } from "../ids.ts";
import type { Lifecycle, Operation, Phase, Rule } from "../lifecycle.ts";
import { throughMask } from "../mask.ts";
import type { Link, Plant, Tag } from "../plant.ts";
import { effectiveRules, findPhase, findStep } from "../positions.ts";
import { carriesValue, linksFor, subjectsOf, valuesOnLink } from "./carry.ts";
import { type LimitName, type Limits, limitsOf, looser } from "./limits.ts";
import { difference, toleranceOf, union, type ValueSet, valuesOf } from "./values.ts";

/** One thing that may happen, in the form that the three layers share: who, to whom, what, about what, and on which conditions. */
export interface Permission {
  /** `hmi-1 write FIC101.SP plc-1`: unique within a position. */
  readonly key: string;
  /** `anyone`: the PLC layer does not see who wrote a variable. */
  readonly source: DeviceId | "program" | "anyone";
  readonly target: DeviceId;
  readonly operation: Operation;
  /** Absent for operations that are not about tags. */
  readonly tag?: TagId;
  /** Operation `raw`: the named function. */
  readonly raw?: RawId;
  /** Any one of them allows. In the order of the file, never empty. */
  readonly grants: readonly Grant[];
}

/** What one rule gives to a permission. */
export interface Grant {
  readonly rule: Rule;
  /** Engineering units; absent where the operation carries no value that the rule judges (a read, a method without its arguments). */
  readonly values?: ValueSet;
  readonly limits: Limits;
}

/** A permission of a position with the values of all its grants together; `undefined`: it carries none. */
export function allValues({ grants }: Permission): ValueSet | undefined {
  const sets = grants.flatMap(({ values }) => (values === undefined ? [] : [values]));
  return sets.length === 0 ? undefined : union(sets.flat());
}

/**
 * Everything that may happen in one position, as one layer judges it, by `Permission.key`. Pure; the parts are shared between
 * positions, so that many positions of a large plant can be compared.
 *
 * - `hmi`: what may be commanded, in engineering units. `switch`: what may cross a declared link, with the values that its binding
 *   can carry, and times wider by `skewMs`. `plc`: which variables of guarded devices may change, whoever changes them
 *   (`source: "anyone"`), and which outputs may be set; times wider by twice `skewMs`; order and distance of messages not judged.
 * - Rules of every phase, of the phase and of the step count, as far as their server lies in the phase's zone, and as far as the
 *   mask of a generated containment lets them through. Safety rules are there in every position, without cadence and causes.
 * - What a layer does not judge at all is not listed: reads at the PLC, outputs at the switch.
 *
 * @param step undefined: the phase without any step's rules
 * @throws RangeError the lifecycle has no such phase or step
 */
export function permissionsOf(
  plant: Plant,
  lifecycle: Lifecycle,
  phase: PhaseId,
  step: StepId | undefined,
  layer: Layer,
): ReadonlyMap<string, Permission> {
  const found = findPhase(lifecycle, phase);
  if (found === undefined) throw new RangeError(`the lifecycle has no phase \`${phase}\`; name one that it declares`);
  const at = step === undefined ? undefined : findStep(found, step);
  if (step !== undefined && at === undefined) {
    throw new RangeError(`phase \`${phase}\` has no step \`${step}\`; name one that it declares`);
  }
  return permissionsOfRules(plant, lifecycle, found, effectiveRules(lifecycle, found, at), layer);
}

/** The same for any list of rules as if they stood in this phase; safety rules of the lifecycle are added. */
export function permissionsOfRules(
  plant: Plant,
  lifecycle: Lifecycle,
  phase: Phase,
  rules: readonly Rule[],
  layer: Layer,
): ReadonlyMap<string, Permission> {
  const book = bookOf(plant, lifecycle);
  const permissions = new Map<string, Permission & { readonly grants: Grant[] }>();
  for (const rule of new Set([...book.safety, ...rules])) {
    for (const entry of book.entriesOf(rule, layer)) {
      if (entry.zone !== phase.zone) continue;
      const grant = throughPhase(plant, phase, entry);
      if (grant === undefined) continue;
      const known = permissions.get(entry.key);
      if (known === undefined) permissions.set(entry.key, { ...entry.permission, grants: [grant] });
      else if (!known.grants.some((other) => other.rule === rule && other.limits === grant.limits))
        known.grants.push(grant);
    }
  }
  return permissions;
}

/** What a rule allows for one source, one target and one subject; before masks. */
export interface Entry {
  readonly key: string;
  /** The zone whose phase decides about it: that of the server. */
  readonly zone: string;
  readonly permission: Omit<Permission, "grants">;
  readonly grant: Grant;
  /** The same under a `rate-limit` mask. */
  readonly limited: Grant;
  /** Who really sends, where the layer does not see it. */
  readonly sender: DeviceId | "program";
}

function throughPhase(plant: Plant, { mask }: Phase, { grant, limited, sender, permission }: Entry): Grant | undefined {
  if (mask === undefined) return grant;
  const passes = throughMask(plant, mask, grant.rule, sender, permission.target);
  if (passes === "masked") return undefined;
  return passes === "limited" ? limited : grant;
}

/** What is worked out once for each plant and lifecycle. */
export interface Book {
  readonly safety: readonly Rule[];
  readonly tag: (id: TagId) => Tag | undefined;
  readonly zoneOf: (device: DeviceId) => string | undefined;
  readonly isGuarded: (device: DeviceId) => boolean;
  readonly linksBetween: (client: string, server: string) => readonly Link[];
  readonly entriesOf: (rule: Rule, layer: Layer) => readonly Entry[];
}

const books = new WeakMap<Plant, WeakMap<Lifecycle, Book>>();

export function bookOf(plant: Plant, lifecycle: Lifecycle): Book {
  const ofPlant = books.get(plant) ?? new WeakMap<Lifecycle, Book>();
  books.set(plant, ofPlant);
  const book = ofPlant.get(lifecycle) ?? writeBook(plant, lifecycle);
  ofPlant.set(lifecycle, book);
  return book;
}

function writeBook(plant: Plant, lifecycle: Lifecycle): Book {
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  const devices = new Map(plant.devices.map((device) => [device.id, device]));
  const links = Map.groupBy(plant.links, ({ client, server }) => `${client} ${server}`);
  const entries: Readonly<Record<Layer, Map<Rule, readonly Entry[]>>> = {
    hmi: new Map(),
    switch: new Map(),
    plc: new Map(),
  };
  const book: Book = {
    safety: [
      ...new Set(
        [
          lifecycle.rules,
          ...lifecycle.phases.flatMap(({ rules, steps }) => [rules, ...steps.map((step) => step.rules)]),
        ]
          .flat()
          .filter(({ safety }) => safety),
      ),
    ],
    tag: (id) => tags.get(id),
    zoneOf: (device) => devices.get(device)?.zone,
    isGuarded: (device) => devices.get(device)?.guard === true,
    linksBetween: (client, server) => links.get(`${client} ${server}`) ?? [],
    entriesOf: (rule, layer) => {
      const known = entries[layer].get(rule) ?? makeEntries(plant, lifecycle, book, rule, layer);
      entries[layer].set(rule, known);
      return known;
    },
  };
  return book;
}

function makeEntries(plant: Plant, lifecycle: Lifecycle, book: Book, rule: Rule, layer: Layer): readonly Entry[] {
  const { operation } = rule;
  const isChange = operation === "write" || operation === "output";
  if (layer === "plc" ? !isChange : operation === "output") return [];
  const limits = limitsOf(rule, layer, lifecycle.skewMs);
  const slowed = limitsOf(rule, layer, lifecycle.skewMs, true);
  return rule.from.flatMap((sender) =>
    rule.targets.flatMap((target) => {
      const [client, server] = operation === "report" ? [target, sender] : [sender, target];
      if (server === "program" || (layer === "plc" && !book.isGuarded(server))) return [];
      const zone = book.zoneOf(server) ?? "";
      const source = layer === "plc" && operation === "write" ? "anyone" : sender;
      return subjectsOf(rule, book.tag).flatMap(({ tag, raw }): Entry[] => {
        if (tag !== undefined && tag.device !== server) return [];
        const subject = { ...(tag === undefined ? {} : { tag }), ...(raw === undefined ? {} : { raw }) };
        const links =
          layer === "switch" ? linksFor(plant, book.linksBetween(client, server), operation, subject, rule.form) : [];
        if (layer === "switch" && links.length === 0) return [];
        const values = tag === undefined || !carriesValue(rule, tag) ? undefined : valuesAt(layer, links, tag, rule);
        const key = `${source} ${operation} ${tag?.id ?? raw ?? "-"} ${target}`;
        const about = { ...(tag === undefined ? {} : { tag: tag.id }), ...(raw === undefined ? {} : { raw }) };
        const given = { rule, ...(values === undefined ? {} : { values }) };
        const [grant, limited]: [Grant, Grant] = [
          { ...given, limits },
          { ...given, limits: slowed },
        ];
        return [{ key, zone, permission: { key, source, target, operation, ...about }, grant, limited, sender }];
      });
    }),
  );
}

function valuesAt(layer: Layer, links: readonly Link[], tag: Tag, rule: Rule): ValueSet {
  if (layer !== "switch") return valuesOf(tag, rule.value);
  return union(links.flatMap((link) => valuesOnLink(link, tag, rule)));
}

/** What a permission allows and another does not. */
export type Excess =
  | { readonly kind: "absent" }
  /** Values that no rule of the other allows. */
  | { readonly kind: "values"; readonly grant: Grant; readonly values: ValueSet }
  /** Values that rules of the other allow on conditions which this rule does not keep. */
  | {
      readonly kind: "limits";
      readonly grant: Grant;
      readonly values: ValueSet;
      readonly limits: readonly LimitName[];
    };

/**
 * What `narrow` allows beyond `wide`; empty: whatever the one allows, the other allows. A grant may be covered by several of the other
 * side, each for a part of its values. Rates count for each rule, so a rule with a rate covers one rule and not two. Where conditions
 * are of different kinds it may name an excess that a finer proof would not; a rate that a rule shares between several of its tags is
 * compared for each tag.
 */
export function excessOf(
  plant: Plant,
  lifecycle: Lifecycle,
  narrow: Permission,
  wide: Permission | undefined,
): readonly Excess[] {
  if (wide === undefined) return [{ kind: "absent" }];
  const tag = narrow.tag === undefined ? undefined : bookOf(plant, lifecycle).tag(narrow.tag);
  const tolerance = tag === undefined ? 0 : toleranceOf(tag);
  const beyond = narrow.grants.flatMap((grant) => excessOfGrant(grant, wide.grants, tolerance));
  return beyond.length > 0 ? beyond : excessTogether(narrow.grants, wide.grants, tolerance);
}

/** Several rules that each need the same rule with a rate allow more often together than it does. */
function excessTogether(narrow: readonly Grant[], wide: readonly Grant[], tolerance: number): readonly Excess[] {
  if (narrow.length < 2) return [];
  return wide
    .filter(({ limits }) => limits.rates.length > 0)
    .flatMap((rated): readonly Excess[] => {
      const others = wide.filter((grant) => grant !== rated);
      const [, ...more] = narrow.filter((grant) => excessOfGrant(grant, others, tolerance).length > 0);
      return more.map((grant) => ({ kind: "limits", grant, values: grant.values ?? EVERYTHING, limits: ["cadence"] }));
    });
}

/** What a grant without a value rule lets through. */
const EVERYTHING: ValueSet = [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]];

function excessOfGrant(grant: Grant, wide: readonly Grant[], tolerance: number): readonly Excess[] {
  const judged = wide.map((other) => ({
    values: other.values ?? EVERYTHING,
    loose: other.limits === grant.limits ? [] : looser(grant.limits, other.limits),
  }));
  const fitting = judged.filter(({ loose }) => loose.length === 0);
  const left = difference(grant.values ?? EVERYTHING, union(fitting.flatMap(({ values }) => values)), tolerance);
  if (left.length === 0) return [];
  const beyond = difference(left, union(judged.flatMap(({ values }) => values)), tolerance);
  if (beyond.length > 0) return [{ kind: "values", grant, values: beyond }];
  const limits = fewest(judged.flatMap(({ loose }) => (loose.length === 0 ? [] : [loose])));
  return [{ kind: "limits", grant, values: left, limits }];
}

function fewest(lists: readonly (readonly LimitName[])[]): readonly LimitName[] {
  return lists.reduce<readonly LimitName[]>(
    (best, list) => (best.length === 0 || list.length < best.length ? list : best),
    [],
  );
}
