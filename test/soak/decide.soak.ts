import { expect, test } from "vitest";
import { type Counts, compareMany, table } from "../lifecycle-specs/decide/twin-run.ts";

/** How many decisions at least, unless the time is given. */
const DECISIONS = Number(process.env["SEKISHO_SOAK_DECISIONS"] ?? 20_000_000);
/** Goes on for so long instead of counting. */
const SECONDS = Number(process.env["SEKISHO_SOAK_SECONDS"] ?? 0);
/** Another one in every run; the one that failed is printed. */
const SEED = Number(process.env["SEKISHO_SOAK_SEED"] ?? Date.now() % 1_000_000_000);
const PART = 1_000_000;

test(`core and twin, seed ${SEED}`, { timeout: 24 * 3600 * 1000 }, () => {
  const counts: Counts = new Map();
  const begun = performance.now();
  let done = 0;
  let seed = SEED;
  const goesOn = () => (SECONDS > 0 ? performance.now() - begun < SECONDS * 1000 : done < DECISIONS);
  while (goesOn()) {
    const { decisions, plants } = compareMany(seed, SECONDS > 0 ? PART / 10 : Math.min(PART, DECISIONS - done), counts);
    done += decisions;
    seed += plants;
    console.log(`${done} decisions compared in ${Math.round((performance.now() - begun) / 1000)} s, next seed ${seed}`);
  }
  console.log(table(counts));
  expect(counts.get("INTERNAL")).toBeUndefined();
  expect(done).toBeGreaterThan(0);
});
