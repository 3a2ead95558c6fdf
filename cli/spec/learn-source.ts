import { foundPlant } from "#hmi-monitor/learn/found-plant.ts";
import type { Overflow } from "#hmi-monitor/learn/limits.ts";
import { namedPhases, skeleton, UNMARKED } from "#hmi-monitor/learn/skeleton.ts";
import { Survey } from "#hmi-monitor/learn/survey.ts";
import type { ProtocolPorts } from "#hmi-monitor/parties.ts";
import { MarkedCourse } from "#hmi-monitor/replay/marked-course.ts";
import type { PhaseCourse, TakesChange } from "#hmi-monitor/replay/phase-course.ts";
import { readPhaseMarks, readPlace } from "#hmi-monitor/replay/phase-marks.ts";
import { RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { UsageError } from "../part.ts";
import { readPhaseFile, valueOr } from "../phase-file.ts";
import { type Captures, nameOf } from "./captures.ts";
import { openPlant } from "./source.ts";

/** What says of whom the captures are, and in which phase. */
export interface SourceFlags {
  readonly phases?: string;
  readonly plant?: string;
}

export interface Source {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  /** What did not fit where the plant was found in the captures. */
  readonly overflow?: Overflow;
}

/** The plant that is given, with its lifecycle where it has one; else what a first look through the captures finds. @throws UsageError */
export function sourceOf(captures: Captures, flags: SourceFlags, ports: ProtocolPorts): Source {
  if (flags.plant !== undefined) return openPlant(flags.plant, {});
  const survey = new Survey(ports);
  const pieces = captures.read();
  let piece = pieces.next();
  for (; piece.done !== true; piece = pieces.next()) if (piece.value.kind === "frame") survey.frame(piece.value.frame);
  const plant = foundPlant(survey);
  if (plant.links.length === 0) {
    const [broken] = piece.value.flatMap(({ file, problem }) =>
      problem === null ? [] : [`${nameOf(file)}: ${problem}`],
    );
    throw new UsageError(broken ?? whyNothing(survey, ports));
  }
  const names = flags.phases === undefined ? [UNMARKED] : namedPhases(readPhaseFile(flags.phases));
  const bare = valueOr(skeleton(plant, names), flags.phases ?? "the captures");
  return { ...bare, overflow: survey.overflow };
}

function whyNothing({ links, connections, joinedLate }: Survey, ports: ProtocolPorts): string {
  const asked = [...ports.keys()].join(", ");
  if (links.size > 0) return "the servers in these captures have addresses that a plant file cannot name";
  if (connections > 0 && joinedLate === connections)
    return `${connections} connections to ports ${asked} began before the captures and show no register or node; give --plant, or capture from the beginning of a connection`;
  if (connections > 0)
    return `${connections} connections to ports ${asked} show no register or node: they are encrypted, refused, or another protocol; give --plant`;
  return `no server answers in these captures on ports ${asked}; give others with --modbus-port or --opcua-port`;
}

/** Makes the course of the phases, of tables of the source's lifecycle. */
export type MakesCourse = (tables: Tables, changed: TakesChange) => PhaseCourse;

/**
 * Marks, where they are given; one phase, where nothing is known of phases; else what the lifecycle recognises.
 *
 * @param count of captures: a mark by frame or by seconds says nothing where there are several. @throws UsageError
 */
export function courseOf(flags: SourceFlags, { plant, lifecycle }: Source, count: number): MakesCourse {
  const [zone] = plant.zones;
  if (zone === undefined) throw new UsageError(`plant \`${plant.id}\` has no zone; declare one`);
  if (flags.phases !== undefined) {
    const file = flags.phases;
    const text = readPhaseFile(file);
    return (tables, changed) => {
      const marks = valueOr(readPhaseMarks(text, tables, zone.id), file);
      const within = marks.some(({ at }) => at.kind === "frame" || at.kind === "after");
      if (count > 1 && within)
        throw new UsageError(
          `${file} counts frames or seconds of one capture, and ${count} are given; mark times instead`,
        );
      return new MarkedCourse(tables, marks, changed);
    };
  }
  if (flags.plant !== undefined) return (tables, changed) => new RecognisedCourse(tables, zone.id, changed);
  const only = lifecycle.phases[0]?.id ?? UNMARKED;
  return (tables, changed) => {
    const place = valueOr(readPlace(only, tables, zone.id), "the captures");
    return new MarkedCourse(tables, [{ at: { kind: "start" }, ...place }], changed);
  };
}
