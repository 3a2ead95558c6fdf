import type { Endpoint } from "../address-plan.ts";
import type { ConsoleView, PhaseRequest } from "./view.ts";

/** Real ms for an answer; a request is answered when its phase change is over. Together less than the plant's conductor waits. */
const LOOK_MS = 1500;
const ANSWER_MS = 3000;

/** The operator page, as the scripted operator uses it. */
export class Console {
  readonly #base: string;

  constructor(at: Endpoint) {
    this.#base = `http://${at.host}:${at.port}`;
  }

  /** What the page shows; undefined: it does not answer, or no phase is in force. */
  async look(): Promise<ConsoleView | undefined> {
    try {
      const response = await fetch(`${this.#base}/api/state`, { signal: AbortSignal.timeout(LOOK_MS) });
      return readView(await response.json());
    } catch {
      return undefined;
    }
  }

  /** The page's answer in words; refusals and failures are answers too. */
  async request(request: PhaseRequest): Promise<{ readonly accepted: boolean; readonly says: string }> {
    try {
      const response = await fetch(`${this.#base}/api/request`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      return readAnswer(await response.json(), response.ok);
    } catch (error) {
      return {
        accepted: false,
        says: `the operator page did not answer (${error instanceof Error ? error.message : String(error)})`,
      };
    }
  }
}

function readView(value: unknown): ConsoleView | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const state: unknown = "state" in value ? value.state : value;
  if (typeof state !== "object" || state === null || !("phase" in state) || !("steps" in state) || !("epoch" in state))
    return undefined;
  const { phase, steps, epoch } = state;
  if (typeof phase !== "string" || typeof epoch !== "number" || !Array.isArray(steps)) return undefined;
  return { phase, steps: steps.filter((step) => typeof step === "string"), epoch };
}

function readAnswer(value: unknown, accepted: boolean): { readonly accepted: boolean; readonly says: string } {
  if (typeof value !== "object" || value === null || !("says" in value)) return { accepted, says: "" };
  return { accepted: "accepted" in value ? value.accepted === true : accepted, says: String(value.says) };
}
