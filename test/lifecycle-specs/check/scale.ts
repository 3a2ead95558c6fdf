import { DeviceId, LinkId, PhaseId, PlantId, RuleId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { ContainmentChoice, Lifecycle, Mask, Phase, Rule, Step, Transition } from "#specs/lifecycle.ts";
import { LOCI } from "#specs/lifecycle.ts";
import { containedPhaseId } from "#specs/mask.ts";
import type { Device, Link, Plant, Tag } from "#specs/plant.ts";

/** Numbers of things in a plant; phases, tags and rules are shared out evenly between the zones. */
export interface Scale {
  readonly zones: number;
  readonly phases: number;
  readonly stepsPerPhase: number;
  readonly tags: number;
  readonly rules: number;
  /** Clients of each zone that generated containments are for, in two levels from every phase. */
  readonly contained: number;
}

/** The size for which the checker has ten seconds. */
export const TARGET: Scale = { zones: 4, phases: 12, stepsPerPhase: 5, tags: 1000, rules: 1000, contained: 3 };

const LEVELS = ["read-only", "quarantine"] as const;

/** A sound plant of several zones that take each other along, always the same for the same numbers. */
export function plantOfScale(scale: Scale): { readonly plant: Plant; readonly lifecycle: Lifecycle } {
  const zones = times(scale.zones, (n) => zoneOf(scale, n));
  const plant: Plant = {
    id: PlantId("scale"),
    title: "Many of everything",
    zones: zones.map(({ id }) => ({ id, title: id })),
    devices: zones.flatMap(({ devices }) => devices),
    links: zones.flatMap(({ links }) => links),
    tags: zones.flatMap(({ tags }) => tags),
    essential: [],
    raw: [],
  };
  const lifecycle: Lifecycle = {
    plant: plant.id,
    version: 1,
    regions: zones.map(({ id, name }) => ({
      zone: id,
      initial: name(0),
      isolated: name(1),
      safe: { phase: name(0), withinMs: 600_000 },
    })),
    leaseMs: 30_000,
    skewMs: 100,
    changeMs: 5000,
    rules: [],
    phases: [...zones.flatMap(({ phases }) => phases), ...zones.flatMap(({ contained }) => contained)],
    containments: zones.flatMap(({ containments }) => containments),
  };
  return { plant, lifecycle };
}

function zoneOf(scale: Scale, n: number) {
  const id = ZoneId(`zone-${n}`);
  const name = (phase: number) => PhaseId(`zone-${n}.phase-${phase}`);
  const count = scale.phases / scale.zones;
  const clients = times(5, (c): Device => device(id, `hmi-${n}-${c}`, "hmi", `127.1.${n}.${c}`));
  const servers = times(4, (s): Device => device(id, `plc-${n}-${s}`, "plc", `127.2.${n}.${s}`));
  const tags = times(scale.tags / scale.zones, (t) => tagOf(n, t));
  const rules = times(scale.rules / scale.zones, (r) => ruleOf(n, r, tags));
  const phases = times(count, (p) => phaseOf(scale, id, p, count, name, tags, rules));
  const masks = phases.flatMap((origin) =>
    clients
      .slice(0, scale.contained)
      .flatMap(({ id: subject }) =>
        LEVELS.map((level): Mask => ({ origin: origin.id, level, subject: { device: subject } })),
      ),
  );
  const contained = masks.map((mask) => containedOf(phases, mask));
  // The first of each phase is where a detection leads; the others are for people to choose.
  const containments = phases.flatMap(({ id: origin }): readonly ContainmentChoice[] => {
    const to = contained.find(({ mask }) => mask?.origin === origin)?.id;
    return to === undefined ? [] : [{ from: [origin], locus: [...LOCI], to, says: "Something is suspect." }];
  });
  const links = clients.flatMap((client) =>
    servers.map(
      (server): Link => ({
        id: LinkId(`${client.id}-${server.id}`),
        client: client.id,
        server: server.id,
        protocol: "modbus",
        mode: "enforce",
        mirror: true,
        failOpen: false,
        opaque: false,
      }),
    ),
  );
  return { id, name, devices: [...clients, ...servers], links, tags, phases, contained, containments };
}

function device(zone: ZoneId, id: string, role: Device["role"], address: string): Device {
  return { id: DeviceId(id), title: id, role, zone, addresses: [address], guard: role === "plc" };
}

function tagOf(zone: number, n: number): Tag {
  const writable = n % 2 === 0;
  return {
    id: TagId(`T-${zone}-${n}`),
    title: `tag ${n}`,
    kind: writable ? "set-point" : "measurement",
    device: DeviceId(`plc-${zone}-${n % 4}`),
    unit: "%",
    range: [0, 100],
    modbus: {
      unit: 1,
      table: writable ? "holding-register" : "input-register",
      address: n,
      type: "uint16",
      wordOrder: "big",
      byteOrder: "big",
      scale: 0.1,
    },
  };
}

function ruleOf(zone: number, n: number, tags: readonly Tag[]): Rule {
  const tag = at(tags, (2 * n) % tags.length);
  const seen = at(tags, ((2 * n) % tags.length) + 1);
  return {
    id: RuleId(`rule-${zone}-${n}`),
    says: `Rule ${n}.`,
    from: [DeviceId(`hmi-${zone}-${n % 5}`)],
    operation: "write",
    targets: [tag.device],
    tags: [tag.id],
    raw: [],
    value: { min: n % 40, max: 60 + (n % 40), maxStep: 5 },
    cadence: { rate: { most: 2, perMs: 5000 } },
    ...(seen.device === tag.device
      ? { causality: { after: { all: [{ tag: seen.id, test: "at-least" as const, value: 20 }], forMs: 1000 } } }
      : {}),
    mode: "enforce",
    safety: false,
  };
}

function phaseOf(
  scale: Scale,
  zone: ZoneId,
  n: number,
  count: number,
  name: (phase: number) => PhaseId,
  tags: readonly Tag[],
  rules: readonly Rule[],
): Phase {
  const own = rules.filter((_, r) => r % count === n);
  const perStep = Math.ceil(own.length / scale.stepsPerPhase);
  const seen = at(tags, 2 * n + 1).id;
  const nextZone = PhaseId(`zone-${(Number(zone.slice(5)) + 1) % scale.zones}.phase-0`);
  return {
    id: name(n),
    zone,
    says: `Phase ${n}.`,
    rules: [],
    initial: StepId("step-0"),
    steps: times(scale.stepsPerPhase, (s) => stepOf(scale, s, seen, own.slice(s * perStep, (s + 1) * perStep))),
    transitions: [
      request("rest", name(0), n === 0 ? [] : [nextZone]),
      request("go-on", name((n + 1) % count), []),
      {
        to: name((n + 2) % count),
        with: [],
        window: [],
        event: "condition",
        when: { all: [{ tag: seen, test: "at-least", value: 90 }], forMs: 2000 },
        withinMs: 60_000,
      },
    ],
    containment: n === 1,
  };
}

function request(name: string, to: PhaseId, along: readonly PhaseId[]): Transition {
  return { to, with: along, window: [], event: "operator", request: name, roles: ["operator"], persons: 1 };
}

function stepOf({ stepsPerPhase }: Scale, n: number, seen: TagId, rules: readonly Rule[]): Step {
  const low = (80 * n) / stepsPerPhase;
  return {
    id: StepId(`step-${n}`),
    says: `Step ${n}.`,
    rules,
    next: [
      {
        to: StepId(`step-${(n + 1) % stepsPerPhase}`),
        event: "condition",
        when: { all: [{ tag: seen, test: "at-least", value: low }], forMs: 1000 },
      },
    ],
    maxMs: 600_000,
  };
}

function containedOf(phases: readonly Phase[], mask: Mask): Phase {
  const origin = at(
    phases.filter(({ id }) => id === mask.origin),
    0,
  );
  const back = request("lift-containment", mask.origin, []);
  const transitions = [...origin.transitions.filter(({ event }) => event === "operator"), back];
  return { ...origin, id: containedPhaseId(`${origin.zone}.`, mask), transitions, containment: true, mask };
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no entry ${index} of ${list.length}`);
  return found;
}

function times<T>(n: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: n }, (_, index) => make(index));
}
