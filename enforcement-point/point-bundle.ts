import type { Bundle } from "#specs/bundle.ts";
import type { PhaseId } from "#specs/ids.ts";
import { err, ok, type Result } from "#specs/result.ts";
import { type BundleAnswer, exchange, type InForce, type PlantFollower } from "./bundle-change.ts";
import type { PlantClock } from "./clock.ts";
import type { Judge } from "./judge.ts";
import { LoadedBundle } from "./loaded-bundle.ts";

export interface PointBundleOptions {
  readonly point: string;
  readonly clock: PlantClock;
  /** Folder for what must survive a restart. */
  readonly runDir?: string;
  /** Given: no coordinator leads the point. */
  readonly standalonePhase?: PhaseId;
  /** What a judge goes by is another now. */
  readonly changed: (next: InForce) => void;
  /** The record of what was loaded cannot be kept, in one sentence. */
  readonly notKept: (says: string) => void;
}

/** The bundle of a point: which one was loaded here last, and how another takes its place between two messages. */
export class PointBundle {
  readonly #judge: Judge;
  readonly #options: PointBundleOptions;
  readonly #loaded: LoadedBundle | undefined;
  #follower: PlantFollower = () => ok(() => undefined);

  constructor(judge: Judge, options: PointBundleOptions) {
    const { runDir, point } = options;
    this.#judge = judge;
    this.#options = options;
    this.#loaded = runDir === undefined ? undefined : new LoadedBundle(runDir, point);
  }

  /**
   * The point begins with the one that is in force.
   * @returns why the record of it cannot be kept
   * @throws Error in one sentence when a newer one was loaded here before
   */
  begin(): string | undefined {
    const { bundle } = this.#judge;
    this.#loaded?.refuseOlder(bundle);
    return this.#loaded?.keep(bundle);
  }

  /** What else goes by the plant here changes with the tables, in the same breath. */
  setFollower(follower: PlantFollower): void {
    this.#follower = follower;
  }

  /** Whatever speaks against it, the present one stays. */
  take(open: () => Bundle): BundleAnswer {
    return exchange(this.#judge.bundle, open, (bundle) => this.#prepare(bundle));
  }

  /** Everything that may fail, before anything changes. */
  #prepare(bundle: Bundle): Result<() => string, string> {
    const older = this.#loaded?.whyOlder(bundle);
    if (older !== undefined) return err(older);
    const { standalonePhase, clock } = this.#options;
    const isAlone = standalonePhase !== undefined;
    const next = this.#judge.next(bundle, isAlone, clock.now());
    if (!next.ok) return next;
    const follow = this.#follower(bundle);
    return follow.ok ? ok(() => this.#change(next.value, follow.value)) : follow;
  }

  /** @returns what else is to be said of it */
  #change(next: InForce, follow: () => void): string {
    const { clock, changed, notKept } = this.#options;
    const why = this.#loaded?.keep(next.bundle);
    const { holder } = this.#judge;
    const before = holder.state;
    this.#judge.take(next, clock.now());
    follow();
    changed(next);
    if (why !== undefined) notKept(why);
    if (holder.state === before || before === "isolated") return "";
    return `; the phase that was held is not in it, and \`${holder.position?.phase ?? ""}\` is in force here`;
  }
}
