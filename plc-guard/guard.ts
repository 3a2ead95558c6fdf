import type { OrderMessage, PositionMessage, ReceiptMessage } from "#point/bus.ts";
import { type OrderAnswer, PhaseHolder } from "#point/phase-holder.ts";
import type { Bundle } from "#specs/bundle.ts";
import { commit, judgeBy } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import type { DeviceId, Epoch, PhaseId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Mode, Tag } from "#specs/plant.ts";
import { guardReceipt } from "./guard-receipt.ts";
import { ReceiptRing } from "./receipt-ring.ts";
import { RepeatedDenies } from "./repeated-denies.ts";

/** Name on the bus of the point that stands inside one PLC. */
export const pointOf = (device: DeviceId): string => `guard-${device}`;

/** Where a guard stands, and what it has counted since it was made. */
export interface GuardStatus {
  readonly state: "joining" | "in-force" | "isolated";
  readonly mode: Mode;
  readonly zone: ZoneId;
  readonly phase: PhaseId | null;
  readonly steps: readonly StepId[];
  readonly epoch: Epoch | null;
  /** Variable changes and outputs judged, and those denied. */
  readonly judged: number;
  readonly denied: number;
  /** Receipts that wait to be taken, and those given up because nobody took them in time. */
  readonly waiting: number;
  readonly lost: number;
  /** Repeated denies of an output that were counted, not reported. */
  readonly suppressed: number;
}

type Deny = Extract<Verdict, { readonly verdict: "deny" }>;
type Values = ReadonlyMap<TagId, number>;

const NOTHING: Values = new Map();

/**
 * Judges inside the scan of one PLC: which network writes reach the variables of the control program, and which of the
 * program's outputs reach the output image. Pure: values and times go in, accepted values come out; it never throws while scanning.
 *
 * INVARIANT (safe output): an output equal to its declared safe value is never withheld, whatever the phase.
 * INVARIANT (nothing unjudged): in `enforce` a value gets past the guard only by an allow, or because it is the safe value.
 */
export class Guard {
  readonly device: DeviceId;
  readonly point: string;
  readonly zone: ZoneId;
  readonly bundleId: string;
  readonly #mode: Mode;
  readonly #tables: Tables;
  readonly #history: History;
  readonly #holder: PhaseHolder;
  readonly #tags: ReadonlyMap<TagId, Tag>;
  readonly #ring: ReceiptRing;
  readonly #repeats = new RepeatedDenies();
  /** Per output, the last value that went out because it was allowed. */
  readonly #lastAllowed = new Map<TagId, number>();
  #seq = 0;
  #judged = 0;
  #denied = 0;

  /** @throws Error when the bundle declares no such PLC */
  constructor(bundle: Bundle, device: DeviceId, mode: Mode, maxReceipts?: number) {
    const declared = bundle.plant.devices.find((d) => d.id === device);
    if (declared === undefined)
      throw new Error(`device \`${device}\` is not in plant \`${bundle.plant.id}\`; name one of its PLCs`);
    if (declared.role !== "plc")
      throw new Error(`device \`${device}\` is a ${declared.role}, and only a PLC has a guard`);
    this.device = device;
    this.point = pointOf(device);
    this.zone = declared.zone;
    this.bundleId = bundle.id;
    this.#mode = mode;
    this.#tables = compile(bundle, "plc");
    this.#history = createHistory(this.#tables);
    this.#holder = new PhaseHolder(this.#tables, declared.zone, "plc");
    this.#tags = new Map(bundle.plant.tags.map((tag) => [tag.id, tag]));
    this.#ring = new ReceiptRing(maxReceipts);
  }

