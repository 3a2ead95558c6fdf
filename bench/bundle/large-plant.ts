import { DeviceId, LinkId, PhaseId, PlantId, RuleId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Mask, Operation, Phase, Rule, Step } from "#specs/lifecycle.ts";
import { containedPhaseId } from "#specs/mask.ts";
import type { Device, Link, Plant, Tag } from "#specs/plant.ts";

/** How large a plant is made. Rules are shared out evenly; each stands in `placesPerRule` of the phases. */
export interface Size {
  readonly phases: number;
  readonly stepsPerPhase: number;
  readonly rules: number;
  readonly tags: number;
  readonly clients: number;
  readonly servers: number;
  readonly placesPerRule: number;
  /** Generated containments: two levels for this many clients in each phase. */
  readonly containedClients: number;
}

/** The size that the language is built for. */
export const LARGE: Size = {
  phases: 12,
  stepsPerPhase: 5,
  rules: 10_000,
  tags: 1000,
  clients: 10,
  servers: 20,
  placesPerRule: 4,
  containedClients: 5,
};

const ZONE = ZoneId("works");
const LEVELS = ["read-only", "quarantine"] as const;

/** A plant and lifecycle of a given size, always the same for the same size. */
export function largePlant(size: Size): { readonly plant: Plant; readonly lifecycle: Lifecycle } {
  const plant = plantOf(size);
  const rules = times(size.rules, (n) => ruleOf(plant, n));
  const phases = times(size.phases, (n) => phaseOf(size, rules, n));
  const contained = phases.flatMap((origin) => containedOf(size, origin));
  const [first] = phases;
  if (first === undefined) throw new RangeError("a plant has at least one phase");
  const lifecycle: Lifecycle = {
    plant: plant.id,
    version: 1,
    regions: [{ zone: ZONE, initial: first.id, isolated: first.id }],
    leaseMs: 10_000,
    skewMs: 100,
    changeMs: 5000,
    rules: rules.filter((_, n) => isEverywhere(n)),
    phases: [...phases, ...contained],
    containments: contained.map(({ id, mask }) => ({
      from: mask === undefined ? [] : [mask.origin],
      locus: ["hmi"],
      to: id,
      says: "The operator station is suspect.",
    })),
  };
  return { plant, lifecycle };
}

function plantOf({ clients, servers, tags }: Size): Plant {
  const ofClients = times(clients, (n) => deviceOf(`hmi-${n}`, `10.1.0.${n + 1}`, false));
  const ofServers = times(servers, (n) => deviceOf(`plc-${n}`, `10.2.0.${n + 1}`, true));
  return {
    id: PlantId("large"),
    title: "A large plant",
    zones: [{ id: ZONE, title: "Works" }],
    devices: [...ofClients, ...ofServers],
    links: ofClients.flatMap((client) => ofServers.map((server, n) => linkOf(client.id, server.id, n))),
    tags: times(tags, (n) => tagOf(n, servers)),
    essential: [{ id: "hold", says: "The plant is held.", tags: [TagId("TAG-0")] }],
    raw: [],
  };
}

function deviceOf(id: string, address: string, isServer: boolean): Device {
  const role = isServer ? "plc" : "hmi";
  return { id: DeviceId(id), title: id, role, zone: ZONE, addresses: [address], guard: isServer };
}

/** Every second server speaks OPC UA. */
function linkOf(client: DeviceId, server: DeviceId, n: number): Link {
  const id = LinkId(`${client}-${server}`);
  const protocol = n % 2 === 0 ? "modbus" : "opcua";
  return { id, client, server, protocol, mode: "enforce", mirror: true, failOpen: false, opaque: false };
}

