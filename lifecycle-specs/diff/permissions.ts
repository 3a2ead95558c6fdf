import { type Permission, permissionsOf, permissionsOfRules } from "../check/whitelist.ts";
import type { RuleId, TagId } from "../ids.ts";
import type { Lifecycle, Phase, Step } from "../lifecycle.ts";
import type { Plant, Tag } from "../plant.ts";
import { findPhase } from "../positions.ts";
import type { Found, Spec } from "./change.ts";
import { type Aspect, compareGrants } from "./compare-grants.ts";
import { labelled } from "./labels.ts";
import { permissionInWords } from "./permission-words.ts";

type Permissions = ReadonlyMap<string, Permission>;

/**
 * What may happen in each phase and step that both have, and in those that are new beyond what every phase allows. A phase or a
 * step that is gone is told as such (see `machine.ts`), not as every permission that went with it.
 */
export function permissionChanges(before: Spec, after: Spec): readonly Found[] {
  const lifecycles = labelled(before.lifecycle, after.lifecycle);
  const old = new Side(before.plant, lifecycles.before);
  const now = new Side(after.plant, lifecycles.after);
  const judge = new Judge(old, now, lifecycles.nameOf);
  return now.lifecycle.phases.flatMap((phase) => {
    const was = findPhase(old.lifecycle, phase.id);
    // A generated containment that is new allows nothing that its origin does not.
    if (was === undefined && phase.mask !== undefined) return [];
    return positionsOf(phase).flatMap((step) => {
      const reference = was === undefined ? old.everywhere(phase) : old.allowedAt(was, step);
      const where = step === undefined ? phase.id : `${phase.id}/${step.id}`;
      const isNew = was === undefined || (step !== undefined && was.steps.every(({ id }) => id !== step.id));
      return judge
        .changes(reference, now.at(phase, step))
        .filter(({ widens }) => widens || !isNew)
        .map((found) => ({ ...found, where }));
    });
  });
}

function positionsOf({ steps }: Phase): readonly (Step | undefined)[] {
  return steps.length === 0 ? [undefined] : steps;
}

/** One of the two specifications. Outputs are asked of the PLC layer and all else of the HMI layer, both without slack for time. */
class Side {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly tags: ReadonlyMap<TagId, Tag>;
  /** Whether an output is guarded is told of the device. */
  readonly #guarded: Plant;

  constructor(plant: Plant, lifecycle: Lifecycle) {
    this.plant = plant;
    this.lifecycle = lifecycle;
    this.tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
    this.#guarded = { ...plant, devices: plant.devices.map((device) => ({ ...device, guard: true })) };
  }

  at(phase: Phase, step: Step | undefined): Permissions {
    const commands = permissionsOf(this.plant, this.lifecycle, phase.id, step?.id, "hmi");
    const outputs = permissionsOf(this.#guarded, this.lifecycle, phase.id, step?.id, "plc");
    return merged(commands, outputs);
  }

  /** A step that is new is held against everything that its phase allowed in any step. */
  allowedAt(phase: Phase, step: Step | undefined): Permissions {
    const same = phase.steps.find(({ id }) => id === step?.id);
    if (same !== undefined || phase.steps.length === 0) return this.at(phase, same);
    const rules = [...this.lifecycle.rules, ...phase.rules, ...phase.steps.flatMap((one) => one.rules)];
    return this.#ofRules(phase, rules);
  }

  everywhere(phase: Phase): Permissions {
    return this.#ofRules(phase, this.lifecycle.rules);
  }

  #ofRules(phase: Phase, rules: Phase["rules"]): Permissions {
    return merged(
      permissionsOfRules(this.plant, this.lifecycle, phase, rules, "hmi"),
      permissionsOfRules(this.#guarded, this.lifecycle, phase, rules, "plc"),
    );
  }
}

function merged(commands: Permissions, outputs: Permissions): Permissions {
  return new Map([...commands, ...[...outputs].filter(([, { operation }]) => operation === "output")]);
}

type NameOf = (rule: RuleId) => string;

/** Compares permissions, each pair once: most of them are the same in many positions. */
class Judge {
  readonly #before: Side;
  readonly #after: Side;
  readonly #nameOf: NameOf;
  readonly #known = new Map<string, readonly Aspect[]>();
  readonly #numbers = new Map<object, number>();

  constructor(before: Side, after: Side, nameOf: NameOf) {
    this.#before = before;
    this.#after = after;
    this.#nameOf = nameOf;
  }

  /** One entry for each permission and aspect that differs; tags of which the same is true are told together. */
  changes(before: Permissions, after: Permissions): readonly Found[] {
    const groups = new Map<
      string,
      { readonly permission: Permission; readonly aspect: Aspect; readonly tags: TagId[] }
    >();
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const permission = after.get(key) ?? before.get(key);
      if (permission === undefined) continue;
      for (const aspect of this.#aspects(permission, before.get(key), after.get(key))) {
        const { source, operation, target, raw, tag } = permission;
        // The tags say which device it is.
        const to = tag === undefined || operation === "report" ? target : "";
        const group = JSON.stringify([source, operation, to, raw, aspect]);
        const entry = groups.get(group) ?? { permission, aspect, tags: [] };
        if (tag !== undefined) entry.tags.push(tag);
        groups.set(group, entry);
      }
    }
    return [...groups.values()].map(({ permission, aspect, tags }): Found => {
      const { effect, widens } = aspect;
      const about = permission.raw === undefined ? tags : [permission.raw];
      const says = permissionInWords(this.#after.plant, permission, tags, aspect);
      return { effect, widens, topic: "permission", says, about };
    });
  }

  #aspects({ tag }: Permission, before: Permission | undefined, after: Permission | undefined): readonly Aspect[] {
    const key = `${this.#keyOf(before)}>${this.#keyOf(after)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const tags = { before: tag && this.#before.tags.get(tag), after: tag && this.#after.tags.get(tag) };
    const made = compareGrants(
      before,
      after,
      tags,
      this.#nameOf,
      (id) => this.#after.tags.get(id) ?? this.#before.tags.get(id),
    );
    this.#known.set(key, made);
    return made;
  }

  /** Grants are shared between positions, so their identities name the pair. */
  #keyOf(permission: Permission | undefined): string {
    return permission === undefined ? "-" : permission.grants.map((grant) => this.#numberOf(grant)).join(",");
  }

  #numberOf(object: object): number {
    const number = this.#numbers.get(object) ?? this.#numbers.size;
    this.#numbers.set(object, number);
    return number;
  }
}
