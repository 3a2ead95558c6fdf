import type { PhaseId } from "#specs/ids.ts";
import { err, ok, type Result } from "#specs/result.ts";
import type { PacketPlan } from "./compile.ts";
import type { Nft } from "./nft.ts";
import { PacketFilter } from "./packet-filter.ts";
import { Pair } from "./pair.ts";
import type { PairSettings } from "./pair-file.ts";

export interface GatewayOptions {
  readonly plan: PacketPlan;
  readonly nft: Nft;
  /** The second of two filters before the same links; absent: this one is alone. */
  readonly pair?: PairSettings;
  /** What the filter holds now; null: no phase. */
  readonly held: () => { readonly phase: PhaseId; readonly epoch: number } | null;
  /** What somebody should know, a sentence each. */
  readonly say: (says: string) => void;
}

/** Real ms from one look at the phase to the next, and after a ruleset that was not taken. */
export const LOOK_MS = 50;
export const RETRY_MS = 1000;

/**
 * What a filter on a gateway host does besides filtering: the packet filter follows the phase that the filter holds, and of two
 * filters one holds the links. When it ends, the packet filter stays: links that lead to a filter are closed without one.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #packets: PacketFilter;
  readonly #pair: Pair | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** undefined: nothing is in force of us yet, or the last ruleset was not taken. */
  #inForce: PhaseId | null | undefined;
  /** What the packet filter was given last: one that came while another was being applied is still to be. */
  #plan: PacketPlan;
  #closed = false;

  private constructor(options: GatewayOptions, packets: PacketFilter) {
    this.#options = options;
    this.#plan = options.plan;
    this.#packets = packets;
    this.#pair = options.pair === undefined ? undefined : new Pair({ ...options, ...options.pair });
  }

  /** Resolves with the present phase's rules in force. @throws Error in one sentence */
  static async open(options: GatewayOptions): Promise<Gateway> {
    const packets = await PacketFilter.open(options.plan, options.nft);
    for (const line of packets.without) options.say(line);
    const gateway = new Gateway(options, packets);
    await gateway.#follow();
    return gateway;
  }

  /** Call when the filter listens: only now the links may be taken, and the phase is followed. @throws Error in one sentence */
  async start(): Promise<void> {
    await this.#pair?.start();
    this.#look(LOOK_MS);
  }

  /** What puts another plan in place: the kernel has it after the next look. Or in one sentence why it cannot be. */
  prepare(plan: PacketPlan): Result<() => void, string> {
    const why = this.#packets.whyNot(plan, this.#options.held()?.phase ?? null);
    if (why !== undefined) return err(`no packet filter can be made from the bundle: ${why}`);
    return ok(() => {
      this.#plan = plan;
      this.#packets.take(plan);
      this.#inForce = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#pair?.close();
  }

  #look(afterMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#follow().then(
        () => this.#look(LOOK_MS),
        (error: unknown) => {
          this.#options.say(error instanceof Error ? error.message : String(error));
          this.#look(RETRY_MS);
        },
      );
    }, afterMs);
  }

  async #follow(): Promise<void> {
    const phase = this.#options.held()?.phase ?? null;
    if (phase === this.#inForce) return;
    this.#inForce = undefined;
    const plan = this.#plan;
    await this.#packets.enter(phase);
    if (plan === this.#plan) this.#inForce = phase;
  }
}
