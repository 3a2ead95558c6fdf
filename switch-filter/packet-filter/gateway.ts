import type { PhaseId } from "#specs/ids.ts";
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
  #closed = false;

  private constructor(options: GatewayOptions, packets: PacketFilter) {
    this.#options = options;
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
    await this.#packets.enter(phase);
    this.#inForce = phase;
  }
}
