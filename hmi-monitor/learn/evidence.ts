import type { Observation } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Channel } from "./channels.ts";
import { Gaps } from "./gaps.ts";
import type { LearnedCommand } from "./learned-command.ts";
import type { Overflow } from "./limits.ts";
import { Sightings } from "./occasions.ts";

/** One block that a client reads over and over. */
export class LearnedPoll {
  readonly sightings = new Sightings();
  readonly gaps = new Gaps();
  readonly source: string;
  readonly target: string;
  readonly operation: "read" | "subscribe";
  readonly functionCode: number | undefined;
  readonly tags: readonly TagId[];
  quantity = 0;

  constructor({ source, target, functionCode, items }: Observation, operation: "read" | "subscribe") {
    this.source = source ?? "";
    this.target = target;
    this.operation = operation;
    this.functionCode = functionCode;
    this.tags = [...new Set(items.flatMap(({ tag }) => (tag === undefined ? [] : [tag])))];
  }
}

/** Sessions, browsing, diagnostics: operations that are not about tags. */
export class LearnedService {
  readonly sightings = new Sightings();
  readonly functions = new Set<string>();
  readonly source: string;
  readonly target: string;
  readonly operation: "session" | "browse" | "diagnose";

  constructor({ source, target }: Observation, operation: "session" | "browse" | "diagnose") {
    this.source = source ?? "";
    this.target = target;
    this.operation = operation;
  }
}

export interface LearnedPhase {
  readonly phase: string;
  visits: number;
  totalMs: number;
  messages: number;
  firstMs: number;
  lastMs: number;
  /** Phases that followed, and how often. */
  readonly next: Map<string, number>;
  /** Truth values: how often they were told to be set, and how often not. */
  readonly bits: Map<TagId, { set: number; not: number }>;
}

/** Something that no rule is drafted for, whatever the number of sightings. */
export interface NotDrafted {
  readonly says: string;
  readonly sightings: Sightings;
}

/** Everything that was learned, in constant memory: whatever the length of the capture, only so many kinds of things are kept. */
export interface Evidence {
  readonly phases: ReadonlyMap<string, LearnedPhase>;
  readonly commands: readonly LearnedCommand[];
  readonly channels: readonly Channel[];
  readonly polls: readonly LearnedPoll[];
  readonly services: readonly LearnedService[];
  readonly notDrafted: readonly NotDrafted[];
  readonly overflow: Overflow;
  /** Messages before the first mark of a phase: nothing is learned from them. */
  readonly withoutPhase: number;
  /** Commands that the server refused: nothing is learned from them. */
  readonly refused: number;
  readonly messages: number;
  readonly firstMs: number;
  readonly lastMs: number;
}
