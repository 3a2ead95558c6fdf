import type { PhaseId } from "#specs/ids.ts";
import type { Lifecycle, Role } from "#specs/lifecycle.ts";
import { type Exit, findPhase } from "#specs/positions.ts";
import type { ExitState } from "./evidence.ts";
import type { OnwardView, RequestView } from "./page-messages.ts";

/** What a person may ask for in the present phase, and what stands in the way of each. */
export function requestViews(lifecycle: Lifecycle, states: readonly ExitState[]): readonly RequestView[] {
  return states.flatMap(({ exit, missing }) => {
    const { transition } = exit;
    if (transition.event !== "operator") return [];
    const { request, to, roles } = transition;
    return [{ request, to, toSays: findPhase(lifecycle, to)?.says ?? "", roles, missing }];
  });
}

/** The ways out that need no person, and what each waits for. */
export function onwardViews(states: readonly ExitState[]): readonly OnwardView[] {
  return states.flatMap(({ exit: { transition }, missing }) =>
    transition.event === "operator" ? [] : [{ to: transition.to, missing }],
  );
}

export type RequestAnswer =
  | { readonly accepted: true; readonly exit: Exit }
  | { readonly accepted: false; readonly says: string };

/** Whether a request may be carried out now; if not, what is missing, in words. */
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
  if (open !== undefined) return { accepted: true, exit: open.exit };
  return {
    accepted: false,
    says: `\`${request}\` is not possible yet: ${allowed.flatMap(({ missing }) => missing).join("; ")}`,
  };
}
