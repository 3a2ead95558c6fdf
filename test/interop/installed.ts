import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where `scripts/interop.mjs` installs what the project itself does not depend on. */
const FOLDER = fileURLToPath(new URL("../../.sekisho/interop/", import.meta.url));

/** The folder of a package that is installed apart, `from` being the name of its installation. */
export function installed(from: string, name: string): string {
  return join(FOLDER, from, "node_modules", name);
}

/** Why a suite cannot run that needs the installation; undefined: it can. */
export function whyNotInstalled(from: string): string | undefined {
  if (existsSync(join(FOLDER, from, "installed.json"))) return undefined;
  return `${from} is not installed; \`npm run test:interop\` installs it`;
}

/** The end of a suite's title; where the suite cannot run, it is also said aloud, since titles of what is skipped are not shown. */
export function titleEnd(name: string, whyNot: string | undefined): string {
  if (whyNot === undefined) return "";
  console.warn(`interop: ${name}: not run: ${whyNot}`);
  return `: not run: ${whyNot}`;
}
