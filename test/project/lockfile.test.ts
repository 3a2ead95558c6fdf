import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const packages: Readonly<Record<string, LockedPackage>> = JSON.parse(
  readFileSync("package-lock.json", "utf8"),
).packages;

/** Looks a package up as Node does: beside the one that asks, then in every folder above it. */
function isLocked(from: string, name: string): boolean {
  if (`${from === "" ? "" : `${from}/`}node_modules/${name}` in packages) return true;
  return from !== "" && isLocked(from.slice(0, Math.max(0, from.lastIndexOf("/node_modules/"))), name);
}

// npm writes no entry for an optional package that the registry did not serve when the lock file was made, and then
// `npm ci` refuses the lock file on every machine.
test("package-lock.json has an entry for every optional package of every platform", () => {
  const unlocked = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
  );
  expect(unlocked).toEqual([]);
});
