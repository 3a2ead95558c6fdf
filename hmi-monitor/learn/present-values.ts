import type { TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
import { Cause, type LearnedCommand } from "./learned-command.ts";
import { LEARN_LIMITS, type Overflow } from "./limits.ts";

/** What changed in so short a time may have changed after a command was asked for and before it was answered, ms. */
const UNSURE_MS = 1000;

/** What a tag is known to be. */
export class Present {
  readonly tag: Tag;
  readonly isBit: boolean;
  #value = Number.NaN;
  #before = Number.NaN;
  #sinceMs = Number.NaN;

  constructor(tag: Tag) {
    this.tag = tag;
    this.isBit = isBit(tag);
  }

  /** NaN: nobody has told. */
  get value(): number {
    return this.#value;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Values that it may have had when something was asked at this time. */
  valuesAt(atMs: number): readonly number[] {
    const isUnsure = !Number.isNaN(this.#before) && this.#sinceMs > atMs - UNSURE_MS;
    return Number.isNaN(this.#value) ? [] : isUnsure ? [this.#value, this.#before] : [this.#value];
  }

  becomes(value: number, atMs: number): void {
    if (this.#value === value) return;
    this.#before = this.#value;
    this.#value = value;
    this.#sinceMs = atMs;
  }
}

/** The present values of tags, as far as servers told them or took them, in bounded memory. */
export class PresentValues {
  readonly #tagOf: (tag: TagId) => Tag | undefined;
  readonly #overflow: Overflow;
  readonly #present = new Map<TagId, Present>();
  readonly #causes: Present[] = [];

  constructor(tagOf: (tag: TagId) => Tag | undefined, overflow: Overflow) {
    this.#tagOf = tagOf;
    this.#overflow = overflow;
  }

  of(tag: TagId): Present | undefined {
    const known = this.#present.get(tag);
    if (known !== undefined) return known;
    const declared = this.#tagOf(tag);
    if (declared === undefined) return undefined;
    const kept = this.#overflow.get("tags", this.#present, tag, () => new Present(declared));
    if (kept === undefined || !kept.isBit || kept.tag.kind !== "status") return kept;
    if (this.#causes.length < LEARN_LIMITS.causes) this.#causes.push(kept);
    else this.#overflow.add("causes");
    return kept;
  }

  /** What was so when a command came to a server. A PLC can judge by its own variables alone. */
  noteCauses(command: LearnedCommand, target: string, atMs: number): void {
    for (const { tag, value, sinceMs } of this.#causes) {
      if (tag.device !== target) continue;
      const cause = command.causes.get(tag.id) ?? new Cause();
      command.causes.set(tag.id, cause);
      if (!(value !== 0) || Number.isNaN(value)) cause.whileNot += 1;
      else {
        cause.whileSet += 1;
        cause.shortestMs = Math.min(cause.shortestMs, atMs - sinceMs);
      }
    }
  }
}

/** A fraction may lie between 0 and 1 too, and what type an argument has is not known. */
function isBit({ range, modbus, opcua }: Tag): boolean {
  if (modbus !== undefined) return modbus.table === "coil" || modbus.table === "discrete-input";
  if (opcua === undefined || opcua.type === "Float" || opcua.type === "Double") return false;
  return opcua.type === "Boolean" || (range[0] === 0 && range[1] === 1);
}
