import { commit } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { RuleId, TagId } from "#specs/ids.ts";
import { type Event, writes } from "./examples.ts";

/** What a layer remembers after these events. */
export function historyAfter(tables: Tables, events: readonly Event[]): History {
  const history = createHistory(tables);
  for (const event of events) {
    if ("seen" in event) observeTag(history, TagId(event.seen), event.value, event.atMs);
    else if ("sent" in event) became(history, event.sent, "forwarded", event.atMs);
    else became(history, event.answered, "answered-ok", event.atMs);
  }
  return history;
}

/** An allowed message of this rule, whatever it wrote. */
function became(history: History, rule: string, outcome: Outcome, atMs: number): void {
  const message = { ...writes("STOP", undefined), items: [] };
  commit(history, message, { verdict: "allow", rule: RuleId(rule), safety: false }, outcome, atMs);
}
