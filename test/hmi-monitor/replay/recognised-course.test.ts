import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { CONTRADICTIONS, RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import { buildBundle, relocatePlant } from "#specs/bundle.ts";
import { waterTreatment } from "../../support/plant.ts";
import { bundle, marked, phase, placed, plant, recognised, replayed, Talk, toIpv6, ZONE } from "./talk.ts";

const [FEED_SP, DOSE_SP] = [0, 1];
const [INLET, FEED, DOSING] = [0, 1, 2];

/** Everything flows, as in phase normal. */
function flowing(talk: Talk): Talk {
  return talk.see1([1500, 300, 200, 1000], [1, 1, 1]).see2([1800, 300, 200, 100], [1, 0, 0]);
}

/** What the set-points of PLC 1 are: 30 m³/h, 2 mg/L, 1.5 m. */
function setPoints(talk: Talk): Talk {
  talk.exchange("hmi-1", 1, "0300000003", "0306 012c 00c8 05dc");
  return talk;
}

/** Long enough for a change of phase to be over. */
function settle(talk: Talk, see: (talk: Talk) => void): void {
  for (let n = 0; n < 15; n += 1) see(talk.wait(1000));
}

describe("phases as the traffic shows them", () => {
  test("at the beginning every written phase and step is possible, and what one allows is allowed", () => {
    const talk = setPoints(new Talk());
    talk.setRegister(DOSE_SP, 250);
    const { replay, denied } = replayed(talk, recognised);
    expect(denied).toEqual([]);
    expect(replay.changes[0]?.possible).toHaveLength(15);
    expect(replay.tally.counts).toMatchObject({ allowed: 2, ambiguous: 2 });
  });

  test("conditions lead on from step to step and from phase to phase, and the frame that led on is told", () => {
    const talk = new Talk();
    talk.setRegister(2, 1500);
    talk.setCoil(INLET, true);
    talk.setCoil(INLET, true);
    talk.see1([1500, 0, 0, 1000], [1, 0, 0]).wait(1500).see1([1500, 0, 0, 1000], [1, 0, 0]);
    settle(talk, (t) => t.see1([1500, 0, 0, 1000], [1, 0, 0]));
    const fed = talk.setCoil(FEED, true);
    settle(talk, (t) => t.see1([1500, 100, 0, 1000], [1, 1, 0]));
    talk.setCoil(DOSING, true);
    settle(talk, (t) => t.see1([1500, 100, 200, 1000], [1, 1, 1]));
    const { replay, denied, possible } = replayed(talk, recognised);
    expect(denied).toEqual([]);
    expect(possible).toEqual(["startup ramp"]);
    const led = replay.changes
      .filter(({ cause }) => cause === "step")
      .map(({ says, frame }) => `${frame > fed} ${says}`);
    expect(led).toContain("true what was seen leads on, in startup to dose-check");
    settle(talk, flowing);
    expect(replayed(talk, recognised).possible).toEqual(["normal produce"]);
  });

  test("what people request does not show: a command that only another phase has a rule about says that it was entered", () => {
    const talk = setPoints(new Talk());
    talk.setRegister(FEED_SP, 320);
    const stop = talk.setCoil(FEED, false);
    const { replay, denied } = replayed(talk, assumedFrom("normal/produce"));
    expect(denied).toEqual([]);
    expect(replay.changes.at(-1)).toMatchObject({
      cause: "command",
      frame: stop,
      possible: ["shutdown", "normal/produce"],
    });
  });

  test("a value that the present phase has a rule about and does not allow is a violation, though another phase would allow it", () => {
    const talk = new Talk();
    talk.exchange("hmi-1", 1, "0300000003", "0306 012c 00c8 05dc");
    const low = talk.setRegister(FEED_SP, 100);
    expect(replayed(talk, phase("shutdown")).denied).toEqual([`STEP_TOO_LARGE sd-feed-sp FIC101.SP ×1 ${low}-${low}`]);
    const small = new Talk();
    small.exchange("hmi-1", 1, "0300000003", "0306 00c8 00c8 05dc");
    const lower = small.setRegister(FEED_SP, 150);
    expect(replayed(small, phase("shutdown")).denied).toEqual([]);
    expect(replayed(small, assumedFrom("normal/produce")).denied).toEqual([
      `VALUE_BELOW nm-feed-sp FIC101.SP ×1 ${lower}-${lower}`,
    ]);
  });

  test("where several phases are possible, one without a rule about a command may have been left for one that allows it", () => {
    const talk = new Talk();
    const opened = talk.setCoil(INLET, true);
    expect(replayed(talk, assumedFrom("startup/dose-check")).denied).toEqual([
      `VALUE_NOT_LISTED su-close-inlet MV101.CMD ×1 ${opened}-${opened}`,
    ]);
    const { denied, possible } = replayed(talk, assumedFrom("stopped", "startup/dose-check"));
    expect(denied).toEqual([]);
    expect(possible).toEqual(["startup fill", "stopped", "startup dose-check"]);
  });

  test("what no reachable phase allows is denied", () => {
    const talk = new Talk();
    talk.setRegister(77, 1);
    talk.setRegister(FEED_SP, 100, 1, "nobody");
    const { denied } = replayed(talk, recognised);
    expect(denied.map((says) => says.split(" ×")[0])).toEqual([
      "TAG_UNKNOWN - unit 1 holding register 77",
      "SOURCE_UNKNOWN - ",
    ]);
  });

  test(`after ${CONTRADICTIONS} commands in a row that a phase has no rule about it is given up, and not before`, () => {
    const stops = (n: number) => {
      const talk = new Talk();
      for (let i = 0; i <= n; i += 1) talk.setCoil(FEED, false);
      return replayed(talk, assumedFrom("normal/produce")).possible;
    };
    // The first one enters shutdown; the others are judged in both.
    expect(stops(CONTRADICTIONS - 1)).toEqual(["shutdown", "normal produce"]);
    expect(stops(CONTRADICTIONS)).toEqual(["shutdown"]);
  });
});

test("commands of the phase before, in the time that a change may take, do not speak against the phase after it", () => {
  const talk = setPoints(new Talk());
  for (let n = 0; n < 5; n += 1) flowing(talk.wait(1000));
  for (let n = 0; n < CONTRADICTIONS; n += 1) talk.wait(300).setCoil(INLET, false);
  settle(talk, flowing);
  talk.setRegister(DOSE_SP, 250);
  const { replay, denied, possible } = replayed(talk, assumedFrom("startup/ramp"));
  expect(replay.changes.map(({ cause }) => cause)).toEqual(["start", "condition", "settled"]);
  expect([denied, possible]).toEqual([[], ["normal produce"]]);
});

test("a plant over IPv6 is judged as over IPv4", () => {
  const talk = new Talk(toIpv6);
  setPoints(talk);
  talk.setRegister(DOSE_SP, 250);
  const high = talk.setRegister(DOSE_SP, 900);
  const devices = plant.devices.map((device) => ({ ...device, addresses: device.addresses.map(toIpv6) }));
  const overIpv6 = buildBundle({ ...plant, devices }, bundle.lifecycle);
  expect(replayed(talk, phase("normal"), { bundle: overIpv6 }).denied).toEqual([
    `VALUE_ABOVE nm-dose-sp DOS201.SP ×1 ${high}-${high}`,
  ]);
});

/** Recognised from there on. */
function assumedFrom(...places: readonly string[]): typeof recognised {
  const begins = places.map((place) => ({ step: undefined, ...placed(place) }));
  return (tables, changed) => new RecognisedCourse(tables, ZONE, changed, begins);
}

describe("a recorded start-up of the simulated plant", () => {
  const bytes = gunzipSync(readFileSync(new URL("captures/simulated-startup.pcap.gz", import.meta.url)));
  const { plant, lifecycle } = waterTreatment();
  const bundle = buildBundle(relocatePlant(plant, "127.10.", "127.44."), lifecycle);
  const ports = new Map([
    [1502, "modbus" as const],
    [4840, "opcua" as const],
  ]);
  const run = (course: Parameters<typeof replayed>[1]) => replayed(bytes, course, { bundle, ports });

  /** What that run's coordinator recorded in its evidence: s of plant time, and the phase or step from then on. */
  const RECORD = [
    [0, "stopped"],
    [8.5, "maintenance"],
    [25, "stopped"],
    [33.5, "startup/fill"],
    [59, "startup/prime"],
    [66.5, "startup/dose-check"],
    [92, "startup/ramp"],
    [107, "normal/produce"],
  ] as const;
  const record = marked(
    ...RECORD.map(([seconds, place]) => ({ at: { kind: "time" as const, timeMs: seconds * 1000 }, ...placed(place) })),
  );

  test("what leads on by what is seen is recognised within a second of the coordinator's own record", () => {
    const { replay, problem, denied, possible } = run(recognised);
    expect(problem).toBeUndefined();
    expect(denied).toEqual([]);
    expect(possible).toEqual(["normal produce"]);
    const seen = replay.changes.filter(({ cause }) => cause === "step" || cause === "condition");
    for (const [seconds, place] of RECORD.slice(4)) {
      const [id = "", step = ""] = place.split("/");
      const at = seen.find(({ possible: places }) => places.some((one) => one.startsWith(id) && one.endsWith(step)));
      const first = seen.find(
        ({ timeMs, possible: places }) =>
          Math.abs(timeMs - seconds * 1000) <= 1000 && places.some((one) => one.startsWith(id) && one.endsWith(step)),
      );
      expect(first, `${place} at ${seconds} s; first seen at ${at?.timeMs}`).toBeDefined();
    }
    expect(replay.unread).toMatchObject({ blind: 0, bytes: 0, strangerBytes: 0 });
    expect(replay.lost).toBe(0);
  });

  test("by the coordinator's record as a phase file nothing is denied either, and the same is judged", () => {
    const { replay, denied } = run(record);
    expect(denied).toEqual([]);
    expect(replay.tally.counts).toMatchObject({ allowed: run(recognised).replay.tally.counts.allowed, ambiguous: 0 });
  });

  test("by one phase throughout it is another matter", () => {
    const throughout = run(phase("normal")).replay.tally;
    expect(throughout.counts.denied).toBeGreaterThan(5);
    expect(throughout.denials.every(({ reason }) => reason !== "TAG_UNKNOWN" && reason !== "SOURCE_UNKNOWN")).toBe(
      true,
    );
    expect(run(phase("stopped")).replay.tally.counts.denied).toBeGreaterThan(throughout.counts.denied);
  });
});
