import { type AnyStateMachine, createMachine, type MachineConfig, type StateValue, transition } from "xstate";
import type { Position } from "./decide/observation.ts";
import { PhaseId, StepId } from "./ids.ts";
import type { Lifecycle, Phase, Rule, Step } from "./lifecycle.ts";
import { eventOf } from "./positions.ts";
import { err, ok, type Result } from "./result.ts";

/** The machine's own id; phases are `#lifecycle.degraded.hmi-quarantined`. */
const MACHINE_ID = "lifecycle";
/** Microsteps of one event; data-only content needs one, xstate's own limit is none. */
const MAX_ITERATIONS = 16;

type Config = MachineConfig<object, { type: string }>;
type StateConfig = NonNullable<Config["states"]>[string];

/** What a state carries for readers: nothing of it runs. */
interface StateMeta {
  readonly kind: "group" | "phase" | "step";
  readonly says?: string;
  readonly phase?: PhaseId;
  readonly step?: StepId;
  readonly rules?: readonly Rule[];
  readonly containment?: boolean;
  readonly maxMs?: number;
}

/**
 * The lifecycle as an xstate machine whose content is data only: phases are states (dotted ones nested below their group), steps
 * are their child states, rules stand in `meta`, and the conditions in the `meta` of the transitions.
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
  const begin = lifecycle.initial.split(".");
  return createMachine({
    id: MACHINE_ID,
    initial: begin[0] ?? "",
    states: statesOf(root, begin),
    options: { maxIterations: MAX_ITERATIONS },
    meta: { plant: lifecycle.plant, version: lifecycle.version, rules: lifecycle.rules },
  });
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
      return ok(positionOf(machine, next.value));
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
  const { id, says, rules, steps, containment } = phase;
  const meta: StateMeta = { kind: "phase", phase: id, says, rules, containment };
  const on = { ...containmentsOf(lifecycle, phase), ...exitsOf(phase) };
  if (phase.initial === undefined) return { meta, on };
  const states = Object.fromEntries(steps.map((step) => [step.id, stepState(step)]));
  return { meta, on, initial: phase.initial, states };
}

function stepState({ id, says, rules, next, maxMs }: Step): StateConfig {
  const meta: StateMeta = { kind: "step", step: id, says, rules, ...(maxMs === undefined ? {} : { maxMs }) };
  const on = Object.fromEntries(next.map(({ to, when }, n) => [`step.${n}`, { target: to, meta: { when } }]));
  return { meta, on };
}

function exitsOf({ transitions }: Phase): NonNullable<StateConfig["on"]> {
  return Object.fromEntries(
    transitions.map((exit, index) => {
      const { to, ...meta } = exit;
      return [eventOf(exit, index), { target: target(to), meta }];
    }),
  );
}

function containmentsOf(lifecycle: Lifecycle, { id }: Phase): NonNullable<StateConfig["on"]> {
  const targets = lifecycle.containments.filter(({ from }) => from.includes(id)).map(({ to }) => to);
  return Object.fromEntries([...new Set(targets)].map((to) => [`containment.${to}`, { target: target(to) }]));
}

function target(phase: PhaseId): string {
  return `#${MACHINE_ID}.${phase}`;
}

function stateValue(phase: PhaseId, step: StepId | undefined): StateValue {
  const path: string[] = [...phase.split("."), ...(step === undefined ? [] : [step])];
  const leaf = path.pop() ?? "";
  return path.reduceRight<StateValue>((value, part) => ({ [part]: value }), leaf);
}

function positionOf(machine: AnyStateMachine, value: StateValue): Position {
  const path: string[] = [];
  for (let at = value; ; ) {
    if (typeof at === "string") {
      path.push(at);
      break;
    }
    const [entry] = Object.entries(at);
    if (entry?.[1] === undefined) break;
    path.push(entry[0]);
    at = entry[1];
  }
  const meta: StateMeta | undefined = machine.getStateNodeById([MACHINE_ID, ...path].join(".")).meta;
  if (meta?.kind !== "step") return { phase: PhaseId(path.join(".")), steps: [] };
  return { phase: PhaseId(path.slice(0, -1).join(".")), steps: [StepId(path.at(-1) ?? "")] };
}
