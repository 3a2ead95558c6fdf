import { defineConfig } from "vitest/config";

/** `npm run test:soak`: the same comparisons as in the normal tests, on another seed each time and for much longer; and the same stress. */
export default defineConfig({
  test: {
    include: ["test/soak/*.soak.ts", "test/switch-filter/stress/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
  },
});
