import type { Condition, Rule, Transition } from "./lifecycle.ts";
import { isContained, type PackedLifecycle, type PackedPhase } from "./pack.ts";
import type { Plant } from "./plant.ts";

/**
 * The first name of a packed bundle that is used but not declared, or declared twice, as part of a sentence: `names tag \`X\`, which
 * it does not declare`. undefined: every name is declared once. A bundle of ten thousand rules is looked through at every start, so
 * this only looks and collects nothing on the way.
 */
export function nameProblem(plant: Plant, lifecycle: PackedLifecycle): string | undefined {
  const names = new Names(plant, lifecycle);
  names.ofPlant(plant);
  names.ofLifecycle(plant, lifecycle);
  return names.problem;
}

type Kind = "zone" | "device" | "link" | "tag" | "raw function" | "rule" | "phase";

class Names {
  problem: string | undefined;
  readonly #declared: Readonly<Record<Kind, ReadonlySet<string>>>;

  constructor(plant: Plant, { rules, phases }: PackedLifecycle) {
    this.#declared = {
      zone: this.#declare("zone", plant.zones),
      device: this.#declare("device", plant.devices),
      link: this.#declare("link", plant.links),
      tag: this.#declare("tag", plant.tags),
      "raw function": this.#declare("raw function", plant.raw),
      rule: this.#declare("rule", rules),
      phase: this.#declare("phase", phases),
    };
  }

  ofPlant({ devices, links, tags, essential }: Plant): void {
    for (const { zone } of devices) this.#need("zone", zone);
    for (const { client, server } of links) {
      this.#need("device", client);
      this.#need("device", server);
    }
    for (const { device, opcua } of tags) {
      this.#need("device", device);
      this.#needAll("tag", opcua?.arguments);
    }
    for (const entry of essential) this.#needAll("tag", entry.tags);
  }

  ofLifecycle(plant: Plant, { plant: id, regions, everywhere, rules, phases, containments }: PackedLifecycle): void {
    if (id !== plant.id) this.#found(`is of plant \`${plant.id}\` and has a lifecycle of \`${id}\``);
    const led = this.#declare(
      "part of zone",
      regions.map(({ zone }) => ({ id: zone })),
    );
    for (const zone of plant.zones) if (!led.has(zone.id)) this.#found(`has no lifecycle for zone \`${zone.id}\``);
    for (const { zone, initial, isolated, safe } of regions) {
      this.#need("zone", zone);
      this.#need("phase", initial);
      this.#need("phase", isolated);
      if (safe !== undefined) this.#need("phase", safe.phase);
    }
    this.#needAll("rule", everywhere);
    for (const rule of rules) this.#ofRule(rule);
    this.#ofPhases(phases);
    for (const { from, to, tags } of containments) {
      this.#needAll("phase", from);
      this.#need("phase", to);
      this.#needAll("tag", tags);
    }
  }

  #ofRule({ from, targets, tags, raw, causality }: Rule): void {
    for (const source of from) if (source !== "program") this.#need("device", source);
    this.#needAll("device", targets);
    this.#needAll("tag", tags);
    this.#needAll("raw function", raw);
    if (causality === undefined) return;
    this.#ofCondition(causality.after);
    this.#ofCondition(causality.notWhile);
    if (causality.follows !== undefined) this.#need("rule", causality.follows.rule);
    this.#needAll("rule", causality.apart?.rules);
  }

  /** A generated containment comes after its origin, which is none itself. */
  #ofPhases(phases: readonly PackedPhase[]): void {
    const origins = new Set<string>();
    for (const phase of phases) {
      for (const exit of phase.transitions) this.#ofTransition(exit);
      if (isContained(phase)) {
        const { origin, subject } = phase.mask;
        if (!origins.has(origin)) this.#found(`names phase \`${origin}\` as an origin, which does not stand before`);
        if ("device" in subject) this.#need("device", subject.device);
        else this.#need("link", subject.link);
        continue;
      }
      origins.add(phase.id);
      this.#need("zone", phase.zone);
      this.#needAll("rule", phase.rules);
      this.#ofSteps(phase);
    }
  }

  #ofSteps({ id, steps, initial }: Extract<PackedPhase, { readonly steps: unknown }>): void {
    const declared = this.#declare(`phase \`${id}\` step`, steps);
    const need = (step: string): void => {
      if (!declared.has(step)) this.#found(`names step \`${step}\` in phase \`${id}\`, which does not have it`);
    };
    if (initial !== undefined) need(initial);
    else if (steps.length > 0) this.#found(`has steps in phase \`${id}\` and none to begin with`);
    for (const { rules, next } of steps) {
      this.#needAll("rule", rules);
      for (const way of next) {
        need(way.to);
        if (way.event === "condition") this.#ofCondition(way.when);
        if (way.event === "command") this.#need("rule", way.rule);
      }
    }
  }

  #ofTransition({ to, with: others, window, when }: Transition & { readonly when?: Condition }): void {
    this.#need("phase", to);
    this.#needAll("phase", others);
    this.#needAll("rule", window);
    this.#ofCondition(when);
  }

  #ofCondition(condition: Condition | undefined): void {
    for (const { tag } of condition?.all ?? []) this.#need("tag", tag);
  }

  #needAll(kind: Kind, names: readonly string[] | undefined): void {
    for (const name of names ?? []) this.#need(kind, name);
  }

  #need(kind: Kind, name: string): void {
    if (!this.#declared[kind].has(name)) this.#found(`names ${kind} \`${name}\`, which it does not declare`);
  }

  #declare(kind: string, list: readonly { readonly id: string }[]): ReadonlySet<string> {
    const declared = new Set<string>();
    for (const { id } of list) {
      if (declared.has(id)) this.#found(`declares ${kind} \`${id}\` twice`);
      declared.add(id);
    }
    return declared;
  }

  #found(problem: string): void {
    this.problem ??= problem;
  }
}
