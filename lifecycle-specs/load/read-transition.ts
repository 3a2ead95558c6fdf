import { type PhaseId, StepId, type ZoneId } from "../ids.ts";
import type { Condition, Role, Transition } from "../lifecycle.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { ZoneScope } from "./phase-book.ts";
import { readCondition } from "./read-condition.ts";
import type { Shared } from "./read-phases.ts";

const KEYS = [
  ...["request", "roles", "persons", "ttl", "when", "within", "after"],
  ...["to", "with", "clean", "window"],
];
export const ROLES = ["viewer", "operator", "engineer", "admin"] as const satisfies readonly Role[];

type Common = Pick<Transition, "to" | "with" | "cleanMs" | "window">;

/** `{ request, roles, … } | { when, within? } | { after, when?, within? }` with `to, with?, clean?, window?` */
export function readTransition(item: Cursor, scope: ZoneScope, shared: Shared): Transition | undefined {
  const fields = item.fields("a transition", KEYS);
  if (fields === undefined) return undefined;
  const common = readCommon(fields, scope, shared);
  const when = readCondition(fields.get("when"), shared.index);
  const withinMs = fields.get("within")?.duration("within");
  const request = fields.get("request");
  const after = fields.get("after");
  if (request !== undefined && after !== undefined)
    return item.fail(
      "TRANSITION_EVENT",
      "a transition answers a `request` or comes `after` a time, not both; write two",
    );
  if (request !== undefined) return readRequest(fields, request, common, when);
  for (const key of ["roles", "persons", "ttl"]) {
    if (fields.get(key) !== undefined)
      return item.fail("TRANSITION_EVENT", `\`${key}\` belongs to a \`request\`; add one or remove \`${key}\``);
  }
  const guard = when === undefined ? {} : { when };
  const within = withinMs === undefined ? {} : { withinMs };
  if (after !== undefined) {
    const ms = after.duration("after");
    if (fields.get("when") === undefined)
      fields.get("within")?.fail("KEY_UNKNOWN", "`within` has no meaning without `when`; remove it");
    return common === undefined || ms === undefined
      ? undefined
      : { ...common, event: "after", ms, ...guard, ...within };
  }
  if (fields.get("when") === undefined)
    return item.fail("TRANSITION_EVENT", "a transition needs a `request`, a `when` or an `after`; add one");
  return common === undefined || when === undefined ? undefined : { ...common, event: "condition", when, ...within };
}

function readCommon(fields: Fields, scope: ZoneScope, shared: Shared): Common | undefined {
  const to = shared.book.find(fields.need("to"), "to", scope);
  const others = readOthers(fields.get("with"), scope, shared);
  const cleanMs = fields.get("clean")?.duration("clean");
  const window = (fields.get("window")?.items("window") ?? []).flatMap((rule) => shared.rules.named(rule) ?? []);
  return to === undefined ? undefined : { to, with: others, window, ...(cleanMs === undefined ? {} : { cleanMs }) };
}

/** At most one phase of each other zone. */
function readOthers(list: Cursor | undefined, scope: ZoneScope, { book }: Shared): readonly PhaseId[] {
  const taken = new Set<ZoneId>([scope.zone]);
  return (list?.items("with") ?? []).flatMap((item) => {
    const id = book.findAnywhere(item, "with", scope);
    const zone = id === undefined ? undefined : book.zoneOf(id);
    if (id === undefined || zone === undefined) return [];
    if (taken.has(zone)) {
      const says = zone === scope.zone ? "of the own zone, whose phase is named with `to`" : `of zone \`${zone}\` too`;
      return item.fail("ZONE_MIXED", `\`${id}\` is ${says}; name one phase of each other zone`) ?? [];
    }
    taken.add(zone);
    return id;
  });
}

function readRequest(
  fields: Fields,
  request: Cursor,
  common: Common | undefined,
  when: Condition | undefined,
): Transition | undefined {
  const name = request.named(StepId);
  const roles = fields
    .need("roles")
    ?.items("roles", 1)
    ?.flatMap((role) => role.word("role", ROLES) ?? []);
  const count = fields.get("persons");
  const persons = count?.integer("persons", 1, 2) === 2 ? 2 : 1;
  const ttlMs = fields.get("ttl")?.duration("ttl");
  if (persons === 2 && fields.get("ttl") === undefined)
    count?.fail("KEY_MISSING", "the second person needs time to agree; add a `ttl` for which the request stands");
  fields.get("within")?.fail("KEY_UNKNOWN", "`within` has no meaning beside `request`; write `ttl`");
  if (common === undefined || name === undefined || roles === undefined) return undefined;
  return {
    ...common,
    event: "operator",
    request: name,
    roles,
    persons,
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(when === undefined ? {} : { when }),
  };
}
