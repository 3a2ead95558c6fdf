// `npm run bench -- NAME [--json]`: measurements, under the Node that runs the product.
import process from "node:process";
import { launch } from "./launcher.mjs";

await launch("bench/main.ts", process.argv.slice(2));
