import type { ApiAnswer, ContainmentBody, RequestBody } from "#coordinator/page-messages.ts";
import type { Role } from "#specs/lifecycle.ts";
import type { Ask } from "./state/actions.ts";

/** A phase change is answered when it has been carried out, which takes as long as its slowest point. */
const ANSWER_MS = 20_000;

export interface Person {
  readonly person: string;
  readonly role: Role;
}

/** Never throws: an answer that did not come is an answer with a reason. */
export async function send(ask: Ask, who: Person): Promise<ApiAnswer> {
  const { path, body } = envelope(ask, who);
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return readAnswer(await response.json(), response.status);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { accepted: false, says: `The coordinator did not answer: ${why}. Look at the phase before asking again.` };
  }
}

function envelope(ask: Ask, who: Person): { readonly path: string; readonly body: RequestBody | ContainmentBody } {
  if (ask.kind === "containment") {
    return { path: "/api/containment", body: { proposal: ask.proposal, approve: ask.approve, ...who } };
  }
  const phase = ask.phase === undefined ? {} : { phase: ask.phase };
  return { path: "/api/request", body: { request: ask.request, ...phase, ...who } };
}

function readAnswer(value: unknown, status: number): ApiAnswer {
  if (typeof value === "object" && value !== null && "accepted" in value && "says" in value) {
    return { accepted: value.accepted === true, says: String(value.says) };
  }
  return { accepted: false, says: `The coordinator answered with status ${status} and no sentence.` };
}
