import type { Diagnostic, Locate, Location } from "../diagnostic.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import type { CheckCode } from "./codes.ts";

/** What is to be checked; `locate` comes with a loaded plant, and without it every position is line 1. */
export interface Checked {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly locate?: Locate;
}

export const GUARANTEES = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G12"] as const;
/** Which guarantee a finding is about; `language`: what is refused besides; `lint`: what misleads a reader. */
export type Guarantee = (typeof GUARANTEES)[number] | "language" | "lint";

/** Errors fail the check; warnings are shown. */
export type Severity = "error" | "warning";

/** What is wrong, where, what to do, and where there is one a run of the plant that shows it. */
export interface Finding extends Diagnostic {
  readonly guarantee: Guarantee;
  readonly severity: Severity;
  /** What helps with this kind of finding in general; one sentence. */
  readonly advice: string;
  /** A counter-example: one line for each step of it, the first where it begins. */
  readonly trace?: readonly string[];
}

/** A finding before it has a position; guarantee, severity and advice follow from the code. */
export interface RawFinding {
  /** A key of `Locate`. */
  readonly at: string;
  readonly code: CheckCode;
  readonly message: string;
  readonly trace?: readonly string[];
}

/** What is always listed, though nothing is wrong: a reader must know it, and no file can change it without showing here. */
export interface Fact extends Location {
  readonly guarantee: Guarantee;
  /** One sentence. */
  readonly says: string;
  /** The same for programs. */
  readonly detail?: FactDetail;
}

export type FactDetail = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A fact before it has a position. */
export interface RawFact {
  readonly at: string;
  readonly guarantee: Guarantee;
  readonly fact: string;
  readonly detail?: FactDetail;
}

/** What one check has to say. */
export type Said = RawFinding | RawFact;

/** One check: its words for the progress line, and a pure function. */
export interface Check {
  readonly what: string;
  readonly run: (spec: Checked) => readonly Said[];
}

export const EXEMPTION_KINDS = [
  "safety",
  "monitor",
  "off",
  "opaque",
  "signed",
  "fail-open",
  "raw",
  "program",
  "diagnose",
  "override",
  "report",
] as const;
export type ExemptionKind = (typeof EXEMPTION_KINDS)[number];

/** Something that is allowed whatever the phase, or that nobody looks into. */
export interface Exemption extends Location {
  readonly kind: ExemptionKind;
  /** The rule, link or raw function. */
  readonly subject: string;
  readonly says: string;
  /** Devices, or roles of people, that could make use of it. */
  readonly abusableBy: readonly string[];
}

/** Shares (0..1) of what the union of all phases of the zone allows. */
export interface PhasePermissiveness extends Location {
  readonly phase: string;
  /** State-changing: write, call, program, raw. Value intervals count by their part of the tag's range. */
  readonly changes: number;
  readonly reads: number;
  readonly because?: string;
}

/** The answer of `sekisho spec check`. JSON as it stands. */
export interface Report {
  /** No error among all findings, those left out included. */
  readonly passed: boolean;
  /** In the order of the files; at most `MAX_DIAGNOSTICS`, errors before warnings where there are more. */
  readonly findings: readonly Finding[];
  /** Findings beyond the bound. */
  readonly findingsLeftOut: number;
  /** At most `MAX_FACTS`, in the order of the files within each guarantee. */
  readonly facts: readonly Fact[];
  readonly factsLeftOut: number;
  readonly exemptions: readonly Exemption[];
  readonly permissiveness: readonly PhasePermissiveness[];
}

/** Facts kept of one run. */
export const MAX_FACTS = 1000;
