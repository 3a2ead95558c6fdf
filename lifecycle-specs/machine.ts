import { type AnyStateMachine, createMachine, type MachineConfig, type StateValue, transition } from "xstate";
import type { Position } from "./decide/observation.ts";
import { PhaseId, StepId, type ZoneId } from "./ids.ts";
import type { Lifecycle, Mask, Phase, Rule, Step } from "./lifecycle.ts";
import { containmentEvent, exitsOf, stepEvent } from "./positions.ts";
import { err, ok, type Result } from "./result.ts";

/** The machine's own id; phases are `#lifecycle.degraded.hmi-quarantined`. */
const MACHINE_ID = "lifecycle";
/** Microsteps of one event; data-only content needs one, xstate's own limit is none. */
const MAX_ITERATIONS = 16;

type Config = MachineConfig<object, { type: string }>;
type StateConfig = NonNullable<Config["states"]>[string];

/** What a state carries for readers: nothing of it runs. */
interface StateMeta {
  readonly kind: "zone" | "group" | "phase" | "step";
  readonly says?: string;
  readonly phase?: PhaseId;
  readonly step?: StepId;
  readonly rules?: readonly Rule[];
  readonly containment?: boolean;
  readonly mask?: Mask;
  readonly minMs?: number;
  readonly maxMs?: number;
}

/**
 * The lifecycle as an xstate machine whose content is data only: phases are states (dotted ones nested below their group), steps
 * are their child states, rules stand in `meta`, and the conditions in the `meta` of the transitions. Several zones are parallel
 * regions, in which every event but a containment begins with its zone: `boiler.request.stop`.
 *
 * Events: `request.NAME`, `condition.N` and `after.N` (N: index in the phase's transitions; see `exitsOf`), `step.N` (index in the
 * step's `next`), `containment.PHASE` (from the phases that a containment with this target names). Whoever sends one has
 * evaluated its condition: guards would be code.
 */
export function toMachine(lifecycle: Lifecycle): AnyStateMachine {
  const root: Draft = { states: {} };
  for (const phase of lifecycle.phases) {
    const path = phase.id.split(".");
    const name = path.pop() ?? "";
    groupAt(root, path).states[name] = { config: phaseState(lifecycle, phase) };
  }
  const begins = lifecycle.regions.map(({ initial }) => initial.split("."));
  const [begin = []] = begins;
  const meta = { plant: lifecycle.plant, version: lifecycle.version, rules: lifecycle.rules };
  const common = { id: MACHINE_ID, options: { maxIterations: MAX_ITERATIONS }, meta };
  if (begins.length < 2) return createMachine({ ...common, initial: begin[0] ?? "", states: statesOf(root, begin) });
  const zones = lifecycle.regions.map(({ zone, initial }): [string, StateConfig] => {
    const region = root.states[zone];
    const path = initial.split(".").slice(1);
    const states = region !== undefined && "states" in region ? statesOf(region, path) : {};
    const zoneMeta: StateMeta = { kind: "zone" };
    return [zone, { initial: path[0] ?? "", states, meta: zoneMeta, on: enteredFromElsewhere(lifecycle, zone) }];
  });
  return createMachine({ ...common, type: "parallel", states: Object.fromEntries(zones) });
}

/** Transitions of other zones that take this zone along: the same event leads it there from wherever it stands. */
function enteredFromElsewhere(lifecycle: Lifecycle, zone: ZoneId): NonNullable<StateConfig["on"]> {
  const elsewhere = lifecycle.phases.filter((phase) => phase.zone !== zone);
  return Object.fromEntries(
    elsewhere.flatMap(({ id }) =>
      exitsOf(lifecycle, id).flatMap(({ event, transition }) =>
        transition.with.filter((to) => to.startsWith(`${zone}.`)).map((to) => [event, { target: target(to) }]),
      ),
    ),
  );
}

/**
 * Where an event leads from a position. Pure: nothing is started. xstate answers an event that no state handles with the same
 * snapshot; here that is an error of its own. From a set of possible steps, the first that answers a step event decides.
 */
export function nextPosition(
  machine: AnyStateMachine,
  position: Position,
  event: { readonly type: string },
): Result<Position, "no-transition"> {
  for (const step of position.steps.length === 0 ? [undefined] : position.steps) {
    try {
      const snapshot = machine.resolveState({ value: stateValue(position.phase, step), context: {} });
      if (!snapshot.can(event)) continue;
      const [next] = transition(machine, snapshot, event);
      return ok(positionOf(machine, position.phase, next.value));
    } catch {
      // A position that the machine does not have, or a guard that throws: no transition.
    }
  }
  return err("no-transition");
}

