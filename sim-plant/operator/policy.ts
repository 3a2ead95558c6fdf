import { between, type Random } from "../random.ts";
import { type Hands, hands } from "./hands.ts";
import {
  dosingHeld,
  maintenance,
  maintenanceLineDone,
  normal,
  probation,
  shutdown,
  startHeld,
  startup,
} from "./procedures.ts";
import { SCRIPTS, type ScriptLine, type ScriptName } from "./script.ts";
import type { Command, Decision, OperatorState, OperatorView, PhaseRequest } from "./view.ts";

export interface OperatorPlan {
  readonly script: ScriptName;
  /** Foreseen demand at a plant time, m³/h. */
  readonly demand: (atMs: number) => number;
  /** Plant ms after which the operator asks for the way back from a degraded phase that the script did not ask for; undefined: never. */
  readonly returnAfterMs: number | undefined;
}

const START_HELD = "degraded.start-held";
const RETURN: PhaseRequest = { request: "return-to-normal", role: "operator", person: "A. Minato" };

/** How long the operator lets a containment stand before he asks for the way back, plant ms. */
export const DEFAULT_RETURN_AFTER_MS = 20_000;

/** How long he leaves the plant stopped after a start that was broken off, plant ms. */
const AFTER_BROKEN_START_MS = 20_000;

/** Reaction time after the console shows something new, ms. */
const REACTION_MS = [1000, 2000] as const;
/** A request that had no effect is made again after this long, ms. */
const ASK_AGAIN_MS = 5000;

/**
 * One look at the readings and the console, and what the operator does about it: at most one write per station. He acts only on
 * what the console shows, after his reaction time, and only by steps that the lifecycle's rules allow.
 */
export function decideCommands(
  plan: OperatorPlan,
  state: OperatorState,
  view: OperatorView,
  atMs: number,
  rng: Random,
): Decision {
  const reports: string[] = [];
  const seen = look(plan, state, view, atMs, rng);
  if (view.console === undefined || atMs < seen.readyAtMs) return { state: seen, commands: [], requests: [], reports };
  const h = hands(seen, view, atMs, plan.demand(atMs), rng, (says) => void reports.push(says));
  const command = wish(view.console.phase, h);
  const request = command === undefined ? ask(plan, h, view.console.phase) : undefined;
  const commands = command === undefined ? [] : [command];
  const news = reports.filter((says) => !seen.reported.has(says));
  return {
    state: remember(seen, h, view.console.phase, command, request, reports),
    commands,
    requests: request === undefined ? [] : [request],
    reports: news,
  };
}

/** Takes in what the console shows; anything new costs a reaction time. */
function look(plan: OperatorPlan, state: OperatorState, view: OperatorView, atMs: number, rng: Random): OperatorState {
  const open = [...view.tags].some(([tag, value]) => tag === "MV101.OPEN" && value !== 0);
  const seen = { ...state, inletOpenSinceMs: open ? (state.inletOpenSinceMs ?? atMs) : undefined };
  if (view.console === undefined) return seen;
  const { phase, steps } = view.console;
  const place = `${phase} ${steps.join(",")}`;
  if (place === state.place) return seen;
  const newPhase = phase !== state.phase;
  return {
    ...seen,
    place,
    placeSinceMs: atMs,
    phase,
    phaseSinceMs: newPhase ? atMs : state.phaseSinceMs,
    readyAtMs: atMs + Math.round(between(rng, REACTION_MS[0], REACTION_MS[1])),
    // A start that was broken off is in his mind until he has asked for another one.
    brokenOff: newPhase ? state.phase === START_HELD : state.brokenOff,
    maintenanceDone: newPhase ? 0 : state.maintenanceDone,
    scriptAt: newPhase && scriptAsked(plan, state) ? state.scriptAt + 1 : state.scriptAt,
    rinsed: false,
    requestedAtMs: newPhase ? Number.NEGATIVE_INFINITY : state.requestedAtMs,
  };
}

/** The phase that is left now is the one in which the script's line was asked for; so the line is done. */
function scriptAsked(plan: OperatorPlan, state: OperatorState): boolean {
  return Number.isFinite(state.requestedAtMs) && lineNow(plan, state)?.phase === state.phase;
}

function wish(phase: string, h: Hands): Command | undefined {
  switch (phase) {
    case "startup":
      return startup(h);
    case START_HELD:
      return startHeld(h);
    case "normal":
      return normal(h);
    case "degraded.dosing-held":
      return dosingHeld(h);
    case "recovery.probation":
      return probation(h);
    case "shutdown":
      return shutdown(h);
    case "maintenance":
      return maintenance(h);
    default:
      // Stopped, the other degraded phases, verification, and phases he does not know: hands off.
      return undefined;
  }
}

function ask(plan: OperatorPlan, h: Hands, phase: string): PhaseRequest | undefined {
  if (h.nowMs - h.state.requestedAtMs < ASK_AGAIN_MS) return undefined;
  const inPhaseMs = h.nowMs - h.state.phaseSinceMs;
  const line = lineNow(plan, h.state);
  if (line?.phase === phase) {
    const afterMs = h.state.brokenOff ? Math.max(line.afterMs, AFTER_BROKEN_START_MS) : line.afterMs;
    return inPhaseMs >= afterMs && (line.ready?.(h) ?? true) ? line.request : undefined;
  }
  // Not where the script would be: a containment came between. He leads the plant back, and the script goes on from there. From a start
  // that was broken off there is no way back but to switch off.
  if (plan.returnAfterMs === undefined || !phase.startsWith("degraded.") || phase === START_HELD) return undefined;
  if (inPhaseMs < plan.returnAfterMs) return undefined;
  return RETURN;
}

function lineNow(plan: OperatorPlan, state: OperatorState): ScriptLine | undefined {
  const script = SCRIPTS[plan.script];
  return script.length === 0 ? undefined : script[state.scriptAt % script.length];
}

function remember(
  state: OperatorState,
  h: Hands,
  phase: string,
  command: Command | undefined,
  asked: PhaseRequest | undefined,
  reports: readonly string[],
): OperatorState {
  const writtenAtMs = command === undefined ? state.writtenAtMs : new Map(state.writtenAtMs).set(command.tag, h.nowMs);
  return {
    ...state,
    writtenAtMs,
    maintenanceDone:
      phase === "maintenance" && maintenanceLineDone(h) ? state.maintenanceDone + 1 : state.maintenanceDone,
    rinsed: state.rinsed || (command?.tag === "V301.CMD" && command.value === 1 && phase === "normal"),
    requestedAtMs: asked === undefined ? state.requestedAtMs : h.nowMs,
    reported: new Set(reports),
  };
}
