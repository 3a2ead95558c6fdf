import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { readBundleText, readKeyText, whyOf, writeWhole } from "#cli/spec/files.ts";
import { folder } from "./run.ts";

const here = folder();
afterAll(here.remove);

describe("writing", () => {
  test("a file that was there is replaced as a whole, with the mode that is asked for", () => {
    const file = here.file("a");
    writeFileSync(file, "a longer text than the new one", { mode: 0o644 });
    writeWhole(file, "short", 0o600);
    expect(readFileSync(file, "utf8")).toBe("short");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("where it cannot be written nothing is left behind", () => {
    mkdirSync(here.file("dir/taken"), { recursive: true });
    expect(() => writeWhole(here.file("dir/taken"), "x")).toThrow("dir/taken cannot be written: it is a folder");
    expect(() => writeWhole(here.file("dir/none/x"), "x")).toThrow(
      "dir/none/x cannot be written: there is no such file or folder",
    );
    expect(readdirSync(here.file("dir"))).toEqual(["taken"]);
  });

  test("a link is followed, and stays one", () => {
    writeFileSync(here.file("target"), "old");
    symlinkSync(here.file("target"), here.file("link"));
    writeWhole(here.file("link"), "new");
    expect(readFileSync(here.file("target"), "utf8")).toBe("new");
  });

  test("to a device", () => expect(() => writeWhole("/dev/null", "x")).not.toThrow());
});

describe("reading", () => {
  test("a key of the largest size, and one byte more", () => {
    const file = here.file("key");
    writeFileSync(file, " ".repeat(16 * 1024));
    expect(readKeyText(file)).toHaveLength(16 * 1024);
    writeFileSync(file, " ".repeat(16 * 1024 + 1));
    expect(() => readKeyText(file)).toThrow("key has 16385 bytes, more than 16384: it is not a key");
  });

  test.each([
    { name: "a folder", path: here.path, says: "is not a file, so it is not a bundle" },
    { name: "a device", path: "/dev/zero", says: "/dev/zero is not a file, so it is not a bundle" },
    { name: "nothing", path: here.file("none"), says: "cannot be read: there is no such file or folder" },
  ])("$name is refused", ({ path, says }) => expect(() => readBundleText(path)).toThrow(says));

  test("what is not UTF-8 is refused", () => {
    writeFileSync(here.file("latin"), Buffer.from("e9", "hex"));
    expect(() => readBundleText(here.file("latin"))).toThrow("is not text in UTF-8, so it is not a bundle");
  });
});

test("an error that has no words of its own is named by its code", () => {
  expect(whyOf(Object.assign(new Error("x"), { code: "EIO" }))).toBe("EIO");
  expect(whyOf("x")).toBe("unknown error");
});
