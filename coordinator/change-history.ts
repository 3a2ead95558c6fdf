import type { ChangeRecordView } from "./page-messages.ts";
import type { ChangeState } from "./phase-change.ts";

const MAX_HISTORY = 100;

/** What became of the last phase changes, in words. */
export class ChangeHistory {
  #entries: readonly ChangeRecordView[] = [];

  /** Newest first. */
  get entries(): readonly ChangeRecordView[] {
    return this.#entries;
  }

  /** A change is over. */
  over({ plan, at, without }: ChangeState, atMs: number): ChangeRecordView {
    const { from, to, epoch, emergency, cause } = plan;
    const entry: ChangeRecordView = {
      ...{ atMs, from, to, epoch, emergency, cause },
      outcome: at.stage === "aborted" ? "aborted" : "done",
      says:
        at.stage === "aborted" ? at.because : [...without].map(([point, why]) => `without ${point}: ${why}`).join("; "),
    };
    this.#entries = [entry, ...this.#entries].slice(0, MAX_HISTORY);
    return entry;
  }
}
