import type { PhaseId } from "../ids.ts";
import { type ContainmentChoice, LEVELS, LOCI } from "../lifecycle.ts";
import { containedPhaseId } from "../mask.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { ZoneScope } from "./phase-book.ts";
import { references } from "./read-by-id.ts";
import { readSubject } from "./read-masks.ts";
import type { Shared } from "./read-phases.ts";

const KEYS = ["locus", "from", "tags", "says", "to", "level", "of"];

/** An entry with the place where it is written. */
export interface PlacedChoice {
  readonly choice: ContainmentChoice;
  readonly at: Cursor;
}

/**
 * `{ locus, from, tags?, says, to }`, or with `level` and `of` in place of `to`: one entry for each origin, leading to the phase that
 * a mask generates for it.
 */
export function readContainments(list: Cursor | undefined, scope: ZoneScope, shared: Shared): readonly PlacedChoice[] {
  return (list?.items("containments") ?? []).flatMap((at) => {
    const fields = at.fields("a containment", KEYS);
    const locus = fields
      ?.need("locus")
      ?.items("locus", 1)
      ?.flatMap((word) => word.word("locus", LOCI) ?? []);
    const from = fields
      ?.need("from")
      ?.items("from", 1)
      ?.flatMap((phase) => shared.book.findAll(phase, "from", scope));
    const tags = references(fields?.get("tags"), "tags", "tag", shared.index.tags)?.map(({ id }) => id);
    const says = fields?.need("says")?.text("says");
    const targets = fields === undefined ? [] : readTargets(at, fields, from ?? [], scope, shared);
    if (locus === undefined || says === undefined) return [];
    return targets.map((target) => ({
      choice: { from: target.from, locus, ...(tags === undefined ? {} : { tags }), to: target.to, says },
      at,
    }));
  });
}

interface Target {
  readonly from: readonly PhaseId[];
  readonly to: PhaseId;
}

function readTargets(
  at: Cursor,
  fields: Fields,
  from: readonly PhaseId[],
  scope: ZoneScope,
  shared: Shared,
): readonly Target[] {
  const [written, level] = [fields.get("to"), fields.get("level")];
  if ((written === undefined) === (level === undefined)) {
    at.fail(
      "KEY_MISSING",
      "a containment leads `to` a phase, or has a `level` and says `of` whom; write one of the two",
    );
    return [];
  }
  if (level !== undefined) return readMasked(fields, level, from, scope, shared);
  fields.get("of")?.fail("KEY_UNKNOWN", "`of` has no meaning without `level`; remove it");
  const to = shared.book.find(written, "to", scope);
  return to === undefined ? [] : [{ from, to }];
}

function readMasked(
  fields: Fields,
  at: Cursor,
  from: readonly PhaseId[],
  scope: ZoneScope,
  shared: Shared,
): readonly Target[] {
  const level = at.word("level", LEVELS);
  const of = fields.need("of");
  const subject = of === undefined ? undefined : readSubject(of, shared.index);
  if (level === undefined || subject === undefined) return [];
  return from.flatMap((origin) => {
    const to = at.naming(() => containedPhaseId(scope.prefix, { origin, level, subject }));
    if (to === undefined || shared.book.has(to)) return to === undefined ? [] : { from: [origin], to };
    const says = `no mask generates level \`${level}\` of ${Object.values(subject).join()} from \`${origin}\`; add it to \`masks\``;
    return at.fail("MASK_UNKNOWN", says) ?? [];
  });
}
