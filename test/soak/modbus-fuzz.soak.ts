import { expect, test } from "vitest";
import { fuzz, noCounts } from "../switch-filter/modbus-fuzz-run.ts";

/** How many meddled requests at least, unless the time is given. */
const FRAMES = Number(process.env["SEKISHO_SOAK_FRAMES"] ?? 20_000_000);
/** Goes on for so long instead of counting. */
const SECONDS = Number(process.env["SEKISHO_SOAK_SECONDS"] ?? 0);
/** Another one in every run; the one that failed is printed. */
const SEED = Number(process.env["SEKISHO_SOAK_SEED"] ?? Date.now() % 1_000_000_000);
const PART = 500_000;
/** Memory may move about, and must not grow with what has passed. */
const GROWTH_BYTES = 256 * 1024 * 1024;

test(`Modbus sessions and meddled streams, seed ${SEED}`, { timeout: 24 * 3600 * 1000 }, async () => {
  const counts = noCounts();
  const begun = performance.now();
  let seed = await fuzz(SEED, PART / 10, counts);
  const heap = process.memoryUsage().heapUsed;
  const goesOn = () => (SECONDS > 0 ? performance.now() - begun < SECONDS * 1000 : counts.frames < FRAMES);
  while (goesOn()) {
    seed = await fuzz(seed, SECONDS > 0 ? PART / 10 : Math.min(PART, FRAMES - counts.frames), counts);
    console.log(`${JSON.stringify(counts)} in ${Math.round((performance.now() - begun) / 1000)} s, next seed ${seed}`);
  }
  expect(counts.forwarded).toBeGreaterThan(0);
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(GROWTH_BYTES);
});
