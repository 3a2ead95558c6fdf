import type { TagId } from "#specs/ids.ts";
import { Gaps } from "./gaps.ts";
import { Sightings, type Visit } from "./occasions.ts";
import { ruleName } from "./rule-name.ts";
import { ValueRange } from "./value-range.ts";

/** What a command is, apart from its value: of a truth value the value too, since opening is another command than closing. */
export interface CommandKind {
  readonly phase: string;
  readonly source: string;
  readonly protocol: "modbus" | "opcua";
  readonly operation: "write" | "call";
  readonly tag: TagId;
  readonly bit: 0 | 1 | undefined;
}

/** How one command came after another, in the same visit of the phase. */
export class Order {
  count = 0;
  longestMs = 0;
  shortestMs = Number.POSITIVE_INFINITY;
  /** It came more than once after the same one. */
  repeated = false;
  #counted = 0;

  /** @param number of the one before, counted over all of them */
  add(gapMs: number, number: number): void {
    this.count += 1;
    this.longestMs = Math.max(this.longestMs, gapMs);
    this.shortestMs = Math.min(this.shortestMs, gapMs);
    if (number === this.#counted) this.repeated = true;
    this.#counted = number;
  }
}

/** What a truth value was when a command came. */
export class Cause {
  whileSet = 0;
  whileNot = 0;
  /** For how long it had been set at the least, ms. */
  shortestMs = Number.POSITIVE_INFINITY;
}

/** Names of rules stay the same from one capture to the next: by them a draft is merged. */
function commandId({ phase, source, tag, bit, protocol }: CommandKind): string {
  const value = bit === undefined ? "" : bit === 1 ? "-on" : "-off";
  return ruleName(`${phase.replaceAll(".", "-")}-${source}-${tag}${value}${protocol === "opcua" ? "-ua" : ""}`);
}

/** Everything that is kept of one kind of command. */
export class LearnedCommand {
  readonly kind: CommandKind;
  /** Name of the rule that is drafted of it. */
  readonly id: string;
  readonly sightings = new Sightings();
  readonly values = new ValueRange();
  readonly gaps = new Gaps();
  readonly functions = new Set<number>();
  readonly after = new Map<LearnedCommand, Order>();
  readonly causes = new Map<TagId, Cause>();
  quantity = 0;
  /** Shortest time since each other command of the same client in this phase, ms. */
  readonly apart = new Map<LearnedCommand, number>();
  /** Shortest of these; and how often there was one before. */
  apartMs = Number.POSITIVE_INFINITY;
  aparts = 0;
  lastMs = Number.NEGATIVE_INFINITY;

  constructor(kind: CommandKind) {
    this.kind = kind;
    this.id = commandId(kind);
  }

  add(visit: Visit, atMs: number): void {
    this.sightings.add(visit, atMs);
    this.gaps.add(atMs);
    this.lastMs = atMs;
  }
}
