import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CaptureProgress } from "#cli/capture-progress.ts";
import { encodeFrame, transactionId, unitId } from "#wire/modbus/index.ts";
import { folder } from "../../cli/run.ts";
import { BuiltCapture } from "./capture-builder.ts";

const LAUNCHER = fileURLToPath(new URL("../../../bin/sekisho.js", import.meta.url));
const READ = encodeFrame({ transactionId: transactionId(1), unitId: unitId(1) }, Buffer.from("0300100002", "hex"));

describe("sekisho decode", () => {
  const place = folder();
  const capture = new BuiltCapture().say("client", READ).close().pcap();
  const file = place.file("one.pcap");
  beforeAll(() => writeFileSync(file, capture));
  afterAll(() => place.remove());

  function decode(...args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, "decode", ...args], {
      encoding: "utf8",
      timeout: 60_000,
      input: capture,
    });
    return { code: status, stdout, stderr };
  }

  test("--json: lines on standard output, the summary on standard error, exit code 0", { timeout: 60_000 }, () => {
    const { code, stdout, stderr } = decode(file, "--json");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([expect.stringMatching(/^\{"frame":4,.*"quantity":2\}$/), ""]);
    expect(stderr).toMatch(/^6 frames, \d+ bytes; 1 TCP connection; 1 line, 0 with an error\n/);
    expect(stderr).toContain("without an answer: 1 request");
  });

  test("- reads standard input, to the same lines; without --json a table", { timeout: 60_000 }, () => {
    expect(decode("-", "--json").stdout).toBe(decode(file, "--json").stdout);
    expect(decode("-").stdout).toMatch(/message\n.*function=3 address=16 quantity=2\n$/);
  });

  test("other ports, given more than once", { timeout: 60_000 }, () => {
    expect(decode(file, "--json", "--modbus-port", "5020", "--modbus-port", "502").stdout).toContain('"function":3');
    expect(decode(file, "--json", "--modbus-port", "5020")).toMatchObject({ code: 0, stdout: "" });
  });

  test.each([
    { name: "no file", args: () => [place.file("none.pcap")], says: /none\.pcap cannot be opened \(ENOENT\)/ },
    { name: "a folder", args: () => [place.path], says: /cannot be read \(it is a folder\)/ },
    { name: "a port that is none", args: () => [file, "--modbus-port", "70000"], says: /`70000` is not a port/ },
    {
      name: "one port for both",
      args: () => [file, "--modbus-port", "1", "--opcua-port", "1"],
      says: /port 1 cannot be/,
    },
    { name: "no such framing", args: () => [file, "--modbus-framing", "ascii"], says: /`ascii` is no framing/ },
    { name: "no such rule", args: () => [file, "--checksums", "never"], says: /`never` is no rule/ },
    { name: "no capture at all", args: () => [LAUNCHER], says: /the capture cannot be read from byte 0 on/ },
  ])("$name: one sentence, exit code 2", { timeout: 60_000 }, ({ args, says }) => {
    const { code, stdout, stderr } = decode(...args(), "--json");
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("a file that is cut short: what is before is printed, then the sentence and 2", { timeout: 60_000 }, () => {
    const cut = place.file("cut.pcap");
    writeFileSync(cut, capture.subarray(0, -10));
    const { code, stdout, stderr } = decode(cut, "--json");
    expect(code).toBe(2);
    expect(stdout).toContain('"function":3');
    expect(stderr).toMatch(/cut\.pcap: the capture is cut short in a record at byte \d+/);
  });

  test("whoever stops reading the lines ends it quietly", { timeout: 60_000 }, async () => {
    const long = new BuiltCapture();
    for (let i = 0; i < 20_000; i += 1) long.say("client", READ);
    const big = place.file("long.pcap");
    writeFileSync(big, long.pcap());
    const child = spawn(process.execPath, [LAUNCHER, "decode", big, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect({ code, stderr: stderr.replaceAll(/^\d.*\n|^without.*\n/gm, "") }).toEqual({ code: 0, stderr: "" });
  });
});

test("the progress bar: on a terminal alone, not at once, and it is taken away", () => {
  const shown: string[] = [];
  let now = 0;
  const bar = new CaptureProgress({ isTTY: true, write: (text) => shown.push(text) }, () => now);
  bar.report(10, 100);
  expect(shown).toEqual([]);
  now = 600;
  bar.report(50, 100);
  expect(shown).toEqual([`\r\u001b[2K${"█".repeat(15)}${"░".repeat(15)} 50 % of 0.0 MB`]);
  now = 700;
  bar.report(60, 100);
  bar.end();
  expect(shown.slice(1)).toEqual(["\r\u001b[2K"]);
  const silent = new CaptureProgress({ write: () => expect.unreachable() }, () => now);
  now = 9000;
  silent.report(50, 100);
  silent.end();
});
