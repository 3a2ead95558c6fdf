import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TrafficCapture } from "#sim/traffic/frames.ts";
import { runPlant } from "#sim/traffic/run-plant.ts";
import { sekisho } from "../../support/cli.ts";
import { waterTreatment } from "../../support/plant.ts";
import { BuiltCapture, pcapOf } from "../decode/capture-builder.ts";

const { plant, lifecycle } = waterTreatment();
const PATIENCE_MS = 60_000;

describe("sekisho spec learn", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-learn-"));
  const at = (name: string) => join(folder, name);
  const common = ["--plant", "water-treatment", "--phases", at("phases.txt")];

  beforeAll(() => {
    const pieces: Buffer[] = [];
    const capture = new TrafficCapture(plant, Date.parse("2026-01-05T00:00:00Z"), (piece) => void pieces.push(piece));
    runPlant({ plant, lifecycle, seed: 1, untilMs: 600_000, sink: capture });
    writeFileSync(at("plant.pcap"), Buffer.concat(pieces));
    writeFileSync(at("phases.txt"), capture.marks);
    writeFileSync(at("cut.pcap"), Buffer.concat(pieces).subarray(0, 200_001));
    writeFileSync(at("empty.pcap"), "");
    const asked = Buffer.from("00010000000601030000000a", "hex");
    writeFileSync(at("late.pcap"), pcapOf(new BuiltCapture().say("client", asked).frames.slice(-1)));
    // Rotated in the middle of a record's neighbourhood: three files, one after the other.
    const third = Math.floor(pieces.length / 3);
    const parts = [pieces.slice(1, third), pieces.slice(third, 2 * third), pieces.slice(2 * third)];
    for (const [n, part] of parts.entries())
      writeFileSync(at(`part${n}.pcap`), Buffer.concat([pieces[0] ?? Buffer.alloc(0), ...part]));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test(
    "writes a draft that passes the check, and the same capture again finds nothing new",
    async () => {
      const args = ["spec", "learn", at("plant.pcap"), ...common, "--sightings", "1", "-o", at("draft"), "--json"];
      const first = await sekisho(args, PATIENCE_MS);
      expect([first.code, first.stderr]).toEqual([0, ""]);
      const report = JSON.parse(first.stdout);
      expect(report.phases.map(({ phase }: { phase: string }) => phase)).toEqual(["stopped", "startup", "normal"]);
      expect(report.written).toEqual([at("draft/plant.yaml"), at("draft/lifecycle.yaml")]);
      const text = readFileSync(at("draft/lifecycle.yaml"), "utf8");
      expect(text).toMatch(
        /# seen once on one occasion, first 2026-01-05T00:\S+, last \S+\n +startup-hmi-1-P101\.CMD-on:/,
      );
      expect((await sekisho(["spec", "check", at("draft")], PATIENCE_MS)).code).toBe(0);
      const again = await sekisho(args, PATIENCE_MS);
      expect([again.code, JSON.parse(again.stdout).widenings]).toEqual([0, []]);
      expect(readFileSync(at("draft/lifecycle.yaml"), "utf8")).toBe(text);
    },
    4 * PATIENCE_MS,
  );

  test(
    "ends with 1 where a draft that is there would have to be widened, and leaves it as it is",
    async () => {
      const learn = (...more: string[]) =>
        sekisho(["spec", "learn", at("plant.pcap"), ...common, "-o", at("thin"), ...more], PATIENCE_MS);
      expect((await learn("--sightings", "3")).code).toBe(0);
      const before = readFileSync(at("thin/lifecycle.yaml"), "utf8");
      const wider = await learn("--sightings", "1");
      expect(wider.code).toBe(1);
      expect(wider.stdout).toContain("take it with --widen");
      expect(readFileSync(at("thin/lifecycle.yaml"), "utf8")).toBe(before);
      expect((await learn("--sightings", "1", "--widen")).code).toBe(0);
      expect(readFileSync(at("thin/lifecycle.yaml"), "utf8")).toContain("startup-hmi-1-P101.CMD-on");
    },
    4 * PATIENCE_MS,
  );

  test(
    "without a plant and without marks drafts one phase that passes the check",
    async () => {
      const result = await sekisho(
        ["spec", "learn", at("plant.pcap"), "--sightings", "1", "-o", at("bare")],
        PATIENCE_MS,
      );
      expect([result.code, result.stderr]).toEqual([0, ""]);
      expect(readFileSync(at("bare/plant.yaml"), "utf8")).toContain(
        "table: holding-register, address: 1, type: uint16",
      );
      expect((await sekisho(["spec", "check", at("bare")], PATIENCE_MS)).code).toBe(0);
    },
    4 * PATIENCE_MS,
  );

  /** What is learned, apart from what tells the captures. */
  const taught = (stdout: string) => {
    const { messages, rules, phases, orders, automata } = JSON.parse(stdout);
    return { messages, rules, phases, orders, automata };
  };

  test(
    "of several captures in whatever order, of one twice, and of standard input it learns what it learns of the whole",
    async () => {
      const learn = (files: readonly string[], input?: string) =>
        sekisho(["spec", "learn", ...files, ...common, "--json"], PATIENCE_MS, input);
      const whole = await learn([at("plant.pcap")]);
      const wanted = taught(whole.stdout);
      expect(wanted.messages).toBeGreaterThan(4000);
      expect(wanted.automata.length).toBeGreaterThan(1);

      const parts = await learn([at("part2.pcap"), at("part0.pcap"), at("part1.pcap")]);
      expect([parts.code, parts.stderr, taught(parts.stdout)]).toEqual([0, "", wanted]);
      const read = JSON.parse(parts.stdout);
      expect(read.captures.map(({ file }: { file: string }) => file)).toEqual(
        ["part0.pcap", "part1.pcap", "part2.pcap"].map(at),
      );
      expect(read.overlaps).toEqual([]);

      const twice = await learn([at("plant.pcap"), at("part1.pcap"), at("plant.pcap")]);
      expect([twice.code, taught(twice.stdout)]).toEqual([0, wanted]);
      const { overlaps } = JSON.parse(twice.stdout);
      expect(overlaps).toHaveLength(3);
      expect(overlaps[0]).toMatch(
        /plant\.pcap and .*p\w+\.pcap overlap from 2026-01-05T00:\S+ to \S+: what both have counts once/,
      );

      const piped = await learn(["-"], at("plant.pcap"));
      expect([piped.code, piped.stderr, taught(piped.stdout)]).toEqual([0, "", wanted]);
      expect(JSON.parse(piped.stdout).captures).toEqual([
        { ...JSON.parse(whole.stdout).captures[0], file: "standard input" },
      ]);
    },
    5 * PATIENCE_MS,
  );

  test(
    "what was read of a capture that is cut short is drafted; exit code 2",
    async () => {
      const { code, stderr } = await sekisho(
        ["spec", "learn", at("cut.pcap"), ...common, "--sightings", "1", "-o", at("short")],
        PATIENCE_MS,
      );
      expect([code, stderr]).toEqual([2, expect.stringContaining("cut short in a record at byte")]);
      expect((await sekisho(["spec", "check", at("short")], PATIENCE_MS)).code).toBe(0);
    },
    2 * PATIENCE_MS,
  );

  test(
    "spec diff tells a draft from the plant it was learned of, in sentences",
    async () => {
      await sekisho(["spec", "learn", at("plant.pcap"), ...common, "--sightings", "1", "-o", at("other")], PATIENCE_MS);
      const { stdout } = await sekisho(["spec", "diff", "water-treatment", at("other")], PATIENCE_MS);
      expect(stdout).toMatch(/startup/);
      expect(stdout).toMatch(/may no longer|may now/);
    },
    2 * PATIENCE_MS,
  );

  test.each([
    { name: "an empty capture", args: [at("empty.pcap")], says: "the capture has no header" },
    {
      name: "marks of frames, and two captures",
      args: [at("part0.pcap"), at("part1.pcap"), "--plant", "water-treatment", "--phases", at("frames.txt")],
      says: "counts frames or seconds of one capture, and 2 are given; mark times instead",
    },
    {
      name: "a file that is not there",
      args: ["nowhere.pcap", "--plant", "water-treatment"],
      says: "there is no such file",
    },
    { name: "a capture that is cut short", args: [at("cut.pcap"), "--plant", "water-treatment"], says: "cut short" },
    { name: "no capture", args: [at("phases.txt"), "--plant", "water-treatment"], says: "cannot be read" },
    { name: "no number of sightings", args: [at("plant.pcap"), "--sightings", "0"], says: "not a number of 1..1000" },
    { name: "no server in the capture", args: [at("plant.pcap"), "--modbus-port", "1"], says: "no server answers" },
    {
      name: "connections that began before the capture, and of which nothing is answered",
      args: [at("late.pcap")],
      says: "1 connections to ports 502, 4840 began before the captures and show no register or node",
    },
    {
      name: "a safe phase that was not seen",
      args: [at("plant.pcap"), ...common, "--safe", "normale"],
      says: "--safe: phase `normale` was not seen; those that were are stopped, startup, normal",
    },
    {
      name: "one port for both protocols",
      args: [at("plant.pcap"), "--modbus-port", "1", "--opcua-port", "1"],
      says: "port 1 cannot be of both protocols",
    },
    {
      name: "a phase that the lifecycle does not have",
      args: [at("plant.pcap"), "--plant", "water-treatment", "--phases", at("wrong.txt")],
      says: "there is no phase `normale`",
    },
  ])(
    "$name: a sentence, and exit code 2",
    async ({ args, says }) => {
      writeFileSync(at("wrong.txt"), "frame 1 normale\n");
      writeFileSync(at("frames.txt"), "frame 1 normal\n");
      const { code, stderr } = await sekisho(["spec", "learn", ...args], PATIENCE_MS);
      expect(code).toBe(2);
      expect(stderr).toContain(says);
      expect(stderr).not.toContain("    at ");
    },
    PATIENCE_MS,
  );
});
