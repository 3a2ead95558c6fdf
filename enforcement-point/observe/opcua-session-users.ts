import { ROLE_NAME } from "#specs/form.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";
import { isGoodUaAnswer } from "./opcua.ts";
import { MAX_NAME_LENGTH, type Owner } from "./opcua-aliases.ts";

/** Sessions of one server whose user is remembered; the user of a further one is unknown. */
export const MAX_SESSION_USERS = 2_000;

interface SessionUser {
  /** The connection on which the session was activated last: another one may not use it (OPC 10000-4 v1.05 §5.7.3). */
  owner: Owner;
  /** undefined: anonymous, or known by something else than a name. */
  name: string | undefined;
  /** Activations under way. */
  pending: number;
  /** Several were under way at once, and nobody knows which came last. */
  overlapped: boolean;
}

type Activate = Extract<UaRequest, { service: "ActivateSession" }>;

/**
 * By which name the user of each session is known: that of the user identity token with which the server let the session be activated
 * (OPC 10000-4 v1.05 §5.7.3, §7.40.4). The server has checked the password; here only its answer is.
 *
 * INVARIANT (nobody is somebody): while an activation is under way, after several at once, and on another connection, the user is unknown.
 */
export class UaSessionUsers {
  readonly #sessions = new Map<string, SessionUser>();

  get size(): number {
    return this.#sessions.size;
  }

  /** undefined: not known. */
  nameOf(request: UaRequest, owner: Owner): string | undefined {
    const session = this.#sessions.get(request.header?.authenticationToken.text ?? "");
    return session === undefined || session.owner !== owner || session.pending > 0 ? undefined : session.name;
  }

  /** A request is on its way. */
  asked(request: UaRequest, owner: Owner): void {
    if (request.service !== "ActivateSession") return;
    const { text } = request.header.authenticationToken;
    const session = this.#sessions.get(text) ?? this.#begun(text, owner);
    if (session === undefined) return;
    session.overlapped ||= session.pending > 0;
    session.pending += 1;
  }

  answered(request: UaRequest, response: UaResponse, owner: Owner): void {
    if (request.service === "CloseSession" && response.service === "CloseSession")
      this.#sessions.delete(request.header.authenticationToken.text);
    if (request.service !== "ActivateSession") return;
    const session = this.#sessions.get(request.header.authenticationToken.text);
    if (session === undefined || session.pending === 0) return;
    if (isGoodUaAnswer(response)) {
      session.owner = owner;
      session.name = nameIn(request);
    }
    if (session.overlapped) session.name = undefined;
    session.pending -= 1;
    if (session.pending === 0) session.overlapped = false;
  }

  /** The answer will not be seen: who the session belongs to is unknown until its user is let in anew. */
  unanswered(request: UaRequest): void {
    if (request.service !== "ActivateSession") return;
    const session = this.#sessions.get(request.header.authenticationToken.text);
    if (session === undefined || session.pending === 0) return;
    session.name = undefined;
    session.pending -= 1;
    if (session.pending === 0) session.overlapped = false;
  }

  /** The connection has gone. Who comes back on another activates the session anew. */
  left(owner: Owner): void {
    for (const [token, session] of this.#sessions) if (session.owner === owner) this.#sessions.delete(token);
  }

  #begun(token: string, owner: Owner): SessionUser | undefined {
    if (this.#sessions.size >= MAX_SESSION_USERS || token.length > MAX_NAME_LENGTH) return undefined;
    const session = { owner, name: undefined, pending: 0, overlapped: false };
    this.#sessions.set(token, session);
    return session;
  }
}

function nameIn({ identity }: Activate): string | undefined {
  const name = identity.kind === "user-name" ? identity.userName : null;
  return name !== null && ROLE_NAME.test(name) ? name : undefined;
}
