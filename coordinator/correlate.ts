import type { PointId, ReceiptMessage } from "#point/bus.ts";
import type { TagId } from "#specs/ids.ts";
import { isSeenAtMirror, type Plant } from "#specs/plant.ts";
import { type CaseKind, type LocusRow, locate, type Sights, type SourceClass } from "./locus-table.ts";
import type { LayerSight } from "./page-messages.ts";
import { differsOnlyInValue, sameCommand, sourceClassOf, type Tolerances, toleranceOf } from "./same-command.ts";
import { Taint } from "./taint.ts";
import { CORRELATE_DEFAULTS, type CorrelateOptions, type Vouched } from "./vouched.ts";
import { WriteHistory } from "./write-history.ts";

/** One pattern, judged: the row it fits and the receipts that show it. */
export interface Finding {
  readonly row: LocusRow;
  readonly kind: CaseKind;
  readonly sights: Sights;
  readonly source: SourceClass;
  /** The receipt that the finding is about. */
  readonly about: ReceiptMessage;
  /** Tags it reaches for. */
  readonly tags: readonly TagId[];
  readonly receipts: readonly ReceiptMessage[];
}

interface Waiting {
  /** Where several points of the layer saw the command: what the strictest says. */
  receipt: ReceiptMessage;
  readonly points: Set<PointId>;
  /** Its counterpart in the other layer was found, or it was judged without one. */
  state: "waiting" | "matched" | "judged-alone";
}

/** Plant ms for which a receipt may still find a late counterpart after it was judged. */
const KEEP_MS = 10_000;
const NOT: LayerSight = "not-applicable";

/**
 * Matches what the three layers saw, one to one, and says for each command and each change which pattern it shows. Pure but
 * for its memory, which is bounded; times come with the receipts.
 *
 * A receipt is judged once the other layer vouches for its time (or cannot), so that a late report is not taken for absence.
 */
export class Correlator {
  readonly #plant: Plant;
  readonly #options: CorrelateOptions;
  readonly #tolerances: Tolerances;
  readonly #hmi: Waiting[] = [];
  readonly #switch: Waiting[] = [];
  readonly #changes: ReceiptMessage[] = [];
  readonly #writes: WriteHistory;
  readonly #outputs: ReceiptMessage[] = [];
  readonly #taint = new Taint();
  /** Links that do not pass the mirror port, or pass it unreadable: what is missing at the HMI layer there is no evidence. */
  readonly #unmirrored: ReadonlySet<string>;

  constructor(plant: Plant, options: Partial<CorrelateOptions> = {}) {
    this.#plant = plant;
    this.#options = { ...CORRELATE_DEFAULTS, ...options };
    this.#tolerances = toleranceOf(plant);
    this.#unmirrored = new Set(plant.links.filter((link) => !isSeenAtMirror(link)).map(({ id }) => id));
    this.#writes = new WriteHistory(plant, this.#tolerances, this.#options);
  }

  /** Receipts that wait for the other layers. */
  get pending(): number {
    return this.#waiting(this.#hmi).length + this.#waiting(this.#switch).length + this.#changes.length;
  }

