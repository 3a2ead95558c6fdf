import { shortId } from "#point/bundle-change.ts";
import type { PointId, StatusMessage } from "#point/bus.ts";

/** Most points that are kept in mind; as many as are known at all. */
const MAX_POINTS = 64;

/** Which points hold another bundle than the coordinator leads by. Each is told of once, and again when it holds yet another. */
export class OtherBundles {
  readonly #own: string;
  readonly #told = new Map<PointId, string>();

  constructor(own: string) {
    this.#own = own;
  }

  /** @returns what is to be said of it, where that is news */
  heard({ point, bundle, state }: Pick<StatusMessage, "point" | "bundle" | "state">): string | undefined {
    if (state === "down") return undefined;
    if (bundle === this.#own) this.#told.delete(point);
    else if (this.#told.get(point) !== bundle && (this.#told.has(point) || this.#told.size < MAX_POINTS)) {
      this.#told.set(point, bundle);
      return `${point} holds bundle ${shortId(bundle)}, and this coordinator leads by bundle ${shortId(this.#own)}; until they are the same no planned change of phase that allows more can be made`;
    }
    return undefined;
  }
}
