import { execFileSync } from "node:child_process";
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReplayReport } from "#hmi-monitor/replay/report.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { sekisho } from "../../support/cli.ts";
import { hasTool } from "../../support/tools.ts";
import { Talk } from "./talk.ts";

const LIMIT_MS = 30_000;
const BUNDLE = ["--bundle", "water-treatment"];

let folder: string;
let capture: string;
let quiet: string;
let deny: number;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sekisho-replay-"));
  const talk = new Talk();
  talk.exchange("hmi-1", 1, "0300000003", "0306 012c 00c8 05dc");
  quiet = file("quiet.pcap", talk.pcap());
  talk.setRegister(0, 320);
  deny = talk.setRegister(1, 800);
  capture = file("capture.pcap", talk.pcap());
  linkSync(capture, join(folder, "linked.pcap"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("sekisho replay", { timeout: 6 * LIMIT_MS }, () => {
  test("exit code 1 and one JSON object when something would have been denied", async () => {
    const { code, stdout, stderr } = await sekisho(
      ["replay", capture, ...BUNDLE, "--phase", "normal", "--json"],
      LIMIT_MS,
    );
    expect(stderr).toBe("");
    expect(code).toBe(1);
    const report: ReplayReport = JSON.parse(stdout);
    expect(report).toMatchObject({
      schema: "sekisho-replay/1",
      layer: "hmi",
      phasesFrom: "given",
      capture: { frames: 9, problem: null, firstTime: 1_750_000_000.001 },
      judged: { messages: 3, allowed: 2, denied: 1, receiptsSuppressed: 2 },
      situations: [{ phases: ["normal"], allowed: 2, denied: 1 }],
      possibleAtEnd: ["normal/produce|backwash"],
    });
    expect(report.denials).toMatchObject([
      {
        ...{ reason: "VALUE_ABOVE", rule: "nm-dose-sp", about: "DOS201.SP", count: 1, wouldBlock: true },
        ...{ first: { frame: deny }, last: { frame: deny } },
      },
    ]);
    const [normal] = report.coverage.phases;
    expect(normal).toMatchObject({ phase: "normal", used: 1, of: 7 });
    expect(normal?.rules.filter(({ used }) => used > 0)).toMatchObject([{ rule: "nm-feed-sp", used: 1 }]);
  });

  test("exit code 0 when nothing would have been; a table without --json", async () => {
    const { code, stdout, stderr } = await sekisho(["replay", quiet, ...BUNDLE, "--phase", "normal"], LIMIT_MS);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Nothing would have been denied. A live monitor would have sent 0 receipts.");
    expect(stdout).toMatch(/every phase +1 of 10 +estop, /);
  });

  test("a phase file, and phases recognised", async () => {
    const phases = file("phases.txt", "frame 1 stopped\nframe 6 normal\n");
    const byFile = await sekisho(["replay", capture, ...BUNDLE, "--phases", phases, "--json"], LIMIT_MS);
    expect(byFile.code).toBe(1);
    const report: ReplayReport = JSON.parse(byFile.stdout);
    expect(report.changes.map(({ frame, possible }) => `${frame} ${possible}`)).toEqual([
      "1 stopped",
      "6 normal/produce",
    ]);
    const recognised = await sekisho(["replay", capture, ...BUNDLE, "--json"], LIMIT_MS);
    expect(JSON.parse(recognised.stdout)).toMatchObject({
      phasesFrom: "recognised",
      judged: { denied: 1, ambiguous: 3 },
    });
  });

  test("a capture without frames, in one phase: nothing would have been denied, and no marks are missed", async () => {
    const empty = file("empty.pcap", readFileSync(capture).subarray(0, 24));
    const { code, stderr } = await sekisho(["replay", empty, ...BUNDLE, "--phase", "normal"], LIMIT_MS);
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("a broken capture: what could be read is reported, exit code 2 and a sentence", async () => {
    const cut = file("cut.pcap", readFileSync(capture).subarray(0, -5));
    const { code, stdout, stderr } = await sekisho(["replay", cut, ...BUNDLE, "--phase", "normal", "--json"], LIMIT_MS);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^sekisho: .*cut\.pcap: the capture is cut short in a record at byte \d+: .*\n$/);
    const report: ReplayReport = JSON.parse(stdout);
    expect(report.capture).toMatchObject({ frames: 8 });
    expect(report.capture.problem).toMatch(/^the capture is cut short/);
  });

  test.each([
    {
      why: "no such capture",
      args: () => [join(folder, "none"), ...BUNDLE],
      says: /cannot be opened: there is no such file/,
    },
    { why: "a folder", args: () => [folder, ...BUNDLE], says: /is a folder; give a capture file/ },
    {
      why: "no capture",
      args: () => [file("text", "hello"), ...BUNDLE, "--phase", "normal"],
      says: /text: the capture /,
    },
    {
      why: "an unknown phase",
      args: () => [capture, ...BUNDLE, "--phase", "norml"],
      says: /--phase: there is no phase `norml`/,
    },
    { why: "an unknown plant", args: () => [capture, "--bundle", "nowhere"], says: /nowhere/ },
    {
      why: "both",
      args: () => [capture, ...BUNDLE, "--phase", "normal", "--phases", "x"],
      says: /cannot be used with/,
    },
    {
      why: "no phase file",
      args: () => [capture, ...BUNDLE, "--phases", join(folder, "none")],
      says: /none cannot be read/,
    },
    {
      why: "a bad phase file",
      args: () => [capture, ...BUNDLE, "--phases", file("bad", "now normal")],
      says: /bad: line 1 does not/,
    },
    {
      why: "an output that is the capture, by another name",
      args: () => [capture, ...BUNDLE, "--phase", "normal", "--out", join(folder, ".", "linked.pcap")],
      says: /linked\.pcap is the capture itself; name another file/,
    },
    { why: "an unknown layer", args: () => [capture, ...BUNDLE, "--layer", "plc"], says: /hmi, switch/ },
    {
      why: "an output that cannot be",
      args: () => [capture, ...BUNDLE, "--phase", "normal", "--out", join(folder, "no", "x")],
      says: /cannot be written/,
    },
  ])("exit code 2 and a sentence, no stack: $why", async ({ args, says }) => {
    const { code, stdout, stderr } = await sekisho(["replay", ...args(), "--json"], LIMIT_MS);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at /);
    if (stdout !== "") JSON.parse(stdout);
  });
});

describe("the commented capture", { timeout: 2 * LIMIT_MS }, () => {
  const written = () => join(folder, "out.pcapng");

  beforeAll(async () => {
    const { code } = await sekisho(["replay", capture, ...BUNDLE, "--phase", "normal", "--out", written()], LIMIT_MS);
    expect(code).toBe(1);
  }, LIMIT_MS);

  test("has the same frames at the same times, and nothing is left beside it", () => {
    const plain = (path: string) =>
      new CaptureReader().push(readFileSync(path)).map(({ timeMs, frame }) => `${timeMs} ${frame.toString("hex")}`);
    expect(plain(written())).toEqual(plain(capture));
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(existsSync(written())).toBe(true);
  });

  test.skipIf(!hasTool("tshark"))("shows in Wireshark the verdict, rule, phase and reason of each message", () => {
    const fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.comment"];
    const text = execFileSync("tshark", ["-r", written(), ...fields], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const comments = text.split("\n").filter((line) => line.includes("sekisho"));
    expect(comments).toEqual([
      "1\tsekisho: possible from here on: normal/produce|backwash (start: as given)",
      "4\tsekisho: allow, rule hmi-reads-plc1, phase normal/produce|backwash: hmi-1 → plc-1 Read Holding Registers (03) FIC101.SP, DOS201.SP, LIT101.SP",
      "6\tsekisho: allow, rule nm-feed-sp, phase normal/produce|backwash: hmi-1 → plc-1 Write Single Register (06) FIC101.SP 32",
      `${deny}\tsekisho: deny VALUE_ABOVE, closest rule nm-dose-sp, phase normal/produce|backwash: DOS201.SP 8 mg/L is above 3 mg/L (nm-dose-sp) [hmi-1 → plc-1 Write Single Register (06) DOS201.SP 8]`,
    ]);
  });
});
