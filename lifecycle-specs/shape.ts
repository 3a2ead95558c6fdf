/**
 * Shapes of JSON values, checked by hand: a bundle of ten thousand rules is checked in some 20 ms, and a point that starts again
 * waits for no schema compiler. A `Shape<T>` of an object names exactly the keys of `T`, or it does not compile.
 */
export interface Shape<in out T> extends Check {
  /** Never there: it ties the shape to its type. */
  readonly of?: (value: T) => T;
}

interface Check {
  /** The first place that does not fit; undefined: everything does. */
  readonly problem: (value: unknown) => Problem | undefined;
}

export interface Problem {
  /** Path below the value, `/rules/3/says`; empty: the value itself. */
  readonly at: string;
  /** What is wrong there: `is not a whole number from 0 to 255`. */
  readonly says: string;
}

function fits<T>(holds: (value: unknown) => boolean, says: string): Shape<T> {
  const problem: Problem = { at: "", says };
  return { problem: (value) => (holds(value) ? undefined : problem) };
}

export const truth: Shape<boolean> = fits((value) => typeof value === "boolean", "is not a truth value");

/** JSON has no NaN, but a number that is written too large is read as infinite. */
export const number: Shape<number> = fits((value) => Number.isFinite(value), "is not a finite number");

export const positive: Shape<number> = fits(
  (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
  "is not a number above 0",
);

export function integer(least: number, most: number): Shape<number> {
  return fits(
    (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most,
    `is not a whole number from ${least} to ${most}`,
  );
}

export function text(most: number): Shape<string> {
  return fits(
    (value) => typeof value === "string" && value.length <= most && value.isWellFormed(),
    `is not a text of up to ${most} characters`,
  );
}

/** The caller's pattern is that of the branded type `T`. */
export function pattern<T extends string>(wanted: RegExp, says: string): Shape<T> {
  return fits((value) => typeof value === "string" && wanted.test(value), says);
}

export function words<const W extends string | number>(list: readonly W[]): Shape<W> {
  const known: ReadonlySet<unknown> = new Set(list);
  return fits((value) => known.has(value), `is none of ${list.join(", ")}`);
}

export function list<T>(entry: Shape<T>, least = 0): Shape<readonly T[]> {
  const tooShort: Problem = { at: "", says: least === 0 ? "is not a list" : `is not a list of at least ${least}` };
  return {
    problem(value) {
      if (!Array.isArray(value) || value.length < least) return tooShort;
      for (let i = 0; i < value.length; i += 1) {
        const found = entry.problem(value[i]);
        if (found !== undefined) return within(String(i), found);
      }
      return undefined;
    },
  };
}

export function pair<T>(entry: Shape<T>): Shape<readonly [T, T]> {
  const entries = list(entry);
  const problem: Problem = { at: "", says: "is not a list of two" };
  return { problem: (value) => (Array.isArray(value) && value.length === 2 ? entries.problem(value) : problem) };
}

/** A map with any keys that the pattern takes. */
export function record<T>(key: RegExp, entry: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    problem(value) {
      if (!isMap(value)) return NOT_A_MAP;
      for (const [name, of] of Object.entries(value)) {
        if (!key.test(name)) return within(name, { at: "", says: "is not a name" });
        const found = entry.problem(of);
        if (found !== undefined) return within(name, found);
      }
      return undefined;
    },
  };
}

/** Marks a key that may be absent. */
export interface Optional<in out T> {
  readonly optional: Shape<T>;
}

export function optional<T>(optional: Shape<T>): Optional<T> {
  return { optional };
}

/** A shape for each key of `T`, and for no other. */
export type Fields<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Shape<T[K]>;
};

const NOT_A_MAP: Problem = { at: "", says: "is not a map" };

/** A map with exactly these keys; those marked `optional` may be absent. */
export function map<T extends object>(fields: Fields<T>): Shape<T> {
  const checks = new Map<string, Check & { readonly needed: boolean }>();
  for (const [key, field] of entriesOf<Check | { readonly optional: Check }>(fields)) {
    const { problem } = "optional" in field ? field.optional : field;
    checks.set(key, { problem, needed: !("optional" in field) });
  }
  const needed = [...checks].flatMap(([key, check]) => (check.needed ? [key] : []));
  return {
    problem(value) {
      if (!isMap(value)) return NOT_A_MAP;
      let present = 0;
      for (const key of Object.keys(value)) {
        const check = checks.get(key);
        if (check === undefined) return within(key, { at: "", says: "has no meaning here" });
        if (check.needed) present += 1;
        const found = check.problem(value[key]);
        if (found !== undefined) return within(key, found);
      }
      if (present === needed.length) return undefined;
      const missing = needed.find((key) => !Object.hasOwn(value, key)) ?? "";
      return within(missing, { at: "", says: "is missing" });
    },
  };
}

/** One shape for each value of the key that tells them apart. */
export function variants<T extends object, K extends keyof T & string>(
  key: K,
  shapes: { readonly [V in T[K] & (string | number)]: Shape<Extract<T, { readonly [P in K]: V }>> },
): Shape<T> {
  const known = new Map<unknown, Check>(entriesOf<Check>(shapes));
  return {
    problem(value) {
      if (!isMap(value)) return NOT_A_MAP;
      const shape = known.get(Object.hasOwn(value, key) ? value[key] : undefined);
      return shape === undefined
        ? within(key, { at: "", says: `is none of ${[...known.keys()].join(", ")}` })
        : shape.problem(value);
    },
  };
}

/** One shape for maps that have the key, and one for those that do not. */
export function byKey<A extends object, B extends object>(
  key: string,
  having: Shape<A>,
  lacking: Shape<B>,
): Shape<A | B> {
  return {
    problem: (value) => (isMap(value) && Object.hasOwn(value, key) ? having.problem(value) : lacking.problem(value)),
  };
}

/** The entries of an object whose values all are of one type, as its own type shows. */
function entriesOf<V>(object: { readonly [key: string]: V } | object): readonly (readonly [string, V])[] {
  return Object.entries(object);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function within(key: string, { at, says }: Problem): Problem {
  return { at: `/${key}${at}`, says };
}
