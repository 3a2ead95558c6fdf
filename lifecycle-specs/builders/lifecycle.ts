import type { Level, Locus, Operation, Role } from "../lifecycle.ts";
import type { Mode } from "../plant.ts";
import type { Names } from "./plant.ts";

/** `500ms`, `3s`, `2m`, `1h`. */
type Duration = `${number}${"ms" | "s" | "m" | "h"}`;
/** The path of a phase, looked up in loading. */
type PhaseName = string;
/** A rule of the lifecycle, looked up in loading. */
type RuleName = string;

/** A lifecycle as `lifecycle.yaml` has it, for a plant with these names. */
export type LifecycleOf<N extends Names> = HeadOf<N> &
  (PartOf<N> | { readonly zones: { readonly [Zone in N["zone"]]: PartOf<N> } });

interface HeadOf<N extends Names> {
  readonly plant: string;
  readonly version: number;
  readonly lease: Duration;
  readonly skew?: Duration;
  readonly change?: Duration;
  readonly mirrorDelay?: Duration;
  readonly rules?: RulesOf<N>;
}

interface PartOf<N extends Names> {
  readonly initial: PhaseName;
  readonly isolated: PhaseName;
  readonly safe?: { readonly phase: PhaseName; readonly within: Duration };
  readonly template?: string | { readonly name: string; readonly use?: readonly PhaseName[] };
  readonly phases?: PhasesOf<N>;
  readonly containments?: readonly ContainmentOf<N>[];
  readonly masks?: readonly MaskOf<N>[];
}

type RulesOf<N extends Names> = Readonly<Record<string, RuleOf<N>>>;
type PhasesOf<N extends Names> = Readonly<Record<string, PhaseOf<N> | GroupOf<N>>>;

interface GroupOf<N extends Names> {
  readonly says?: string;
  readonly rules?: RulesOf<N>;
  readonly phases: PhasesOf<N>;
}

interface PhaseOf<N extends Names> {
  readonly says?: string;
  readonly rules?: RulesOf<N>;
  readonly initial?: string;
  readonly steps?: Readonly<Record<string, StepOf<N>>>;
  readonly on?: readonly TransitionOf<N>[];
  readonly containment?: boolean;
  readonly because?: string;
}

interface StepOf<N extends Names> {
  readonly says: string;
  readonly rules?: RulesOf<N>;
  readonly next?: readonly StepExitOf<N>[];
  readonly min?: Duration;
  readonly max?: Duration;
}

type StepExitOf<N extends Names> = { readonly to: string } & (
  | { readonly when: ConditionOf<N> }
  | { readonly command: RuleName; readonly outcome?: "forwarded" | "answered" }
  | { readonly after: Duration }
);

type TransitionOf<N extends Names> = {
  readonly to: PhaseName;
  readonly with?: readonly PhaseName[];
  readonly clean?: Duration;
  readonly window?: readonly RuleName[];
} & (
  | {
      readonly request: string;
      readonly roles: readonly Role[];
      readonly persons?: 1 | 2;
      readonly ttl?: Duration;
      readonly when?: ConditionOf<N>;
    }
  | { readonly when: ConditionOf<N>; readonly within?: Duration }
  | { readonly after: Duration; readonly when?: ConditionOf<N>; readonly within?: Duration }
);

export interface ConditionOf<N extends Names> {
  readonly all: readonly ComparisonOf<N>[];
  readonly for?: Duration;
  readonly fresh?: Duration;
}

type ComparisonOf<N extends Names> = { readonly tag: N["tag"] } & (
  | { readonly atLeast: number; readonly release?: number }
  | { readonly atMost: number; readonly release?: number }
  /** A number, or the name of a state. */
  | { readonly is: number | string }
);

/** One number, or two with all between them. */
type NumberOrSpan = number | readonly [least: number, most: number];

export interface RuleOf<N extends Names> {
  readonly says: string;
  readonly from: readonly (N["device"] | "program")[];
  readonly roles?: readonly string[];
  readonly may: Operation;
  readonly tags?: readonly N["tag"][] | { readonly device: N["device"] };
  readonly to?: readonly N["device"][];
  readonly raw?: readonly N["raw"][];
  /** `6`, or of 8 and 43 `"8/0"`, `"43/14"`. */
  readonly functions?: readonly (number | `${number}/${number}`)[];
  readonly quantity?: number;
  readonly files?: readonly { readonly file: NumberOrSpan; readonly records?: NumberOrSpan }[];
  readonly objects?: readonly (NumberOrSpan | "basic" | "regular" | "extended")[];
  readonly value?: {
    readonly min?: number;
    readonly max?: number;
    readonly oneOf?: readonly (number | string)[];
    readonly maxStep?: number;
    readonly ramp?: number;
    readonly stale?: Duration;
  };
  readonly most?: { readonly count: number; readonly per: Duration };
  readonly every?: { readonly period: Duration; readonly jitter?: Duration };
  readonly after?: ConditionOf<N>;
  readonly notWhile?: ConditionOf<N>;
  readonly follows?: {
    readonly rule: RuleName;
    readonly within: Duration;
    readonly once?: boolean;
    readonly select?: boolean;
  };
  readonly apart?: { readonly rules: readonly RuleName[]; readonly within: Duration };
  readonly safety?: boolean;
  readonly mode?: Mode;
}

type ContainmentOf<N extends Names> = {
  readonly locus: readonly Locus[];
  readonly from: readonly PhaseName[];
  readonly tags?: readonly N["tag"][];
  readonly says: string;
} & ({ readonly to: PhaseName } | { readonly level: Level; readonly of: N["device"] | N["link"] });

interface MaskOf<N extends Names> {
  readonly levels: readonly Level[];
  readonly of: readonly (N["device"] | N["link"])[];
  readonly from: readonly PhaseName[];
  readonly back?: {
    readonly to: PhaseName;
    readonly request: string;
    readonly roles: readonly Role[];
    readonly clean?: Duration;
  };
}

/** What a lifecycle must be besides: every step that is named is one of its own phase. A phase with a template may have others. */
export type WithOwnSteps<L> = {
  readonly [K in keyof L]: K extends "zones"
    ? { readonly [Zone in keyof L[K]]: WithOwnSteps<L[K][Zone]> }
    : K extends "phases"
      ? "template" extends keyof L
        ? L[K]
        : OwnStepsIn<L[K]>
      : L[K];
};

type OwnStepsIn<Phases> = { readonly [K in keyof Phases]: OwnSteps<Phases[K]> };

type OwnSteps<Phase> = Phase extends { readonly phases: infer Nested }
  ? { readonly phases: OwnStepsIn<Nested>; readonly [key: string]: unknown }
  : Phase extends { readonly steps: infer Steps }
    ? {
        readonly initial: keyof Steps;
        readonly steps: { readonly [K in keyof Steps]: StepLeadingTo<keyof Steps> };
        readonly [key: string]: unknown;
      }
    : Phase extends { readonly initial: unknown }
      ? { readonly initial: never; readonly [key: string]: unknown }
      : unknown;

interface StepLeadingTo<Step> {
  readonly next?: readonly { readonly to: Step; readonly [key: string]: unknown }[];
  readonly [key: string]: unknown;
}