function tagOf(n: number, servers: number): Tag {
  const server = n % servers;
  const id = `TAG-${n}`;
  const common = {
    id: TagId(id),
    title: `Set-point ${n}`,
    kind: "set-point",
    device: DeviceId(`plc-${server}`),
  } as const;
  const binding =
    server % 2 === 0
      ? ({
          modbus: {
            unit: 1,
            table: "holding-register",
            address: n,
            type: "uint16",
            wordOrder: "big",
            byteOrder: "big",
            scale: 0.1,
          },
        } as const)
      : ({ opcua: { nodeId: `ns=1;s=${id}`, type: "Double" } } as const);
  return { ...common, unit: "m³/h", range: [0, 100], ...binding };
}

/** Of ten rules: six write, three read, one subscribes (over OPC UA) or reads; with bounds, rates, causes. */
function ruleOf(plant: Plant, n: number): Rule {
  const tag = plant.tags[n % plant.tags.length];
  const cause = plant.tags[(n * 7 + 20) % plant.tags.length];
  if (tag === undefined || cause === undefined) throw new RangeError("a plant has at least one tag");
  const clients = plant.devices.filter(({ guard }) => !guard);
  const from = clients.filter((_, i) => i === n % clients.length || i === (n * 3 + 1) % clients.length);
  const operation = operationOf(n, tag);
  return {
    id: RuleId(`rule-${n}`),
    says: `Rule ${n}: the operator station may ${operation} ${tag.id} while the line is under way.`,
    from: from.map(({ id }) => id),
    operation,
    targets: [tag.device],
    tags: [tag.id],
    raw: [],
    ...(operation === "write" ? { value: { min: n % 20, max: 60 + (n % 40), maxStep: 5 } } : {}),
    ...(n % 3 === 0 ? { cadence: { rate: { most: 1 + (n % 4), perMs: 5000 } } } : {}),
    ...(n % 5 === 0
      ? { causality: { after: { all: [{ tag: cause.id, test: "at-least", value: n % 50 }], forMs: 1000 } } }
      : {}),
    mode: "enforce",
    safety: false,
  };
}

function operationOf(n: number, { opcua }: Tag): Operation {
  const place = Math.floor(n / 7) % 10;
  if (place < 6) return "write";
  return place === 9 && opcua !== undefined ? "subscribe" : "read";
}

function isEverywhere(n: number): boolean {
  return n % 100 === 0;
}

function phaseOf(size: Size, rules: readonly Rule[], index: number): Phase {
  const here = rules.filter((_, n) => !isEverywhere(n) && (n + index) % size.phases < size.placesPerRule);
  const ids = times(size.stepsPerPhase, (n) => StepId(`step-${n}`));
  // Half of the phase's rules are the whole phase's, the others are shared out to its steps.
  const steps = ids.map((id, s): Step => {
    const [next] = [...ids.slice(s + 1), ...ids];
    return {
      id,
      says: `Step ${s}.`,
      rules: here.filter((_, n) => n % 2 === 1 && (n >> 1) % ids.length === s),
      next: next === undefined ? [] : [{ to: next, event: "after", ms: 60_000 }],
    };
  });
  const [initial] = ids;
  return {
    id: PhaseId(`phase-${index}`),
    zone: ZONE,
    says: `Phase ${index}.`,
    rules: initial === undefined ? here : here.filter((_, n) => n % 2 === 0),
    steps,
    ...(initial === undefined ? {} : { initial }),
    transitions: times(size.phases, (n) => ({
      to: PhaseId(`phase-${n}`),
      with: [],
      window: [],
      event: "operator",
      request: `go-${n}`,
      roles: ["operator"],
      persons: 1,
    })),
    containment: false,
  };
}

function containedOf({ containedClients }: Size, origin: Phase): readonly Phase[] {
  return times(containedClients, (n) => DeviceId(`hmi-${n}`)).flatMap((device) =>
    LEVELS.map((level): Phase => {
      const mask: Mask = { origin: origin.id, level, subject: { device } };
      const id = containedPhaseId("", mask);
      return { ...origin, id, says: `${device} is held to ${level}.`, containment: true, mask };
    }),
  );
}

function times<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
