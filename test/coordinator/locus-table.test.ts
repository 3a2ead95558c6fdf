import { expect, test } from "vitest";
import { type CaseKind, LOCUS_TABLE, locate, type Sights, type SourceClass } from "#coordinator/locus-table.ts";
import type { LayerSight } from "#coordinator/page-messages.ts";
import { LOCI } from "#specs/lifecycle.ts";

const NA = "not-applicable";
const sights = (hmi: LayerSight, atSwitch: LayerSight, plc: LayerSight): Sights => ({ hmi, switch: atSwitch, plc });

/** One line per row of the table: the pattern as the correlation produces it. */
const ROWS: readonly [row: string, kind: CaseKind, source: SourceClass, sights: Sights, locus: string][] = [
  ["unknown-source", "command", "unknown", sights(NA, "seen-violating", NA), "unknown-device"],
  ["unknown-source-at-mirror", "command", "unknown", sights("seen-violating", "not-seen", NA), "unknown-device"],
  ["engineering-source", "command", "engineering", sights(NA, "seen-violating", NA), "engineering"],
  ["other-source", "command", "other", sights(NA, "seen-violating", NA), "unknown-device"],
  ["hmi-blind", "command", "hmi", sights("blind", "seen-violating", NA), "hmi path-hmi-switch"],
  ["hmi-sent-it", "command", "hmi", sights("seen-violating", "seen-violating", NA), "hmi"],
  ["hmi-sent-it", "command", "hmi", sights("seen-fine", "seen-violating", NA), "hmi"],
  ["altered-and-forbidden", "command", "hmi", sights("seen-different", "seen-violating", NA), "path-hmi-switch"],
  ["injected-and-forbidden", "command", "hmi", sights("not-seen", "seen-violating", NA), "path-hmi-switch"],
  ["altered", "command", "hmi", sights("seen-different", "seen-fine", NA), "path-hmi-switch"],
  ["injected", "command", "hmi", sights("not-seen", "seen-fine", NA), "path-hmi-switch"],
  ["dropped", "command", "hmi", sights("seen-fine", "not-seen", NA), "path-hmi-switch"],
  ["forbidden-and-dropped", "command", "hmi", sights("seen-violating", "blind", NA), "hmi"],
  ["layers-differ", "command", "hmi", sights("seen-violating", "seen-fine", NA), "hmi switch"],
  ["program-output", "output", "program", sights(NA, NA, "seen-violating"), "plc-logic"],
  [
    "change-switch-blind",
    "change",
    "unknown",
    sights(NA, "blind", "seen-fine"),
    "path-hmi-switch path-switch-plc plc-logic",
  ],
  ["change-unexplained", "change", "unknown", sights(NA, "not-seen", "seen-fine"), "path-switch-plc plc-logic"],
  ["change-altered", "change", "unknown", sights(NA, "seen-different", "seen-violating"), "path-switch-plc"],
  ["change-denied", "change", "hmi", sights(NA, "seen-fine", "seen-violating"), "switch"],
  ["change-missing", "change", "hmi", sights(NA, "seen-fine", "not-seen"), "path-switch-plc plc-logic"],
];

test.each(ROWS)("%s: a %s from %s, %o → %s", (id, kind, source, seen, locus) => {
  const row = locate(kind, source, seen);
  expect([row?.id, row?.locus.join(" ")]).toEqual([id, locus]);
});

test("every row of the table is tried above, has its own name, a sentence and a declared locus", () => {
  expect(new Set(LOCUS_TABLE.map((row) => row.id)).size).toBe(LOCUS_TABLE.length);
  expect(LOCUS_TABLE.map((row) => row.id).filter((id) => !ROWS.some(([tried]) => tried === id))).toEqual([]);
  for (const row of LOCUS_TABLE) {
    expect(row.says.length).toBeGreaterThan(20);
    expect(row.locus.every((word) => LOCI.includes(word))).toBe(true);
    if (row.locus.length > 1) expect(row.confidence).toBeLessThan(1);
  }
});

test.each([
  ["a command all layers allowed", "command", "hmi", sights("seen-fine", "seen-fine", NA)],
  ["an allowed command that the HMI layer could not see", "command", "hmi", sights("blind", "seen-fine", NA)],
  ["an allowed command while the switch layer is blind", "command", "hmi", sights("seen-fine", "blind", NA)],
  ["a change with its command", "change", "hmi", sights(NA, "seen-fine", "seen-fine")],
  [
    "a change that monitor mode let through: the switch has denied it already",
    "change",
    "hmi",
    sights(NA, "seen-violating", "seen-violating"),
  ],
] as const)("no detection: %s", (_name, kind, source, seen) => {
  expect(locate(kind, source, seen)).toBeUndefined();
});
