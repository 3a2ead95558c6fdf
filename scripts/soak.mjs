// `npm run test:soak`: the decision held against its twin for much longer than `npm test` does, on another seed each time.
// SEKISHO_SOAK_DECISIONS (20 million unless given), SEKISHO_SOAK_SECONDS instead of a number, SEKISHO_SOAK_SEED to see a run again.
import process from "node:process";
import { requireNode } from "./launcher.mjs";
import { runStages } from "./stages.mjs";

const args = ["run", "--config", "test/soak/vitest.config.ts", ...process.argv.slice(2)];
const failed = await runStages(requireNode(), [{ name: "soak", script: "node_modules/vitest/vitest.mjs", args }]);
process.exitCode = failed.length === 0 ? 0 : 1;
