import { PhaseId } from "./ids.ts";
import type { Level, Mask, Operation, Rule } from "./lifecycle.ts";
import type { Plant } from "./plant.ts";

/**
 * | level      | what it takes from the origin's whitelist                                              |
 * | ---------- | -------------------------------------------------------------------------------------- |
 * | observe    | nothing; everything of the subject is reported                                         |
 * | rate-limit | nothing; each state-changing rule of the subject passes once in `RATE_LIMIT_MS`        |
 * | read-only  | what changes state: from the subject, or on it where it is a server                    |
 * | quarantine | everything from the subject; on a server also everything but reading                   |
 * | cut        | everything from the subject and to it                                                  |
 *
 * Safety rules pass every mask, and so do outputs: what a control program does is limited by the phase, not by the network.
 */
const STATE_CHANGING: ReadonlySet<Operation> = new Set<Operation>(["write", "call", "program", "raw"]);
const LOOKING: ReadonlySet<Operation> = new Set<Operation>(["read", "subscribe", "browse", "session", "report"]);

/** Plant ms between two state-changing messages of one rule under `rate-limit`. */
export const RATE_LIMIT_MS = 10_000;

/** Whether a rule about this can change the plant. Reading, browsing and sessions cannot. */
export function changesState(operation: Operation): boolean {
  return STATE_CHANGING.has(operation);
}

/** How a mask touches a rule for one source and one target: `passes`, `limited` (rate-limit) or `masked`. */
export function throughMask(
  plant: Plant,
  mask: Mask,
  rule: Rule,
  source: string,
  target: string,
): "passes" | "limited" | "masked" {
  if (rule.safety || rule.operation === "output") return "passes";
  const [client, server] = rule.operation === "report" ? [target, source] : [source, target];
  const touch = touches(plant, mask, client, server);
  if (touch === "none") return "passes";
  return restrict(mask.level, rule.operation, touch);
}

/** Whether anything of a rule is left under a mask: for some source and some target. */
export function passesAnywhere(plant: Plant, mask: Mask, rule: Rule): boolean {
  return rule.from.some((source) =>
    rule.targets.some((target) => throughMask(plant, mask, rule, source, target) !== "masked"),
  );
}

function restrict(level: Level, operation: Operation, touch: "client" | "server"): "passes" | "limited" | "masked" {
  switch (level) {
    case "observe":
      return "passes";
    case "rate-limit":
      return changesState(operation) ? "limited" : "passes";
    case "read-only":
      return LOOKING.has(operation) ? "passes" : "masked";
    case "quarantine":
      return touch === "server" && LOOKING.has(operation) ? "passes" : "masked";
    case "cut":
      return "masked";
    default: {
      const never: never = level;
      throw new Error(`unreachable: level \`${String(never)}\``);
    }
  }
}

/** A conduit is limited as a client is: what crosses it comes from there. */
function touches(plant: Plant, { subject }: Mask, client: string, server: string): "none" | "client" | "server" {
  if ("device" in subject) {
    if (subject.device === client) return "client";
    return subject.device === server ? "server" : "none";
  }
  const link = plant.links.find(({ id }) => id === subject.link);
  return link?.client === client && link.server === server ? "client" : "none";
}

/** `contained.normal.hmi-1.read-only`; in a plant of several zones `works.contained.normal.hmi-1.read-only`. */
export function containedPhaseId(zonePrefix: string, { origin, level, subject }: Mask): PhaseId {
  const name = "device" in subject ? subject.device : subject.link;
  return PhaseId(`${zonePrefix}contained.${origin.slice(zonePrefix.length)}.${name}.${level}`);
}
