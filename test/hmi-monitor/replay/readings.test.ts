import { expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import type { PlantClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { marked, PORTS, phase, placed, bundle as plain, plant, recognised, replayed, Talk } from "./talk.ts";

/** In phase shutdown the operator station may be told a level of 1.2 to 1.8 m. */
const TOLD: Rule = {
  ...{ id: RuleId("level-told"), says: "The level is plausible.", raw: [], mode: "enforce", safety: false },
  ...{ from: [DeviceId("plc-1")], operation: "report", targets: [DeviceId("hmi-1")], tags: [TagId("LIT101")] },
  value: { min: 1.2, max: 1.8 },
};
const { lifecycle } = plain;
const phases = lifecycle.phases.map((one) => (one.id === "shutdown" ? { ...one, rules: [...one.rules, TOLD] } : one));
const bundle = buildBundle(plant, { ...lifecycle, phases });

const talk = new Talk();
for (const level of [1500, 2500, 2600]) talk.wait(1000).see1([level, 300, 200, 1000], [1, 1, 1]);

async function live(held: string): Promise<readonly string[]> {
  let nowMs = 0;
  const clock: PlantClock = { now: () => nowMs, on: () => undefined, close: () => undefined };
  const options = { point: "hmi-monitor", layer: "hmi", bundle, mode: "enforce", passive: true, clock } as const;
  const point = new Point({ ...options, standalonePhase: PhaseId(held) });
  await point.start();
  const notices: OwnNotice[] = [];
  vi.spyOn(point, "notice").mockImplementation((notice) => void notices.push(notice));
  const monitor = new Monitor(point, plant, PORTS);
  for (const frame of new CaptureReader().push(talk.pcap())) {
    nowMs = frame.timeMs;
    monitor.frame(frame);
  }
  await point.close();
  return notices.filter(({ code }) => code === "READING_SUSPECT").map(({ says }) => says);
}

test("a reading is denied where a live monitor says that it is suspect, and not where no rule about it is in force", async () => {
  for (const [held, count] of [
    ["shutdown", 2],
    ["stopped", 0],
  ] as const) {
    const suspects = await live(held);
    expect(suspects).toHaveLength(count);
    const { replay } = replayed(talk, phase(held), { bundle });
    const { denied, receipts } = replay.tally.counts;
    expect([denied, receipts, replay.tally.denials.map(({ says }) => says)]).toEqual([count, 0, suspects.slice(0, 1)]);
  }
});

test("nor while a phase is possible in which no rule about it is in force, or before the first mark", () => {
  expect(replayed(talk, recognised, { bundle }).denied).toEqual([]);
  const later = replayed(talk, marked({ at: { kind: "after", ms: 60_000 }, ...placed("shutdown") }), { bundle });
  expect(later.denied).toEqual([]);
});
