import type { Bundle } from "#specs/bundle.ts";
import { conditionInWords } from "#specs/conditions.ts";
import type { Phase, Rule, Transition } from "#specs/lifecycle.ts";
import { passesAnywhere } from "#specs/mask.ts";
import type { Plant, Zone } from "#specs/plant.ts";
import { regionOf } from "#specs/positions.ts";
import type { PhaseInfo, PlantView, RuleInfo } from "./page-messages.ts";

/** What the page shows of inventory and lifecycle. */
export function plantView(bundle: Bundle, zone: Zone): PlantView {
  const { plant, lifecycle } = bundle;
  const region = regionOf(lifecycle, zone.id);
  return {
    id: plant.id,
    title: plant.title,
    zone: zone.id,
    zoneTitle: zone.title,
    bundle: bundle.id,
    version: lifecycle.version,
    initial: region.initial,
    isolated: region.isolated,
    devices: plant.devices.map(({ id, title, role, addresses }) => ({ id, title, role, addresses })),
    links: plant.links.map(({ id, client, server, protocol, mode }) => ({ id, client, server, protocol, mode })),
    tags: plant.tags.map(({ id, title, kind, device, unit, range }) => ({
      id,
      title,
      kind,
      device,
      unit,
      low: range[0],
      high: range[1],
    })),
    essential: plant.essential.map(({ id, says, tags }) => ({ id, says, tags })),
    phases: lifecycle.phases.map((phase) => phaseInfo(plant, phase)),
    rules: lifecycle.rules.map(ruleInfo),
  };
}

function phaseInfo(plant: Plant, phase: Phase): PhaseInfo {
  const { mask } = phase;
  const shown = (rules: readonly Rule[]) =>
    rules.filter((rule) => mask === undefined || passesAnywhere(plant, mask, rule)).map(ruleInfo);
  return {
    id: phase.id,
    says: phase.says,
    containment: phase.containment,
    ...(mask === undefined ? {} : { generatedFrom: mask.origin }),
    rules: shown(phase.rules),
    steps: phase.steps.map(({ id, says, rules }) => ({ id, says, rules: shown(rules) })),
    transitions: phase.transitions.map((transition) => ({
      to: transition.to,
      event: transition.event,
      says: transitionInWords(transition),
      ...(transition.event === "operator" ? { request: transition.request } : {}),
    })),
  };
}

function ruleInfo(rule: Rule): RuleInfo {
  const { id, says, from, operation, tags, safety } = rule;
  return { id, says, from, operation, tags, safety };
}

/** `request start`, `when FIT101 at least 26, for 3 s`, `after 10 s, 10 s without a detection`. */
export function transitionInWords(transition: Transition): string {
  const parts: string[] = [];
  if (transition.event === "operator") parts.push(`request ${transition.request}`);
  if (transition.event === "after") parts.push(`after ${transition.ms / 1000} s`);
  if (transition.when !== undefined) parts.push(`when ${conditionInWords(transition.when)}`);
  if (transition.cleanMs !== undefined) parts.push(`${transition.cleanMs / 1000} s without a detection`);
  return parts.join(", ");
}
