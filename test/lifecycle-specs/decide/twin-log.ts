import type { Layer, Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import type { RuleId, TagId } from "#specs/ids.ts";
import type { Comparison, Condition, Lifecycle, Rule } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { allRules } from "#specs/positions.ts";

/** Binary rounding of a reading that is a whole number times a scale. */
const ROUNDING = 1e-9;

export type Truth = "holds" | "fails" | "unknown";
interface Reading {
  readonly tag: TagId;
  readonly value: number;
  readonly atMs: number;
}
/** What became of a message that the rule allowed. */
interface Message {
  readonly rule: RuleId;
  readonly became: "forwarded" | "answered";
  readonly atMs: number;
}

/** A message that was allowed has changed a tag. */
interface Change {
  readonly tag: TagId;
  /** Rules with a ramp on the tag that allowed it. */
  readonly by: readonly Rule[];
  readonly from: { readonly value: number; readonly sinceMs: number };
  readonly to: number;
  readonly atMs: number;
}

/** Everything that ever happened at one layer, in the order in which it happened. Nothing is forgotten and nothing is summed up. */
export class TwinLog {
  readonly #plant: Plant;
  readonly #layer: Layer;
  readonly #slackMs: number;
  readonly #rules: ReadonlyMap<RuleId, Rule>;
  readonly #readings: Reading[] = [];
  readonly #messages: Message[] = [];
  readonly #changes: Change[] = [];

  constructor(plant: Plant, lifecycle: Lifecycle, layer: Layer) {
    this.#plant = plant;
    this.#layer = layer;
    this.#slackMs = { hmi: 0, switch: 1, plc: 2 }[layer] * lifecycle.skewMs;
    this.#rules = new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
  }

  /** Plant ms by which this layer judges a rule's times more widely than the one at the top. Outputs cross no network. */
  slackFor(rule: Rule): number {
    return rule.operation === "output" ? 0 : this.#slackMs;
  }

  see(tag: TagId, value: number, atMs: number): void {
    this.#readings.push({ tag, value: Number.isFinite(value) ? value : Number.NaN, atMs });
  }

  /** In a PLC a change that is let through is its own answer. */
  commit(observation: Observation, verdict: Verdict, outcome: Outcome, atMs: number): void {
    const rules = verdict.verdict === "allow" ? new Set([verdict.rule, ...(verdict.also ?? [])]) : [];
    const answered = outcome === "answered-ok" || (this.#layer === "plc" && outcome === "forwarded");
    for (const rule of rules) {
      if (outcome === "forwarded") this.#messages.push({ rule, became: "forwarded", atMs });
      if (answered) this.#messages.push({ rule, became: "answered", atMs });
    }
    if (!answered) return;
    const effective = observation.items.filter(({ tag }) => {
      const kind = this.#plant.tags.find(({ id }) => id === tag)?.kind;
      const written = observation.operation === "write" && (kind === "command" || kind === "set-point");
      return written || (observation.operation === "call" && kind === "argument");
    });
    const ramps = [...rules].flatMap((id) => this.#rules.get(id) ?? []).filter(({ value }) => value?.rampPerS);
    // A message that names a tag twice leaves it at the last value, and that is the change.
    for (const [tag, value] of new Map(effective.map((item) => [item.tag, item.value]))) {
      const from = tag === undefined ? undefined : this.lastOf(tag);
      const by = ramps.filter(({ tags }) => tags.some((one) => one === tag));
      if (tag === undefined || value === undefined || from === undefined || verdict.verdict === "deny") continue;
      if (Number.isFinite(value) && value !== from.value) this.#changes.push({ tag, by, from, to: value, atMs });
    }
    for (const { tag, value } of effective) if (tag !== undefined && value !== undefined) this.see(tag, value, atMs);
  }

  /**
   * How much of the slack of its ramps the tag's changes have used up, plant ms: what each needed beyond the time since the one
   * before comes out of the slack; a slower one, or one by no ramp, gives it back.
   */
  slackSpentOn(tag: TagId): number {
    let spentMs = 0;
    for (const { by, from, to, atMs } of this.#changes.filter((change) => change.tag === tag)) {
      const each = by.map((rule) => {
        const slackMs = this.slackFor(rule);
        const neededMs = (Math.abs(to - from.value) / (rule.value?.rampPerS ?? Infinity)) * 1000;
        const pauseMs = Math.min(1000 + slackMs, Math.max(0, atMs - from.sinceMs));
        return Math.min(slackMs, spentMs + neededMs - pauseMs);
      });
      spentMs = Math.max(0, ...each);
    }
    return spentMs;
  }

  /** When messages of the rule were forwarded, in their order. */
  forwardedOf(rule: RuleId): readonly number[] {
    return this.#timesOf(rule, "forwarded");
  }

  /** When messages of the rule were answered with success, in their order. */
  answeredOf(rule: RuleId): readonly number[] {
    return this.#timesOf(rule, "answered");
  }

  #timesOf(wanted: RuleId, what: Message["became"]): readonly number[] {
    return this.#messages.filter(({ rule, became }) => rule === wanted && became === what).map(({ atMs }) => atMs);
  }

  /** How many answers of a rule still permit one message of its follower: each message took the oldest that was not too old. */
  unused(followed: RuleId, follower: RuleId, withinMs: number, nowMs: number): number {
    let open: readonly number[] = [];
    for (const { rule, became, atMs } of this.#messages) {
      if (rule === follower && became === "forwarded") open = open.filter((at) => atMs - at <= withinMs).slice(1);
      if (rule === followed && became === "answered") open = [...open, atMs];
    }
    return open.filter((at) => nowMs - at <= withinMs).length;
  }

  /** The last value of a tag, and since when it has it; undefined: never seen, or unknown again. */
  lastOf(tag: TagId): { readonly value: number; readonly sinceMs: number } | undefined {
    const readings = this.#readings.filter((reading) => reading.tag === tag);
    const last = readings.at(-1);
    if (last === undefined || Number.isNaN(last.value)) return undefined;
    const other = readings.findLastIndex(({ value }) => value !== last.value);
    return { value: last.value, sinceMs: readings[other + 1]?.atMs ?? last.atMs };
  }

  seenAfter(tag: TagId, atMs: number): boolean {
    return this.#readings.some((reading) => reading.tag === tag && reading.atMs > atMs);
  }

  /**
   * Whether the condition holds, and has held for `forMs`. A part that fails decides before one that is unknown.
   *
   * @param unknown what a time without a fresh reading is to one that has held until then: a break, or as if it went on
   */
  truth({ all, forMs, freshMs = Infinity }: Condition, nowMs: number, unknown: "breaks" | "goes on" = "breaks"): Truth {
    const breakMs = unknown === "breaks" ? freshMs : Infinity;
    const since = all.map((comparison) => this.#since(comparison, freshMs, breakMs, nowMs));
    if (since.includes("fails")) return "fails";
    if (since.includes("unknown")) return "unknown";
    return since.every((ms) => typeof ms === "number" && nowMs - ms >= forMs) ? "holds" : "fails";
  }

  /** Since when a comparison is true without a break. */
  #since(comparison: Comparison, freshMs: number, breakMs: number, nowMs: number): number | "fails" | "unknown" {
    const readings = this.#readings.filter(({ tag }) => tag === comparison.tag);
    const last = readings.at(-1);
    if (last === undefined || Number.isNaN(last.value) || nowMs - last.atMs > freshMs) return "unknown";
    let since: number | undefined;
    let before = Number.NEGATIVE_INFINITY;
    for (const { value, atMs } of readings) {
      if (atMs - before > breakMs) since = undefined;
      if (!holds(comparison, since !== undefined, value)) since = undefined;
      else since ??= atMs;
      before = atMs;
    }
    return since ?? "fails";
  }
}

/** With hysteresis: what was true stays true until the release is passed. */
function holds({ test, value, release }: Comparison, was: boolean, reading: number): boolean {
  const threshold = was && release !== undefined ? release : value;
  switch (test) {
    case "at-least":
      return reading >= threshold - ROUNDING;
    case "at-most":
      return reading <= threshold + ROUNDING;
    case "is":
      return Math.abs(reading - value) <= ROUNDING;
  }
}
