import { PhaseId, PlantId, StepId } from "../ids.ts";
import {
  type ContainmentChoice,
  type Lifecycle,
  LOCI,
  type Phase,
  type Rule,
  type Step,
  type Transition,
} from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { readById, reference } from "./read-by-id.ts";
import { readCondition } from "./read-condition.ts";
import { RuleReader } from "./read-rule.ts";
import { type Cursor, type Fields, quote } from "./source.ts";
import { suggest } from "./suggest.ts";

const KEYS = ["plant", "version", "initial", "isolated", "lease", "rules", "phases", "containments"];
const GROUP_KEYS = ["says", "rules", "phases"];
const PHASE_KEYS = ["says", "rules", "initial", "steps", "on", "containment"];
const STEP_KEYS = ["says", "rules", "next", "max"];
const EXIT_KEYS = ["request", "roles", "when", "after", "to", "clean", "window"];
const ROLES = ["viewer", "operator", "engineer", "admin"] as const;
/** Groups within groups. */
const MAX_GROUPS = 4;
const MAX_VERSION = 0xffff_ffff;

/** Reads `lifecycle.yaml` for a plant; undefined after a diagnostic that leaves no lifecycle to speak of. */
export function readLifecycle(root: Cursor, plant: Plant): Lifecycle | undefined {
  const fields = root.fields("the lifecycle", KEYS);
  return fields === undefined ? undefined : new LifecycleReader(plant).read(fields);
}

/** References to phases and rules may point forward, so a first pass collects the phases and transitions come last. */
class LifecycleReader {
  readonly #plant: Plant;
  readonly #rules: RuleReader;
  readonly #phaseIds = new Set<PhaseId>();
  readonly #groups = new Set<string>();

  constructor(plant: Plant) {
    this.#plant = plant;
    this.#rules = new RuleReader(plant);
  }

