import type { Permission } from "#specs/check/whitelist.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Observation } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { Plant } from "#specs/plant.ts";
import { chance, type Draw, pick } from "../../support/random-plant-draw.ts";

/** One message that makes use of a permission, with this value; undefined: no link joins the two, or nobody is named. */
export function askFor(plant: Plant, permission: Permission, value: number | undefined): Observation | undefined {
  const { target, operation, tag, raw } = permission;
  const source = permission.source === "anyone" ? undefined : permission.source;
  const [client, server] = operation === "report" ? [target, source] : [source, target];
  const link = plant.links.find((candidate) => candidate.client === client && candidate.server === server)?.id;
  if (source === undefined || (link === undefined && source !== "program")) return undefined;
  const { roles, form } = permission.grants[0]?.rule ?? {};
  const [named] = form?.functions ?? [];
  const [range] = form?.files ?? [];
  const bytes = plant.raw.find(({ id }) => id === raw)?.length[0];
  return {
    source,
    sourceAddress: "10.0.0.1:40000",
    target,
    link,
    operation,
    message: "a message of a test",
    items: tag === undefined ? [] : [{ tag, address: tag, value }],
    role: roles?.[0],
    functionCode: named?.code ?? 3,
    subFunction: named?.sub,
    quantity: 1,
    files: range && [{ file: range.files[0], record: range.records[0], count: 1 }],
    objects: form?.objects?.[0],
    ...(raw === undefined ? {} : { raw }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** A value of a permission: an end of one of its intervals, or one within. */
export function valueFor(draw: Draw, { grants }: Permission): number | undefined {
  const intervals = grants.flatMap(({ values }) => values ?? []);
  if (intervals.length === 0) return undefined;
  const [low, high] = pick(draw, intervals);
  return pick(draw, [low, high, (low + high) / 2]);
}

/** A layer that has seen every tag: where it is now, and since `sinceMs`. Values lie near the bounds of conditions. */
export function sightedHistory(
  draw: Draw,
  tables: Tables,
  plant: Plant,
  bounds: readonly number[],
  sinceMs: number,
): History {
  const history = createHistory(tables);
  for (const { id, range } of plant.tags) {
    const [low, high] = range;
    const near = bounds.filter((bound) => bound >= low && bound <= high);
    const value = near.length > 0 && chance(draw, 70) ? pick(draw, near) : pick(draw, [low, high, (low + high) / 2]);
    observeTag(history, id, value, sinceMs);
  }
  return history;
}
