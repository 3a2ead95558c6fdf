import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noUaCounts, uaFuzz } from "./opcua-fuzz-run.ts";
import { fuzzSecurity } from "./opcua-fuzz-security.ts";

/** Real ms of meddled requests; `npm run test:soak` goes on for much longer and from another seed. */
const FUZZ_MS = 15_000;

test("whatever is done to a stream, what node-opcua would execute was judged and allowed as just that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-ua-fuzz-"));
  try {
    const security = await fuzzSecurity(folder);
    const counts = noUaCounts();
    const until = performance.now() + FUZZ_MS;
    await uaFuzz(1, () => performance.now() < until, counts, security);
    console.log(JSON.stringify(counts));
    // The test is none if all of it is refused, or none of it.
    expect(counts.executed).toBeGreaterThan(counts.messages / 5);
    expect(counts.writes).toBeGreaterThan(counts.messages / 50);
    expect(counts.calls).toBeGreaterThan(counts.messages / 200);
    expect(counts.terminated).toBeGreaterThan(0);
    expect(counts.closed).toBeGreaterThan(counts.streams / 20);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
