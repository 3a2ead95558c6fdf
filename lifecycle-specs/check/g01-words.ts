import type { PhaseId } from "../ids.ts";
import type { Lifecycle, Phase, SafeState, Transition } from "../lifecycle.ts";
import { exitMs, type Usable, type Way } from "../safe-distance.ts";
import { durationInWords, type TagOf } from "../words.ts";
import { exitInWords, exitKey, phaseKey, quoted } from "./keys.ts";
import type { RawFinding } from "./report.ts";

/** One search for the ways to safety, and what was assumed in it. */
export interface Pass {
  readonly lifecycle: Lifecycle;
  readonly safe: SafeState;
  /** All phases of the zone. */
  readonly phases: readonly Phase[];
  readonly tagOf: TagOf;
  readonly ways: ReadonlyMap<PhaseId, Way>;
  readonly usable: Usable;
  /** Who is dead or refuses; undefined: nobody. */
  readonly without: string | undefined;
  /** Whether the coordinator makes a change without a point that is dead. */
  readonly mayGo: Usable;
}

/** Other phases that are named in a message; of more the number is said. */
const MAX_NAMED = 4;

/** One finding for each place where the plant comes to a standstill; what only leads there is named with it. */
export function stuckIn(pass: Pass, stuck: readonly Phase[]): readonly RawFinding[] {
  const onward = new Map(stuck.map((phase) => [phase.id, onwardFrom(pass, phase)]));
  const told = new Set<PhaseId>();
  return stuck.flatMap((phase): readonly RawFinding[] => {
    const there = [...(onward.get(phase.id) ?? [])];
    const isEnd = there.every((id) => onward.get(id)?.has(phase.id) !== false);
    if (!isEnd || told.has(phase.id)) return [];
    for (const id of there) told.add(id);
    const leading = stuck.filter(({ id }) => !told.has(id) && onward.get(id)?.has(phase.id) === true);
    return [stuckAt(pass, phase, leading)];
  });
}

function onwardFrom({ phases, usable }: Pass, begin: Phase): ReadonlySet<PhaseId> {
  const byId = new Map(phases.map((phase) => [phase.id, phase]));
  const found = new Set([begin.id]);
  for (const id of found) {
    const phase = byId.get(id);
    for (const exit of phase?.transitions ?? []) if (phase !== undefined && usable(phase, exit)) found.add(exit.to);
  }
  return found;
}

function stuckAt(pass: Pass, phase: Phase, leading: readonly Phase[]): RawFinding {
  const { safe, tagOf } = pass;
  const barred = phase.transitions.map((exit) => `not by ${exitInWords(exit, tagOf)}: ${whyNot(pass, phase, exit)}`);
  return {
    at: phaseKey(phase),
    code: pass.without === undefined ? "SAFE_UNREACHABLE" : "SAFE_WITHOUT_POINT",
    message: `from phase \`${phase.id}\` no transitions lead to the safe phase \`${safe.phase}\`${whileDead(pass)}${alsoFrom(leading)}; add a request to \`${phase.id}\` by which people lead the plant there`,
    trace: [
      ...(leading[0] === undefined ? [] : [`\`${leading[0].id}\` leads only here`]),
      `\`${phase.id}\``,
      ...barred,
      "stuck",
    ],
  };
}

function whyNot({ ways, mayGo, usable }: Pass, phase: Phase, exit: Transition): string {
  if (exit.to === phase.id) return "it stays there";
  if (usable(phase, exit)) return `nor from \`${exit.to}\``;
  if (!mayGo(phase, exit)) return "the change allows more, and needs every point";
  return ways.has(exit.to) ? "nobody sees the condition" : `nobody sees the condition, nor from \`${exit.to}\``;
}

function alsoFrom(leading: readonly Phase[]): string {
  if (leading.length === 0) return "";
  const named = leading.slice(0, MAX_NAMED).map(({ id }) => id);
  const more = leading.length > MAX_NAMED ? ` and ${leading.length - MAX_NAMED} more` : "";
  return `, nor from ${quoted(named)}${more}, which ${leading.length === 1 ? "leads" : "lead"} there`;
}

/** Phases with a way that takes too long, or that states no time; of the latter one for each such transition. */
export function tooFarFrom(pass: Pass, phases: readonly Phase[]): readonly RawFinding[] {
  const untold = new Set<string>();
  return phases.flatMap((phase): readonly RawFinding[] => {
    const { lines, timeless } = follow(pass, phase);
    if (timeless === undefined) return [tooLate(pass, phase, lines)];
    const at = exitKey(timeless.from, timeless.exit);
    if (untold.has(at)) return [];
    untold.add(at);
    return [noTime(pass, phase, lines, timeless)];
  });
}

interface Timeless {
  readonly from: Phase;
  readonly exit: number;
  readonly transition: Transition;
}

function noTime(pass: Pass, phase: Phase, trace: readonly string[], { from, exit, transition }: Timeless): RawFinding {
  const key = transition.event === "operator" ? "ttl" : "within";
  return {
    at: exitKey(from, exit),
    code: pass.without === undefined ? "SAFE_UNBOUNDED" : "SAFE_WITHOUT_POINT",
    message: `from phase \`${phase.id}\` the safe phase \`${pass.safe.phase}\` is reached only by a transition of \`${from.id}\` that states no time (${exitInWords(transition, pass.tagOf)})${whileDead(pass)}; give it \`${key}\`, or add a request without a condition to \`${from.id}\``,
    trace,
  };
}

function tooLate(pass: Pass, phase: Phase, trace: readonly string[]): RawFinding {
  const { phase: safe, withinMs } = pass.safe;
  const ms = pass.ways.get(phase.id)?.ms ?? Number.POSITIVE_INFINITY;
  return {
    at: phaseKey(phase),
    code: pass.without === undefined ? "SAFE_TOO_LATE" : "SAFE_WITHOUT_POINT",
    message: `from phase \`${phase.id}\` the safe phase \`${safe}\` is reached in ${durationInWords(ms)} at best, and ${durationInWords(withinMs)} is stated${whileDead(pass)}; add a shorter way, or state a longer time`,
    trace,
  };
}

function whileDead({ without }: Pass): string {
  return without === undefined ? "" : ` while ${without} is dead or refuses`;
}

/** The best way with the time that has passed at each end, and its first transition without a time. */
function follow({ lifecycle, phases, ways, tagOf }: Pass, begin: Phase) {
  const byId = new Map(phases.map((phase) => [phase.id, phase]));
  const lines = [`\`${begin.id}\``];
  let ms = 0;
  let timeless: Timeless | undefined;
  let from: Phase | undefined = begin;
  // A best way passes no phase twice.
  for (let passed = 0; from !== undefined && passed < phases.length; passed += 1) {
    const exit: number | undefined = ways.get(from.id)?.exit;
    const transition: Transition | undefined = exit === undefined ? undefined : from.transitions[exit];
    if (exit === undefined || transition === undefined) break;
    ms += exitMs(lifecycle, transition);
    if (!Number.isFinite(ms)) timeless ??= { from, exit, transition };
    const time = Number.isFinite(ms) ? `within ${durationInWords(ms)}` : "at no stated time";
    lines.push(`${exitInWords(transition, tagOf)} → \`${transition.to}\` ${time}`);
    from = byId.get(transition.to);
  }
  return { lines, timeless };
}
