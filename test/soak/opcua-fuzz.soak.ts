import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noUaCounts, uaFuzz } from "../switch-filter/opcua-fuzz-run.ts";
import { fuzzSecurity } from "../switch-filter/opcua-fuzz-security.ts";

/** How many meddled messages at least, unless the time is given. */
const MESSAGES = Number(process.env["SEKISHO_SOAK_UA_MESSAGES"] ?? 2_000_000);
/** Goes on for so long instead of counting. */
const SECONDS = Number(process.env["SEKISHO_SOAK_SECONDS"] ?? 0);
/** Another one in every run; the one that failed is printed. */
const SEED = Number(process.env["SEKISHO_SOAK_SEED"] ?? Date.now() % 1_000_000_000);
const PART = 100_000;
/** Memory may move about, and must not grow with what has passed. */
const GROWTH_BYTES = 256 * 1024 * 1024;

test(`OPC UA sessions and meddled messages, seed ${SEED}`, { timeout: 24 * 3600 * 1000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-ua-soak-"));
  try {
    const security = await fuzzSecurity(folder);
    const counts = noUaCounts();
    const begun = performance.now();
    let seed = await uaFuzz(SEED, () => counts.messages < PART / 10, counts, security);
    const heap = process.memoryUsage().heapUsed;
    const goesOn = () => (SECONDS > 0 ? performance.now() - begun < SECONDS * 1000 : counts.messages < MESSAGES);
    while (goesOn()) {
      const until = counts.messages + PART;
      seed = await uaFuzz(seed, () => counts.messages < until && goesOn(), counts, security);
      console.log(
        `${JSON.stringify(counts)} in ${Math.round((performance.now() - begun) / 1000)} s, next seed ${seed}`,
      );
    }
    expect(counts.executed).toBeGreaterThan(0);
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(GROWTH_BYTES);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
