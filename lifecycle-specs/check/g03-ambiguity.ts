import type { Condition, Lifecycle, Phase, Step, StepTransition, Transition } from "../lifecycle.ts";
import { durationInWords, type TagOf } from "../words.ts";
import { type Box, boxOf, meetOf, witnessIn } from "./boxes.ts";
import { exitInWords, exitKey, quoted, stepExitInWords, stepKey } from "./keys.ts";
import type { Checked, RawFact, RawFinding, Said } from "./report.ts";
import { spaceOf } from "./state-space.ts";

/** A request has one answer in each phase, generated ones included. */
export function requestsAreUnambiguous({ lifecycle }: Checked): readonly RawFinding[] {
  return lifecycle.phases.flatMap((phase) => {
    const seen = new Set<string>();
    return phase.transitions.flatMap((exit, index): readonly RawFinding[] => {
      if (exit.event !== "operator") return [];
      const known = seen.has(exit.request);
      seen.add(exit.request);
      if (!known) return [];
      return [
        {
          at: exitKey(phase, index),
          code: "TRANSITION_AMBIGUOUS",
          message: `phase \`${phase.id}\` answers request \`${exit.request}\` twice; rename one of the two`,
        },
      ];
    });
  });
}

/** No two ways out of a phase are opened by one observation, or by one moment, unless they lead to the same. */
export function exitsAreUnambiguous(spec: Checked): readonly RawFinding[] {
  const { tagOf } = spaceOf(spec);
  return written(spec.lifecycle).flatMap((phase) => {
    const waits = phase.transitions.map((exit) => exitWait(exit, tagOf));
    return pairs(phase.transitions).flatMap(([i, a, j, b]): readonly RawFinding[] => {
      const clash = isAlike(a, b) ? undefined : clashOf(waits[i], waits[j], tagOf);
      if (clash === undefined) return [];
      const ways = [a, b].map((exit) => `${exitInWords(exit, tagOf)} → \`${exit.to}\``);
      const what = `two ways out of phase \`${phase.id}\``;
      return [{ at: exitKey(phase, j), ...say(clash, what, [a.to, b.to], [`in \`${phase.id}\``, ...ways], "EXITS") }];
    });
  });
}

export function stepsAreUnambiguous(spec: Checked): readonly RawFinding[] {
  const { tagOf } = spaceOf(spec);
  return written(spec.lifecycle).flatMap((phase) =>
    phase.steps.flatMap((step) => {
      const waits = step.next.map((way) => stepWait(step, way, tagOf));
      return pairs(step.next).flatMap(([i, a, j, b]): readonly RawFinding[] => {
        const clash = a.to === b.to ? undefined : clashOf(waits[i], waits[j], tagOf);
        if (clash === undefined) return [];
        const ways = [a, b].map((way) => `${stepExitInWords(way, tagOf)} → \`${way.to}\``);
        const what = `two ways out of step \`${step.id}\` of phase \`${phase.id}\``;
        return [
          {
            at: stepKey(phase, step),
            ...say(clash, what, [a.to, b.to], [`in \`${phase.id}\`, step \`${step.id}\``, ...ways], "STEPS"),
          },
        ];
      });
    }),
  );
}

/** Where one observation can end a step and its phase: the step's way goes first, then the phase's from where it leads. */
export function childrenComeFirst(spec: Checked): readonly Said[] {
  const { tagOf } = spaceOf(spec);
  return written(spec.lifecycle).flatMap((phase) =>
    phase.steps.flatMap((step): readonly RawFact[] => {
      const both = step.next.flatMap((way) =>
        phase.transitions.flatMap((exit) => {
          const box = bothAtOnce(way, exit, tagOf);
          return box === undefined ? [] : [{ stepTo: way.to, phaseTo: exit.to, box }];
        }),
      );
      const [first] = both;
      if (first === undefined) return [];
      const stepTo = [...new Set(both.map((pair) => pair.stepTo))];
      const phaseTo = [...new Set(both.map((pair) => pair.phaseTo))];
      return [
        {
          at: stepKey(phase, step),
          guarantee: "G3",
          fact: `one observation (${witnessIn(first.box, tagOf)}) can end step \`${step.id}\` and phase \`${phase.id}\` at once: first the step (to ${quoted(stepTo)}), then the phase (to ${quoted(phaseTo)})`,
          detail: { phase: phase.id, step: step.id, stepTo, phaseTo },
        },
      ];
    }),
  );
}

function bothAtOnce(way: StepTransition, exit: Transition, tagOf: TagOf): Box | undefined {
  if (way.event !== "condition" || exit.event === "operator" || exit.when === undefined) return undefined;
  const [a, b] = [boxOf(way.when, tagOf), boxOf(exit.when, tagOf)];
  return a === undefined || b === undefined ? undefined : meetOf(a, b, tagOf);
}

