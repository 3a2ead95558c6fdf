import { describe, expect, test } from "vitest";
import { runTwin, type TwinOptions } from "#sim/twin.ts";
import { TagId } from "#specs/ids.ts";
import { waterBundle } from "../water-bundle.ts";

const { plant, lifecycle } = waterBundle();
type Path = NonNullable<TwinOptions["path"]>;

/** Overwrites variables every second, while the operator goes on writing his. */
const rewriting =
  (values: Readonly<Record<string, number>>): Path =>
  (atMs, writes) =>
    atMs % 1000 === 500
      ? new Map([...writes, ...Object.entries(values).map(([tag, value]) => [TagId(tag), value] as const)])
      : writes;

/** A man in the middle multiplies what the operator writes to one set-point. */
const scaling =
  (tag: string, factor: number, max: number): Path =>
  (_atMs, writes) =>
    new Map([...writes].map(([id, value]) => [id, id === tag ? Math.min(max, value * factor) : value] as const));

function attacked(seed: number, fromMs: number, path: Path) {
  return runTwin({
    plant,
    lifecycle,
    seed,
    untilMs: fromMs + 130_000,
    script: "produce",
    path: (atMs, writes, position) => (atMs >= fromMs ? path(atMs, writes, position) : writes),
  });
}

describe("what attacks do to an unprotected plant", () => {
  const rogue = { AUTO101: 0, "MV101.CMD": 0, "DOS201.SP": 8 };
  test.each([
    {
      name: "dose set to 6 mg/L",
      path: rewriting({ "DOS201.SP": 6 }),
      kind: "over-dosing",
      tag: "AIT401",
      withinS: 70,
    },
    {
      name: "dose set to 9.5 mg/L",
      path: rewriting({ "DOS201.SP": 9.5 }),
      kind: "over-dosing",
      tag: "AIT401",
      withinS: 45,
    },
    {
      name: "inlet shut, feed at 50",
      path: rewriting({ ...rogue, "FIC101.SP": 50 }),
      kind: "dry-running",
      tag: "P101.RUN",
      withinS: 70,
    },
    {
      name: "inlet shut, feed at 60",
      path: rewriting({ ...rogue, "FIC101.SP": 60 }),
      kind: "dry-running",
      tag: "P101.RUN",
      withinS: 70,
    },
    {
      name: "feed ×1.7 on the way",
      path: scaling("FIC101.SP", 1.7, 60),
      kind: "overflow",
      tag: "LIT401",
      withinS: 100,
    },
    {
      name: "feed ×1.95 on the way",
      path: scaling("FIC101.SP", 1.95, 60),
      kind: "overflow",
      tag: "LIT401",
      withinS: 80,
    },
    { name: "dose ×3 on the way", path: scaling("DOS201.SP", 3, 10), kind: "over-dosing", tag: "AIT401", withinS: 80 },
    {
      name: "dose ×4.5 on the way",
      path: scaling("DOS201.SP", 4.5, 10),
      kind: "over-dosing",
      tag: "AIT401",
      withinS: 60,
    },
    { name: "drain opened", path: rewriting({ "V301.CMD": 1 }), kind: "dry-running", tag: "P401.RUN", withinS: 75 },
    {
      name: "distribution stopped",
      path: rewriting({ "FIC401.SP": 0 }),
      kind: "overflow",
      tag: "LIT401",
      withinS: 105,
    },
  ])("$name: harm, but not at once", ({ path, kind, tag, withinS }) => {
    for (const seed of [1, 2, 3]) {
      for (const fromMs of [200_000, 330_000]) {
        const harm = attacked(seed, fromMs, path).harm.find((h) => h.kind === kind && h.tag === tag);
        const afterS = ((harm?.atMs ?? Number.POSITIVE_INFINITY) - fromMs) / 1000;
        expect(afterS, `seed ${seed}, attack at ${fromMs / 1000} s`).toBeLessThan(withinS);
        expect(afterS).toBeGreaterThan(10);
      }
    }
  });
});

describe("undisturbed", () => {
  test.each([1, 2, 3, 4])("seed %i: twenty minutes of production without harm, well inside its limits", (seed) => {
    const run = runTwin({ plant, lifecycle, seed, untilMs: 1_200_000, script: "produce" });
    expect(run.harm).toEqual([]);
    const producing = run.records.filter((record) => record.atMs > 180_000);
    expect(Math.min(...producing.map((r) => r.level101))).toBeGreaterThan(0.8);
    expect(Math.max(...producing.map((r) => r.level101))).toBeLessThan(2.2);
    expect(Math.min(...producing.map((r) => r.level401))).toBeGreaterThan(0.6);
    expect(Math.max(...producing.map((r) => r.level401))).toBeLessThan(2.2);
    expect(Math.min(...producing.map((r) => r.chlorine401))).toBeGreaterThan(1);
    expect(Math.max(...producing.map((r) => r.chlorine401))).toBeLessThan(3);
    const washes = run.positions.filter(({ position }) => position.steps.some((step) => step === "backwash"));
    expect(washes.length).toBeGreaterThanOrEqual(4);
    expect(washes.length).toBeLessThanOrEqual(8);
  });

  test.each([1, 2, 3])("seed %i: with nobody writing any more the PLCs keep delivering for fifteen minutes", (seed) => {
    const cut: Path = () => new Map();
    const fromMs = 240_000;
    const options = { plant, lifecycle, seed, untilMs: fromMs + 900_000, script: "produce" } as const;
    const run = runTwin({ ...options, path: (atMs, writes, at) => (atMs >= fromMs ? cut(atMs, writes, at) : writes) });
    expect(run.harm).toEqual([]);
    const [first] = run.records.filter((record) => record.atMs >= fromMs);
    const delivered = (run.records.at(-1)?.deliveredM3 ?? 0) - (first?.deliveredM3 ?? 0);
    // 15 minutes at 30 m³/h are 7.5 m³.
    expect(delivered).toBeGreaterThan(6.5);
  });
});
