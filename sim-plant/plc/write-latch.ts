import type { TagId } from "#specs/ids.ts";

/**
 * What the protocol servers share with the scan: they read the tags of the last scan, and leave writes that the next scan latches.
 * The last write to a tag before a latch counts, as in a controller's register memory; so no more waits than there are tags.
 */
export class WriteLatch {
  #tags: ReadonlyMap<TagId, number> = new Map();
  #pending = new Map<TagId, number>();

  /** The tag after the last scan; 0 before the first. */
  read(tag: TagId): number {
    return this.#tags.get(tag) ?? 0;
  }

  write(tag: TagId, value: number): void {
    // Later writes go last, so that the order of the map is the order of the writes that count.
    this.#pending.delete(tag);
    this.#pending.set(tag, value);
  }

  /** Hands over the writes since the last call. */
  take(): ReadonlyMap<TagId, number> {
    const taken = this.#pending;
    this.#pending = new Map();
    return taken;
  }

  publish(tags: ReadonlyMap<TagId, number>): void {
    this.#tags = tags;
  }
}
