import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MarkedCourse } from "#hmi-monitor/replay/marked-course.ts";
import { RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import { Replay, type ReplayOptions } from "#hmi-monitor/replay/replay.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { PhaseId } from "#specs/ids.ts";
import { loadPlantFolder } from "#specs/load.ts";
import { type Figure, withTarget } from "../figure.ts";
import { writePlantCapture } from "./plant-traffic.ts";

const PACKETS = 200_000;
/** The second capture is so many times as long: what it takes more is what grows with length. */
const LONGER = 4;
const ROUNDS = 5;
const CHUNK_BYTES = 1 << 20;
const TARGET_PER_S = 300_000;
/** MB by which memory may differ between the two captures: what the collector leaves lying. */
const FLAT_MB = 8;

type Course = ReplayOptions["course"];

/** Packets per second judged in `replay`, in this process and on one core, and how memory grows with the length of a capture. */
export async function benchReplay(progress: (says: string) => void): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bench-"));
  try {
    const [short, long] = [join(folder, "short.pcap"), join(folder, "long.pcap")];
    progress(`writing captures of ${PACKETS} and ${LONGER * PACKETS} packets`);
    writePlantCapture(short, PACKETS);
    writePlantCapture(long, LONGER * PACKETS);
    const bundle = bundleOf("water-treatment");
    const phase: Course = (tables, changed) =>
      new MarkedCourse(tables, [{ at: { kind: "start" }, phase: PhaseId("normal") }], changed);
    const recognised: Course = (tables, changed) => {
      const [zone] = tables.plant.zones;
      if (zone === undefined) throw new Error("unreachable: the plant has a zone");
      return new RecognisedCourse(tables, zone.id, changed);
    };
    const figures: Figure[] = [];
    for (const [name, course] of [["phase given", phase] as const, ["phases recognised", recognised] as const]) {
      progress(`judging, ${name}`);
      const runs = Array.from({ length: ROUNDS }, () => run(short, bundle, course));
      const fastest = runs.reduce((best, one) => (one.perS > best.perS ? one : best));
      const errors = runs.reduce((sum, one) => sum + one.errors, 0);
      const figure = {
        bench: "replay",
        case: name,
        subject: "sekisho replay",
        metric: "judged per CPU second",
        unit: "packets/s",
        errors,
      };
      figures.push(withTarget({ ...figure, value: fastest.perS }, ">=", TARGET_PER_S));
    }
    progress("memory");
    const [less, more] = [run(short, bundle, phase), run(long, bundle, phase)];
    const memory = {
      bench: "replay",
      case: `${LONGER} × as long`,
      subject: "sekisho replay",
      metric: "more heap in use",
    };
    const value = more.heapMb - less.heapMb;
    figures.push(withTarget({ ...memory, unit: "MB", errors: less.errors + more.errors, value }, "<=", FLAT_MB));
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly perS: number;
  /** messages that were not judged, or denied, and what is wrong with the capture */
  readonly errors: number;
  /** the least that was in use while the second half was judged: what the collector could not take away */
  readonly heapMb: number;
}

function run(path: string, bundle: Bundle, course: Course): Run {
  const replay = new Replay({ bundle, layer: "hmi", ports: new Map([[502, "modbus"]]), course });
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  let heap = Number.POSITIVE_INFINITY;
  const begun = process.cpuUsage();
  try {
    for (let read = 0; ; ) {
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const n = readSync(file, chunk);
      if (n === 0) break;
      replay.push(chunk.subarray(0, n));
      read += n;
      if (read > size / 2) heap = Math.min(heap, process.memoryUsage().heapUsed);
    }
  } finally {
    closeSync(file);
  }
  const { open } = replay;
  const problem = replay.end();
  // Time of the processor, the collector's included: what else runs on this machine does not count.
  const { user, system } = process.cpuUsage(begun);
  const seconds = (user + system) / 1e6;
  const { denied, allowed } = replay.tally.counts;
  // One request in three frames, but for the handshakes: everything asked must have been judged, and the phase allows all of it.
  const missing = Math.max(0, Math.floor((replay.counts.frames - 3 * open) / 3) - allowed);
  const errors = denied + missing + (problem === undefined ? 0 : 1);
  return { perS: replay.counts.frames / seconds, errors, heapMb: heap / 1e6 };
}

/** @throws Error when the plant cannot be loaded */
function bundleOf(name: string): Bundle {
  const loaded = loadPlantFolder(name);
  if (!loaded.ok) throw new Error(`plant \`${name}\` cannot be loaded`);
  return buildBundle(loaded.value.plant, loaded.value.lifecycle);
}
