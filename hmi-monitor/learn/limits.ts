/** What learning holds at most. What goes beyond is not learned, and counted by these names. */
export const LEARN_LIMITS = {
  /** phases named by marks */
  phases: 256,
  /** kinds of commands of all phases: who, over which protocol, to which tag, and of a truth value which */
  commands: 4096,
  /** kinds of commands of one phase and client whose order is followed */
  ordered: 48,
  /** clients and servers of one phase whose order is kept as an automaton; see MAX_EDGES */
  channels: 512,
  /** kinds of polls: who, what block */
  polls: 2048,
  /** other operations: who, what, to whom */
  services: 512,
  /** tags whose present value is known */
  tags: 8192,
  /** truth values that are looked at as causes */
  causes: 64,
  /** devices, found where no plant is given */
  devices: 256,
  /** what the client or the server of an OPC UA connection calls its nodes, where no plant is given */
  names: 10_000,
  /** addresses that no device of the given plant has, and what is not drafted for another reason */
  strangers: 256,
  /** sentences about connections of which something cannot be read */
  notices: 100,
} as const;

export type LearnLimit = keyof typeof LEARN_LIMITS;

/** How often something did not fit. */
export class Overflow {
  readonly #counts = new Map<LearnLimit, number>();

  /** The one of this key; a new one where there is room, else undefined. */
  get<K, V>(limit: LearnLimit, map: Map<K, V>, key: K, make: () => V): V | undefined {
    const known = map.get(key);
    if (known !== undefined) return known;
    if (map.size >= LEARN_LIMITS[limit]) {
      this.#counts.set(limit, (this.#counts.get(limit) ?? 0) + 1);
      return undefined;
    }
    const made = make();
    map.set(key, made);
    return made;
  }

  add(limit: LearnLimit): void {
    this.#counts.set(limit, (this.#counts.get(limit) ?? 0) + 1);
  }

  get counts(): ReadonlyMap<LearnLimit, number> {
    return this.#counts;
  }
}
