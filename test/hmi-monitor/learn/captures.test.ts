import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openCaptures, overlapsOf } from "#cli/spec/captures.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";

const folder = mkdtempSync(join(tmpdir(), "sekisho-captures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function capture(...times: readonly number[]): string {
  files += 1;
  const path = join(folder, `${files}.pcap`);
  writeFileSync(
    path,
    Buffer.concat([encodePcapHeader(), ...times.map((ms) => encodePcapRecord(ms, Buffer.alloc(60)))]),
  );
  return path;
}

async function piecesOf(...paths: readonly string[]): Promise<string> {
  const captures = await openCaptures(paths);
  const pieces = [...captures.read()].map((piece) => (piece.kind === "gap" ? "gap" : String(piece.frame.timeMs)));
  captures.close();
  return pieces.join(" ");
}

test("a time that no capture covers is told once, where two captures after it begin with the same frame too", async () => {
  const both = [20_000, 21_000];
  expect(await piecesOf(capture(1000), capture(...both), capture(...both))).toBe("1000 gap 20000 20000 21000 21000");
});

test("captures that overlap are told, whatever their times are", () => {
  const read = (firstMs: number, lastMs: number) => ({ file: "x", frames: 2, firstMs, lastMs, problem: null });
  expect(overlapsOf([read(0, 2000), read(1000, 3000)])).toEqual([
    "x and x overlap from 1970-01-01T00:00:01.000Z to 1970-01-01T00:00:02.000Z: what both have counts once",
  ]);
  expect(overlapsOf([read(1e17, 2e17), read(1e17, 2e17)])).toEqual([
    "x and x overlap from 100000000000000000 ms to 200000000000000000 ms: what both have counts once",
  ]);
});
