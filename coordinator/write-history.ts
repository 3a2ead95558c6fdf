import type { ReceiptMessage } from "#point/bus.ts";
import type { TagId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import { sameValue, type Tolerances } from "./same-command.ts";
import type { CorrelateOptions, Vouched } from "./vouched.ts";

/** Why a variable changed, as far as the switch layer's receipts tell. */
export type Cause =
  | { readonly kind: "same"; readonly write: ReceiptMessage }
  | { readonly kind: "different"; readonly write: ReceiptMessage }
  | { readonly kind: "none" };

interface Write {
  readonly receipt: ReceiptMessage;
  readonly value: number;
  /** The tag's value when the command passed; undefined: not known. */
  readonly before: number | undefined;
  /** Latched by the PLC, replaced by a later write, or found to be missing. */
  settled: boolean;
}

interface TagHistory {
  readonly writes: Write[];
  value: number | undefined;
  valueAtMs: number;
}

/** Writes remembered per tag. */
const MAX_WRITES = 256;
/** Plant ms a PLC has for a command to show in the tags it reports. */
const EFFECT_MS = 1500;

/**
 * The commands that passed the switch layer, per tag, so that a change in a PLC finds its cause: the last successful write
 * before the scan's latch. A write of the present value or one overwritten before the latch expects no change.
 */
export class WriteHistory {
  readonly #tags: ReadonlyMap<TagId, TagHistory>;
  readonly #expectsEffect: ReadonlySet<TagId>;
  readonly #tolerances: Tolerances;
  readonly #options: CorrelateOptions;

  constructor(plant: Plant, tolerances: Tolerances, options: CorrelateOptions) {
    this.#tags = new Map(
      plant.tags.map((tag) => [tag.id, { writes: [], value: undefined, valueAtMs: Number.NEGATIVE_INFINITY }]),
    );
    // A command may be taken back by the program in the same scan (a start button); a set-point stays where it was put.
    this.#expectsEffect = new Set(plant.tags.filter((tag) => tag.kind === "set-point").map((tag) => tag.id));
    this.#tolerances = tolerances;
    this.#options = options;
  }

  add(receipt: ReceiptMessage): void {
    if (!passed(receipt)) return;
    for (const item of receipt.items) {
      const history = item.tag === null ? undefined : this.#tags.get(item.tag);
      if (history === undefined || item.value === null) continue;
      const before = history.valueAtMs <= receipt.atMs ? history.value : undefined;
      history.writes.push({ receipt, value: item.value, before, settled: false });
      if (history.writes.length > MAX_WRITES) history.writes.shift();
    }
  }

  observe(tag: TagId, value: number, atMs: number): void {
    const history = this.#tags.get(tag);
    if (history === undefined || atMs < history.valueAtMs) return;
    history.value = value;
    history.valueAtMs = atMs;
  }

  /** Looks for the cause of one change; the write that explains it, and those before it, are used up. */
  causeOf(change: ReceiptMessage): Cause {
    const item = change.items[0];
    const history = item?.tag == null ? undefined : this.#tags.get(item.tag);
    if (item?.tag == null || history === undefined) return { kind: "none" };
    const { skewMs, windowMs } = this.#options;
    const candidates = history.writes.filter(
      ({ receipt, settled }) =>
        !settled && receipt.atMs <= change.atMs + skewMs && receipt.atMs >= change.atMs - windowMs,
    );
    const tolerance = this.#tolerances.get(item.tag) ?? 0;
    const cause = candidates.findLast((write) => sameValue(write.value, item.value, tolerance));
    if (cause !== undefined) {
      const index = history.writes.indexOf(cause);
      for (const earlier of history.writes.slice(0, index + 1)) earlier.settled = true;
      return { kind: "same", write: cause.receipt };
    }
    const other = candidates.at(-1);
    return other === undefined ? { kind: "none" } : { kind: "different", write: other.receipt };
  }

  /** Successful writes of set-points that left the tag where it was, once the PLC layer vouches for the time after them. */
  missing(vouched: Vouched): readonly { readonly receipt: ReceiptMessage; readonly tag: TagId }[] {
    const found: { receipt: ReceiptMessage; tag: TagId }[] = [];
    const judgedUpToMs = vouched.judgedUpToMs("plc");
    for (const [tag, history] of this.#tags) {
      if (!this.#expectsEffect.has(tag)) continue;
      for (const [index, write] of history.writes.entries()) {
        const dueMs = write.receipt.atMs + EFFECT_MS;
        if (write.settled || judgedUpToMs < dueMs || history.valueAtMs < dueMs) continue;
        write.settled = true;
        const last = index === history.writes.length - 1;
        if (last && vouched.saw("plc", write.receipt.atMs) && this.#leftAsItWas(tag, write, history)) {
          found.push({ receipt: write.receipt, tag });
        }
      }
    }
    return found;
  }

  forget(beforeMs: number): void {
    for (const { writes } of this.#tags.values()) {
      while (writes[0] !== undefined && writes[0].receipt.atMs < beforeMs) writes.shift();
    }
  }

  #leftAsItWas(tag: TagId, write: Write, history: TagHistory): boolean {
    const tolerance = this.#tolerances.get(tag) ?? 0;
    const { value } = history;
    if (write.before === undefined || value === undefined) return false;
    return sameValue(value, write.before, tolerance) && !sameValue(value, write.value, tolerance);
  }
}

/** Reached the server and was not refused by it. */
function passed(receipt: ReceiptMessage): boolean {
  const refused = receipt.outcome === "answered-error" || receipt.outcome === "denied";
  return receipt.operation === "write" && receipt.action === "forwarded" && !refused;
}
