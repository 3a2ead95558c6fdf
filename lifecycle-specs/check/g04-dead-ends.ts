import type { PhaseId } from "../ids.ts";
import { exitInWords, exitKey, phaseKey, stepExitInWords, stepKey } from "./keys.ts";
import type { Checked, RawFinding } from "./report.ts";
import { type Place, type Space, spaceOf } from "./state-space.ts";

/** Generated containments that nothing leads to may still be asked for by people, so only written phases count. */
export function phasesAreReachable(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  const reached = reachedPhases(space);
  return spec.lifecycle.phases
    .filter(({ id, mask }) => mask === undefined && !reached.has(id))
    .map((phase) => ({
      at: phaseKey(phase),
      code: "PHASE_UNREACHABLE",
      message: `nothing leads to phase \`${phase.id}\`; add a transition or a containment to it, or remove it`,
    }));
}

export function phasesCanBeLeft(spec: Checked): readonly RawFinding[] {
  const { canHold } = spaceOf(spec);
  return spec.lifecycle.phases
    .filter(({ id, transitions }) => transitions.every(({ to, when }) => to === id || !canHold(when)))
    .map((phase) => ({
      at: phaseKey(phase),
      code: "PHASE_STUCK",
      message: `no transition leads out of phase \`${phase.id}\`; add one, or the plant stays there for good`,
    }));
}

export function stepsAreReachable(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  const reached = reachedPhases(space);
  return steps(space).flatMap(({ index, phase, step }): readonly RawFinding[] => {
    if (space.reached.has(index) || !reached.has(phase.id)) return [];
    return [
      {
        at: stepKey(phase, step),
        code: "STEP_UNREACHABLE",
        message: `no step leads to \`${step.id}\` of phase \`${phase.id}\`; name it in a \`next\`, or remove it`,
      },
    ];
  });
}

export function stepsCanBeLeft(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  return steps(space).flatMap(({ index, phase, step }): readonly RawFinding[] => {
    const leaves = space.moves[index]?.some((move) => {
      const to = space.places[move.to];
      return move.kind === "own" && to?.phase === phase && to.step !== step;
    });
    if (step.maxMs !== undefined || leaves === true) return [];
    return [
      {
        at: stepKey(phase, step),
        code: "STEP_STUCK",
        message: `nothing leads out of step \`${step.id}\` and staying in it is never reported; give it a \`next\` or a \`max\``,
      },
    ];
  });
}

/** Ways out that are never taken: their condition contradicts itself, their command is not allowed there, or time is up before. */
export function waysAreAlive(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  return [...deadExits(spec, space), ...steps(space).flatMap((place) => deadStepExits(space, place))];
}

function deadExits({ lifecycle }: Checked, { canHold, tagOf }: Space): readonly RawFinding[] {
  return lifecycle.phases.flatMap((phase) => {
    if (phase.mask !== undefined) return [];
    const always = phase.transitions.find(
      (exit) => exit.event === "after" && exit.when === undefined && exit.cleanMs === undefined,
    );
    return phase.transitions.flatMap((exit, index): readonly RawFinding[] => {
      const words = exitInWords(exit, tagOf);
      if (!canHold(exit.when))
        return [impossible(exitKey(phase, index), `a way out of phase \`${phase.id}\` (${words})`)];
      if (always?.event !== "after" || exit.event !== "after" || exit.ms <= always.ms) return [];
      return [
        {
          at: exitKey(phase, index),
          code: "WAY_NEVER",
          message: `a way out of phase \`${phase.id}\` (${words}) is never taken, for another leads to \`${always.to}\` before (${exitInWords(always, tagOf)}); remove one of the two`,
        },
      ];
    });
  });
}

function deadStepExits({ rulesAt, canHold, tagOf }: Space, place: StepPlace): readonly RawFinding[] {
  const { phase, step } = place;
  return step.next.flatMap((way): readonly RawFinding[] => {
    const what = `a way out of step \`${step.id}\` of phase \`${phase.id}\` (${stepExitInWords(way, tagOf)})`;
    if (way.event === "condition" && !canHold(way.when)) return [impossible(stepKey(phase, step), what)];
    if (way.event !== "command" || rulesAt(place).some(({ id }) => id === way.rule)) return [];
    return [
      {
        at: stepKey(phase, step),
        code: "WAY_NEVER",
        message: `${what} is never taken, for the step does not allow what \`${way.rule}\` does; add the rule to the step, or wait for something else`,
      },
    ];
  });
}

function impossible(at: string, what: string): RawFinding {
  return {
    at,
    code: "CONDITION_IMPOSSIBLE",
    message: `${what} waits for what never holds within the ranges of its tags; correct the values or the ranges`,
  };
}

type StepPlace = Place & Required<Pick<Place, "step">>;

/** Written steps; those of generated containments are their origin's. */
function steps({ places }: Space): readonly StepPlace[] {
  return places.flatMap(({ index, phase, step }) =>
    step === undefined || phase.mask !== undefined ? [] : [{ index, phase, step }],
  );
}

function reachedPhases({ places, reached }: Space): ReadonlySet<PhaseId> {
  return new Set(places.filter(({ index }) => reached.has(index)).map(({ phase }) => phase.id));
}
