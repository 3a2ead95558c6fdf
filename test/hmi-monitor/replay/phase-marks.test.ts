import { describe, expect, test } from "vitest";
import { MAX_MARKS, readPhaseMarks } from "#hmi-monitor/replay/phase-marks.ts";
import { compile } from "#specs/decide/tables.ts";
import { bundle, ZONE } from "./talk.ts";

const tables = compile(bundle, "hmi");
const read = (text: string) => readPhaseMarks(text, tables, ZONE);
const error = (text: string) => {
  const marks = read(text);
  return marks.ok ? "" : marks.error;
};

describe("a phase file", () => {
  test("lines and JSON say the same", () => {
    const lines = read(
      "# a day\nframe 1 stopped\n+12.5 startup/fill # filling\n1750000000.25 normal\n2025-06-15T15:06:41Z normal/backwash\n",
    );
    const json = read(
      '[{"frame":1,"phase":"stopped"},{"after":12.5,"phase":"startup","step":"fill"},{"time":1750000000.25,"phase":"normal"},{"time":"2025-06-15T15:06:41Z","phase":"normal","step":"backwash"}]',
    );
    expect(lines).toEqual(json);
    expect(lines).toMatchObject({
      ok: true,
      value: [
        { at: { kind: "frame", frame: 1 }, phase: "stopped" },
        { at: { kind: "after", ms: 12_500 }, phase: "startup", step: "fill" },
        { at: { kind: "time", timeMs: 1_750_000_000_250 }, phase: "normal" },
        { at: { kind: "time", timeMs: 1_750_000_001_000 }, phase: "normal", step: "backwash" },
      ],
    });
  });

  test.each([
    { text: "", says: "it has no marks; write lines such as `frame 1 normal`" },
    { text: "normal", says: "line 1 does not say from when on: write `frame 1200`, a time, or `+12.5`" },
    { text: "frame 1", says: "line 1 names no phase: write `WHEN PHASE` or `WHEN PHASE/STEP`" },
    { text: "\nframe 0 normal", says: "line 2 does not say from when on: write `frame 1200`, a time, or `+12.5`" },
    { text: "frame 1 normal produce", says: "line 1 names no phase: write `WHEN PHASE` or `WHEN PHASE/STEP`" },
    { text: "2025-06-15 normal", says: "line 1 does not say from when on: write `frame 1200`, a time, or `+12.5`" },
    // What it means must not depend on the zone of whoever reads it.
    {
      text: "2025-06-15T15:06:40 normal",
      says: "line 1 does not say from when on: write `frame 1200`, a time, or `+12.5`",
    },
    {
      text: "frame 9 normal\n+1 normal\nframe 8 normal",
      says: "line 3 is before the mark above it; put the marks in order",
    },
    { text: "frame 1 normal/fill", says: "line 1: phase `normal` has no step `fill`; its steps are produce, backwash" },
    { text: "frame 1 stopped/fill", says: "line 1: phase `stopped` has no step `fill`; it has no steps" },
    {
      text: "frame 1 normal/produce/x",
      says: "line 1: phase `normal` has no step `produce/x`; its steps are produce, backwash",
    },
    {
      text: '[{"frame":1,"phase":"normal","step":7}]',
      says: "entry 1: phase `normal` has no step `7`; its steps are produce, backwash",
    },
    {
      text: "2025-02-29T06:00:00Z normal",
      says: "line 1 does not say from when on: write `frame 1200`, a time, or `+12.5`",
    },
    { text: "[1]", says: "entry 1 does not say from when on: write `frame 1200`, a time, or `+12.5`" },
    { text: '[{"frame":1}]', says: "entry 1 names no phase: write `WHEN PHASE` or `WHEN PHASE/STEP`" },
  ])("`$text` is refused in a sentence", ({ text, says }) => expect(error(text)).toBe(says));

  test("a byte-order mark before it is nothing", () => {
    for (const text of ["frame 1 normal", '[{"frame":1,"phase":"normal"}]'])
      expect(read(`\ufeff${text}`)).toEqual(read("frame 1 normal"));
  });

  test("an unknown phase names those that there are, and what is no JSON says so", () => {
    expect(error("frame 1 norml")).toMatch(
      /^line 1: there is no phase `norml`; its phases are stopped, startup, normal, /,
    );
    expect(error("[{")).toMatch(/^it begins like JSON and is none/);
  });

  test("it has as many marks as it may have, and not one more", () => {
    const marks = Array.from({ length: MAX_MARKS }, (_, n) => `frame ${n + 1} normal`);
    expect(read(marks.join("\n")).ok).toBe(true);
    expect(error([...marks, `frame ${MAX_MARKS + 1} normal`].join("\n"))).toBe(
      `line ${MAX_MARKS + 1}: a phase file has ${MAX_MARKS} marks at most`,
    );
  });
});
