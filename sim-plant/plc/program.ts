import type { DeviceId, TagId } from "#specs/ids.ts";

/**
 * A control program: a pure function from what it remembers and reads to what it remembers and drives. Everything that the network
 * can see or write is in `tags`; the rest of the memory is the program's own.
 */
export interface ControlProgram<M extends ProgramMemory> {
  readonly device: DeviceId;
  readonly initial: M;
  /** Field inputs that must be present at every scan. */
  readonly inputs: readonly TagId[];
  /** Takes over network writes that were accepted for this scan. Values outside the tags of the program are refused earlier. */
  readonly write: (memory: M, writes: ReadonlyMap<TagId, number>) => M;
  readonly scan: (
    memory: M,
    inputs: ReadonlyMap<TagId, number>,
    dtMs: number,
  ) => { readonly memory: M; readonly outputs: Readonly<Record<string, number>> };
}

export interface ProgramMemory {
  readonly tags: Readonly<Record<string, number>>;
}

/** Overwrites those entries of a record for which there is a write. */
export function overwrite<T extends Readonly<Record<string, number>>>(tags: T, writes: ReadonlyMap<TagId, number>): T {
  let next = tags;
  for (const [tag, value] of writes) if (tag in tags) next = { ...next, [tag]: value };
  return next;
}

/** The field inputs of a program as a record with a value for each name. */
export function pick<K extends string>(names: readonly K[], inputs: ReadonlyMap<string, number>): Record<K, number> {
  const entries = names.map((name) => {
    const value = inputs.get(name);
    if (value === undefined) throw new Error(`field input \`${name}\` is missing from a scan; check the field wiring`);
    return [name, value] as const;
  });
  return fromEntries(entries);
}

function fromEntries<K extends string>(entries: readonly (readonly [K, number])[]): Record<K, number> {
  // Object.fromEntries forgets the key type; the entries above hold every name once.
  return Object.fromEntries(entries) as Record<K, number>;
}