  /**
   * Network writes, once per scan, before the control program runs.
   * @param atMs plant time of the scan
   * @param before the program's variables as they stand
   * @param wanted what the protocol servers hold for them now; variables left out are not wanted to change
   * @returns the accepted changes only; every other variable keeps its value, and the servers should show it again
   */
  latch(scan: number, atMs: number, before: Values, wanted: Values): Values {
    const changes = [...wanted].filter(([tag, value]) => !Object.is(before.get(tag), value));
    if (this.#mode === "off") return new Map(changes);
    const accepted = new Map<TagId, number>();
    for (const [tag, value] of changes) {
      const old = before.get(tag);
      if (this.#latchOne(scan, atMs, tag, old, value)) accepted.set(tag, value);
    }
    return accepted;
  }

  /**
   * Outputs of the control program, once per scan, before they reach the output image.
   * @param wanted what the program asks for
   * @param tags what the PLC knows after this scan: inputs and variables; it feeds conditions, steps and largest-step rules
   * @returns a value for each output that this PLC has
   */
  outputs(scan: number, atMs: number, wanted: Values, tags: Values = NOTHING): Values {
    this.#observe(atMs, tags);
    if (this.#mode === "off") return wanted;
    const image = new Map<TagId, number>();
    for (const [tag, value] of wanted) {
      const out = this.#outputOne(scan, atMs, tag, value);
      if (out !== undefined) image.set(tag, out);
    }
    return image;
  }

  /** What other PLCs report: conditions and steps may speak of it. Tags of this PLC are left out; its own scan knows better. */
  observeOthers(atMs: number, tags: Values): void {
    this.#observe(atMs, new Map([...tags].filter(([tag]) => this.#tags.get(tag)?.device !== this.device)));
  }

  /** One order of a phase change; undefined: it is not for this guard. */
  order(message: OrderMessage, atMs: number): OrderAnswer | undefined {
    return this.#holder.order(message, atMs);
  }

  /** Where the coordinator says the zone stands. False: older than what is held, or unknown here, and refused. */
  adopt(message: PositionMessage, atMs: number): boolean {
    return this.#holder.adopt(message, atMs);
  }

  /** @param leaseMs real ms for which the coordinator vouches, from `realMs` (monotonic, `performance.now()`) on */
  renew(leaseMs: number, realMs: number): void {
    this.#holder.renew(leaseMs, realMs);
  }

  /** True: the lease has just ended, and the lifecycle's isolated phase is in force from now on. `realMs` is monotonic. */
  checkLease(realMs: number): boolean {
    return this.#holder.checkLease(realMs);
  }

  /** What waits to be reported, oldest first; it is handed over once. */
  takeReceipts(): readonly ReceiptMessage[] {
    return this.#ring.take();
  }

  status(): GuardStatus {
    const position = this.#holder.position;
    return {
      state: this.#holder.state,
      mode: this.#mode,
      zone: this.zone,
      phase: position?.phase ?? null,
      steps: position?.steps ?? [],
      epoch: this.#holder.epoch ?? null,
      judged: this.#judged,
      denied: this.#denied,
      waiting: this.#ring.waiting,
      lost: this.#ring.lost,
      suppressed: this.#repeats.suppressed,
    };
  }

  /** The phase to come back on after a restart. The PLC keeps it where a restart does not reach. */
  save(): string {
    return this.#holder.save();
  }

  /** Takes up a saved phase; false, and nothing changed, when this bundle does not know it. */
  restore(text: string, atMs: number): boolean {
    return this.#holder.restore(text, atMs);
  }

  #observe(atMs: number, tags: Values): void {
    try {
      for (const [tag, value] of tags) observeTag(this.#history, tag, value, atMs);
      this.#holder.observe(this.#history, atMs);
    } catch {
      // Evidence that cannot be taken in is evidence missing: what depends on it is denied as unknown.
    }
  }

  #latchOne(scan: number, atMs: number, tag: TagId, old: number | undefined, value: number): boolean {
    // The variable itself is the reference for a largest-step rule; nobody writes it behind the scan's back.
    if (old !== undefined) this.#observe(atMs, new Map([[tag, old]]));
    const observation = this.#observation("write", tag, value);
    const verdict = this.#judge(observation, value, atMs);
    const acts = this.#acts(verdict);
    this.#commit(observation, verdict, acts, atMs);
    this.#report(scan, atMs, observation, verdict, acts, old);
    return !acts;
  }

  #outputOne(scan: number, atMs: number, tag: TagId, value: number): number | undefined {
    const safe = this.#safeValue(tag);
    if (value === safe) {
      this.#judged += 1;
      this.#lastAllowed.set(tag, value);
      this.#repeats.forget(tag);
      return value;
    }
    const observation = this.#observation("output", tag, value);
    const verdict = this.#judge(observation, value, atMs);
    const acts = this.#acts(verdict);
    this.#commit(observation, verdict, acts, atMs);
    if (verdict.verdict === "allow") {
      this.#lastAllowed.set(tag, value);
      this.#repeats.forget(tag);
      return value;
    }
    const { reason, rule } = verdict;
    if (this.#repeats.isNews(tag, { reason, rule }, atMs)) {
      this.#report(scan, atMs, observation, verdict, acts, this.#lastAllowed.get(tag));
    }
    return acts ? this.#fallback(tag, safe, atMs) : value;
  }

  /** In place of a denied output: the last allowed value where it is still allowed, else the safe one. */
  #fallback(tag: TagId, safe: number | undefined, atMs: number): number | undefined {
    const last = this.#lastAllowed.get(tag);
    if (last === undefined || last === safe) return safe;
    if (this.#decide(this.#observation("output", tag, last), last, atMs).verdict === "allow") return last;
    this.#lastAllowed.delete(tag);
    return safe;
  }

  /** An output without a declared safe value falls to the low end of its range; what is no output of this PLC has none. */
  #safeValue(tag: TagId): number | undefined {
    const declared = this.#tags.get(tag);
    if (declared === undefined || declared.device !== this.device || declared.kind !== "output") return undefined;
    return declared.safe ?? declared.range[0];
  }

