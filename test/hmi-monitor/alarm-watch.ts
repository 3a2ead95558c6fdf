import { vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import type { PlantClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";
import type { Capture } from "./capture.ts";

export const PLC1 = { ip: "127.10.2.1", port: 1502 };
export const PLC2 = { ip: "127.10.2.2", port: 4840 };
const HMI = DeviceId("hmi-1");
const TOLD_WITHIN_MS = 3000;
const told = { operation: "report", raw: [], mode: "monitor", safety: false } as const;

/**
 * The operator must be told of a high level: the contact of its alarm closes while the level that is told stands at 1.8 m or more. And the
 * level that is told never stands still for long.
 *
 * @param from which tells level and alarm
 */
export function alarmRules(from: DeviceId, level: string, alarm: string): readonly Rule[] {
  const about = { ...told, from: [from], targets: [HMI], tags: [TagId(alarm)] };
  const high = { tag: TagId(level), test: "at-least", value: 1.8 } as const;
  return [
    {
      ...{ ...about, id: RuleId("alarm-quiet"), says: "No alarm is shown while the level is not high." },
      ...{ value: { oneOf: [0] }, causality: { notWhile: { all: [high], forMs: TOLD_WITHIN_MS, freshMs: 10_000 } } },
    },
    { ...about, id: RuleId("alarm-on"), says: "The alarm may be shown at any time.", value: { oneOf: [1] } },
    {
      ...{ ...told, from: [from], targets: [HMI], tags: [TagId(level)] },
      ...{
        id: RuleId("level-lives"),
        says: "The level never stands still for half a minute.",
        value: { staleMs: 30_000 },
      },
    },
  ];
}

const { plant, lifecycle } = waterTreatment();

export const everywhere = (rules: readonly Rule[]) => (of: Lifecycle) => ({ ...of, rules: [...rules, ...of.rules] });

/** A monitor of what an operator station is told, second by second. */
export class Watch {
  nowMs = 1_000_000;
  /** Records of the capture that the mirror has shown. */
  shown = 0;
  readonly notices: OwnNotice[] = [];
  readonly monitor: Monitor;

  private constructor(point: Point, time: { now: () => number }) {
    time.now = () => this.nowMs;
    vi.spyOn(point, "notice").mockImplementation((notice) => void this.notices.push(notice));
    const ports = [
      [PLC1.port, "modbus"],
      [PLC2.port, "opcua"],
    ] as const;
    this.monitor = new Monitor(point, plant, new Map(ports));
  }

  static async begin(rules: (of: Lifecycle) => Lifecycle, phase = "stopped"): Promise<Watch> {
    const clock: PlantClock = { now: () => 0, on: () => undefined, close: () => undefined };
    const point = new Point({
      ...{ point: "hmi-monitor", layer: "hmi", mode: "enforce", passive: true, clock, standalonePhase: PhaseId(phase) },
      bundle: buildBundle(plant, rules(lifecycle)),
    });
    await point.start();
    return new Watch(point, clock);
  }

  /** A second goes by, in which the mirror shows what has come to the capture. */
  second(capture: Capture): void {
    this.nowMs += 1000;
    for (const record of capture.records.slice(this.shown)) this.monitor.frame({ ...record, timeMs: this.nowMs });
    this.shown = capture.records.length;
    this.monitor.tick(this.nowMs);
    this.monitor.look(this.nowMs);
  }

  said(): readonly string[] {
    return this.notices.filter(({ code }) => code !== "TAP_BLIND").map(({ code, says }) => `${code} ${says}`);
  }
}
