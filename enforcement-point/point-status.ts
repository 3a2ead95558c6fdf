import type { LinkId } from "#specs/ids.ts";
import type { Mode, UaWay } from "#specs/plant.ts";
import type { StatusMessage } from "./bus.ts";
import { cut, MAX_LINKS, MAX_SAYS } from "./bus-limits.ts";
import type { Judge } from "./judge.ts";

/** How a point stands, for its heartbeat: what it holds, whether it sees, and how the channels of its links were opened. */
export class PointStatus {
  readonly #point: string;
  readonly #mode: Mode;
  readonly #judge: Judge;
  /** Of links of the plant alone. */
  readonly #ways = new Map<LinkId, UaWay>();
  #blindSince: string | undefined;

  constructor(point: string, mode: Mode, judge: Judge) {
    this.#point = point;
    this.#mode = mode;
    this.#judge = judge;
  }

  /** Why the layer cannot see; undefined: it sees. */
  get blindSince(): string | undefined {
    return this.#blindSince;
  }

  setBlind(says: string | undefined): void {
    this.#blindSince = says;
  }

  /** A channel of this link was opened in this way. */
  opened(link: LinkId, way: UaWay): void {
    if (this.#ways.has(link) || this.#ways.size < MAX_LINKS) this.#ways.set(link, way);
  }

  /** Links that the plant has no more are not told of. */
  forgetLinks(): void {
    for (const link of this.#ways.keys()) if (!this.#judge.tables.links.has(link)) this.#ways.delete(link);
  }

  message(now: { readonly atMs: number; readonly judgedUpToMs: number; readonly lost: number }): StatusMessage {
    const { holder, tables, zone, bundle, judged, denied } = this.#judge;
    const { state, position, epoch } = holder;
    return {
      point: this.#point,
      layer: tables.layer,
      state: state === "in-force" && this.#blindSince !== undefined ? "blind" : state,
      says: cut(this.#blindSince ?? (state === "isolated" ? holder.whyIsolated : ""), MAX_SAYS),
      mode: this.#mode,
      zone,
      phase: position?.phase ?? null,
      steps: position?.steps ?? [],
      epoch: epoch ?? null,
      bundle: bundle.id,
      pid: process.pid,
      ...now,
      judged,
      denied,
      ...(this.#ways.size === 0 ? {} : { ways: Object.fromEntries(this.#ways) }),
    };
  }
}
