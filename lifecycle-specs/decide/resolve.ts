import type { RuleId } from "../ids.ts";
import type { PositionTable } from "./compile-phases.ts";
import { type Ends, endsOf } from "./ends.ts";
import type { History } from "./history.ts";
import type { Observation, Verdict } from "./observation.ts";
import type { Permit, Standing } from "./permit.ts";
import { placesFor } from "./places.ts";
import { failureInWords } from "./says.ts";
import type { Tables } from "./tables.ts";
import { NONE, readDeny, type VerdictId } from "./verdict-id.ts";
import { byStanding } from "./weigh.ts";
import { byPosition } from "./weigh-position.ts";

type Deny = Extract<Verdict, { readonly verdict: "deny" }>;

/** A verdict in words. The arguments must be those that `decide` had, with nothing committed or observed in between. */
export function verdictOf(
  tables: Tables,
  permit: Permit,
  observation: Observation,
  history: History,
  nowMs: number,
  id: VerdictId,
): Verdict {
  const alone = tables.allows[id];
  if (alone !== undefined) return alone;
  if (id >= 0) return allowOfSeveral(tables, permit, observation, history, nowMs);
  const resolver = new Resolver(tables, observation, history, nowMs);
  if (permit.kind === "window") return resolver.window(permit, id);
  return resolver.deny(permit.kind === "phase" ? permit.standing : undefined, id);
}

export function internalVerdict(message: string): Deny {
  return {
    verdict: "deny",
    reason: "INTERNAL",
    rule: undefined,
    item: NONE,
    mode: "enforce",
    says: `the decision itself failed: ${message}`,
  };
}

class Resolver {
  readonly #tables: Tables;
  readonly #observation: Observation;
  readonly #history: History;
  readonly #nowMs: number;
  readonly #ends: Ends | undefined;

  constructor(tables: Tables, observation: Observation, history: History, nowMs: number) {
    this.#tables = tables;
    this.#observation = observation;
    this.#history = history;
    this.#nowMs = nowMs;
    this.#ends = endsOf(tables.layer, tables.ends, observation);
  }

  deny(standing: Standing | undefined, id: VerdictId): Deny {
    const { reason, rule: index, item } = readDeny(this.#tables.rules.length, id);
    const rule = this.#tables.rules[index];
    const places = standing === undefined ? [] : placesFor(this.#tables, standing, this.#observation, reason, item);
    return {
      verdict: "deny",
      reason,
      rule: rule?.rule.id,
      item,
      mode: rule?.rule.mode ?? this.#ends?.link?.mode ?? "enforce",
      says: failureInWords(this.#tables, this.#observation, this.#history, { reason, rule, item, places }),
    };
  }

  /** Where old and new deny for different reasons, both are told. */
  window(permit: Extract<Permit, { readonly kind: "window" }>, id: VerdictId): Deny {
    const closest = this.deny(permit.old, id);
    if (closest.reason !== "WINDOW_FORBIDS") return closest;
    const denies = [permit.old, permit.new].flatMap((standing) => {
      if (this.#ends === undefined) return [];
      const each = byStanding(this.#tables, standing, this.#ends, this.#observation, this.#history, this.#nowMs);
      return each >= 0 ? [] : [this.deny(standing, each)];
    });
    const because = denies.map(({ says }) => says).join("; ");
    return {
      ...closest,
      mode: denies.some(({ mode }) => mode === "enforce") ? "enforce" : (denies[0]?.mode ?? closest.mode),
      says: `during the change from ${permit.old.id} to ${permit.new.id}: ${because}`,
    };
  }
}

/** Asks each item by itself, in the position that allowed the message. */
function allowOfSeveral(
  tables: Tables,
  permit: Permit,
  observation: Observation,
  history: History,
  nowMs: number,
): Verdict {
  const ends = endsOf(tables.layer, tables.ends, observation);
  if (ends === undefined) throw new Error("unreachable: a stranger was allowed");
  const asks = (standing: Standing) => byStanding(tables, standing, ends, observation, history, nowMs) >= 0;
  const position = positionsAsked(tables, permit, asks).find(
    (candidate) => byPosition(tables, candidate, ends, observation, history, nowMs) >= 0,
  );
  const found = new Set<RuleId>();
  let safety = true;
  let excess = false;
  for (const item of observation.items) {
    if (position === undefined) break;
    const alone = tables.allows[byPosition(tables, position, ends, { ...observation, items: [item] }, history, nowMs)];
    if (alone?.verdict !== "allow") continue;
    found.add(alone.rule);
    safety &&= alone.safety;
    excess ||= alone.excess === true;
  }
  const [rule, ...also] = found;
  if (rule === undefined) throw new Error("unreachable: allowed by several rules, and by none");
  return { verdict: "allow", rule, safety, ...(also.length > 0 ? { also } : {}), ...(excess ? { excess } : {}) };
}

/** The positions of which one has allowed the message. */
function positionsAsked(
  tables: Tables,
  permit: Permit,
  allows: (standing: Standing) => boolean,
): readonly PositionTable[] {
  const of = ({ phase, positions }: Standing) => (phase === undefined ? [tables.safety] : positions);
  switch (permit.kind) {
    case "none":
      return [tables.safety];
    case "phase":
      return of(permit.standing);
    case "window": {
      const [old, next] = [allows(permit.old), allows(permit.new)];
      if (old && (next || permit.either)) return of(permit.old);
      return next && permit.either ? of(permit.new) : [permit.listed];
    }
    default: {
      const never: never = permit;
      throw new Error(`unreachable: permit \`${JSON.stringify(never)}\``);
    }
  }
}
