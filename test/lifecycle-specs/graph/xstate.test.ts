import { describe, expect, test } from "vitest";
import { type AnyStateMachine, createMachine, type StateValue, transition } from "xstate";
import { toDirectedGraph } from "xstate/graph";
import { xstateOf } from "#specs/graph/xstate.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { toMachine } from "#specs/machine.ts";
import { loaded } from "../specs.ts";
import { variant } from "../variants.ts";

const SPECS = [
  ["mixer", variant("mixer")],
  ["pair", variant("pair")],
  ["water-treatment", loaded("water-treatment")],
  ["boiler", loaded("boiler")],
] as const;

interface Shape {
  readonly initial?: unknown;
  readonly type?: unknown;
  readonly on?: unknown;
  readonly states?: Readonly<Record<string, Shape>> | undefined;
}

/** States, their initial states, events and targets, and nothing else. */
function shapeOf({ initial, type, on, states = {} }: Shape): unknown {
  return {
    initial,
    type,
    on: Object.entries({ ...(typeof on === "object" ? on : {}) }).map(([event, way]) => [event, targetOf(way)]),
    states: Object.entries(states).map(([name, state]) => [name, shapeOf(state)]),
  };
}

function targetOf(way: unknown): unknown {
  return typeof way === "object" && way !== null && "target" in way ? way.target : way;
}

/** Every phase, and every step, as a state value. */
function valuesOf({ phases }: Lifecycle): readonly StateValue[] {
  const paths = phases.flatMap(({ id, steps }) => [id, ...steps.map((step) => `${id}.${step.id}`)]);
  return paths.map((path) => {
    const names = path.split(".");
    return names.slice(0, -1).reduceRight<StateValue>((inner, name) => ({ [name]: inner }), names.at(-1) ?? "");
  });
}

function knows(machine: AnyStateMachine, value: StateValue, type: string): boolean {
  return machine.resolveState({ value, context: {} }).can({ type });
}

describe.each(SPECS)("%s as xstate JSON", (_, { plant, lifecycle }) => {
  const text = xstateOf(plant, lifecycle);
  const machine: AnyStateMachine = createMachine(JSON.parse(text));
  const ours = toMachine(lifecycle);

  test("has the states, events and targets of our machine", () => {
    expect(shapeOf(JSON.parse(text))).toEqual(shapeOf(ours.config));
  });

  test("takes every event in every state as our machine does", () => {
    let taken = 0;
    for (const value of valuesOf(lifecycle)) {
      // A few events that each state does not know are enough besides those that it does.
      for (const type of ours.events.filter((one, index) => index % 7 === 0 || knows(ours, value, one))) {
        const [from, theirs] = [ours, machine].map((one) => one.resolveState({ value, context: {} }));
        if (from === undefined || theirs === undefined) throw new Error("unreachable: two machines");
        const [next] = transition(ours, from, { type });
        expect(transition(machine, theirs, { type })[0].value).toEqual(next.value);
        taken += from.can({ type }) ? 1 : 0;
      }
    }
    expect(taken).toBeGreaterThan(0);
  });

  test("is opened by xstate's own graph tools", () => {
    const names = (of: AnyStateMachine): readonly string[] => {
      const graph = toDirectedGraph(of);
      const ids = (node: typeof graph): readonly string[] => [node.id, ...node.children.flatMap(ids)];
      return ids(graph);
    };
    expect(names(machine)).toEqual(names(ours));
  });

  test("says in each phase's description what is allowed there", () => {
    const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
    for (const { id, says, rules } of written) {
      const description = machine.getStateNodeById(`lifecycle.${id}`).config.description ?? "";
      expect(description).toContain(says);
      for (const rule of rules) expect(description).toContain(`(${rule.id})`);
    }
  });
});

test("rules stand once, and states name them", () => {
  const { plant, lifecycle } = variant("mixer");
  const config = JSON.parse(xstateOf(plant, lifecycle));
  expect(config.meta.rules).toEqual(["reads", "stop"]);
  expect(config.meta.allRules.speed).toMatchObject({ operation: "write", tags: ["SPEED.SP"] });
  expect(config.states.run.states.produce.meta.rules).toEqual(["speed", "mode"]);
  expect(config.states.run.on["request.stop"].description).toBe("stop, by operator");
});
