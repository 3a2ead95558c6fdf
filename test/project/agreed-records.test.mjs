import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { haveAgreed, rememberAgreed, stateOfRecords } from "../../scripts/agreed-records.mjs";

describe("that the dependencies are installed is remembered", () => {
  let root = "";
  /** @param {string} path */
  const at = (path) => join(root, path);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "sekisho-records-"));
    mkdirSync(at("node_modules"));
    writeFileSync(at("package-lock.json"), "one");
    writeFileSync(at("node_modules/.package-lock.json"), "two");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("until then it is not so", () => expect(haveAgreed(root, stateOfRecords(root))).toBe(false));

  test("as long as neither record is touched", () => {
    rememberAgreed(root, stateOfRecords(root));
    expect(haveAgreed(root, stateOfRecords(root))).toBe(true);
  });

  test.each(["package-lock.json", "node_modules/.package-lock.json"])(
    "and no longer once %s is written, were it with the same size and time",
    (path) => {
      rememberAgreed(root, stateOfRecords(root));
      const { atime, mtime } = statSync(at(path));
      writeFileSync(at(path), "new");
      utimesSync(at(path), atime, mtime);
      expect(haveAgreed(root, stateOfRecords(root))).toBe(false);
    },
  );

  test("nor without a record", () => {
    rememberAgreed(root, stateOfRecords(root));
    rmSync(at("node_modules/.package-lock.json"));
    expect(stateOfRecords(root)).toBe("");
    expect(haveAgreed(root, "")).toBe(false);
  });

  test("where it cannot be kept, nothing happens", () => {
    writeFileSync(at("node_modules/.cache"), "a file in the way");
    rememberAgreed(root, stateOfRecords(root));
    expect(haveAgreed(root, stateOfRecords(root))).toBe(false);
  });
});
