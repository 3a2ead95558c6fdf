import { describe, expect, test, vi } from "vitest";
import type { PlantClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { DeviceId, LinkId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import type { Mode } from "#specs/plant.ts";
import { waterTreatment } from "../support/plant.ts";

const PARTY = {
  source: DeviceId("hmi-1"),
  sourceAddress: "127.10.1.11:1",
  target: DeviceId("plc-1"),
  link: LinkId("hmi-plc1"),
} as const;
const LEVEL = TagId("LIT101");

/** A point of a plant in which the level that the HMI is told is ruled, and a message of the HMI comes each second. */
async function pointWith(mode: Mode, layer: Layer = "switch") {
  const { plant, lifecycle } = waterTreatment();
  const common = { says: "", raw: [], safety: false } as const;
  const level: Rule = {
    ...common,
    id: RuleId("level-told"),
    from: [PARTY.target],
    operation: "report",
    targets: [PARTY.source],
    tags: [LEVEL],
    value: { min: 0.2, max: 2.9, maxStep: 0.5 },
    mode,
  };
  const beat: Rule = {
    ...common,
    id: RuleId("hmi-beats"),
    says: "The operator station shows that it is alive.",
    from: [PARTY.source],
    operation: "write",
    targets: [PARTY.target],
    tags: [TagId("LIT101.SP")],
    cadence: { period: { everyMs: 1000, jitterMs: 200 } },
    mode: "enforce",
  };
  const time = { ms: 0 };
  const clock: PlantClock = { now: () => time.ms, on: () => undefined, close: () => undefined };
  const bundle = buildBundle(plant, { ...lifecycle, rules: [...lifecycle.rules, level, beat] });
  const point = new Point({ point: "p", layer, bundle, mode: "enforce", clock, standalonePhase: PhaseId("stopped") });
  await point.start();
  const notices: OwnNotice[] = [];
  vi.spyOn(point, "notice").mockImplementation((notice) => void notices.push(notice));
  return { point, notices, time, told: (value: number) => point.told(PARTY, [{ tag: LEVEL, value }]) };
}

describe("what a client is told", () => {
  test("plausible readings pass in silence", async () => {
    const { point, told, notices } = await pointWith("monitor");
    point.sawTag(LEVEL, 0.3, 0);
    expect([told(0.2), told(0.7), told(1.2)]).toEqual([true, true, true]);
    expect(notices).toEqual([]);
  });

  test.each([
    ["monitor", true, "READING_SUSPECT"],
    ["enforce", false, "READING_WITHHELD"],
  ] as const)("a jump in mode %s: forwarded %s, noticed as %s", async (mode, passes, code) => {
    const { point, told, notices } = await pointWith(mode);
    point.sawTag(LEVEL, 1, 0);
    expect(told(1.4)).toBe(true);
    expect(told(2.4)).toBe(passes);
    expect(notices).toMatchObject([
      {
        code,
        severity: "detection",
        locus: ["field", "plc-logic", "path-switch-plc"],
        source: "plc-1",
        target: "hmi-1",
      },
    ]);
    expect(notices[0]?.says).toContain("level-told");
  });

  test("what was withheld was not seen: the next reading is held against the last one that passed", async () => {
    const { point, told } = await pointWith("enforce");
    point.sawTag(LEVEL, 1, 0);
    expect([told(2.4), told(2.4), told(1.4)]).toEqual([false, false, true]);
  });

  test("before the HMI the path to it is suspect as well", async () => {
    const { point, told, notices } = await pointWith("monitor", "hmi");
    point.sawTag(LEVEL, 1, 0);
    told(2.9);
    expect(notices[0]?.locus).toContain("path-hmi-switch");
  });

  test("a tag that no rule is about, and a client that is not declared, are not judged", async () => {
    const { point, notices } = await pointWith("enforce");
    expect(point.told(PARTY, [{ tag: TagId("FIT101"), value: 79 }])).toBe(true);
    expect(point.told({ ...PARTY, source: undefined, link: undefined }, [{ tag: LEVEL, value: 9 }])).toBe(true);
    expect(notices).toEqual([]);
  });
});
