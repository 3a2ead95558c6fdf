import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, LinkId, PhaseId, PlantId, RuleId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Operation, Phase, Rule } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";

// A plant as large as the language is meant for, always the same: 12 phases of 5 steps, 1,000 tags in 10 PLCs.

export const PHASES = 12;
const STEPS = 5;
const TAGS = 1000;
const PLCS = 10;
const SOURCES = ["hmi-1", "hmi-2", "ews-1", "historian-1"].map(DeviceId);
const ZONE = ZoneId("works");
const RANGE = 1000;

export interface Policy {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
}

export function tagName(index: number): TagId {
  return TagId(`T${index}.SP`);
}

function serverOf(tag: number): DeviceId {
  return DeviceId(`plc-${tag % PLCS}`);
}

/** Small and fast, the same on every machine. @see Steele, Vigna: mulberry32 */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param timed with cadence and causality on some rules; the programs beside us know neither */
export function policy(ruleCount: number, timed: boolean): Policy {
  const draw = random(ruleCount);
  const rules = Array.from({ length: ruleCount }, (_, index) => rule(index, draw, timed));
  const inPhase = rules.map(() => draw() * 2 ** PHASES);
  const phases = Array.from({ length: PHASES }, (_, p): Phase => {
    const here = rules.filter((_rule, index) => ((inPhase[index] ?? 0) >>> p) % 2 === 1);
    const steps = Array.from({ length: STEPS }, (_step, s) => StepId(`s${s}`));
    return {
      id: PhaseId(`p${p}`),
      zone: ZONE,
      says: `Phase ${p}.`,
      rules: here.filter((_rule, index) => index % 10 !== 0),
      steps: steps.map((id, s) => ({
        id,
        says: `Step ${s}.`,
        rules: here.filter((_rule, index) => index % 10 === 0 && (index / 10) % STEPS === s),
        next: [{ to: steps[(s + 1) % STEPS] ?? id, event: "after", ms: 1000 }],
      })),
      initial: StepId("s0"),
      transitions: [
        {
          to: PhaseId(`p${(p + 1) % PHASES}`),
          with: [],
          window: [],
          event: "operator",
          request: "next",
          roles: ["operator"],
          persons: 1,
        },
      ],
      containment: p === PHASES - 1,
    };
  });
  return { plant: plant(), lifecycle: lifecycle(phases) };
}

function lifecycle(phases: readonly Phase[]): Lifecycle {
  return {
    plant: PlantId("bench"),
    version: 1,
    regions: [{ zone: ZONE, initial: PhaseId("p0"), isolated: PhaseId(`p${PHASES - 1}`) }],
    leaseMs: 10_000,
    skewMs: 100,
    changeMs: 5000,
    rules: [],
    phases,
    containments: [],
  };
}

function rule(index: number, draw: () => number, timed: boolean): Rule {
  const tag = Math.floor(draw() * TAGS);
  const operation: Operation = draw() < 0.7 ? "write" : "read";
  const min = Math.floor(draw() * (RANGE / 2));
  const max = min + 1 + Math.floor(draw() * (RANGE / 2 - 1));
  return {
    id: RuleId(`r${index}`),
    says: `Rule ${index}.`,
    from: [SOURCES[Math.floor(draw() * SOURCES.length)] ?? DeviceId("hmi-1")],
    operation,
    targets: [serverOf(tag)],
    tags: [tagName(tag)],
    raw: [],
    ...(operation === "write" ? { value: { min, max } } : {}),
    ...(timed && index % 4 === 0 ? { cadence: { rate: { most: 100, perMs: 1 } } } : {}),
    ...(timed && index % 5 === 0
      ? { causality: { after: { all: [{ tag: tagName((tag + 1) % TAGS), test: "at-least", value: 0 }], forMs: 0 } } }
      : {}),
    mode: "enforce",
    safety: false,
  };
}

function plant(): Plant {
  const servers = Array.from({ length: PLCS }, (_, i) => DeviceId(`plc-${i}`));
  return {
    id: PlantId("bench"),
    title: "A plant as large as the language is meant for",
    zones: [{ id: ZONE, title: "Works" }],
    devices: [
      ...SOURCES.map(
        (id, i) => ({ id, title: id, role: "hmi", zone: ZONE, addresses: [`127.9.1.${i + 1}`], guard: false }) as const,
      ),
      ...servers.map(
        (id, i) => ({ id, title: id, role: "plc", zone: ZONE, addresses: [`127.9.2.${i + 1}`], guard: true }) as const,
      ),
    ],
    links: SOURCES.flatMap((client) =>
      servers.map((server) => ({
        id: LinkId(`${client}-${server}`),
        client,
        server,
        protocol: "modbus" as const,
        mode: "enforce" as const,
        mirror: true,
        failOpen: false,
        opaque: false,
      })),
    ),
    tags: Array.from({ length: TAGS }, (_, i) => ({
      id: tagName(i),
      title: `set-point ${i}`,
      kind: "set-point",
      device: serverOf(i),
      unit: "%",
      range: [0, RANGE],
      modbus: {
        unit: 1,
        table: "holding-register",
        address: Math.floor(i / PLCS),
        type: "uint16",
        wordOrder: "big",
        byteOrder: "big",
        scale: 1,
      },
    })),
    essential: [],
    raw: [],
  };
}

/**
 * Mixed traffic about this policy: mostly what some rule is about, with values in and beside its bounds, and some that nobody ruled.
 * Its names are those of the plant, as they are where observers make observations.
 */
export function traffic({ plant, lifecycle: { phases } }: Policy, count: number): readonly Observation[] {
  const draw = random(count);
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(draw() * list.length)];
    if (found === undefined) throw new Error("unreachable: an empty list");
    return found;
  };
  const rules = [...new Set(phases.flatMap((phase) => [...phase.rules, ...phase.steps.flatMap((step) => step.rules)]))];
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  const links = new Map(plant.links.map((link) => [`${link.client} ${link.server}`, link]));
  return Array.from({ length: count }, (): Observation => {
    const about = pick(rules);
    const ruled = draw() < 0.9 ? tags.get(about.tags[0] ?? tagName(0)) : undefined;
    const tag = ruled ?? pick(plant.tags);
    const link = links.get(`${about.from[0] ?? ""} ${tag.device}`) ?? pick(plant.links);
    const { operation, value: { min = 0, max = RANGE } = {} } = about;
    const value = operation === "read" ? undefined : Math.floor(min - 50 + draw() * (max - min + 100));
    return {
      source: link.client,
      sourceAddress: "127.9.1.1:40000",
      target: link.server,
      link: link.id,
      operation,
      message: "",
      items: [{ tag: tag.id, address: "", value }],
    };
  });
}
