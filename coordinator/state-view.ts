import type { Lifecycle } from "#specs/lifecycle.ts";
import { type Exit, findPhase } from "#specs/positions.ts";
import type { ContainmentPolicy } from "./containment.ts";
import type { ExitState, Readings } from "./evidence.ts";
import type {
  CandidateView,
  ChangeRecordView,
  ChangeView,
  Detection,
  PointView,
  ProposalView,
  StateView,
} from "./page-messages.ts";
import type { PendingRequest } from "./pending-requests.ts";
import type { ChangeState } from "./phase-change.ts";
import { onwardViews, requestViews } from "./recovery.ts";
import type { Standing } from "./standing.ts";

export interface StateParts {
  readonly lifecycle: Lifecycle;
  readonly nowMs: number;
  readonly standing: Standing | undefined;
  readonly change: ChangeState | undefined;
  readonly policy: ContainmentPolicy;
  readonly points: readonly PointView[];
  readonly detections: readonly Detection[];
  readonly proposals: readonly ProposalView[];
  readonly readings: Readings;
  readonly exits: readonly ExitState[];
  /** The request that waits for this way out. */
  readonly pending: (exit: Exit) => PendingRequest | undefined;
  readonly candidates: readonly CandidateView[];
  readonly history: readonly ChangeRecordView[];
  readonly counts: StateView["counts"];
}

/** Everything the page shows of the present, as one value. */
export function stateView(parts: StateParts): StateView {
  const { standing, lifecycle } = parts;
  return {
    atMs: parts.nowMs,
    standing: standing === undefined ? "adopting" : "running",
    phase: standing?.phase ?? null,
    phaseSays: standing === undefined ? "" : (findPhase(lifecycle, standing.phase)?.says ?? ""),
    steps: standing?.steps ?? [],
    epoch: standing?.epoch ?? null,
    sinceMs: standing?.sinceMs ?? 0,
    changing: parts.change === undefined ? null : changeView(parts.change),
    mode: parts.policy.mode,
    policy: parts.policy.severityPolicy,
    points: parts.points,
    detections: parts.detections,
    proposals: parts.proposals,
    tags: Object.fromEntries([...parts.readings.entries()].map(([tag, reading]) => [tag, reading])),
    requests: requestViews(lifecycle, parts.exits, parts.pending),
    onward: onwardViews(parts.exits),
    candidates: parts.candidates,
    history: parts.history,
    counts: parts.counts,
  };
}

function changeView(state: ChangeState): ChangeView {
  const { plan, at, waiting } = state;
  return {
    change: plan.change,
    from: plan.from,
    to: plan.to,
    epoch: plan.epoch,
    emergency: plan.emergency,
    stage: stageWord(at.stage),
    ...("layer" in at && at.layer !== "all" ? { layer: at.layer } : {}),
    waitingFor: waiting,
  };
}

function stageWord(stage: ChangeState["at"]["stage"]): ChangeView["stage"] {
  switch (stage) {
    case "prepare":
    case "window":
      return stage;
    case "abort":
    case "aborted":
      return "abort";
    case "commit":
    case "take":
    case "done":
      return "take";
    default: {
      const never: never = stage;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
