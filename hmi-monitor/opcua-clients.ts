import type { UaSessionUsers } from "#point/observe/opcua-session-users.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";

/** Sessions of one server of which is remembered who made them; then the oldest is forgotten. A client that breaks off closes none. */
export const MAX_SESSIONS = 2_000;
/** Longest part of a name that is told; a receipt's address has room for 200 characters. */
const MAX_TOLD = 48;

interface Session {
  readonly name: string;
  readonly application: string;
}

/**
 * Who is behind each session of one OPC UA server: the client application and the session's name, as CreateSession gives them
 * (OPC 10000-4 v1.05 §5.7.2), and the user with whom the server let it be activated. It is what the client says of itself: over a channel without
 * security nothing proves it.
 */
export class UaClients {
  readonly #sessions = new Map<string, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  answered(request: UaRequest, response: UaResponse): void {
    if (request.service === "CloseSession") this.#sessions.delete(request.header.authenticationToken.text);
    if (request.service !== "CreateSession" || response.service !== "CreateSession") return;
    const token = response.authenticationToken.text;
    this.#makeRoom();
    this.#sessions.set(token, {
      name: told(request.sessionName),
      application: told(request.clientDescription.applicationUri),
    });
  }

  #makeRoom(): void {
    if (this.#sessions.size < MAX_SESSIONS) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      return;
    }
  }

  /** `operator-1 (session HMI-main, urn:hmi-1:client)`; empty where nothing is known of its session. */
  describe(request: UaRequest, users: UaSessionUsers, owner: object): string {
    const session = this.#sessions.get(request.header?.authenticationToken.text ?? "");
    const user = told(users.nameOf(request, owner) ?? null);
    const parts = [session?.name ? `session ${session.name}` : "", session?.application ?? ""].filter(Boolean);
    const from = parts.length === 0 ? "" : `(${parts.join(", ")})`;
    return [user, from].filter(Boolean).join(" ");
  }
}

/** What a stranger chose is shown without what could be taken for something else. */
function told(text: string | null): string {
  const plain = (text ?? "").replace(/[^\p{L}\p{N} ._:/-]/gu, "?");
  return plain.length > MAX_TOLD ? `${plain.slice(0, MAX_TOLD - 1)}…` : plain;
}
