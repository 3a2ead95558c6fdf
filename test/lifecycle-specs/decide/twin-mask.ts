import type { Level, Mask, Operation, Rule } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";

/** What a mask does to a rule for one source and one target. */
export type Passage = "passes" | "limited" | "masked";

type Effect = "nothing" | "limits changes" | "takes changes" | "takes all but reading" | "takes all";

/** The table of `mask.ts`: what each level takes from the subject (as a client), and on it (as a server). */
const TAKES: Readonly<Record<Level, { readonly from: Effect; readonly on: Effect }>> = {
  observe: { from: "nothing", on: "nothing" },
  "rate-limit": { from: "limits changes", on: "limits changes" },
  "read-only": { from: "takes changes", on: "takes changes" },
  quarantine: { from: "takes all", on: "takes all but reading" },
  cut: { from: "takes all", on: "takes all" },
};
const READING: readonly Operation[] = ["read", "subscribe", "browse", "session", "report"];
const CHANGES: readonly Operation[] = ["write", "call", "program", "raw"];

/** Safety rules and outputs pass every mask. A report goes from server to client, all others from client to server. */
export function passageThrough(
  plant: Plant,
  mask: Mask | undefined,
  rule: Rule,
  source: string,
  target: string,
): Passage {
  if (mask === undefined || rule.safety || rule.operation === "output") return "passes";
  const [client, server] = rule.operation === "report" ? [target, source] : [source, target];
  const { subject } = mask;
  if ("link" in subject) {
    const link = plant.links.find(({ id }) => id === subject.link);
    return link?.client === client && link.server === server ? through(TAKES[mask.level].from, rule) : "passes";
  }
  if (subject.device === client) return through(TAKES[mask.level].from, rule);
  return subject.device === server ? through(TAKES[mask.level].on, rule) : "passes";
}

function through(effect: Effect, { operation }: Rule): Passage {
  switch (effect) {
    case "nothing":
      return "passes";
    case "limits changes":
      return CHANGES.includes(operation) ? "limited" : "passes";
    // What is neither reading nor known to change anything (`diagnose`) is taken with the changes: in doubt, less.
    case "takes changes":
    case "takes all but reading":
      return READING.includes(operation) ? "passes" : "masked";
    case "takes all":
      return "masked";
  }
}
