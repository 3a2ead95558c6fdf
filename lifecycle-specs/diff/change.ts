import canonicalize from "canonicalize";
import type { Lifecycle } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";

/** A plant with its lifecycle: one of the two that are compared. */
export interface Spec {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
}

/** `widened`: more may happen than before. `narrowed`: less. `other`: something else, or both. */
export type Effect = "widened" | "narrowed" | "other";

export type Topic =
  | "permission"
  | "phase"
  | "step"
  | "transition"
  | "containment"
  | "zone"
  | "device"
  | "link"
  | "tag"
  | "function"
  | "lifecycle";

/** One difference in what may happen. */
export interface Change {
  readonly effect: Effect;
  /** Something may happen that could not before: always where `widened`, and where `other` is in part. What a reviewer must see. */
  readonly widens: boolean;
  readonly topic: Topic;
  /** Phases, and steps as `phase/step`; empty: the plant as a whole. */
  readonly where: readonly string[];
  /** The same in few words: `every phase`, `the 6 containments generated from normal`. */
  readonly places: readonly string[];
  /** The difference without its place: `hmi-1 may now write P101.SPEED 0-100 % (was 20-80 %)`. */
  readonly says: string;
  /** What it is about: a permission's tags or raw function, else the ids of what changed. */
  readonly about: readonly string[];
}

/** A change before it is known where else the same happens. */
export type Found = Omit<Change, "where" | "places"> & { readonly where?: string };

export function widened(topic: Topic, says: string, ...about: readonly string[]): Found {
  return { effect: "widened", widens: true, topic, says, about };
}

export function narrowed(topic: Topic, says: string, ...about: readonly string[]): Found {
  return { effect: "narrowed", widens: false, topic, says, about };
}

/** Neither more nor less, as far as can be said without knowing the plant. */
export function changed(topic: Topic, says: string, ...about: readonly string[]): Found {
  return { effect: "other", widens: false, topic, says, about };
}

/** More in one way and less in another, or the same about something else: to be seen like a widening. */
export function shifted(topic: Topic, says: string, ...about: readonly string[]): Found {
  return { effect: "other", widens: true, topic, says, about };
}

/** By the effect that is known in the end. */
export function change(effect: Effect, topic: Topic, says: string, ...about: readonly string[]): Found {
  return effect === "widened"
    ? widened(topic, says, ...about)
    : effect === "narrowed"
      ? narrowed(topic, says, ...about)
      : changed(topic, says, ...about);
}

/** More of it is more: `widened` when it grows. */
export function grown(before: number, after: number): Effect {
  return after > before ? "widened" : "narrowed";
}

/** The same difference in several places is one change; in the order in which they were found. */
export function folded(found: readonly Found[]): readonly Omit<Change, "places">[] {
  const changes = new Map<string, { readonly first: Found; readonly where: Set<string> }>();
  for (const one of found) {
    const key = JSON.stringify([one.effect, one.widens, one.topic, one.says, one.where === undefined]);
    const entry = changes.get(key) ?? { first: one, where: new Set<string>() };
    if (one.where !== undefined) entry.where.add(one.where);
    changes.set(key, entry);
  }
  return [...changes.values()].map(({ first, where }) => ({ ...first, where: [...where] }));
}

/** Equal data, equal text, whatever the order of keys: a bundle has them in another than a folder. */
export function canonical(value: unknown): string {
  return canonicalize(value) ?? "";
}
