import { beforeEach, describe, expect, test } from "vitest";
import { DeviceId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { alarmRules, everywhere, PLC1, Watch } from "./alarm-watch.ts";
import { Capture } from "./capture.ts";

/** A man in the middle holds an alarm back that the operator station asks for, or freezes what it is shown. */
let watch: Watch;

describe("an alarm that is polled", () => {
  const rules = alarmRules(DeviceId("plc-1"), "LIT101", "MV101.OPEN");
  let n = 0;
  const poll = (capture: Capture, level: number, alarm: 0 | 1): void => {
    n += 2;
    const word = Math.round(level * 1000)
      .toString(16)
      .padStart(4, "0");
    capture.up(adu(n, "02 0000 0001")).down(adu(n, `02 01 0${alarm}`));
    capture.up(adu(n + 1, "04 0000 0001")).down(adu(n + 1, `04 02 ${word}`));
    watch.second(capture);
  };
  let capture: Capture;
  beforeEach(async () => {
    watch = await Watch.begin(everywhere(rules));
    capture = new Capture(PLC1, 40_001);
  });

  test("is not missed while it is told in time, at the start, as it comes and as it goes", () => {
    for (const [level, alarm] of [
      ...[
        [1.2, 0],
        [1.81, 0],
        [1.83, 0],
        [1.84, 1],
        [1.85, 1],
        [1.86, 1],
      ],
      ...[
        [1.87, 1],
        [1.7, 1],
        [1.6, 0],
        [1.5, 0],
      ],
    ] as [number, 0 | 1][])
      poll(capture, level, alarm);
    expect(watch.said()).toEqual([]);
  });

  test("is missed when it is held back: said from three seconds after the level was told to be high", () => {
    for (let s = 0; s < 8; s += 1) poll(capture, 1.8 + s / 100, 0);
    expect(watch.said()).toHaveLength(5);
    expect(watch.notices[0]).toMatchObject({
      code: "READING_SUSPECT",
      severity: "detection",
      source: "plc-1",
      target: "hmi-1",
    });
    expect(watch.said()[0]).toContain("MV101.OPEN");
  });

  test("readings that are frozen are suspect when they have stood still for too long", () => {
    for (let s = 0; s <= 30; s += 1) poll(capture, 1.2, 0);
    expect(watch.said()).toEqual([]);
    poll(capture, 1.2, 0);
    expect(watch.said()).toEqual([expect.stringMatching(/^READING_SUSPECT LIT101 .*level-lives/)]);
  });

  test("after a time without connection nothing is held against what was told before it", () => {
    for (let s = 0; s < 3; s += 1) poll(capture, 1.85 + s / 100, 1);
    watch.nowMs += 60_000;
    [capture, watch.shown] = [new Capture(PLC1, 40_002), 0];
    for (let s = 0; s < 5; s += 1) poll(capture, 1.2 + s / 100, 0);
    expect(watch.said()).toEqual([]);
  });
});

test("in a phase that has no rule about them, readings are not judged by those of another", async () => {
  const inNormal = (of: Lifecycle): Lifecycle => ({
    ...of,
    phases: of.phases
      .filter(({ mask }) => mask === undefined)
      .map((phase) =>
        phase.id === "normal"
          ? { ...phase, rules: [...phase.rules, ...alarmRules(DeviceId("plc-1"), "LIT101", "MV101.OPEN")] }
          : phase,
      ),
  });
  for (const [phase, count] of [
    ["stopped", 0],
    ["normal", 5],
  ] as const) {
    watch = await Watch.begin(inNormal, phase);
    const capture = new Capture(PLC1, 40_001);
    for (let s = 0; s < 8; s += 1) {
      const word = (1850 + s).toString(16).padStart(4, "0");
      capture.up(adu(2 * s, "04 0000 0001")).down(adu(2 * s, `04 02 ${word}`));
      capture.up(adu(2 * s + 1, "02 0000 0001")).down(adu(2 * s + 1, "02 01 00"));
      watch.second(capture);
    }
    expect([phase, watch.said().length]).toEqual([phase, count]);
  }
});
