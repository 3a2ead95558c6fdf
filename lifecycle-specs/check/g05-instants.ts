import type { Layer } from "../decide/observation.ts";
import type { Phase, Rule, Step, Transition } from "../lifecycle.ts";
import { allRules, effectiveRules, findPhase, findStep } from "../positions.ts";
import type { Checked, RawFinding } from "./report.ts";
import { bookOf, excessOf, type Permission, permissionsOfRules } from "./whitelist.ts";

/** A layer's list while a phase changes. `window`: what old and new both allow, safety, and the window list. */
type List = "old" | "window" | "new";

/**
 * Every combination of lists that a planned change passes through (design §7): narrow from the top, widen from the bottom, each
 * after the layer before has answered. A change that is given up goes back through the first four. An emergency narrows
 * everywhere at once and is not bound to an order.
 */
export const INSTANTS: readonly Readonly<Record<Layer, List>>[] = [
  { hmi: "old", switch: "old", plc: "old" },
  { hmi: "window", switch: "old", plc: "old" },
  { hmi: "window", switch: "window", plc: "old" },
  { hmi: "window", switch: "window", plc: "window" },
  { hmi: "window", switch: "window", plc: "new" },
  { hmi: "window", switch: "new", plc: "new" },
  { hmi: "new", switch: "new", plc: "new" },
];

const BELOW: readonly (readonly [above: Layer, below: Layer])[] = [
  ["hmi", "switch"],
  ["switch", "plc"],
];

/**
 * In each of these instants the list above lies within the list below. Of a window only its listed rules can reach beyond: the rest
 * is allowed by old and new. They are compared with the lower layer's list, in every step of the old phase and where the new begins.
 */
export function instantsAreNested(spec: Checked): readonly RawFinding[] {
  const rules = new Map(allRules(spec.lifecycle).map((rule) => [rule.id, rule]));
  return spec.lifecycle.phases.flatMap((phase) =>
    (phase.mask === undefined ? phase.transitions : []).flatMap((transition, index): readonly RawFinding[] => {
      const next = findPhase(spec.lifecycle, transition.to);
      if (next === undefined || transition.window.length === 0) return [];
      const listed = transition.window.flatMap((id) => rules.get(id) ?? []);
      const trace = listed.flatMap((rule) => holesOf(spec, phase, next, rule));
      const [first] = trace;
      if (first === undefined) return [];
      return [
        {
          at: `exit:${phase.id}/${index}`,
          code: "WINDOW_NOT_NESTED",
          message: messageOf(phase, transition, first),
          trace,
        },
      ];
    }),
  );
}

function messageOf({ id }: Phase, { to }: Transition, first: string): string {
  return `during the change from \`${id}\` to \`${to}\` a command of the window can pass one layer and be denied by the next: ${first}; list rules that both phases hold, or count on such denials`;
}

function holesOf(spec: Checked, old: Phase, next: Phase, rule: Rule): readonly string[] {
  const begin = next.initial === undefined ? undefined : findStep(next, next.initial);
  const steps: readonly (Step | undefined)[] = old.steps.length === 0 ? [undefined] : old.steps;
  return INSTANTS.flatMap((instant) =>
    BELOW.flatMap(([above, below]) => {
      if (instant[above] !== "window" || instant[below] === "window") return [];
      const places = instant[below] === "old" ? steps.map((step) => [old, step] as const) : [[next, begin] as const];
      const [phase, step] = places.find(([phase, step]) => isBeyond(spec, phase, step, rule, below)) ?? [];
      if (phase === undefined) return [];
      const where = step === undefined ? `\`${phase.id}\`` : `\`${phase.id}\`, step \`${step.id}\``;
      return [
        `the ${above} layer holds the window list and lets \`${rule.id}\` through, the ${below} layer holds ${where} and does not`,
      ];
    }),
  );
}

/** Whether the rule allows, at this layer, what the position does not. */
function isBeyond(
  { plant, lifecycle }: Checked,
  phase: Phase,
  step: Step | undefined,
  rule: Rule,
  layer: Layer,
): boolean {
  const held = permissionsOfRules(plant, lifecycle, phase, effectiveRules(lifecycle, phase, step), layer);
  return bookOf(plant, lifecycle)
    .entriesOf(rule, layer)
    .some(({ key, permission, grant }) => {
      const alone: Permission = { ...permission, grants: [grant] };
      return excessOf(plant, lifecycle, alone, held.get(key)).length > 0;
    });
}
