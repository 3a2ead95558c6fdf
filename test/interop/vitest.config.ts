import { defineConfig } from "vitest/config";

/** `npm run test:interop`: other people's programs that are installed apart from the project, one file at a time. */
export default defineConfig({
  test: {
    include: ["test/interop/*.interop.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ["default", "./scripts/count-reporter.ts"],
  },
});
