import { beforeAll, describe, expect, test } from "vitest";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { foundPlant } from "#hmi-monitor/learn/found-plant.ts";
import { LearnCapture } from "#hmi-monitor/learn/learn-capture.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { namedPhases, skeleton } from "#hmi-monitor/learn/skeleton.ts";
import { Survey } from "#hmi-monitor/learn/survey.ts";
import { MarkedCourse } from "#hmi-monitor/replay/marked-course.ts";
import { readPhaseMarks } from "#hmi-monitor/replay/phase-marks.ts";
import { judgeRun, learnRun, shareStopped } from "#sim/traffic/evaluate.ts";
import { TrafficCapture } from "#sim/traffic/frames.ts";
import type { PlantMessage, TrafficSink } from "#sim/traffic/message.ts";
import { ObservedTraffic } from "#sim/traffic/observed-traffic.ts";
import { runPlant } from "#sim/traffic/run-plant.ts";
import type { Bundle } from "#specs/bundle.ts";
import { buildBundle } from "#specs/bundle.ts";
import type { Plant, Protocol } from "#specs/plant.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { waterTreatment } from "../../support/plant.ts";

const { plant, lifecycle, bundle } = waterTreatment();
const HOUR_MS = 3_600_000;
const BASE_MS = Date.parse("2026-01-05T00:00:00Z");
const PORTS: ReadonlyMap<number, Protocol> = new Map([
  [502, "modbus"],
  [4840, "opcua"],
]);

describe("two hours of the plant, learned as they are observed", () => {
  const run = { plant, lifecycle, seed: 1, untilMs: 2 * HOUR_MS };

  test("give a draft that passes the check, denies nothing of them, and stops what is done from unknown addresses", () => {
    const draft = learnRun(run, 1);
    expect([draft.errors, draft.harm]).toEqual([[], []]);
    const judged = judgeRun(run, draft.loaded);
    expect([...judged.denials]).toEqual([]);
    expect(judged.judged).toBe(draft.messages);
    expect(judged.writes).toBeGreaterThan(1000);
    expect(shareStopped(judged.scores, false)).toBe(1);
    expect(shareStopped(judged.scores, true)).toBeGreaterThan(0.8);
    const overdose = judged.scores.filter(({ row, trials }) => row === 4 && trials > 0);
    expect(overdose.length).toBeGreaterThan(2);
    expect(overdose.every(({ trials, stopped }) => trials === stopped)).toBe(true);
  }, 60_000);

  test("with more sightings asked for than there are, every write is denied", () => {
    const judged = judgeRun({ ...run, untilMs: HOUR_MS / 4 }, learnRun({ ...run, untilMs: HOUR_MS / 4 }, 1000).loaded);
    expect(judged.denied).toBe(judged.writes);
  }, 60_000);
});

/** What a capture of the Modbus part shows: no polls of nodes, and every write over Modbus. */
class ModbusOnly implements TrafficSink {
  readonly #to: TrafficSink;

  constructor(to: TrafficSink) {
    this.#to = to;
  }

  enterPhase(phase: string, atMs: number): void {
    this.#to.enterPhase(phase, atMs + BASE_MS);
  }

  message(message: PlantMessage): void {
    if (message.kind === "node-poll") return;
    const atMs = message.atMs + BASE_MS;
    this.#to.message(message.kind === "write" ? { ...message, protocol: "modbus", atMs } : { ...message, atMs });
  }
}

describe("an hour of the plant as a capture", () => {
  let bytes: Buffer = Buffer.alloc(0);
  let marks = "";
  const observed = learnerOf(watchedPlant(plant));

  beforeAll(() => {
    const pieces: Buffer[] = [];
    const capture = new TrafficCapture(plant, BASE_MS, (piece) => void pieces.push(piece));
    const other = new ModbusOnly(new ObservedTraffic(watchedPlant(plant), observed.learner));
    const sink: TrafficSink = {
      enterPhase: (phase, atMs) => {
        capture.enterPhase(phase, atMs);
        other.enterPhase(phase, atMs);
      },
      message: (message) => {
        capture.message(message);
        other.message(message);
      },
    };
    runPlant({ plant, lifecycle, seed: 3, untilMs: HOUR_MS, sink });
    bytes = Buffer.concat(pieces);
    marks = capture.marks;
  }, 60_000);

  test("teaches the same, frame by frame, as the observations do", () => {
    const fromFrames = learned(bundle, plant);
    expect(fromFrames).toEqual(observed.rules());
    expect(fromFrames.length).toBeGreaterThan(20);
  }, 60_000);

  test("without a plant teaches as many rules, about the same registers", () => {
    const survey = new Survey(PORTS);
    for (const frame of new CaptureReader().push(bytes)) survey.frame(frame);
    const found = foundPlant(survey);
    const loaded = skeleton(found, namedPhases(marks));
    if (!loaded.ok) throw new Error(loaded.error);
    const rules = learned(buildBundle(loaded.value.plant, loaded.value.lifecycle), loaded.value.plant);
    expect(rules).toHaveLength(observed.rules().length);
    const places = (of: Plant) =>
      of.tags
        .flatMap(({ modbus, kind }) =>
          modbus === undefined ? [] : [`${modbus.unit} ${modbus.table} ${modbus.address} ${kind}`],
        )
        .sort();
    expect(places(found)).toEqual(places(plant));
  }, 60_000);

  function learned(by: Bundle, of: Plant) {
    const { learner, rules } = learnerOf(watchedPlant(of));
    const [zone] = of.zones;
    if (zone === undefined) throw new Error("no zone");
    const capture = new LearnCapture({
      ...{ bundle: by, ports: PORTS, learner },
      course: (tables, changed) => {
        const read = readPhaseMarks(marks, tables, zone.id);
        if (!read.ok) throw new Error(read.error);
        return new MarkedCourse(tables, read.value, changed);
      },
    });
    // In pieces that cut through records.
    const reader = new CaptureReader();
    for (let at = 0; at < bytes.length; at += 99_991)
      for (const frame of reader.push(Buffer.from(bytes.subarray(at, at + 99_991)))) capture.frame(frame);
    capture.end();
    expect([reader.end(), capture.notices]).toEqual([undefined, []]);
    return rules();
  }
});

function learnerOf(of: Plant) {
  const tags = new Map(of.tags.map((tag) => [tag.id, tag]));
  const learner = new Learner((tag) => tags.get(tag));
  const rules = () => {
    const draft = draftLifecycle(learner.evidence(), { sightings: 1, tagOf: (tag) => tags.get(tag) });
    const all = draft === undefined ? [] : [...draft.rules, ...draft.phases.flatMap((phase) => phase.rules)];
    // Frames carry whole microseconds: the shortest gap, and with it a rate or a jitter, may differ by one.
    return all.map(({ id, evidence, fields: { every, most, apart, ...fields } }) => {
      const [count] = evidence.split(",");
      return { id, count, ...fields, hasRhythm: every !== undefined, hasRate: most !== undefined, apart: apart?.rules };
    });
  };
  return { learner, rules };
}
