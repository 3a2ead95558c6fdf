import type { PhaseId } from "#specs/ids.ts";
import type { ContainmentChoice, Lifecycle, Role } from "#specs/lifecycle.ts";
import { findPhase } from "#specs/positions.ts";
import type { ProposalView } from "./page-messages.ts";

export const MAX_PROPOSALS = 50;
const MAX_DETECTIONS_EACH = 20;
/** Who may approve or refuse a containment. */
export const CONTAINMENT_ROLES: readonly Role[] = ["operator", "engineer", "admin"];

export interface Proposal extends ProposalView {
  readonly choice: ContainmentChoice;
  /** The phase it starts from; in another phase it no longer applies. */
  readonly from: PhaseId;
}

/** Containments that wait for a person, and what became of them. Newest first, bounded. */
export class Proposals {
  readonly #lifecycle: Lifecycle;
  #list: Proposal[] = [];
  #seq = 0;

  constructor(lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
  }

  /** A further detection that leads to the same containment is added to the open proposal. */
  propose(
    choice: ContainmentChoice,
    from: PhaseId,
    detection: string,
    atMs: number,
    takable: boolean,
    whyNot: string,
  ): Proposal {
    const index = this.#list.findIndex((p) => p.state === "proposed" && p.to === choice.to && p.from === from);
    const open = this.#list[index];
    if (open !== undefined) {
      if (open.detections.includes(detection)) return open;
      const grown = { ...open, detections: [...open.detections, detection].slice(-MAX_DETECTIONS_EACH) };
      this.#list[index] = grown;
      return grown;
    }
    this.#seq += 1;
    const fresh: Proposal = {
      id: `p-${this.#seq}`,
      atMs,
      to: choice.to,
      toSays: findPhase(this.#lifecycle, choice.to)?.says ?? "",
      says: choice.says,
      detections: [detection],
      state: "proposed",
      takable,
      whyNot,
      roles: CONTAINMENT_ROLES,
      choice,
      from,
    };
    this.#list = [fresh, ...this.#list].slice(0, MAX_PROPOSALS);
    return fresh;
  }

  find(id: string): Proposal | undefined {
    return this.#list.find((proposal) => proposal.id === id);
  }

  decide(id: string, state: "taken" | "refused", decidedBy: string): void {
    this.#list = this.#list.map((p) => (p.id === id ? { ...p, state, decidedBy } : p));
  }

  /** The zone has left the phase that open proposals start from. */
  leave(phase: PhaseId): void {
    this.#list = this.#list.map((p) => (p.state === "proposed" && p.from === phase ? { ...p, state: "obsolete" } : p));
  }

  views(count: number): readonly ProposalView[] {
    return this.#list.slice(0, count).map(({ choice: _choice, from: _from, ...view }) => view);
  }
}
