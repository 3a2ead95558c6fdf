import type { ReceiptMessage } from "#point/bus.ts";
import type { Position } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { Lifecycle, Mask, Rule } from "#specs/lifecycle.ts";
import { throughMask } from "#specs/mask.ts";
import type { Plant } from "#specs/plant.ts";
import { effectiveRules, findPhase, findStep } from "#specs/positions.ts";

/** Plant ms after a change of phase or step in which a command of the old position is a straggler, not an attack. */
export const GRACE_MS = 1000;

/** What the plant is, and what may happen in it. */
interface Spec {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
}

/** Where the zone stood before, until when. */
export interface Earlier {
  readonly position: Position;
  readonly untilMs: number;
}

/** Another position may have a rule for the same command, or another range for its value. */
const BY_POSITION: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "PHASE_FORBIDS",
  "STEP_FORBIDS",
  "WINDOW_FORBIDS",
  "VALUE_ABOVE",
  "VALUE_BELOW",
  "VALUE_NOT_LISTED",
  "CONTAINED",
]);
/** Denies that say something about the point itself, not about who sent the message. */
const BY_POINT: ReadonlyMap<ReasonCode, string> = new Map<ReasonCode, string>([
  ["PHASE_UNKNOWN", "the point could not judge it"],
  ["INTERNAL", "the point could not judge it"],
  ["OVERLOADED", "a rule allows it, and the point had no room for it while so many others wait for the server"],
]);

/**
 * Why a deny is no sign of an attack, in words; undefined: it is one. A message is still blocked; only nothing follows from it.
 *
 * People and programs learn of a phase later than the layers do: a command that the phase before would have allowed, value and
 * all, may come for a moment after it ended. A point that fell back to the isolated phase denies what the phase allows.
 */
export function explained(
  spec: Spec,
  receipt: ReceiptMessage,
  now: Position | undefined,
  earlier: readonly Earlier[],
): string | undefined {
  const { reason } = receipt;
  if (receipt.verdict === "allow" || reason === null) return undefined;
  const byPoint = BY_POINT.get(reason);
  if (byPoint !== undefined) return byPoint;
  if (!BY_POSITION.has(reason)) return undefined;
  if (now !== undefined && receipt.phase !== now.phase && covered(spec, now, receipt)) {
    return `the point held \`${receipt.phase ?? "no phase"}\`, and \`${now.phase}\` allows it`;
  }
  const straggler = earlier.find(
    ({ position, untilMs }) => receipt.atMs - untilMs <= GRACE_MS && covered(spec, position, receipt),
  );
  return straggler === undefined ? undefined : `\`${nameOf(straggler.position)}\`, which had just ended, allowed it`;
}

/** Whether a position has a rule for who, what and value of each item; cadence and causality are left aside. */
export function covered(spec: Spec, position: Position, receipt: ReceiptMessage): boolean {
  const phase = findPhase(spec.lifecycle, position.phase);
  const { source, layer } = receipt;
  // Inside a PLC nobody can tell who wrote; there any declared source will do.
  if (phase === undefined || (source === null && layer !== "plc")) return false;
  const steps = position.steps.map((id) => findStep(phase, id));
  const rules = (steps.length === 0 ? [undefined] : steps)
    .flatMap((step) => effectiveRules(spec.lifecycle, phase, step))
    .filter(
      (rule) =>
        rule.operation === receipt.operation &&
        (source === null || rule.from.includes(source)) &&
        rule.targets.includes(receipt.target) &&
        (phase.mask === undefined || source === null || passes(spec.plant, phase.mask, rule, source, receipt.target)),
    );
  if (receipt.items.length === 0) return rules.some((rule) => rule.tags.length === 0);
  return receipt.items.every((item) => {
    const { tag, value } = item;
    return tag !== null && rules.some((rule) => rule.tags.includes(tag) && valueFits(rule, value));
  });
}

function passes(plant: Plant, mask: Mask, rule: Rule, source: string, target: string): boolean {
  return throughMask(plant, mask, rule, source, target) !== "masked";
}

function valueFits(rule: Rule, value: number | null): boolean {
  if (rule.value === undefined || value === null) return true;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, oneOf } = rule.value;
  return value >= min && value <= max && (oneOf === undefined || oneOf.includes(value));
}

function nameOf(position: Position): string {
  return position.steps.length === 0 ? position.phase : `${position.phase}, step ${position.steps.join(" or ")}`;
}

/** The positions that ended a moment ago; a command of one of them may still be on its way. Bounded by the grace time. */
export class EarlierPositions {
  #earlier: Earlier[] = [];

  leave(position: Position, untilMs: number): void {
    this.#earlier = [
      ...this.recent(untilMs),
      { position: { phase: position.phase, steps: position.steps }, untilMs },
    ].slice(-16);
  }

  recent(nowMs: number): readonly Earlier[] {
    return this.#earlier.filter(({ untilMs }) => nowMs - untilMs <= 10 * GRACE_MS);
  }
}
