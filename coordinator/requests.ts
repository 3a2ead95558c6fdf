import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import { type ContainmentPolicy, MONITOR_SAYS } from "./containment.ts";
import type { DetectionResponse } from "./detection-response.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import type { ApiAnswer, ContainmentBody, RequestBody } from "./page-messages.ts";
import { type PendingRequest, PendingRequests } from "./pending-requests.ts";
import type { Proposals } from "./proposals.ts";
import { answerRequest, notYet } from "./recovery.ts";
import type { ZoneLead } from "./zone-lead.ts";

const ADOPT_ROLES: readonly string[] = ["engineer", "admin"];

export interface RequestsParts {
  readonly bundle: Bundle;
  readonly policy: ContainmentPolicy;
  readonly clock: PlantClock;
  readonly log: EvidenceLog;
  readonly proposals: Proposals;
  readonly lead: ZoneLead;
  readonly response: DetectionResponse;
}

/** What people ask of the coordinator, by their roles: ways out of the phase, a phase to begin with, containments. Each answer is logged. */
export class Requests {
  readonly #parts: RequestsParts;
  readonly #pending = new PendingRequests();

  constructor(parts: RequestsParts) {
    this.#parts = parts;
  }

  /** Answers when the phase change is over. */
  async request(body: RequestBody): Promise<ApiAnswer> {
    const answer = body.request === "adopt" ? this.#adopt(body) : await this.#change(body);
    this.#parts.log.append({ kind: "request", atMs: this.#parts.clock.now(), ...body, ...answer });
    return answer;
  }

  async containment(body: ContainmentBody): Promise<ApiAnswer> {
    const answer = await this.#decideProposal(body);
    this.#parts.log.append({ kind: "containment", atMs: this.#parts.clock.now(), ...body, ...answer });
    return answer;
  }

  /** A request whose people have all asked and whose condition has come to hold is carried out now. */
  async carryOut(): Promise<void> {
    const { lead, clock } = this.#parts;
    const due = this.#pending.due(lead.exits(), clock.now());
    if (due === undefined || lead.runner.current !== undefined) return;
    const { transition } = due.exit;
    const name = transition.event === "operator" ? transition.request : due.exit.event;
    await lead.go(due.exit, `request ${name} by ${due.people.join(" and ")}`);
  }

  /** What waits for other people, or for its condition. */
  pending(event: string): PendingRequest | undefined {
    return this.#pending.of(event, this.#parts.clock.now());
  }

  /** The phase has been left. */
  clear(): void {
    this.#pending.clear();
  }

  async #change(body: RequestBody): Promise<ApiAnswer> {
    const { lead, clock } = this.#parts;
    const { standing } = lead;
    if (standing === undefined) {
      return refusal("no phase has been adopted yet; an engineer confirms one with the request `adopt`");
    }
    const answer = answerRequest(standing.phase, lead.exits(), body.request, body.role);
    if (!answer.accepted) return answer;
    const asked = this.#pending.ask(answer.exit, answer.missing, body.person, clock.now());
    if (asked.answer === "refuse") return refusal(notYet(body.request, answer.missing));
    if (asked.answer === "wait") return { accepted: true, says: asked.says };
    const by = asked.people.join(" and ");
    const result = await lead.go(answer.exit, `request ${body.request} by ${by} (${body.role})`);
    return { accepted: result.outcome === "done", says: result.says };
  }

  #adopt(body: RequestBody): ApiAnswer {
    const { lead, bundle } = this.#parts;
    const { standing } = lead;
    if (standing !== undefined) return refusal(`\`${standing.phase}\` is in force; there is nothing to adopt`);
    if (!ADOPT_ROLES.includes(body.role))
      return refusal(`\`adopt\` needs the role engineer or admin, not ${body.role}`);
    const phase = bundle.lifecycle.phases.find((candidate) => candidate.id === body.phase)?.id;
    if (phase === undefined || !lead.adopt(phase)) {
      return refusal(`\`${body.phase ?? ""}\` is no phase of this lifecycle; name one in \`phase\``);
    }
    return { accepted: true, says: `\`${phase}\` is adopted and in force` };
  }

  async #decideProposal(body: ContainmentBody): Promise<ApiAnswer> {
    const { proposals, policy, lead, response } = this.#parts;
    const proposal = proposals.find(body.proposal);
    if (proposal === undefined) return refusal(`there is no proposal \`${body.proposal}\``);
    if (proposal.state !== "proposed") return refusal(`proposal \`${proposal.id}\` is ${proposal.state} already`);
    if (!proposal.roles.includes(body.role)) {
      return refusal(`a containment needs the role ${proposal.roles.join(" or ")}, not ${body.role}`);
    }
    const by = `${body.person} (${body.role})`;
    if (!body.approve) {
      proposals.decide(proposal.id, "refused", by);
      return { accepted: true, says: `the containment \`${proposal.to}\` was refused by ${by}` };
    }
    if (policy.mode === "monitor") return refusal(MONITOR_SAYS);
    proposals.decide(proposal.id, "taken", by);
    const result = await lead.contain(proposal.choice, `containment approved by ${by}`);
    for (const id of proposal.detections) response.contained(id, proposal.choice.to);
    return { accepted: result.outcome === "done", says: result.says };
  }
}

function refusal(says: string): ApiAnswer {
  return { accepted: false, says };
}
