import type { PhaseId } from "#specs/ids.ts";
import type { Lifecycle, Role } from "#specs/lifecycle.ts";
import { type Exit, findPhase } from "#specs/positions.ts";
import type { ExitState } from "./evidence.ts";
import type { OnwardView, RequestView } from "./page-messages.ts";
import type { PendingRequest } from "./pending-requests.ts";

/** What a person may ask for in the present phase, and what stands in the way of each. */
export function requestViews(
  lifecycle: Lifecycle,
  states: readonly ExitState[],
  pending: (exit: Exit) => PendingRequest | undefined,
): readonly RequestView[] {
  return states.flatMap(({ exit, missing }) => {
    const { transition } = exit;
    if (transition.event !== "operator") return [];
    const { request, to, roles, persons } = transition;
    const toSays = findPhase(lifecycle, to)?.says ?? "";
    const asked = pending(exit);
    const asks = asked === undefined ? {} : { askedBy: asked.people, untilMs: asked.untilMs };
    return [{ request, to, toSays, roles, persons, missing, ...asks }];
  });
}

function mayWait({ transition }: Exit): boolean {
  return transition.event === "operator" && (transition.persons > 1 || transition.ttlMs !== undefined);
}

/** The ways out that need no person, and what each waits for. */
export function onwardViews(states: readonly ExitState[]): readonly OnwardView[] {
  return states.flatMap(({ exit: { transition }, missing }) =>
    transition.event === "operator" ? [] : [{ to: transition.to, missing }],
  );
}

export type RequestAnswer =
  | { readonly accepted: true; readonly exit: Exit; readonly missing: readonly string[] }
  | { readonly accepted: false; readonly says: string };

/**
 * Whether somebody in this role may make the request here. Where something is missing it is accepted only if it may wait: for the
 * second person it needs, or by its time to live.
 */
export function answerRequest(
  phase: PhaseId,
  states: readonly ExitState[],
  request: string,
  role: Role,
): RequestAnswer {
  const asked = states.filter(
    ({ exit }) => exit.transition.event === "operator" && exit.transition.request === request,
  );
  if (asked.length === 0) {
    const known = states.flatMap(({ exit }) => (exit.transition.event === "operator" ? [exit.transition.request] : []));
    const others = known.length === 0 ? "nothing can be requested here" : `here one may request ${known.join(", ")}`;
    return { accepted: false, says: `\`${phase}\` knows no request \`${request}\`; ${others}` };
  }
  const allowed = asked.filter(
    ({ exit }) => exit.transition.event === "operator" && exit.transition.roles.includes(role),
  );
  if (allowed.length === 0) {
    const roles = asked.flatMap(({ exit }) => (exit.transition.event === "operator" ? exit.transition.roles : []));
    return { accepted: false, says: `\`${request}\` needs the role ${[...new Set(roles)].join(" or ")}, not ${role}` };
  }
  const open = allowed.find(({ missing }) => missing.length === 0);
  if (open !== undefined) return { accepted: true, ...open };
  const waiting = allowed.find(({ exit }) => mayWait(exit));
  if (waiting !== undefined) return { accepted: true, ...waiting };
  return {
    accepted: false,
    says: notYet(
      request,
      allowed.flatMap(({ missing }) => missing),
    ),
  };
}

export function notYet(request: string, missing: readonly string[]): string {
  return `\`${request}\` is not possible yet: ${missing.join("; ")}`;
}
