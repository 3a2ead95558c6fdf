import type { ReceiptMessage } from "#point/bus.ts";
import type { Observation, Verdict } from "#specs/decide/observation.ts";

/** What a guard tells of one change of a variable, or of one output, in one scan. */
export function guardReceipt(
  from: Pick<ReceiptMessage, "point" | "seq" | "scan" | "atMs" | "epoch" | "phase">,
  observation: Observation,
  verdict: Verdict,
  { acts, before }: { readonly acts: boolean; readonly before: number | undefined },
): ReceiptMessage {
  return {
    ...from,
    layer: "plc",
    source: observation.source ?? null,
    sourceAddress: "",
    target: observation.target,
    link: null,
    operation: observation.operation,
    message: observation.message,
    items: observation.items.map(({ tag, address, value }) => ({
      tag: tag ?? null,
      address,
      value: value ?? null,
      ...(before === undefined ? {} : { before }),
    })),
    verdict: verdict.verdict,
    rule: verdict.rule ?? null,
    reason: verdict.verdict === "deny" ? verdict.reason : null,
    says: verdict.verdict === "deny" ? verdict.says : "",
    action: acts ? "blocked" : "forwarded",
  };
}
