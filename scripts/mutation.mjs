// `npm run test:mutation`: how much of a change to the decision the tests would notice (Stryker, `stryker.config.json`).
import process from "node:process";
import { requireNode } from "./launcher.mjs";
import { runStages } from "./stages.mjs";

const script = "node_modules/@stryker-mutator/core/bin/stryker.js";
const args = ["run", ...process.argv.slice(2)];
const failed = await runStages(requireNode(), [{ name: "mutants of the decision", script, args }]);
process.exitCode = failed.length === 0 ? 0 : 1;
