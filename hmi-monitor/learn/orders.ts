import type { Evidence } from "./evidence.ts";

/** Edges that are shown; the most frequent ones. */
export const MAX_ORDERS = 2000;

/** `second` came at some time after `first`, in the same visit of the phase. `follows` is drafted from these. */
export interface OrderSeen {
  readonly phase: string;
  readonly client: string;
  readonly first: string;
  readonly second: string;
  /** How often `second` had `first` before it, and how often it came at all. */
  readonly count: number;
  readonly of: number;
  /** Time between the two, ms. */
  readonly shortestMs: number;
  readonly longestMs: number;
}

/** Every order that was seen between two commands of a client in a phase, most frequent first. */
export function ordersOf({ commands }: Evidence): readonly OrderSeen[] {
  const edges = commands.flatMap((second) =>
    [...second.after].map(([first, { count, shortestMs, longestMs }]): OrderSeen => {
      const { phase, source: client } = second.kind;
      const names = { first: first.id, second: second.id };
      return { phase, client, ...names, count, of: second.sightings.count, shortestMs, longestMs };
    }),
  );
  return edges.sort((a, b) => b.count - a.count).slice(0, MAX_ORDERS);
}
