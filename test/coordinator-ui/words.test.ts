import { expect, test } from "vitest";
import { readable } from "#coordinator/ui/state/phases.ts";
import {
  agoWords,
  durationWords,
  locusWords,
  phaseWords,
  plantTimeWords,
  readingWords,
  valueWords,
} from "#coordinator/ui/state/words.ts";
import { PLANT } from "./water-treatment-view.ts";

test.each([
  { ms: 0, want: "0:00:00" },
  { ms: 723_400, want: "0:12:03" },
  { ms: 36_000_000, want: "10:00:00" },
  { ms: -5, want: "0:00:00" },
])("simulated plant time $ms ms reads $want", ({ ms, want }) => expect(plantTimeWords(ms)).toBe(want));

test("a plant time of today is the wall clock", () => {
  expect(plantTimeWords(new Date(2026, 4, 1, 14, 3, 9).getTime())).toBe("14:03:09");
});

test.each([
  { ms: 4200, want: "4 s" },
  { ms: 59_999, want: "59 s" },
  { ms: 60_000, want: "1 min" },
  { ms: 11_100_000, want: "3 h 5 min" },
  { ms: 187_200_000, want: "2 d 4 h" },
])("$ms ms last $want", ({ ms, want }) => expect(durationWords(ms)).toBe(want));

test("less than a second ago is now", () => expect([agoWords(999), agoWords(1000)]).toEqual(["now", "1 s ago"]));

test.each([
  { phase: "normal", want: "normal" },
  { phase: "degraded.hmi-quarantined", want: "degraded · HMI quarantined" },
  { phase: null, want: "unknown" },
])("phase $phase reads $want", ({ phase, want }) => expect(phaseWords(phase)).toBe(want));

test("a value has the decimals of its range", () => {
  expect(valueWords({ low: 0, high: 3, unit: "m" }, 1.5138)).toBe("1.51");
  expect(valueWords({ low: 0, high: 80, unit: "m³/h" }, 30.16)).toBe("30.2");
  expect(valueWords({ low: 0, high: 100, unit: "%" }, 37.6)).toBe("38");
  expect(valueWords({ low: 0, high: 3, unit: "m" }, Number.NaN)).toBe("not a number");
});

test("a boolean reads on or off; a value that is neither is shown as it is", () => {
  const pump = {
    id: "P101.RUN",
    title: "feed pump",
    kind: "status",
    device: "plc-1",
    unit: "",
    low: 0,
    high: 1,
  } as const;
  expect([0, 1, 7].map((v) => readingWords(pump, v))).toEqual(["off", "on", "7"]);
});

test("several places are joined by `or`", () => {
  expect(locusWords(["hmi"])).toBe("at the operator station");
  expect(locusWords(["path-hmi-switch", "switch"])).toBe("between operator station and switch or at the switch");
  expect(locusWords([])).toBe("place not known");
});

test("names that the coordinator quotes are said as people say them", () => {
  expect(readable(PLANT, "`recovery.verify` is in force; rule `nm-dose-sp` stands")).toBe(
    "recovery · verify is in force; rule nm-dose-sp stands",
  );
});
