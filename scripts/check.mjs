// `npm run check`: everything that can be said of the code without running it.
import process from "node:process";
import { requireNode } from "./launcher.mjs";
import { DEAD_CODE, runStages, staticStages } from "./stages.mjs";

const failed = await runStages(requireNode(), [...staticStages(), DEAD_CODE]);
process.stdout.write(failed.length === 0 ? "\nall checks passed\n" : `\nfailed: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