  #observation(operation: "write" | "output", tag: TagId, value: number): Observation {
    return {
      source: operation === "output" ? "program" : undefined,
      sourceAddress: "",
      target: this.device,
      link: undefined,
      operation,
      message: operation === "output" ? "output of the control program" : "change of a variable over the network",
      items: [{ tag: this.#tags.has(tag) ? tag : undefined, address: `variable ${tag}`, value }],
    };
  }

  #judge(observation: Observation, value: number, atMs: number): Verdict {
    const verdict = this.#decide(observation, value, atMs);
    this.#judged += 1;
    if (verdict.verdict === "deny") this.#denied += 1;
    return verdict;
  }

  #decide(observation: Observation, value: number, atMs: number): Verdict {
    // Comparisons with NaN are all false, so that a bound could never refuse it.
    if (!Number.isFinite(value)) return denied("TYPE_MISMATCH");
    try {
      return judgeBy(this.#tables, this.#holder.permit, observation, this.#history, atMs);
    } catch {
      return denied("INTERNAL");
    }
  }

  /** True: the deny is acted upon, which takes `enforce` both here and at the rule. */
  #acts(verdict: Verdict): boolean {
    return verdict.verdict === "deny" && this.#mode === "enforce" && verdict.mode === "enforce";
  }

  #commit(observation: Observation, verdict: Verdict, acts: boolean, atMs: number): void {
    try {
      const outcome: Outcome = acts ? "denied" : "forwarded";
      commit(this.#history, observation, verdict, outcome, atMs);
      this.#holder.happened(verdict, outcome, atMs);
    } catch {
      // The decision stands; only the memory of it is missing, and what needs that memory is denied as unknown.
    }
  }

  #report(
    scan: number,
    atMs: number,
    observation: Observation,
    verdict: Verdict,
    acts: boolean,
    before: number | undefined,
  ): void {
    this.#seq += 1;
    const { epoch = null, position } = this.#holder;
    const from = { point: this.point, seq: this.#seq, scan, atMs, epoch, phase: position?.phase ?? null };
    this.#ring.put(guardReceipt(from, observation, verdict, { acts, before }));
  }
}

function denied(reason: "TYPE_MISMATCH" | "INTERNAL"): Deny {
  return { verdict: "deny", reason, rule: undefined, item: 0, mode: "enforce", says: REASONS[reason] };
}