  read(fields: Fields): Lifecycle | undefined {
    const plant = this.#readPlantName(fields.need("plant"));
    const version = fields.need("version")?.integer("version", 0, MAX_VERSION);
    const leaseMs = fields.need("lease")?.duration("lease");
    const rules = this.#rules.read(fields.get("rules"));
    const drafts = this.#readPhases(fields.need("phases"), "", [], 0);
    fields.get("initial")?.remember("initial");
    fields.get("isolated")?.remember("isolated");
    const initial = this.#phase(fields.need("initial"), "initial");
    const isolated = this.#phase(fields.need("isolated"), "isolated");
    const phases = drafts.map((draft) => this.#finish(draft));
    const containments = this.#readContainments(fields.get("containments"));
    if (plant === undefined || version === undefined || leaseMs === undefined) return undefined;
    if (initial === undefined || isolated === undefined) return undefined;
    return { plant, version, initial, isolated, leaseMs, rules, phases, containments };
  }

  #readPlantName(cursor: Cursor | undefined): PlantId | undefined {
    const id = cursor?.named(PlantId);
    if (id === undefined || id === this.#plant.id) return id;
    return cursor?.fail(
      "PLANT_MISMATCH",
      `the lifecycle is for plant \`${id}\`, but plant.yaml describes \`${this.#plant.id}\`; correct one of the two`,
    );
  }

  #readPhases(map: Cursor | undefined, path: string, inherited: readonly Rule[], depth: number): readonly Draft[] {
    const make = (text: string) => {
      if (text.includes("."))
        throw new RangeError(`phase \`${text}\` has a dot in its name; nest it below a group with \`phases\` instead`);
      return PhaseId(path + text);
    };
    return readById(map, "phases", make, (id, value, key) => {
      if (!value.isMap || !value.hasKey("phases")) return this.#readPhase(id, value, key, inherited);
      const group = value.fields(`phase group \`${id}\``, GROUP_KEYS);
      group?.need("says")?.text("says");
      this.#groups.add(id);
      if (depth >= MAX_GROUPS)
        return key.fail("YAML_TOO_DEEP", `phase groups are nested more than ${MAX_GROUPS} deep; flatten \`${id}\``);
      const rules = [...inherited, ...this.#rules.read(group?.get("rules"))];
      return { nested: this.#readPhases(group?.need("phases"), `${id}.`, rules, depth + 1) };
    }).flatMap((found) => ("nested" in found ? found.nested : [found]));
  }

  #readPhase(id: PhaseId, value: Cursor, key: Cursor, inherited: readonly Rule[]): Draft | undefined {
    key.remember(`phase:${id}`);
    this.#phaseIds.add(id);
    const fields = value.fields(`phase \`${id}\``, PHASE_KEYS);
    if (fields === undefined) return undefined;
    const says = fields.need("says")?.text("says") ?? "";
    const rules = [...inherited, ...this.#rules.read(fields.get("rules"))];
    const steps = this.#readSteps(id, fields.get("steps"));
    return { id, says, rules, steps, fields, containment: fields.get("containment")?.boolean("containment") ?? false };
  }

  #readSteps(phase: PhaseId, map: Cursor | undefined): readonly Step[] {
    const known = new Set(map?.keys);
    return readById(map, "steps", StepId, (id, value, key) => {
      key.remember(`step:${phase}/${id}`);
      const fields = value.fields(`step \`${id}\``, STEP_KEYS);
      if (fields === undefined) return undefined;
      const says = fields.need("says")?.text("says") ?? "";
      const rules = this.#rules.read(fields.get("rules"));
      const next = (fields.get("next")?.items("next") ?? []).flatMap((item) => {
        const exit = item.fields("a step transition", ["to", "when"]);
        const to = stepReference(exit?.need("to"), phase, known);
        const when = readCondition(exit?.need("when"), this.#plant);
        return to === undefined || when === undefined ? [] : { to, when };
      });
      const maxMs = fields.get("max")?.duration("max");
      return { id, says, rules, next, ...(maxMs === undefined ? {} : { maxMs }) };
    });
  }

  #finish({ id, says, rules, steps, fields, containment }: Draft): Phase {
    const begin = fields.get("initial");
    const known = new Set(steps.map((step) => step.id));
    const named = begin === undefined ? undefined : stepReference(begin, id, known);
    if (begin === undefined && steps.length > 0) fields.need("initial");
    const initial = named ?? steps[0]?.id;
    const transitions = (fields.get("on")?.items("on") ?? []).flatMap((item, index) => {
      item.remember(`exit:${id}/${index}`);
      return this.#readTransition(item) ?? [];
    });
    return { id, says, rules, steps, ...(initial === undefined ? {} : { initial }), transitions, containment };
  }

  #readTransition(item: Cursor): Transition | undefined {
    const fields = item.fields("a transition", EXIT_KEYS);
    if (fields === undefined) return undefined;
    const to = this.#phase(fields.need("to"), "to");
    const cleanMs = fields.get("clean")?.duration("clean");
    const window = (fields.get("window")?.items("window") ?? []).flatMap((rule) => this.#rule(rule) ?? []);
    const when = readCondition(fields.get("when"), this.#plant);
    const common = { to: to ?? PhaseId("unknown"), window, ...(cleanMs === undefined ? {} : { cleanMs }) };
    const guard = when === undefined ? {} : { when };
    const [request, after] = [fields.get("request"), fields.get("after")];
    if (request !== undefined && after !== undefined) {
      return item.fail(
        "TRANSITION_EVENT",
        "a transition answers a `request` or comes `after` a time, not both; write two",
      );
    }
    if (request === undefined && fields.get("roles") !== undefined) {
      return item.fail("TRANSITION_EVENT", "`roles` belong to a `request`; add one or remove the roles");
    }
    if (request !== undefined) {
      const name = request.named(StepId);
      const roles = fields
        .need("roles")
        ?.items("roles", 1)
        ?.flatMap((role) => role.word("role", ROLES) ?? []);
      if (to === undefined || name === undefined || roles === undefined) return undefined;
      return { ...common, event: "operator", request: name, roles, ...guard };
    }
    if (after !== undefined) {
      const ms = after.duration("after");
      return to === undefined || ms === undefined ? undefined : { ...common, event: "after", ms, ...guard };
    }
    if (fields.get("when") === undefined) {
      return item.fail("TRANSITION_EVENT", "a transition needs a `request`, a `when` or an `after`; add one");
    }
    return to === undefined || when === undefined ? undefined : { ...common, event: "condition", when };
  }

  #readContainments(list: Cursor | undefined): readonly ContainmentChoice[] {
    return (list?.items("containments") ?? []).flatMap((item, index) => {
      item.remember(`containment:${index}`);
      const fields = item.fields("a containment", ["locus", "from", "tags", "to", "says"]);
      const locus = fields
        ?.need("locus")
        ?.items("locus", 1)
        ?.flatMap((word) => word.word("locus", LOCI) ?? []);
      const from = fields
        ?.need("from")
        ?.items("from", 1)
        ?.flatMap((phase) => this.#phase(phase, "from") ?? []);
      const tags = fields
        ?.get("tags")
        ?.items("tags", 1)
        ?.flatMap((tag) => reference(tag, "tag", this.#plant.tags)?.id ?? []);
      const to = this.#phase(fields?.need("to"), "to");
      const says = fields?.need("says")?.text("says");
      if (locus === undefined || from === undefined || to === undefined || says === undefined) return [];
      return [{ from, locus, ...(tags === undefined ? {} : { tags }), to, says }];
    });
  }

  #phase(cursor: Cursor | undefined, what: string): PhaseId | undefined {
    const text = cursor?.text(what);
    if (cursor === undefined || text === undefined) return undefined;
    for (const id of this.#phaseIds) if (id === text) return id;
    if (this.#groups.has(text)) {
      return cursor.fail("PHASE_UNKNOWN", `\`${text}\` is a group of phases; name one of ${this.#within(text)}`);
    }
    return cursor.fail(
      "PHASE_UNKNOWN",
      `unknown phase \`${quote(text)}\`${suggest(text, this.#phaseIds)}; the phases are ${[...this.#phaseIds].join(", ")}`,
    );
  }

  #within(group: string): string {
    return [...this.#phaseIds].filter((id) => id.startsWith(`${group}.`)).join(", ");
  }

  #rule(cursor: Cursor) {
    const text = cursor.text("a rule");
    if (text === undefined) return undefined;
    const id = this.#rules.has(text);
    return (
      id ??
      cursor.fail(
        "RULE_UNKNOWN",
        `unknown rule \`${quote(text)}\`${suggest(text, this.#rules.ids)}; name a rule of this lifecycle`,
      )
    );
  }
}

/** A phase whose transitions are still to be read. */
interface Draft {
  readonly id: PhaseId;
  readonly says: string;
  readonly rules: readonly Rule[];
  readonly steps: readonly Step[];
  readonly fields: Fields;
  readonly containment: boolean;
}

function stepReference(cursor: Cursor | undefined, phase: PhaseId, known: ReadonlySet<string>): StepId | undefined {
  const text = cursor?.text("a step");
  if (cursor === undefined || text === undefined) return undefined;
  if (known.has(text)) return StepId(text);
  const steps = known.size === 0 ? "it has none" : `its steps are ${[...known].join(", ")}`;
  return cursor.fail(
    "STEP_UNKNOWN",
    `phase \`${phase}\` has no step \`${quote(text)}\`${suggest(text, known)}; ${steps}`,
  );
}
