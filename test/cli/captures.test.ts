import { execFileSync } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CaptureRead, openCaptures, overlapsOf } from "#cli/spec/captures.ts";
import { random } from "#sim/random.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";

let folder = "";
const at = (name: string): string => join(folder, name);

/** A capture of frames that are named by their times; as bytes they are the name. */
function write(name: string, times: readonly number[], tail = Buffer.alloc(0)): string {
  const records = times.map((timeMs) => encodePcapRecord(timeMs, Buffer.from(`${name} ${timeMs}`)));
  writeFileSync(at(name), Buffer.concat([encodePcapHeader(), ...records, tail]));
  return at(name);
}

async function readAll(
  files: readonly string[],
): Promise<{ readonly told: readonly string[]; readonly read: readonly CaptureRead[] }> {
  const captures = await openCaptures(files);
  const told: string[] = [];
  const pieces = captures.read();
  for (;;) {
    const next = pieces.next();
    if (next.done === true) {
      captures.close();
      return { told, read: next.value };
    }
    told.push(next.value.kind === "gap" ? "gap" : next.value.frame.frame.toString());
  }
}

describe("captures read as one", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-captures-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("come in the order of time, however they are named and given", async () => {
    const files = [write("late", [3000, 4000]), write("early", [1000, 2000])];
    const { told, read } = await readAll(files);
    expect(told).toEqual(["early 1000", "early 2000", "late 3000", "late 4000"]);
    expect(read).toEqual([
      { file: at("early"), frames: 2, firstMs: 1000, lastMs: 2000, problem: null },
      { file: at("late"), frames: 2, firstMs: 3000, lastMs: 4000, problem: null },
    ]);
    expect(overlapsOf(read)).toEqual([]);
  });

  test("of two mirror ports at the same time are interleaved, and it is said", async () => {
    const { told, read } = await readAll([write("a", [1000, 2000, 5000]), write("b", [1500, 3000, 9000])]);
    expect(told).toEqual(["a 1000", "b 1500", "a 2000", "b 3000", "a 5000", "b 9000"]);
    expect(overlapsOf(read)).toEqual([
      `${at("a")} and ${at("b")} overlap from 1970-01-01T00:00:01.500Z to 1970-01-01T00:00:05.000Z: what both have counts once`,
    ]);
  });

  test.each([
    { name: "ten seconds are no gap", nextMs: 12_000, gaps: 0 },
    { name: "longer is one", nextMs: 12_001, gaps: 1 },
  ])("with a pause between them: $name", async ({ nextMs, gaps }) => {
    const { told } = await readAll([write("first", [1000, 2000]), write("second", [nextMs, 90_000])]);
    expect(told.filter((one) => one === "gap")).toHaveLength(gaps);
  });

  test("a pause within one capture, or while another one is under way, is no gap", async () => {
    const { told } = await readAll([write("long", [1000, 500_000]), write("inner", [100_000, 100_001])]);
    expect(told).toEqual(["long 1000", "inner 100000", "inner 100001", "long 500000"]);
  });

  test("what is wrong with one does not keep the others from being read", async () => {
    const files = [write("cut", [1000], Buffer.alloc(7)), write("none", []), write("whole", [2000])];
    const { told, read } = await readAll(files);
    expect(told).toEqual(["cut 1000", "whole 2000"]);
    expect(read.map(({ file, problem }) => [file, problem])).toEqual([
      [at("cut"), expect.stringContaining("cut short in a record")],
      [at("whole"), null],
      [at("none"), null],
    ]);
  });

  test("may be read twice, with the same frames", async () => {
    const captures = await openCaptures([write("again", [1000, 2000])]);
    const once = () => [...captures.read()].length;
    expect([once(), once()]).toEqual([2, 2]);
  });

  test("a pipe, which can be read only once, may be read twice too", async () => {
    const bytes = readFileSync(write("piped", [1000, 2000]));
    execFileSync("mkfifo", [at("pipe")]);
    const writer = createWriteStream(at("pipe"));
    writer.end(bytes);
    const captures = await openCaptures([at("pipe")]);
    const once = () => [...captures.read()].length;
    expect([once(), once()]).toEqual([2, 2]);
    captures.close();
  });

  test("lose and double nothing, for 50 random sets of captures", async () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const rng = random(seed, "captures");
      const sets = Array.from({ length: 1 + Math.floor(rng() * 5) }, () => {
        const from = Math.floor(rng() * 100_000);
        return Array.from({ length: 1 + Math.floor(rng() * 40) }, (_, n) => from + n * 100);
      });
      const { told } = await readAll(sets.map((times, n) => write(`s${n}`, times)));
      const wanted = sets.flatMap((times, n) => times.map((timeMs) => ({ timeMs, name: `s${n} ${timeMs}` })));
      const frames = told.filter((one) => one !== "gap");
      expect([...frames].sort()).toEqual(wanted.map(({ name }) => name).sort());
      const times = frames.map((name) => Number(name.split(" ")[1]));
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });
});
