import type { Lifecycle, Rule } from "../lifecycle.ts";

/** Where rules stand: `""` in every phase, else `phase/`, else `phase/step/`. What stands around something is its beginning. */
export type Places = ReadonlyMap<Rule, readonly string[]>;

/** Every written rule with its places, in the order of the file. Generated containments have the rules of their origins. */
export function placesOf(lifecycle: Lifecycle): Places {
  const places = new Map<Rule, string[]>();
  const stand = (rules: readonly Rule[], place: string) => {
    for (const rule of rules) {
      const known = places.get(rule);
      if (known === undefined) places.set(rule, [place]);
      else known.push(place);
    }
  };
  stand(lifecycle.rules, "");
  for (const phase of lifecycle.phases) {
    if (phase.mask !== undefined) continue;
    stand(phase.rules, `${phase.id}/`);
    for (const step of phase.steps) stand(step.rules, `${phase.id}/${step.id}/`);
  }
  return places;
}

/** Whether something of `outer` holds wherever `inner` does. */
export function isAround(outer: readonly string[], inner: readonly string[]): boolean {
  return inner.every((place) => outer.some((around) => place.startsWith(around)));
}
