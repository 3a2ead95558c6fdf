import { describe, expect, test } from "vitest";
import { isInstalled } from "../../scripts/setup.mjs";

const lock = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/yaml": { version: "2.9.1" },
    "node_modules/fsevents": { version: "2.3.3", optional: true },
  },
};
const yaml = { "node_modules/yaml": { version: "2.9.1" } };

describe("the dependencies are installed when npm's record agrees with package-lock.json", () => {
  test.each([
    { name: "everything at the locked version", installed: { packages: yaml }, want: true },
    { name: "no node_modules, or an install that did not finish", installed: undefined, want: false },
    { name: "a record without packages", installed: {}, want: false },
    { name: "a package missing", installed: { packages: {} }, want: false },
    { name: "another version", installed: { packages: { "node_modules/yaml": { version: "2.9.0" } } }, want: false },
    {
      name: "an optional package in another version",
      installed: { packages: { ...yaml, "node_modules/fsevents": { version: "2.3.2" } } },
      want: false,
    },
    {
      name: "a package that the lock file does not know",
      installed: { packages: { ...yaml, "node_modules/left": { version: "1.0.0" } } },
      want: true,
    },
  ])("$name: $want", ({ installed, want }) => expect(isInstalled(lock, installed)).toBe(want));
});
