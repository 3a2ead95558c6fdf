import type { ApiAnswer, StateAnswer } from "#coordinator/page-messages.ts";
import type { Role } from "#specs/lifecycle.ts";

/** Real ms for one look at the coordinator; a request may take as long as a phase change. */
const LOOK_MS = 3000;
const REQUEST_MS = 20_000;

/** The coordinator as the exercise's supervisor sees it: the same page interface that people use. */
export class ConsoleClient {
  readonly #url: string;

  constructor(at: { readonly host: string; readonly port: number }) {
    this.#url = `http://${at.host}:${at.port}`;
  }

  /** undefined: it does not answer just now. */
  async state(): Promise<StateAnswer["state"] | undefined> {
    try {
      const response = await fetch(`${this.#url}/api/state`, { signal: AbortSignal.timeout(LOOK_MS) });
      // The coordinator's own answer, typed by the contract it is compiled against.
      const answer = (await response.json()) as StateAnswer;
      return answer.state;
    } catch {
      return undefined;
    }
  }

  async request(request: string, role: Role, person: string): Promise<ApiAnswer> {
    try {
      const response = await fetch(`${this.#url}/api/request`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ request, role, person }),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      return (await response.json()) as ApiAnswer;
    } catch (error) {
      return { accepted: false, says: error instanceof Error ? error.message : String(error) };
    }
  }
}
