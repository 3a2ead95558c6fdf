// Runs a TypeScript file of the project, named by its path from the root, under a Node that can: `run.mjs FILE ARGS…`.
import { argv } from "node:process";
import { launch } from "./launcher.mjs";

const [file = "cli/main.ts", ...args] = argv.slice(2);
await launch(file, args);
