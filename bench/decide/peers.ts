import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { newEnforcer, newModelFromString, StringAdapter } from "casbin";
import { setup } from "xstate";
import type { Observation } from "#specs/decide/observation.ts";
import type { PhaseId, StepId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import { effectiveRules, findPhase, findStep } from "#specs/positions.ts";

/** A program that answers the same questions by the same rules, in one position of the lifecycle. */
export interface Peer {
  readonly name: string;
  /** Its figure is shown and held against no target. */
  readonly shownOnly?: true;
  allows(observation: Observation): boolean;
}

/** Who, what, where and value of one position: what every program beside us can be told. */
interface Permission {
  readonly source: string;
  readonly operation: string;
  readonly tag: string;
  readonly min: number;
  readonly max: number;
}

function permissions(lifecycle: Lifecycle, phaseId: PhaseId, stepId: StepId): readonly Permission[] {
  const phase = findPhase(lifecycle, phaseId);
  if (phase === undefined) throw new Error(`no phase \`${phaseId}\``);
  return effectiveRules(lifecycle, phase, findStep(phase, stepId)).flatMap(permissionsOf);
}

function permissionsOf({ from, operation, tags, value }: Rule): readonly Permission[] {
  const { min = 0, max = 1_000_000 } = value ?? {};
  return from.flatMap((source) => tags.map((tag) => ({ source, operation, tag, min, max })));
}

function askedValue(observation: Observation): number {
  return observation.items[0]?.value ?? 0;
}

function tagOf(observation: Observation): string {
  return observation.items[0]?.tag ?? "";
}

/** Cedar, parsed ahead of time: only the question crosses into WebAssembly. */
export function cedar(lifecycle: Lifecycle, phase: PhaseId, step: StepId): Peer {
  const text = permissions(lifecycle, phase, step)
    .map(
      (p) =>
        `permit(principal == Device::"${p.source}", action == Action::"${p.operation}", resource == Tag::"${p.tag}") when { context.value >= ${p.min} && context.value <= ${p.max} };`,
    )
    .join("\n");
  const name = `bench-${phase}-${lifecycle.phases.length}-${text.length}`;
  const parsed = preparsePolicySet(name, { staticPolicies: text });
  if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join("; "));
  return {
    name: "@cedar-policy/cedar-wasm",
    allows(observation) {
      const answer = statefulIsAuthorized({
        principal: { type: "Device", id: observation.source ?? "" },
        action: { type: "Action", id: observation.operation },
        resource: { type: "Tag", id: tagOf(observation) },
        context: { value: askedValue(observation) },
        entities: [],
        preparsedPolicySetId: name,
        validateRequest: false,
      });
      if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
      return answer.response.decision === "allow";
    },
  };
}

const CASBIN_MODEL = `
[request_definition]
r = sub, act, obj, val
[policy_definition]
p = sub, act, obj, min, max
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.act == p.act && r.obj == p.obj && r.val >= p.min && r.val <= p.max
`;

export async function casbin(lifecycle: Lifecycle, phase: PhaseId, step: StepId): Promise<Peer> {
  const lines = permissions(lifecycle, phase, step).map(
    (p) => `p, ${p.source}, ${p.operation}, ${p.tag}, ${p.min}, ${p.max}`,
  );
  const enforcer = await newEnforcer(newModelFromString(CASBIN_MODEL), new StringAdapter(lines.join("\n")));
  return {
    name: "casbin",
    allows: (observation) =>
      enforcer.enforceSync(
        observation.source ?? "",
        observation.operation,
        tagOf(observation),
        askedValue(observation),
      ),
  };
}

interface CommandEvent extends Omit<Permission, "min" | "max"> {
  readonly type: string;
  readonly value: number;
}

const lifecycleSetup = setup({
  types: { events: {} as CommandEvent },
  guards: {
    fits: ({ event }, params: Permission) =>
      event.source === params.source &&
      event.operation === params.operation &&
      event.tag === params.tag &&
      event.value >= params.min &&
      event.value <= params.max,
  },
  actions: { seen: () => undefined },
});
type States = NonNullable<Parameters<typeof lifecycleSetup.createMachine>[0]["states"]>;
type State = NonNullable<States[string]>;
type On = NonNullable<State["on"]>;
const guarded = (params: Permission) =>
  ({ guard: { type: "fits", params }, actions: "seen" }) as const satisfies On[string];

/**
 * The lifecycle's machine itself, its content data only: `command` is one event, and each rule a transition of it whose guard is
 * named and gets the rule as its parameters.
 */
export function machineItself(lifecycle: Lifecycle, phase: PhaseId, step: StepId): Peer {
  const on = (rules: readonly Rule[]) => ({
    command: rules.flatMap(permissionsOf).map(guarded),
  });
  return machinePeer("snapshot.can()", statesOf(lifecycle, on), phase, step, () => "command");
}

/** The same rules as somebody would write them who has to be fast in xstate: an event of its own for each command, so few guards are asked. */
export function eventPerCommand(lifecycle: Lifecycle, phase: PhaseId, step: StepId): Peer {
  const on = (rules: readonly Rule[]) => {
    const events: Record<string, ReturnType<typeof guarded>[]> = {};
    for (const params of rules.flatMap(permissionsOf)) {
      const type = `${params.source} ${params.operation} ${params.tag}`;
      events[type] = [...(events[type] ?? []), guarded(params)];
    }
    return events;
  };
  const typeOf = (o: Observation) => `${o.source ?? ""} ${o.operation} ${tagOf(o)}`;
  const peer = machinePeer("snapshot.can(), an event per command", statesOf(lifecycle, on), phase, step, typeOf);
  return { ...peer, shownOnly: true };
}

function statesOf(lifecycle: Lifecycle, on: (rules: readonly Rule[]) => On): States {
  return Object.fromEntries(
    lifecycle.phases.map((phase): [string, State] => [
      phase.id,
      {
        on: on([...lifecycle.rules, ...phase.rules]),
        initial: phase.initial ?? "",
        states: Object.fromEntries(phase.steps.map((step) => [step.id, { on: on(step.rules) }])),
      },
    ]),
  );
}

function machinePeer(
  name: string,
  states: States,
  phase: PhaseId,
  step: StepId,
  typeOf: (observation: Observation) => string,
): Peer {
  const machine = lifecycleSetup.createMachine({ id: "bench", initial: phase, states });
  const snapshot = machine.resolveState({ value: { [phase]: step }, context: {} });
  return {
    name,
    allows: (observation) =>
      snapshot.can({
        type: typeOf(observation),
        source: observation.source ?? "",
        operation: observation.operation,
        tag: tagOf(observation),
        value: askedValue(observation),
      }),
  };
}
