import { integer, list, pattern, type Shape, text, words } from "../shape.ts";

/** What the shapes of plant, rules and lifecycle have in common. */
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;
export const name = <T extends string>(): Shape<T> => pattern<T>(NAME, "is not a name");
export const names = <T extends string>(least = 0): Shape<readonly T[]> => list(name<T>(), least);
export const says = text(1000);
export const ms = integer(0, 30 * 24 * 3_600_000);
export const mode = words(["off", "monitor", "enforce"]);
