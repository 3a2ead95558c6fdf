import { expect, test } from "vitest";
import { fuzz, noCounts } from "./modbus-fuzz-run.ts";

/** Requests in meddled streams; `npm run test:soak` goes on for much longer and from another seed. */
const FRAMES = 1_000_000;

test("whatever is done to a stream, a server that checks nothing writes what was judged and allowed, and nothing else", async () => {
  const counts = noCounts();
  await fuzz(1, FRAMES, counts);
  // The test is none if all of it is refused, or none of it.
  expect(counts.forwarded).toBeGreaterThan(FRAMES / 10);
  expect(counts.writes).toBeGreaterThan(FRAMES / 20);
  expect(counts.closed).toBeGreaterThan(counts.streams / 20);
}, 120_000);