  add(receipt: ReceiptMessage): void {
    switch (receipt.layer) {
      case "hmi":
        if (!this.#isOfSameCommand(receipt)) this.#hmi.push(waitingFor(receipt));
        return;
      case "switch":
        this.#switch.push(waitingFor(receipt));
        this.#writes.add(receipt);
        this.#taint.add(receipt);
        return;
      case "plc":
        (receipt.operation === "output" || receipt.source === "program" ? this.#outputs : this.#changes).push(receipt);
        return;
      default: {
        const never: never = receipt.layer;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  /** A tag as its PLC reports it: shows whether a command that passed took effect. */
  observeTag(tag: TagId, value: number, atMs: number): void {
    this.#writes.observe(tag, value, atMs);
  }

  /** Judges everything that can be judged now. */
  judge(vouched: Vouched, nowMs: number): readonly Finding[] {
    const findings: Finding[] = [];
    const keep = (finding: Finding | undefined): void => {
      if (finding !== undefined) findings.push(finding);
    };
    for (const output of this.#outputs.splice(0)) keep(this.#judgeOutput(output));
    for (const waiting of this.#waiting(this.#switch)) keep(this.#judgeAtSwitch(waiting, vouched));
    for (const waiting of this.#waiting(this.#hmi)) keep(this.#judgeAtHmi(waiting, vouched));
    for (const change of this.#changes.splice(0)) {
      const judged = this.#judgeChange(change, vouched);
      if (judged === "later") this.#changes.push(change);
      else keep(judged);
    }
    for (const missing of this.#writes.missing(vouched)) keep(this.#judgeMissing(missing.receipt, missing.tag));
    this.#forget(nowMs);
    return findings;
  }

  /** A station may be watched at a mirror port and inline: what both points see is one command, and is matched once. */
  #isOfSameCommand(receipt: ReceiptMessage): boolean {
    const same = this.#nearest(
      this.#hmi,
      receipt,
      (other) => !other.points.has(receipt.point) && sameCommand(other.receipt, receipt, this.#tolerances),
    );
    if (same === undefined) return false;
    same.points.add(receipt.point);
    if (same.state === "waiting" && receipt.verdict === "deny") same.receipt = receipt;
    return true;
  }

  #judgeOutput(receipt: ReceiptMessage): Finding | undefined {
    if (receipt.verdict === "allow" || this.#taint.explains(receipt.atMs)) return undefined;
    return this.#finding("output", "program", { hmi: NOT, switch: NOT, plc: "seen-violating" }, [receipt]);
  }

  #judgeAtSwitch(waiting: Waiting, vouched: Vouched): Finding | undefined {
    const { receipt } = waiting;
    const source = sourceClassOf(this.#plant, receipt.source);
    const twin = this.#counterpart(this.#hmi, receipt, (other) => sameCommand(other, receipt, this.#tolerances));
    if (twin !== undefined) return this.#pair(waiting, twin, source, seen(twin.receipt));
    if (source !== "hmi") {
      waiting.state = "judged-alone";
      return this.#finding("command", source, { hmi: NOT, switch: seen(receipt), plc: NOT }, [receipt]);
    }
    const blind = this.#unmirrored.has(receipt.link ?? "") || !vouched.saw("hmi", receipt.atMs);
    if (!blind && vouched.judgedUpToMs("hmi") < receipt.atMs + this.#options.skewMs && !this.#overfull(this.#switch))
      return undefined;
    const altered = this.#counterpart(this.#hmi, receipt, (other) =>
      differsOnlyInValue(other, receipt, this.#tolerances),
    );
    if (altered !== undefined) return this.#pair(waiting, altered, source, "seen-different");
    waiting.state = "judged-alone";
    const hmi = blind || this.#overfull(this.#switch) ? "blind" : "not-seen";
    return this.#finding("command", source, { hmi, switch: seen(receipt), plc: NOT }, [receipt]);
  }

  #judgeAtHmi(waiting: Waiting, vouched: Vouched): Finding | undefined {
    const { receipt } = waiting;
    const source = sourceClassOf(this.#plant, receipt.source);
    const late = this.#counterpart(this.#switch, receipt, (other) => sameCommand(other, receipt, this.#tolerances));
    if (late !== undefined) {
      // Its counterpart was judged before this receipt came; what was found then stands.
      waiting.state = "matched";
      late.state = "matched";
      return undefined;
    }
    if (receipt.verdict === "allow" && receipt.action === "blocked") {
      // Withheld inline on the station, with another part of its message: it was never to arrive.
      waiting.state = "matched";
      return undefined;
    }
    const blind = !vouched.saw("switch", receipt.atMs);
    if (!blind && vouched.judgedUpToMs("switch") < receipt.atMs + this.#options.skewMs && !this.#overfull(this.#hmi))
      return undefined;
    // The switch layer saw another value and waits for this layer to vouch: this receipt may be the other half of that.
    const altered = this.#counterpart(this.#waiting(this.#switch), receipt, (other) =>
      differsOnlyInValue(other, receipt, this.#tolerances),
    );
    if (altered !== undefined && !this.#overfull(this.#hmi)) return undefined;
    waiting.state = "judged-alone";
    const atSwitch = blind || this.#overfull(this.#hmi) ? "blind" : "not-seen";
    return this.#finding("command", source, { hmi: seen(receipt), switch: atSwitch, plc: NOT }, [receipt]);
  }

  #judgeChange(receipt: ReceiptMessage, vouched: Vouched): Finding | "later" | undefined {
    const cause = this.#writes.causeOf(receipt);
    if (cause.kind === "same") {
      // A change that monitor mode let through was already denied at the switch; the PLC's own deny adds nothing.
      const atSwitch = seen(cause.write);
      return this.#finding(
        "change",
        sourceClassOf(this.#plant, cause.write.source),
        { hmi: NOT, switch: atSwitch, plc: seen(receipt) },
        [receipt, cause.write],
      );
    }
    const blind = !vouched.saw("switch", receipt.atMs);
    const overfull = this.#changes.length > this.#options.maxPending;
    if (!blind && !overfull && vouched.judgedUpToMs("switch") < receipt.atMs + this.#options.skewMs) return "later";
    if (cause.kind === "different") {
      return this.#finding("change", "unknown", { hmi: NOT, switch: "seen-different", plc: seen(receipt) }, [
        receipt,
        cause.write,
      ]);
    }
    const atSwitch = blind || overfull ? "blind" : "not-seen";
    return this.#finding("change", "unknown", { hmi: NOT, switch: atSwitch, plc: seen(receipt) }, [receipt]);
  }

  #judgeMissing(write: ReceiptMessage, tag: TagId): Finding | undefined {
    const sights: Sights = { hmi: NOT, switch: seen(write), plc: "not-seen" };
    return this.#finding("change", sourceClassOf(this.#plant, write.source), sights, [write], [tag]);
  }

  #pair(waiting: Waiting, twin: Waiting, source: SourceClass, hmi: LayerSight): Finding | undefined {
    const alone = twin.state === "judged-alone";
    waiting.state = "matched";
    twin.state = "matched";
    const violates = waiting.receipt.verdict === "deny";
    // Late, and nothing new in it: the finding made from the first of the two stands.
    if (alone && !violates) return undefined;
    return this.#finding("command", source, { hmi, switch: seen(waiting.receipt), plc: NOT }, [
      waiting.receipt,
      twin.receipt,
    ]);
  }

  #finding(
    kind: CaseKind,
    source: SourceClass,
    sights: Sights,
    receipts: readonly [ReceiptMessage, ...ReceiptMessage[]],
    tags?: readonly TagId[],
  ): Finding | undefined {
    const row = locate(kind, source, sights);
    if (row === undefined) return undefined;
    return { row, kind, sights, source, about: receipts[0], receipts, tags: tags ?? tagsOf(receipts[0]) };
  }

  /** The unmatched receipt of the other layer nearest in time that fits. */
  #counterpart(
    list: readonly Waiting[],
    receipt: ReceiptMessage,
    fits: (other: ReceiptMessage) => boolean,
  ): Waiting | undefined {
    return this.#nearest(list, receipt, (other) => other.state !== "matched" && fits(other.receipt));
  }

  #nearest(list: readonly Waiting[], receipt: ReceiptMessage, fits: (other: Waiting) => boolean): Waiting | undefined {
    let best: Waiting | undefined;
    for (const candidate of list) {
      const distance = Math.abs(candidate.receipt.atMs - receipt.atMs);
      if (distance > this.#options.windowMs || !fits(candidate)) continue;
      if (best === undefined || distance < Math.abs(best.receipt.atMs - receipt.atMs)) best = candidate;
    }
    return best;
  }

  #waiting(list: readonly Waiting[]): readonly Waiting[] {
    return list.filter((entry) => entry.state === "waiting");
  }

  #overfull(list: readonly Waiting[]): boolean {
    return list.length > this.#options.maxPending;
  }

  #forget(nowMs: number): void {
    for (const list of [this.#hmi, this.#switch]) {
      const kept = list.filter((entry) => entry.state === "waiting" || nowMs - entry.receipt.atMs < KEEP_MS);
      list.splice(0, list.length, ...kept.slice(-2 * this.#options.maxPending));
    }
    this.#writes.forget(nowMs - KEEP_MS);
  }
}

function waitingFor(receipt: ReceiptMessage): Waiting {
  return { receipt, points: new Set([receipt.point]), state: "waiting" };
}

function seen(receipt: ReceiptMessage): LayerSight {
  return receipt.verdict === "deny" ? "seen-violating" : "seen-fine";
}

export function tagsOf(receipt: ReceiptMessage): readonly TagId[] {
  return [...new Set(receipt.items.flatMap((item) => (item.tag === null ? [] : [item.tag])))];
}
