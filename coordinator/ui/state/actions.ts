import type { CandidateView, PlantView, ProposalView, RequestView, StateView } from "#coordinator/page-messages.ts";
import type { Role } from "#specs/lifecycle.ts";
import { capital, clause, listWords, nameWords, phaseWords } from "./words.ts";

// What a person may ask of the coordinator, and the question put before it is sent.

export type Ask =
  | { readonly kind: "request"; readonly request: string; readonly phase?: string }
  | { readonly kind: "containment"; readonly proposal: string; readonly approve: boolean };

export interface Question {
  readonly ask: Ask;
  readonly title: string;
  readonly says: readonly string[];
  /** Label of the button that sends it. */
  readonly confirm: string;
  readonly roles: readonly Role[];
  /** Drawn as the grave one: it limits the plant or takes a limit away. */
  readonly grave: boolean;
}

const RETURN_REQUEST = "return-to-normal";

export function requestLabel(request: string): string {
  return capital(nameWords(request));
}

/** Who may ask, as a sentence's end: `operator or engineer`. */
export function rolesWords(roles: readonly Role[]): string {
  return listWords(roles, "or");
}

export function requestQuestion(state: StateView, r: RequestView): Question {
  return {
    ask: { kind: "request", request: r.request },
    title: `${requestLabel(r.request)}?`,
    says: [
      `The plant goes from ${phaseWords(state.phase)} to ${phaseWords(r.to)}.`,
      r.toSays,
      ...(r.persons > 1 ? [`${r.persons} different people must ask for it.`] : []),
      ...(r.askedBy === undefined ? [] : [`Asked for by ${listWords(r.askedBy, "and")}.`]),
      ...r.missing.map((m) => `Not yet: ${m}`),
    ],
    confirm: requestLabel(r.request),
    roles: r.roles,
    grave: false,
  };
}

export function containmentQuestion(proposal: ProposalView, approve: boolean): Question {
  const to = phaseWords(proposal.to);
  return {
    ask: { kind: "containment", proposal: proposal.id, approve },
    title: approve ? "Approve containment?" : "Reject containment?",
    says: approve
      ? [
          `The plant goes to ${to} at once, at every layer.`,
          proposal.toSays,
          ...(proposal.takable ? [] : [proposal.whyNot]),
        ]
      : [`The plant stays as it is; ${to} is not taken. The detections stay on record.`],
    confirm: approve ? "Approve containment" : "Reject",
    roles: proposal.roles,
    grave: approve,
  };
}

export function adoptQuestion(candidate: CandidateView): Question {
  return {
    ask: { kind: "request", request: "adopt", phase: candidate.phase },
    title: `Adopt ${phaseWords(candidate.phase)}?`,
    says: [
      candidate.says,
      ...candidate.contradicts.map((c) => `Against it: ${c}`),
      "From then on the layers judge by this phase.",
    ],
    confirm: `Adopt ${phaseWords(candidate.phase)}`,
    roles: ["engineer", "admin"],
    grave: true,
  };
}

export function openProposals(state: StateView): readonly ProposalView[] {
  return state.proposals.filter((p) => p.state === "proposed");
}

/** Requests besides the way back to normal, which has its own place. */
export function otherRequests(state: StateView): readonly RequestView[] {
  return state.requests.filter((r) => r.request !== RETURN_REQUEST && r.request !== "adopt");
}

export function returnRequest(state: StateView): RequestView | undefined {
  return state.requests.find((r) => r.request === RETURN_REQUEST);
}

/** Loud where anything is not enforced: the coordinator, a link or a point. Empty when all enforce. */
export function modeWarning(plant: PlantView, state: StateView): string {
  if (state.mode === "monitor") return "Monitor: violations are recorded and let through.";
  const off = plant.links.filter((l) => l.mode === "off").map((l) => l.id);
  const watched = plant.links.filter((l) => l.mode === "monitor").map((l) => l.id);
  return [
    ...(off.length > 0 ? [`Not judged at all: link ${listWords(off)}.`] : []),
    ...(watched.length > 0 ? [`Recorded and let through: link ${listWords(watched)}.`] : []),
  ].join(" ");
}

/** The phase change that is under way, in one sentence. */
export function changeWords(state: StateView): string {
  const c = state.changing;
  if (c === null) return "";
  const to = phaseWords(c.to);
  const waiting = c.waitingFor.length > 0 ? ` Waiting for ${listWords(c.waitingFor)}.` : "";
  const layer =
    c.layer === undefined ? "every layer" : `the ${c.layer === "switch" ? "switch" : c.layer.toUpperCase()} layer`;
  if (c.emergency && c.stage === "take") return `Containment: ${layer} takes ${to} at once.${waiting}`;
  switch (c.stage) {
    case "prepare":
      return `Changing to ${to}: every point is asked whether it is ready.${waiting}`;
    case "window":
      return `Changing to ${to}: ${layer} narrows to what both phases allow.${waiting}`;
    case "take":
      return `Changing to ${to}: ${layer} takes the new phase.${waiting}`;
    case "abort":
      return `The change to ${to} is called off; the points go back to ${clause(phaseWords(c.from))}.${waiting}`;
    default:
      return c.stage satisfies never;
  }
}
