import { type PhaseId, StepId } from "../ids.ts";
import { LEVELS, type Mask, type Phase, type Transition } from "../lifecycle.ts";
import { containedPhaseId, RATE_LIMIT_MS } from "../mask.ts";
import { type Cursor, type Fields, quote } from "./cursor.ts";
import { MAX_PHASES, type ZoneScope } from "./phase-book.ts";
import type { PlantIndex } from "./plant-index.ts";
import type { Shared } from "./read-phases.ts";
import { ROLES } from "./read-transition.ts";
import { suggest } from "./suggest.ts";

const KEYS = ["levels", "of", "from", "back"];
const BACK_KEYS = ["to", "request", "roles", "clean"];

/** One entry of the file, before the phases that it comes from and leads back to have been read. */
export interface MaskEntry {
  readonly scope: ZoneScope;
  readonly at: Cursor;
  readonly back: Cursor | undefined;
  readonly generates: readonly { readonly id: PhaseId; readonly mask: Mask }[];
}

/**
 * Expands `{ levels, of, from, back? }` to one containment for each origin, subject and level, and declares their phases. One that
 * the file has written by hand under the same name takes the place of the generated.
 */
export function readMasks(list: Cursor | undefined, scope: ZoneScope, shared: Shared): readonly MaskEntry[] {
  const generated = new Set<string>();
  return (list?.items("masks") ?? []).map((at) => {
    const fields = at.fields("a mask", KEYS);
    const generates = (fields === undefined ? [] : expand(at, fields, scope, shared)).filter(({ id, mask }) => {
      if (generated.has(id))
        at.fail("DUPLICATE_ID", `an earlier mask generates \`${id}\` already; remove one of the two`);
      if (shared.book.has(id) || !isRoom(at, shared)) return false;
      generated.add(id);
      shared.book.declare(id, scope.zone);
      at.remember(`phase:${id}`);
      at.remember(`mask:${mask.origin}/${subjectOf(mask)}/${mask.level}`);
      return true;
    });
    return { scope, at, back: fields?.get("back"), generates };
  });
}

function isRoom(at: Cursor, { book }: Shared): boolean {
  if (book.size < MAX_PHASES) return true;
  const says = `the lifecycle has more than ${MAX_PHASES} phases with those that masks generate; name fewer`;
  at.fail("NUMBER_INVALID", says);
  return false;
}

function expand(at: Cursor, fields: Fields, scope: ZoneScope, shared: Shared): MaskEntry["generates"] {
  const levels = (fields.need("levels")?.items("levels", 1) ?? []).flatMap((item) => item.word("level", LEVELS) ?? []);
  const subjects = (fields.need("of")?.items("of", 1) ?? []).flatMap((item) => readSubject(item, shared.index) ?? []);
  const origins = (fields.need("from")?.items("from", 1) ?? []).flatMap((item) =>
    shared.book.findAll(item, "from", scope),
  );
  const masks = origins.flatMap((origin) =>
    subjects.flatMap((subject) => levels.map((level) => ({ origin, subject, level }))),
  );
  return masks.flatMap((mask) => {
    const id = at.naming(() => containedPhaseId(scope.prefix, mask));
    return id === undefined ? [] : { id, mask };
  });
}

/** A device, or a link. */
export function readSubject(item: Cursor, { devices, links }: PlantIndex): Mask["subject"] | undefined {
  const text = item.text("a device or a link");
  if (text === undefined) return undefined;
  const [device, link] = [devices.get(text)?.id, links.get(text)?.id];
  if (device !== undefined && link !== undefined)
    return item.fail("DUPLICATE_ID", `\`${device}\` is a device and a link; rename one of the two in plant.yaml`);
  if (device !== undefined) return { device };
  if (link !== undefined) return { link };
  const near = suggest(text, [...devices.keys(), ...links.keys()]);
  return item.fail(
    "SUBJECT_UNKNOWN",
    `unknown device or link \`${quote(text)}\`${near}; name one that plant.yaml declares`,
  );
}

/**
 * The phases that an entry generates. Of its origin's ways out each keeps the requests that do not lead to a containment.
 *
 * @param written the phases of the file
 * @param isContainment also of generated phases
 */
export function generatePhases(
  entry: MaskEntry,
  written: ReadonlyMap<string, Phase>,
  isContainment: (id: PhaseId) => boolean,
  shared: Shared,
): readonly Phase[] {
  const back = entry.back === undefined ? undefined : readBack(entry.back, entry.scope, shared);
  return entry.generates.flatMap(({ id, mask }) => {
    const origin = written.get(mask.origin);
    if (origin === undefined) return [];
    const kept = origin.transitions
      .map((transition, index) => ({ transition, index }))
      .filter(({ transition }) => transition.event === "operator" && !isContainment(transition.to));
    entry.at.remember(`exit:${id}/0`);
    for (const [index, from] of kept.entries())
      entry.at.rememberAs(`exit:${id}/${index + 1}`, `exit:${origin.id}/${from.index}`);
    for (const step of origin.steps) entry.at.rememberAs(`step:${id}/${step.id}`, `step:${origin.id}/${step.id}`);
    const transitions = [back ?? lifted(mask.origin), ...kept.map(({ transition }) => transition)];
    return { ...origin, id, says: `As in ${mask.origin}; ${inWords(mask)}.`, transitions, containment: true, mask };
  });
}

const REQUEST = { event: "operator", persons: 1, with: [], window: [] } as const;

/** How a restriction is undone where the file does not say it. */
function lifted(origin: PhaseId): Transition {
  return { ...REQUEST, request: "lift-containment", roles: ["operator"], to: origin };
}

function readBack(cursor: Cursor, scope: ZoneScope, shared: Shared): Transition | undefined {
  const fields = cursor.fields("back", BACK_KEYS);
  const request = fields?.need("request")?.named(StepId);
  const roles = fields
    ?.need("roles")
    ?.items("roles", 1)
    ?.flatMap((role) => role.word("role", ROLES) ?? []);
  const to = shared.book.find(fields?.need("to"), "to", scope);
  const cleanMs = fields?.get("clean")?.duration("clean");
  if (request === undefined || roles === undefined || to === undefined) return undefined;
  return { ...REQUEST, request, roles, to, ...(cleanMs === undefined ? {} : { cleanMs }) };
}

function subjectOf({ subject }: Mask): string {
  return "device" in subject ? subject.device : subject.link;
}

function inWords(mask: Mask): string {
  const subject = subjectOf(mask);
  switch (mask.level) {
    case "observe":
      return `everything of ${subject} is reported`;
    case "rate-limit":
      return `what ${subject} changes passes once in ${RATE_LIMIT_MS / 1000} s`;
    case "read-only":
      return `nothing is changed by ${subject} or on it`;
    case "quarantine":
      return `nothing comes from ${subject}, and others may only look at it`;
    case "cut":
      return `nothing passes from ${subject} or to it`;
    default: {
      const never: never = mask.level;
      throw new Error(`unreachable: level \`${String(never)}\``);
    }
  }
}
