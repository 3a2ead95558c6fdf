/** A rule's fields as they are written in a lifecycle file. Durations are words: `3s`, `250ms`. */
export interface RuleFields {
  readonly says: string;
  readonly from: readonly string[];
  readonly may: string;
  readonly tags?: readonly string[];
  readonly to?: readonly string[];
  readonly functions?: readonly (number | string)[];
  readonly quantity?: number;
  readonly value?: {
    readonly min?: number;
    readonly max?: number;
    readonly oneOf?: readonly number[];
    readonly maxStep?: number;
  };
  readonly every?: { readonly period: string; readonly jitter: string };
  readonly most?: { readonly count: number; readonly per: string };
  readonly after?: { readonly all: readonly { readonly tag: string; readonly is: number }[]; readonly for?: string };
  readonly follows?: { readonly rule: string; readonly within: string; readonly once?: boolean };
  readonly apart?: { readonly rules: readonly string[]; readonly within: string };
}

/** What was seen of what a rule is about: a rule that is there already is held against it. */
export interface RuleFacts {
  readonly least?: number;
  readonly most?: number;
  /** Its values; undefined: there are too many to be kept. */
  readonly values?: readonly number[];
  /** Largest step, without a margin. */
  readonly step?: number;
  /** Shortest time between two of its messages, ms; infinite: none. */
  readonly gapMs: number;
  /** Rules of the same client and phase, and the shortest time since a command of each, ms. */
  readonly apart: ReadonlyMap<string, number>;
  /** Tags that were not set each time. */
  readonly notAlways: ReadonlySet<string>;
  /** Tags, and for how long each had been set at the least, ms. */
  readonly held: ReadonlyMap<string, number>;
  /** Rules whose commands came before it each time, in the same visit, and how long before at the most, ms. */
  readonly before: ReadonlyMap<string, number>;
  /** Of these, the ones after which it came more than once. */
  readonly repeated: ReadonlySet<string>;
}

export interface DraftRule {
  readonly facts: RuleFacts;
  readonly id: string;
  /** undefined: in every phase. */
  readonly phase: string | undefined;
  readonly fields: RuleFields;
  /** What it rests on, in a sentence: how often, on how many occasions, first and last. */
  readonly evidence: string;
}

/** A step in which one command is the next of a cycle. */
export interface DraftStep {
  readonly id: string;
  readonly says: string;
  /** The rule that holds in this step alone; undefined: the command may come at any time. */
  readonly rule: string | undefined;
  readonly next: readonly {
    readonly to: string;
    readonly command?: string;
    readonly outcome?: string;
    readonly after?: string;
  }[];
  readonly evidence: string;
}

/** How often one rule's command came next after another's, and the time between; see `TimedEdge`. */
export interface EdgeFact {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly shortestMs: number;
  readonly longestMs: number;
}

export interface DraftPhase {
  readonly phase: string;
  readonly evidence: string;
  readonly rules: readonly DraftRule[];
  /** Empty: it has none. The first is the one in which it begins. */
  readonly steps: readonly DraftStep[];
  /** What was seen of the order of its commands: in words, and as facts that written steps are held against. */
  readonly orders: readonly string[];
  readonly edges: readonly EdgeFact[];
  /** Why nearly everything may happen in it. */
  readonly because?: string;
  /** Phases that followed, most frequent first. */
  readonly next: readonly { readonly to: string; readonly count: number }[];
}

/** A lifecycle as far as it can be learned. Every link of its plant is in mode `monitor`: nothing learned is enforced before it is read. */
export interface DraftLifecycle {
  readonly initial: string;
  readonly safe: string;
  readonly isolated: string;
  /** In every phase: what only looks. */
  readonly rules: readonly DraftRule[];
  readonly phases: readonly DraftPhase[];
}

/** What is thin in the evidence of a phase, and what was left out of the draft. */
export interface PhaseCoverage {
  readonly phase: string;
  readonly visits: number;
  readonly totalMs: number;
  readonly messages: number;
  /** Kinds of commands drafted. */
  readonly commands: number;
  /** Estimate of the share of occasions on which something new would be seen: kinds seen once, by occasions (I. J. Good, 1953). */
  readonly unseen: number;
  /** Sentences: what a reader should not lean on. */
  readonly thin: readonly string[];
}

/** `1500` → `1500ms`, `60000` → `1m`. */
export function duration(ms: number): string {
  const whole = Math.max(1, Math.round(ms));
  if (whole % 3_600_000 === 0) return `${whole / 3_600_000}h`;
  if (whole % 60_000 === 0) return `${whole / 60_000}m`;
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `3s` → 3000; undefined: it is no duration. */
export function durationMs(text: unknown): number | undefined {
  const [, number, unit] = /^(\d+)(ms|s|m|h)$/.exec(String(text)) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  return number === undefined || unitMs === undefined ? undefined : Number(number) * unitMs;
}
