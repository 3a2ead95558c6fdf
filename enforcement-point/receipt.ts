import type { Layer, Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { Epoch, PhaseId } from "#specs/ids.ts";
import type { ReceiptMessage } from "./bus.ts";
import { cut, itemsInPart, MAX_SAYS, MAX_WORDS } from "./bus-limits.ts";

/** A verdict and what follows from it here. */
export interface Judged {
  /** What it was judged by: it settles under these, whatever is in force by then. */
  readonly tables: Tables;
  readonly observation: Observation;
  readonly verdict: Verdict;
  readonly action: "forwarded" | "blocked";
  readonly atMs: number;
  readonly epoch: Epoch | null;
  readonly phase: PhaseId | null;
}

/**
 * What is told of the parts of a message that does not pass for one of them: a message passes whole or not at all, so what a rule would
 * have allowed by itself did not happen either.
 */
export function withheldWhole(parts: readonly Judged[]): readonly Judged[] {
  return parts.map((part) => ({ ...part, action: "blocked" }));
}

/** Which receipt of this point is about the select. */
export interface SelectRef {
  readonly seq: number;
  readonly atMs: number;
}

/** What a point tells of a judged observation, and of what became of it. */
export function receiptOf(
  { observation, verdict, action, atMs, epoch, phase }: Judged,
  outcome: Outcome,
  select: SelectRef | undefined,
  from: { readonly point: string; readonly layer: Layer; readonly seq: number },
): ReceiptMessage {
  const items = observation.items.map((item) => ({
    tag: item.tag ?? null,
    address: cut(item.address, MAX_WORDS),
    value: item.value ?? null,
  }));
  return {
    ...from,
    atMs,
    epoch,
    phase,
    source: observation.source ?? null,
    sourceAddress: cut(observation.sourceAddress, MAX_WORDS),
    target: observation.target,
    link: observation.link ?? null,
    operation: observation.operation,
    message: cut(observation.message, MAX_WORDS),
    items: itemsInPart(items, verdict.verdict === "deny" ? verdict.item : -1),
    verdict: verdict.verdict,
    rule: verdict.rule ?? null,
    reason: verdict.verdict === "deny" ? verdict.reason : null,
    says: verdict.verdict === "deny" ? cut(verdict.says, MAX_SAYS) : "",
    action,
    outcome,
    ...(select === undefined ? {} : { select }),
  };
}
