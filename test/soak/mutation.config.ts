import { defineConfig } from "vitest/config";

/**
 * `npm run test:mutation`: the tests that a mutant of the decision meets. Each of thousands meets them, so the twin compares few
 * decisions here, and tests of a quality of the whole (that it changes nothing, that layers agree in time) are left out.
 */
export default defineConfig({
  test: {
    include: ["test/lifecycle-specs/decide/**/*.test.ts", "test/lifecycle-specs/{conditions,steps,mask}.test.ts"],
    exclude: ["**/twin-{conduct,layers}.test.ts"],
    env: { SEKISHO_TWIN_DECISIONS: "6000" },
    testTimeout: 20_000,
  },
});
