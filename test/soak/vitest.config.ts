import { defineConfig } from "vitest/config";

/** `npm run test:soak`: the same comparisons as in the normal tests, on another seed each time and for much longer. */
export default defineConfig({ test: { include: ["test/soak/*.soak.ts"], pool: "forks", fileParallelism: false } });
