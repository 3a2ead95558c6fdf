import { type Bundle, shown } from "#specs/bundle.ts";
import { createHistory, type History } from "#specs/decide/history.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import type { ZoneId } from "#specs/ids.ts";
import { err, ok, type Result } from "#specs/result.ts";
import { olderThan, versionOf } from "#specs/sign.ts";
import { carryHistory } from "./carry-history.ts";

/** What a point goes by. All of it changes at once, between two messages. */
export interface InForce {
  readonly bundle: Bundle;
  readonly tables: Tables;
  readonly history: History;
}

/** What became of a bundle that was offered to a running point. */
export interface BundleAnswer {
  /** It is in force; else what was in force still is. */
  readonly taken: boolean;
  /** Why not, or since when, in one sentence. */
  readonly says: string;
}

/** A part that takes another bundle while it runs. */
export interface TakesBundles {
  /** @param open gives the bundle, verified; what it throws is why there is none */
  takeBundle(open: () => Bundle): BundleAnswer;
}

/**
 * What a part has made from the plant, beside the point's own tables: gives what puts it in place, which must not throw, or in one
 * sentence why the part cannot go on with such a bundle.
 */
export type PlantFollower = (bundle: Bundle) => Result<() => void, string>;

/** Longest part of a sentence about a bundle that is sent over the bus. */
const MAX_SAYS = 900;

export function firstInForce(bundle: Bundle, layer: Layer): InForce {
  const tables = compile(bundle, layer);
  return { bundle, tables, history: createHistory(tables) };
}

/** What would be in force with another bundle, with what is remembered carried over; or in one sentence why it may not be. */
export function nextInForce({ tables, history }: InForce, next: Bundle, zone: ZoneId): Result<InForce, string> {
  const [first] = next.plant.zones;
  if (first?.id !== zone) return err(`the bundle's first zone is \`${first?.id ?? "none"}\`, not \`${zone}\``);
  const compiled = compile(next, tables.layer);
  return ok({ bundle: next, tables: compiled, history: carryHistory(history, compiled) });
}

/**
 * Opens a bundle and puts it in the place of the present one, unless something speaks against it. Never throws.
 *
 * @param prepare gives what puts it in force and may add to the sentence, or why it cannot be; nothing has changed before that is called
 */
export function exchange(
  present: Bundle,
  open: () => Bundle,
  prepare: (next: Bundle) => Result<() => string, string>,
): BundleAnswer {
  const stays = (why: string) => ({ taken: false, says: `${why}; ${nameOfBundle(present)} stays in force` });
  try {
    const next = open();
    if (next.id === present.id) return { taken: true, says: `${nameOfBundle(next)} is in force already` };
    const older = olderThan(next, versionOf(present));
    if (older !== undefined) return stays(older);
    const put = prepare(next);
    return put.ok ? { taken: true, says: `${nameOfBundle(next)} is in force${put.value()}` } : stays(put.error);
  } catch (error) {
    return stays(shown(error instanceof Error ? error.message : String(error), MAX_SAYS));
  }
}

/** The beginning of a bundle's id, for people. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

function nameOfBundle({ plant, lifecycle, id }: Bundle): string {
  return `bundle ${shortId(id)} (${plant.id}, version ${lifecycle.version})`;
}