interface Draft {
  readonly states: Record<string, Draft | { readonly config: StateConfig }>;
}

function groupAt(root: Draft, path: readonly string[]): Draft {
  let group = root;
  for (const part of path) {
    const found = group.states[part];
    if (found !== undefined && "states" in found) {
      group = found;
    } else {
      const made: Draft = { states: {} };
      group.states[part] = made;
      group = made;
    }
  }
  return group;
}

/** A group is entered through its phases; its own initial state only counts on the way to the machine's. */
function statesOf(draft: Draft, [begin, ...path]: readonly string[]): Record<string, StateConfig> {
  const states = Object.entries(draft.states).map(([name, state]): [string, StateConfig] => {
    if ("config" in state) return [name, state.config];
    const within = name === begin ? path : [];
    const initial = within[0] ?? Object.keys(state.states)[0] ?? "";
    return [name, { initial, states: statesOf(state, within), meta: { kind: "group" } satisfies StateMeta }];
  });
  return Object.fromEntries(states);
}

function phaseState(lifecycle: Lifecycle, phase: Phase): StateConfig {
  const { id, says, rules, steps, containment, mask } = phase;
  const of = mask === undefined ? {} : { mask };
  const meta: StateMeta = { kind: "phase", phase: id, says, rules, containment, ...of };
  const on = { ...containmentsOf(lifecycle, phase), ...waysOut(lifecycle, phase) };
  if (phase.initial === undefined) return { meta, on };
  const states = Object.fromEntries(steps.map((step) => [step.id, stepState(lifecycle, phase, step)]));
  return { meta, on, initial: phase.initial, states };
}

function stepState(lifecycle: Lifecycle, { zone }: Phase, { id, says, rules, next, minMs, maxMs }: Step): StateConfig {
  const dwell = { ...(minMs === undefined ? {} : { minMs }), ...(maxMs === undefined ? {} : { maxMs }) };
  const meta: StateMeta = { kind: "step", step: id, says, rules, ...dwell };
  const ways = next.map(({ to, ...why }, n) => [stepEvent(lifecycle, zone, n), { target: to, meta: why }]);
  return { meta, on: Object.fromEntries(ways) };
}

function waysOut(lifecycle: Lifecycle, { id }: Phase): NonNullable<StateConfig["on"]> {
  return Object.fromEntries(
    exitsOf(lifecycle, id).map(({ event, transition: { to, ...meta } }) => [event, { target: target(to), meta }]),
  );
}

function containmentsOf(lifecycle: Lifecycle, { id }: Phase): NonNullable<StateConfig["on"]> {
  const targets = lifecycle.containments.filter(({ from }) => from.includes(id)).map(({ to }) => to);
  return Object.fromEntries([...new Set(targets)].map((to) => [containmentEvent(to), { target: target(to) }]));
}

function target(phase: PhaseId): string {
  return `#${MACHINE_ID}.${phase}`;
}

function stateValue(phase: PhaseId, step: StepId | undefined): StateValue {
  const path: string[] = [...phase.split("."), ...(step === undefined ? [] : [step])];
  const leaf = path.pop() ?? "";
  return path.reduceRight<StateValue>((value, part) => ({ [part]: value }), leaf);
}

/** Where the zone stands that a phase is of: in a machine of several zones its first part names the region. */
function positionOf(machine: AnyStateMachine, of: PhaseId, value: StateValue): Position {
  const path: string[] = [];
  let at = value;
  if (machine.root.type === "parallel" && typeof value !== "string") {
    const [zone = ""] = of.split(".");
    path.push(zone);
    at = value[zone] ?? "";
  }
  while (typeof at !== "string") {
    const [entry] = Object.entries(at);
    if (entry?.[1] === undefined) break;
    path.push(entry[0]);
    at = entry[1];
  }
  if (typeof at === "string") path.push(at);
  const meta: StateMeta | undefined = machine.getStateNodeById([MACHINE_ID, ...path].join(".")).meta;
  if (meta?.kind !== "step") return { phase: PhaseId(path.join(".")), steps: [] };
  return { phase: PhaseId(path.slice(0, -1).join(".")), steps: [StepId(path.at(-1) ?? "")] };
}