/** Where two zones' conditions can lead a third, or each other, to different phases at once: the order of the zones decides. */
export function zonesTakeTurns(spec: Checked): readonly Said[] {
  const { tagOf } = spaceOf(spec);
  const moves = written(spec.lifecycle).flatMap((phase) =>
    phase.transitions.flatMap((exit, index) =>
      exit.event === "operator" || exit.when === undefined
        ? []
        : [phase.zone, ...exit.with.map((to) => zoneOf(spec.lifecycle, to))].map((zone, part) => ({
            zone,
            phase,
            index,
            to: part === 0 ? exit.to : (exit.with[part - 1] ?? exit.to),
            box: exit.when === undefined ? undefined : boxOf(exit.when, tagOf),
          })),
    ),
  );
  return [...Map.groupBy(moves, ({ zone }) => zone)].flatMap(([zone, ofZone]) =>
    pairs(ofZone).flatMap(([, a, , b]): readonly RawFact[] => {
      if (a.phase.zone === b.phase.zone || a.to === b.to || a.box === undefined || b.box === undefined) return [];
      const both = meetOf(a.box, b.box, tagOf);
      if (both === undefined) return [];
      return [
        {
          at: exitKey(b.phase, b.index),
          guarantee: "G3",
          fact: `one observation (${witnessIn(both, tagOf)}) can lead zone \`${zone}\` from \`${a.phase.id}\` to \`${a.to}\` and from \`${b.phase.id}\` to \`${b.to}\`: the change that is begun first is made, the other is judged anew`,
          detail: { zone: zone ?? "", first: a.to, second: b.to },
        },
      ];
    }),
  );
}

/** What a way out waits for: something that is seen, a moment, or a message. */
type Wait =
  | { readonly for: "seen"; readonly box: Box | undefined; readonly condition: Condition; readonly fromMs: number }
  | { readonly for: "moment"; readonly ms: number }
  | { readonly for: "message"; readonly key: string }
  | { readonly for: "person" };

function exitWait(exit: Transition, tagOf: TagOf): Wait {
  if (exit.event === "operator") return { for: "person" };
  const fromMs = exit.event === "after" ? exit.ms : 0;
  if (exit.when === undefined) return { for: "moment", ms: fromMs };
  return { for: "seen", box: boxOf(exit.when, tagOf), condition: exit.when, fromMs };
}

/** Before a step's least time nothing counts, so what has held before counts from that moment on. */
function stepWait({ minMs = 0 }: Step, way: StepTransition, tagOf: TagOf): Wait {
  switch (way.event) {
    case "condition":
      return { for: "seen", box: boxOf(way.when, tagOf), condition: way.when, fromMs: minMs };
    case "after":
      return { for: "moment", ms: way.ms };
    case "command":
      return { for: "message", key: `${way.rule} ${way.outcome}` };
    default: {
      const never: never = way;
      throw new Error(`unreachable: ${JSON.stringify(never)}`);
    }
  }
}

type Clash = { readonly code: "OVERLAP"; readonly when: string } | { readonly code: "SAME"; readonly when: string };

/** How two ways are opened by one event; undefined: they are not. Different kinds of events are different events. */
function clashOf(a: Wait | undefined, b: Wait | undefined, tagOf: TagOf): Clash | undefined {
  if (a?.for === "seen" && b?.for === "seen") {
    if (a.box === undefined || b.box === undefined) return undefined;
    const both = meetOf(a.box, b.box, tagOf);
    if (both === undefined) return undefined;
    const forMs = Math.max(a.condition.forMs, b.condition.forMs);
    const since = forMs === 0 ? "" : ` for ${durationInWords(forMs)}`;
    const fromMs = Math.max(a.fromMs, b.fromMs);
    const after = fromMs === 0 ? "" : `, ${durationInWords(fromMs)} after it began`;
    return { code: "OVERLAP", when: `${witnessIn(both, tagOf)}${since}${after}` };
  }
  if (a?.for === "moment" && b?.for === "moment" && a.ms === b.ms) {
    return { code: "SAME", when: `${durationInWords(a.ms)} after it began` };
  }
  if (a?.for === "moment" && b?.for === "seen") return momentOf(b, a.ms, tagOf);
  if (a?.for === "seen" && b?.for === "moment") return momentOf(a, b.ms, tagOf);
  if (a?.for === "message" && b?.for === "message" && a.key === b.key) {
    return { code: "SAME", when: `the message \`${a.key}\`` };
  }
  return undefined;
}

/** What has held before may count from the same moment on. */
function momentOf({ box, fromMs }: Extract<Wait, { for: "seen" }>, ms: number, tagOf: TagOf): Clash | undefined {
  if (box === undefined || fromMs !== ms || ms === 0) return undefined;
  return { code: "SAME", when: `${durationInWords(ms)} after it began, with ${witnessIn(box, tagOf)}` };
}

function say(
  { code, when }: Clash,
  what: string,
  targets: readonly string[],
  trace: readonly string[],
  kind: "EXITS" | "STEPS",
): Pick<RawFinding, "code" | "message" | "trace"> {
  const apart =
    code === "OVERLAP" ? "add to one of them what keeps them apart" : "give one of them another time or event";
  const alike = targets[0] === targets[1] ? " in different ways" : "";
  return {
    code: `${kind}_${code}`,
    message: `${what} are open at once (${when}): one leads to \`${targets[0]}\`, one to \`${targets[1]}\`${alike}; ${apart}`,
    trace: [...trace, `both at ${when}`],
  };
}

/** Whether it does not matter which of two transitions is taken. */
function isAlike(a: Transition, b: Transition): boolean {
  return a.to === b.to && a.cleanMs === b.cleanMs && sameIds(a.with, b.with) && sameIds(a.window, b.window);
}

function sameIds(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/** Generated containments have the requests of their origin, and no conditions. */
function written({ phases }: Lifecycle): readonly Phase[] {
  return phases.filter(({ mask }) => mask === undefined);
}

function zoneOf(lifecycle: Lifecycle, id: string) {
  return lifecycle.phases.find((phase) => phase.id === id)?.zone;
}

function pairs<T>(list: readonly T[]): readonly (readonly [number, T, number, T])[] {
  return list.flatMap((b, j) => list.slice(0, j).map((a, i) => [i, a, j, b] as const));
}
