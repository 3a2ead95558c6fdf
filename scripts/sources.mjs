// Has Node find and load the product's TypeScript quickly: most commands take longer to load than to run. Loaded for its effect, before
// the first source; without it everything runs as well, only later.
import { readFileSync } from "node:fs";
import nodeModule from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./setup.mjs";
import { sourceFinder } from "./source-finder.mjs";

const ROOT_URL = pathToFileURL(join(ROOT, "/")).href;

/** @returns {Readonly<Record<string, string>>} */
function importsHere() {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).imports;
}

// What Node compiled is kept beside the dependencies, by content; where that folder cannot be written, nothing is kept.
nodeModule.enableCompileCache?.(join(ROOT, "node_modules", ".cache", "sekisho"));
const find = sourceFinder(ROOT_URL, importsHere());
nodeModule.registerHooks?.({
  resolve(specifier, context, nextResolve) {
    const url = find(specifier, context.parentURL);
    return url === undefined
      ? nextResolve(specifier, context)
      : { url, format: "module-typescript", shortCircuit: true };
  },
});
