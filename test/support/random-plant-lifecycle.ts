import { PhaseId, StepId, type ZoneId } from "#specs/ids.ts";
import {
  type ContainmentChoice,
  LEVELS,
  type Lifecycle,
  LOCI,
  type Mask,
  type Phase,
  type Region,
  type Rule,
  type Step,
  type StepTransition,
  type Transition,
} from "#specs/lifecycle.ts";
import { containedPhaseId } from "#specs/mask.ts";
import type { Plant } from "#specs/plant.ts";
import { between, chance, type Draw, pick, some, times } from "./random-plant-draw.ts";
import { type RuleContext, randomCondition, randomRules } from "./random-plant-rules.ts";

/** None, a hair, a usual one, and one that is longer than most windows. */
const SKEWS = [0, 100, 1, 1000] as const;

/** A lifecycle of the plant: for each zone a few phases, in and out of groups, with and without steps, and some containments. */
export function randomLifecycle(draw: Draw, plant: Plant): Lifecycle {
  const { rules, context } = randomRules(draw, plant, between(draw, 3, 14));
  // What other rules wait for must be possible where they are, or they would never be reached.
  const referred = rules.flatMap(({ causality }) => [causality?.follows?.rule, ...(causality?.apart?.rules ?? [])]);
  // At least one rule stands somewhere.
  const everywhere = new Set(
    rules.filter(({ id, safety }, n) => n === 0 || safety || chance(draw, referred.includes(id) ? 65 : 20)),
  );
  const placed = rules.filter((rule) => !everywhere.has(rule));
  const zones = plant.zones.map(({ id }) => randomZone(draw, plant, id, placed, context));
  return {
    plant: plant.id,
    version: 1,
    regions: zones.map(({ region }) => region),
    leaseMs: 10_000,
    skewMs: pick(draw, SKEWS),
    changeMs: 5000,
    rules: [...everywhere],
    phases: [...zones.flatMap(({ phases }) => phases), ...zones.flatMap(({ contained }) => contained)],
    containments: zones.flatMap(({ containments }) => containments),
  };
}

interface ZonePart {
  readonly region: Region;
  readonly phases: readonly Phase[];
  readonly contained: readonly Phase[];
  readonly containments: readonly ContainmentChoice[];
}

function randomZone(draw: Draw, plant: Plant, zone: ZoneId, rules: readonly Rule[], context: RuleContext): ZonePart {
  const prefix = plant.zones.length > 1 ? `${zone}.` : "";
  const ids = times(between(draw, 1, 4), (n) => PhaseId(`${prefix}${n % 2 === 1 ? "group." : ""}p${n}`));
  // The rules of a group stand in each of its phases and are one rule.
  const ofGroup = some(draw, rules, 15);
  const phases = ids.map((id): Phase => {
    const own = [...(id.includes("group.") ? ofGroup : []), ...some(draw, rules, 35)];
    const steps = randomSteps(draw, rules, context);
    const [first] = steps;
    return {
      id,
      zone,
      says: `Phase ${id}.`,
      rules: [...new Set(own)],
      steps,
      ...(first === undefined ? {} : { initial: first.id }),
      transitions: randomTransitions(draw, ids, context),
      containment: false,
    };
  });
  const contained = randomMasks(draw, plant, ids).map((mask) => containedPhase(prefix, zone, phases, mask));
  const [initial] = ids;
  if (initial === undefined) throw new Error("unreachable: every zone has a phase");
  const containments = contained.map(({ id, mask }) => ({
    from: mask === undefined ? ids : [mask.origin],
    locus: [pick(draw, LOCI)],
    to: id,
    says: "Contained.",
  }));
  return { region: { zone, initial, isolated: pick(draw, ids) }, phases, contained, containments };
}

function randomSteps(draw: Draw, rules: readonly Rule[], context: RuleContext): readonly Step[] {
  const ids = times(draw.below(4), (n) => StepId(`s${n}`));
  return ids.map((id) => ({
    id,
    says: `Step ${id}.`,
    rules: some(draw, rules, 25),
    next: some(draw, ids, 40)
      .filter((to) => to !== id)
      .map((to) => randomStepTransition(draw, to, context)),
    ...(chance(draw, 20) ? { minMs: 500 } : {}),
    ...(chance(draw, 20) ? { maxMs: 60_000 } : {}),
  }));
}

function randomStepTransition(draw: Draw, to: StepId, context: RuleContext): StepTransition {
  const dice = draw.below(4);
  if (dice === 1 && context.messageRules.length > 0) {
    const outcome = pick(draw, ["answered-ok", "forwarded"] as const);
    return { to, event: "command", rule: pick(draw, context.messageRules), outcome };
  }
  if (dice === 2) return { to, event: "after", ms: 3000 };
  return { to, event: "condition", when: randomCondition(draw, context) };
}

function randomTransitions(draw: Draw, phases: readonly PhaseId[], context: RuleContext): readonly Transition[] {
  return some(draw, phases, 40).map((to, n): Transition => {
    const common = { to, with: [], window: [] };
    if (chance(draw, 50)) return { ...common, event: "condition", when: randomCondition(draw, context) };
    return { ...common, event: "operator", request: `go-${n}`, roles: ["operator"], persons: 1 };
  });
}

function randomMasks(draw: Draw, plant: Plant, origins: readonly PhaseId[]): readonly Mask[] {
  const masks = times(draw.below(4), (): Mask => {
    const { links, devices } = plant;
    const ofLink = links.length > 0 && chance(draw, 30);
    const subject = ofLink ? { link: pick(draw, links).id } : { device: pick(draw, devices).id };
    return { origin: pick(draw, origins), level: pick(draw, LEVELS), subject };
  });
  const key = ({ origin, level, subject }: Mask) => JSON.stringify([origin, level, subject]);
  return [...new Map(masks.map((mask) => [key(mask), mask])).values()];
}

function containedPhase(prefix: string, zone: ZoneId, phases: readonly Phase[], mask: Mask): Phase {
  const origin = phases.find(({ id }) => id === mask.origin);
  if (origin === undefined) throw new Error("unreachable: a mask is of a phase that there is");
  return { ...origin, id: containedPhaseId(prefix, mask), zone, containment: true, transitions: [], mask };
}
