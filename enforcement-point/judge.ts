import type { Bundle } from "#specs/bundle.ts";
import { commit, judgeBy } from "#specs/decide/decide.ts";
import { type History, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { LinkId, TagId, ZoneId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { err, type Result } from "#specs/result.ts";
import { firstInForce, type InForce, nextInForce } from "./bundle-change.ts";
import { carriedOver } from "./carry-history.ts";
import type { HeldPhase } from "./held-phase.ts";
import { PhaseHolder } from "./phase-holder.ts";
import type { Judged } from "./receipt.ts";

export interface JudgeOptions {
  readonly layer: Layer;
  /** The one to begin with. */
  readonly bundle: Bundle;
  /** `enforce` follows the modes of links and rules; `monitor` never blocks; `off` does not judge. */
  readonly mode: Mode;
  /** Sees, but does not stand in the path: nothing it denies is blocked. */
  readonly passive?: boolean;
}

/**
 * Judges by what is in force here, the bundle's tables and the phase held, and remembers what has come of what it judged. Pure: times go
 * in, and whoever asks says it, keeps it and acts on it.
 */
export class Judge {
  readonly zone: ZoneId;
  readonly holder: PhaseHolder;
  readonly #mayBlock: boolean;
  #inForce: InForce;
  #judged = 0;
  #denied = 0;

  /** @throws Error in one sentence for a plant without a zone */
  constructor({ bundle, layer, mode, passive }: JudgeOptions) {
    const [zone] = bundle.plant.zones;
    if (zone === undefined) throw new Error(`plant \`${bundle.plant.id}\` has no zone`);
    this.zone = zone.id;
    this.#mayBlock = passive !== true && mode === "enforce";
    this.#inForce = firstInForce(bundle, layer);
    this.holder = new PhaseHolder(this.tables, this.zone, layer, passive);
  }

  get bundle(): Bundle {
    return this.#inForce.bundle;
  }

  get tables(): Tables {
    return this.#inForce.tables;
  }

  get history(): History {
    return this.#inForce.history;
  }

  /** Since the start. */
  get judged(): number {
    return this.#judged;
  }

  /** Since the start. */
  get denied(): number {
    return this.#denied;
  }

  /** Whether anything may be blocked here. A link in monitor mode blocks nothing, whatever the mode of a rule; no link: yes. */
  enforces(link: LinkId | undefined): boolean {
    return this.#mayBlock && (link === undefined || (this.tables.links.get(link)?.mode ?? "enforce") === "enforce");
  }

  /** By what was in force at that time; where nothing is judged late, by what is in force now. */
  judge(observation: Observation, atMs: number): Judged {
    const { tables, history } = this.#inForce;
    const at = this.holder.heldAt(atMs);
    const first = judgeBy(tables, at.permit, observation, history, atMs);
    const near = first.verdict === "allow" ? undefined : this.#allowedNear(observation, atMs);
    const held = near?.held ?? at;
    const verdict = near?.verdict ?? first;
    this.#judged += 1;
    if (verdict.verdict === "deny") this.#denied += 1;
    const blocks = verdict.verdict === "deny" && verdict.mode === "enforce" && this.enforces(observation.link);
    return {
      tables,
      observation,
      verdict,
      action: blocks ? "blocked" : "forwarded",
      atMs,
      epoch: held.words.epoch ?? null,
      phase: held.position?.phase ?? null,
    };
  }

  /** The verdict alone: nothing is counted. */
  verdictOn(observation: Observation, atMs: number): Verdict {
    const { tables, history } = this.#inForce;
    const verdict = judgeBy(tables, this.holder.heldAt(atMs).permit, observation, history, atMs);
    return verdict.verdict === "allow" ? verdict : (this.#allowedNear(observation, atMs)?.verdict ?? verdict);
  }

  /** So near to a change the clocks of mirror and coordinator do not say which of the two it was. */
  #allowedNear(observation: Observation, atMs: number): { held: HeldPhase; verdict: Verdict } | undefined {
    const { tables, history } = this.#inForce;
    for (const held of this.holder.heldNear(atMs)) {
      const verdict = judgeBy(tables, held.permit, observation, history, atMs);
      if (verdict.verdict === "allow") return { held, verdict };
    }
    return undefined;
  }

  /** Takes what became of a message into the history, under the tables it was judged by. True: the possible steps are others now. */
  became(judged: Judged, outcome: Outcome, nowMs: number): boolean {
    const { tables, history } = this.#inForce;
    const { observation, verdict } = judged.tables === tables ? judged : carriedOver(judged, judged.tables, tables);
    commit(history, observation, verdict, outcome, nowMs);
    return this.holder.happened(verdict, outcome, nowMs);
  }

  sawTag(tag: TagId, value: number, atMs: number): void {
    observeTag(this.#inForce.history, tag, value, atMs);
  }

  /** What follows from the tags seen, and from time alone. True: the possible steps are others now. */
  sawTags(atMs: number): boolean {
    return this.holder.observe(this.#inForce.history, atMs);
  }

  /**
   * What would be in force with another bundle, or in one sentence why it may not be. Nothing has changed yet.
   *
   * @param isAlone no coordinator leads out of the isolated phase, so the held one must be there in the next bundle too
   */
  next(bundle: Bundle, isAlone: boolean, nowMs: number): Result<InForce, string> {
    const next = nextInForce(this.#inForce, bundle, this.zone);
    if (!next.ok) return next;
    if (this.holder.isChanging) return err("a change of phase is under way; offer the bundle again when it is over");
    if (isAlone && !this.holder.isIn(next.value.tables, nowMs)) {
      const phase = this.holder.position?.phase ?? "none";
      return err(`phase \`${phase}\`, in which this point stands alone, is not in the bundle as it is held`);
    }
    return next;
  }

  /** Goes by it from now on. Where the held phase is not in it, the isolated one is in force. */
  take(next: InForce, nowMs: number): void {
    this.#inForce = next;
    this.holder.take(next.tables, nowMs);
  }
}
