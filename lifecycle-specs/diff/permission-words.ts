import type { Permission } from "../check/whitelist.ts";
import type { TagId } from "../ids.ts";
import type { Plant } from "../plant.ts";
import { everyTagInWords, listInWords, verbOf } from "../words.ts";
import type { Aspect } from "./compare-grants.ts";

/** `hmi-1 may now write P101.SPEED 0-100 % (was 20-80 %)`. */
export function permissionInWords(
  plant: Plant,
  { source, operation, target, raw }: Permission,
  tags: readonly TagId[],
  { may, values, rest }: Aspect,
): string {
  const who = source === "program" ? "the control program" : source;
  const to = operation === "report" ? ` to ${target}` : "";
  const what =
    raw !== undefined
      ? `${raw} to ${target}`
      : tags.length === 0
        ? target
        : `${everyTagInWords(tags, operation, plant) ?? listInWords(tags)}${to}`;
  const between = tags.length > 1 || tags.length === 0 ? ": " : " ";
  return `${who} ${may} ${verbOf(operation)} ${what}${values === "" ? "" : `${between}${values}`}${rest}`;
}
