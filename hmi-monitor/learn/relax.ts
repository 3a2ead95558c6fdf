import { type DraftRule, duration, durationMs, type RuleFields } from "./draft.ts";
import { heldFor } from "./draft-order.ts";

/** A rule that is there already, as far as what was seen speaks against it; empty: all that was seen is allowed by it. */
export interface Relaxed {
  /** Fields that must change, by name; undefined: the field must go. */
  readonly fields: ReadonlyMap<string, unknown>;
  /** The same in words. */
  readonly says: readonly string[];
}

type Fields = { readonly [K in keyof RuleFields]?: unknown };

/** Parts of a written rule are whatever a person made of them. */
function part(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * The least that a written rule must give way so that everything seen now would be allowed. Nothing is narrowed, and what the evidence
 * is silent about stays: a short capture does not undo what a long one has taught.
 */
export function relax(written: Fields, learned: DraftRule): Relaxed {
  const fields = new Map<string, unknown>();
  const says: string[] = [];
  const change = (name: keyof RuleFields, value: unknown, why: string): void => {
    fields.set(name, value);
    says.push(why);
  };
  relaxForm(written, learned, change);
  relaxValue(written, learned, change);
  relaxTimes(written, learned, change);
  relaxOrder(written, learned, change);
  return { fields, says };
}

type Change = (name: keyof RuleFields, value: unknown, why: string) => void;

function relaxForm(written: Fields, { fields }: DraftRule, change: Change): void {
  for (const name of ["from", "tags", "to", "functions"] as const) {
    const there = listIn(written[name]);
    const more = listIn(fields[name]).filter((entry) => !there.includes(entry));
    if (there.length > 0 && more.length > 0) change(name, [...there, ...more], `${name}: also ${more.join(", ")}`);
  }
  const [most, quantity] = [numberIn(written.quantity), fields.quantity];
  if (most !== undefined && quantity !== undefined && quantity > most)
    change("quantity", quantity, `quantity ${most} → ${quantity}`);
}

function relaxValue(written: Fields, { fields, facts }: DraftRule, change: Change): void {
  const value = part(written.value);
  const learned = fields.value;
  if (learned === undefined || facts.least === undefined || facts.most === undefined) return;
  const next: Record<string, unknown> = { ...value };
  const says: string[] = [];
  const there = listIn(value["oneOf"]);
  // Values that were not kept are more than a list of a person has.
  const outside = facts.values?.filter((one) => !there.includes(one)) ?? [facts.least, facts.most];
  if (there.length > 0 && outside.length > 0) {
    const more = (learned.oneOf ?? []).filter((one) => !there.includes(one));
    if (learned.oneOf === undefined) {
      const numbers = there.flatMap((one) => (typeof one === "number" ? [one] : []));
      delete next["oneOf"];
      next["min"] = Math.min(learned.min ?? facts.least, ...numbers);
      next["max"] = Math.max(learned.max ?? facts.most, ...numbers);
      says.push(`one of ${there.join(", ")} → ${String(next["min"])} to ${String(next["max"])}`);
    } else if (more.length > 0) {
      next["oneOf"] = [...there, ...more];
      says.push(`also ${more.join(", ")}`);
    }
  }
  const [min, max, maxStep] = [numberIn(value["min"]), numberIn(value["max"]), numberIn(value["maxStep"])];
  if (min !== undefined && facts.least < min) {
    next["min"] = learned.min ?? facts.least;
    says.push(`min ${min} → ${String(next["min"])}`);
  }
  if (max !== undefined && facts.most > max) {
    next["max"] = learned.max ?? facts.most;
    says.push(`max ${max} → ${String(next["max"])}`);
  }
  if (maxStep !== undefined && facts.step !== undefined && facts.step > maxStep) {
    next["maxStep"] = Math.max(learned.maxStep ?? 0, facts.step);
    says.push(`maxStep ${maxStep} → ${String(next["maxStep"])}`);
  }
  if (says.length > 0) change("value", next, `value: ${says.join(", ")}`);
}

function relaxTimes(written: Fields, { fields, facts }: DraftRule, change: Change): void {
  const every = part(written.every);
  const earliestMs = (durationMs(every["period"]) ?? 0) - (durationMs(every["jitter"]) ?? 0);
  if (written.every !== undefined && facts.gapMs < earliestMs)
    change("every", fields.every, `every: ${wordsOf(written.every)} → ${wordsOf(fields.every)}`);
  const most = part(written.most);
  // Of several in a time only the distance of two neighbours was kept: it speaks against a rule of one alone.
  if (numberIn(most["count"]) === 1 && facts.gapMs < (durationMs(most["per"]) ?? 0))
    change("most", fields.most, `most: ${wordsOf(written.most)} → ${wordsOf(fields.most)}`);
  const apart = part(written.apart);
  const since = listIn(apart["rules"]).map((rule) => facts.apart.get(String(rule)) ?? Number.POSITIVE_INFINITY);
  const nearestMs = Math.min(...since);
  if (nearestMs < (durationMs(apart["within"]) ?? 0)) {
    const within = Math.floor(nearestMs * 0.6);
    const next = within < 1 ? undefined : { ...apart, within: duration(within) };
    change("apart", next, `apart: ${wordsOf(written.apart)} → ${wordsOf(next)}`);
  }
}

function relaxOrder(written: Fields, { facts, fields }: DraftRule, change: Change): void {
  const after = part(written.after);
  const causes = listIn(after["all"]).map(part);
  const kept = causes.filter(({ tag, is }) => is !== 1 || !facts.notAlways.has(String(tag)));
  const shortestMs = Math.min(...kept.flatMap(({ tag, is }) => (is === 1 ? (facts.held.get(String(tag)) ?? []) : [])));
  const isShort = shortestMs < (durationMs(after["for"]) ?? 0);
  if (kept.length < causes.length || isShort) {
    const gone = causes.filter((cause) => !kept.includes(cause)).map(({ tag }) => String(tag));
    const { for: _, ...always } = after;
    const held = isShort ? { ...always, ...heldFor(shortestMs) } : after;
    const says = [
      ...(gone.length > 0 ? [`no longer ${gone.join(", ")}`] : []),
      ...(isShort ? [`for ${String(after["for"])} → ${heldFor(shortestMs).for ?? "none"}`] : []),
    ];
    change("after", kept.length === 0 ? undefined : { ...held, all: kept }, `after: ${says.join(", ")}`);
  }
  const follows = part(written.follows);
  const rule = follows["rule"];
  if (typeof rule !== "string") return;
  const longestMs = facts.before.get(rule) ?? Number.POSITIVE_INFINITY;
  const { once, ...again } = follows;
  if (longestMs > (durationMs(follows["within"]) ?? 0))
    change("follows", fields.follows, `follows: ${wordsOf(written.follows)} → ${wordsOf(fields.follows)}`);
  else if (once === true && facts.repeated.has(rule)) change("follows", again, "follows: no longer once");
}

function wordsOf(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value).replaceAll('"', "");
}
