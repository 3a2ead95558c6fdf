import type { PhaseId, RuleId } from "../ids.ts";
import { addBit, emptyBits } from "./bits.ts";
import type { PhaseTable, PositionTable } from "./compile-phases.ts";
import type { Position } from "./observation.ts";
import type { Tables } from "./tables.ts";

/** What a layer may go by at this moment. */
export type Permitted =
  | { readonly kind: "phase"; readonly position: Position }
  /** A phase change is under way: what old and new both allow, safety, and the rules of the window list. */
  | {
      readonly kind: "window";
      readonly old: Position;
      readonly new: Position;
      readonly window: readonly RuleId[];
      /** `either` is for a layer that gates nothing and only reports what neither old, new nor window allows. Default `both`. */
      readonly judgedBy?: "both" | "either";
    }
  /** No phase is held: safety only. */
  | { readonly kind: "none" };

/** What is permitted, ready for `decide`. Making one is a few look-ups; a change of phase or step swaps the reference. */
export type Permit =
  | { readonly kind: "none" }
  | { readonly kind: "phase"; readonly standing: Standing }
  | {
      readonly kind: "window";
      readonly old: Standing;
      readonly new: Standing;
      /** Rules that belong to the change itself. */
      readonly listed: PositionTable;
      readonly either: boolean;
    };

/** One position, or the set of those that are possible. */
export interface Standing {
  readonly id: PhaseId;
  /** undefined: the tables have no such phase, and only safety rules hold. */
  readonly phase: PhaseTable | undefined;
  /** One for each possible step, in the order given; of a phase without known steps, the phase itself. */
  readonly positions: readonly PositionTable[];
}

const NO_PHASE: Permit = { kind: "none" };

export function permit(tables: Tables, permitted: Permitted): Permit {
  switch (permitted.kind) {
    case "none":
      return NO_PHASE;
    case "phase":
      return { kind: "phase", standing: standing(tables, permitted.position) };
    case "window": {
      const listed = emptyBits(tables.rules.length);
      for (const id of permitted.window) {
        const index = tables.ruleIndex.get(id);
        if (index !== undefined) addBit(listed, index);
      }
      return {
        kind: "window",
        old: standing(tables, permitted.old),
        new: standing(tables, permitted.new),
        listed: { rules: listed, mask: undefined },
        either: permitted.judgedBy === "either",
      };
    }
    default: {
      const never: never = permitted;
      throw new Error(`unreachable: permitted \`${JSON.stringify(never)}\``);
    }
  }
}

function standing(tables: Tables, { phase: id, steps }: Position): Standing {
  const phase = tables.phases.get(id);
  if (phase === undefined) return { id, phase, positions: [] };
  const positions = steps.flatMap((step) => phase.steps.get(step) ?? []);
  return { id, phase, positions: positions.length > 0 ? positions : [phase.base] };
}
