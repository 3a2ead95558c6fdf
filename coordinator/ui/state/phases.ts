import type { PhaseInfo, PlantView, StateView } from "#coordinator/page-messages.ts";
import { nameWords, phaseWords } from "./words.ts";

// The lifecycle as a small strip: one box per group of phases, in the order of the lifecycle file.

export interface PhaseBox {
  readonly group: string;
  readonly label: string;
  readonly current: boolean;
  /** A phase change leads here. */
  readonly coming: boolean;
  /** One transition away from where the plant stands. */
  readonly reachable: boolean;
  /** The lifecycle has a transition from the box before to this one. */
  readonly follows: boolean;
  /** Phases of the group, where it has more than one; the current one is marked. */
  readonly inner: readonly { readonly id: string; readonly label: string; readonly current: boolean }[];
}

export function groupOf(phase: string): string {
  return phase.split(".")[0] ?? phase;
}

export function phaseInfo(plant: PlantView, phase: string | null): PhaseInfo | undefined {
  return phase === null ? undefined : plant.phases.find((p) => p.id === phase);
}

export function lifecycleStrip(plant: PlantView, state: Pick<StateView, "phase" | "changing">): readonly PhaseBox[] {
  // A generated containment is shown once the plant is in it or on its way there: there are many, and they look alike.
  const here = new Set([state.phase, state.changing?.to]);
  const shown = plant.phases.filter((p) => p.generatedFrom === undefined || here.has(p.id));
  const groups = [...new Set(shown.map((p) => groupOf(p.id)))];
  const current = state.phase === null ? undefined : groupOf(state.phase);
  const ways = new Set(plant.phases.flatMap((p) => p.transitions.map((t) => `${groupOf(p.id)}→${groupOf(t.to)}`)));
  const next = new Set(phaseInfo(plant, state.phase)?.transitions.map((t) => groupOf(t.to)));
  return groups.map((group, i) => ({
    group,
    label: nameWords(group),
    current: group === current,
    coming: state.changing !== null && groupOf(state.changing.to) === group && group !== current,
    reachable: group !== current && next.has(group),
    follows: i > 0 && ways.has(`${groups[i - 1]}→${group}`),
    inner: shown
      .filter((p) => groupOf(p.id) === group && p.id !== group)
      .map((p) => ({ id: p.id, label: nameWords(p.id.slice(group.length + 1)), current: p.id === state.phase })),
  }));
}

type StepMark = "passed" | "possible" | "active" | "ahead";

export interface StepView {
  readonly id: string;
  readonly label: string;
  readonly says: string;
  readonly mark: StepMark;
}

/** One possible step is the active one; several are each possible, and the page says so. */
export function stepViews(plant: PlantView, state: Pick<StateView, "phase" | "steps">): readonly StepView[] {
  const steps = phaseInfo(plant, state.phase)?.steps ?? [];
  const first = steps.findIndex((s) => state.steps.includes(s.id));
  return steps.map((s, i) => {
    const possible = state.steps.includes(s.id);
    const mark: StepMark = possible
      ? state.steps.length === 1
        ? "active"
        : "possible"
      : first >= 0 && i < first
        ? "passed"
        : "ahead";
    return { id: s.id, label: nameWords(s.id), says: s.says, mark };
  });
}

export function stepWords(steps: readonly string[]): string {
  return steps.map(nameWords).join(" or ");
}

/** What leads on from the present phase without a person, and what it waits for, in words. */
export function waysOn(
  plant: PlantView,
  state: Pick<StateView, "phase" | "onward">,
): readonly { readonly to: string; readonly rule: string; readonly waitsFor: string }[] {
  const info = phaseInfo(plant, state.phase);
  const ways = (info?.transitions ?? []).filter((t) => t.event !== "operator");
  return ways.map(({ to, says }) => {
    const now = state.onward.find((o) => o.to === to);
    const waitsFor = now === undefined || now.missing.length === 0 ? "" : now.missing.join("; ");
    return { to, rule: says, waitsFor };
  });
}

/** The coordinator quotes names in backticks; people read phases by their words. */
export function readable(plant: PlantView, says: string): string {
  return says.replaceAll(/`([^`]*)`/g, (_quoted, name: string) =>
    phaseInfo(plant, name) === undefined ? name : phaseWords(name),
  );
}
