import { parseAddress } from "./addresses.ts";
import { type DeviceId, type LinkId, type PhaseId, RuleId } from "./ids.ts";
import type { Lifecycle, Mask, Phase, Rule } from "./lifecycle.ts";
import { throughMask } from "./mask.ts";
import type { Link, Plant, Protocol } from "./plant.ts";
import { allRules } from "./positions.ts";
import type { SwitchEntry } from "./project/switch.ts";

/** What the packet filter needs to know: who may open which TCP connection, and in which phase. */
export interface FlowProjection {
  /** Every link once. */
  readonly links: readonly LinkFlow[];
  /** Phases in the order of the file, each with the links over which anything may happen in it, in any of its steps. */
  readonly phases: readonly PhaseFlows[];
  /** The same where no phase is held: safety commands only. */
  readonly withoutPhase: readonly LinkId[];
}

export interface PhaseFlows {
  readonly phase: PhaseId;
  readonly links: readonly LinkId[];
}

/** One link as L2-L4 see it: TCP from any of the clients' addresses to any of the server's. */
export interface LinkFlow {
  readonly link: LinkId;
  readonly protocol: Protocol;
  readonly transport: "tcp";
  readonly from: readonly FlowEnd[];
  readonly to: readonly FlowEnd[];
}

export interface FlowEnd {
  readonly ip: string;
  /** Both ends included; null: any. Of a server the ports it was declared with, else its protocol's own. */
  readonly ports: readonly [low: number, high: number] | null;
}

/** IANA: mbap 502, opcua-tcp 4840. */
const PORTS: Readonly<Record<Protocol, number>> = { modbus: 502, opcua: 4840 };
/** IANA: mbap-s, Modbus/TCP Security. */
const SECURE_MODBUS_PORT = 802;

/**
 * Which links are needed where. A link is open in a phase as long as a rule of it lets anything cross; one that nobody looks into
 * is open as long as the phase's mask would let somebody read over it.
 */
export function flowsOf(plant: Plant, lifecycle: Lifecycle, entries: readonly SwitchEntry[]): FlowProjection {
  const needs = needsOf(plant, entries);
  const opened = (rules: Iterable<Rule>, mask: Mask | undefined) => openLinks(plant, needs, rules, mask);
  const safety = allRules(lifecycle).filter((rule) => rule.safety);
  return {
    links: plant.links.map((link) => flowOf(plant, link)),
    phases: lifecycle.phases.map((phase) => ({
      phase: phase.id,
      links: opened(rulesOf(lifecycle, safety, phase), phase.mask),
    })),
    withoutPhase: openLinks(plant, { ...needs, opaque: [] }, safety, undefined),
  };
}

/** The flows of one phase; of an unknown one and of none, those of safety commands. */
export function flowsIn({ links, phases, withoutPhase }: FlowProjection, phase: PhaseId | null): readonly LinkFlow[] {
  const open = new Set(phases.find((entry) => entry.phase === phase)?.links ?? withoutPhase);
  return links.filter(({ link }) => open.has(link));
}

interface Needs {
  readonly byRule: ReadonlyMap<RuleId, readonly Link[]>;
  readonly opaque: readonly Link[];
}

function needsOf({ links }: Plant, entries: readonly SwitchEntry[]): Needs {
  const byId = new Map(links.map((link) => [link.id, link]));
  const byRule = new Map(
    entries.map(({ rule, crossings }) => [
      rule,
      crossings.flatMap((crossing) => crossing.links.flatMap((id) => byId.get(id) ?? [])),
    ]),
  );
  return { byRule, opaque: links.filter(({ opaque }) => opaque) };
}

function* rulesOf({ rules }: Lifecycle, safety: readonly Rule[], phase: Phase): Generator<Rule> {
  yield* safety;
  yield* rules;
  yield* phase.rules;
  for (const step of phase.steps) yield* step.rules;
}

function openLinks(plant: Plant, needs: Needs, rules: Iterable<Rule>, mask: Mask | undefined): readonly LinkId[] {
  const open = new Set<LinkId>();
  for (const rule of rules) {
    for (const { id, client, server } of needs.byRule.get(rule.id) ?? []) {
      if (!open.has(id) && passes(plant, mask, rule, client, server)) open.add(id);
    }
  }
  for (const { id, client, server } of needs.opaque) {
    if (passes(plant, mask, READING, client, server)) open.add(id);
  }
  return plant.links.flatMap(({ id }) => (open.has(id) ? [id] : []));
}

/** The least that an opaque link can carry: a mask that takes this takes everything that is not safety. */
const READING: Rule = {
  id: RuleId("opaque-link"),
  says: "Somebody reads, as far as anybody can tell.",
  from: [],
  operation: "read",
  targets: [],
  tags: [],
  raw: [],
  mode: "enforce",
  safety: false,
};

function passes(plant: Plant, mask: Mask | undefined, rule: Rule, client: DeviceId, server: DeviceId): boolean {
  if (mask === undefined) return true;
  const [source, target] = rule.operation === "report" ? [server, client] : [client, server];
  return throughMask(plant, mask, rule, source, target) !== "masked";
}

function flowOf({ devices }: Plant, { id, client, server, protocol, tls }: Link): LinkFlow {
  const addressesOf = (device: DeviceId) => devices.find((entry) => entry.id === device)?.addresses ?? [];
  const port = tls === true ? SECURE_MODBUS_PORT : PORTS[protocol];
  return {
    link: id,
    protocol,
    transport: "tcp",
    from: addressesOf(client).flatMap((text) => flowEnd(text, null)),
    to: addressesOf(server).flatMap((text) => flowEnd(text, [port, port])),
  };
}

function flowEnd(text: string, ports: FlowEnd["ports"]): readonly FlowEnd[] {
  const address = parseAddress(text);
  return address === undefined ? [] : [{ ip: address.ip, ports: address.ports ?? ports }];
}
