import type { TakesBundles } from "#point/bundle-change.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Endpoint } from "#point/endpoint.ts";
import { Point } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { PhaseId } from "#specs/ids.ts";
import type { Mode, Protocol } from "#specs/plant.ts";
import { ok } from "#specs/result.ts";
import type { ChecksumRule } from "#wire/packet/index.ts";
import { CaptureClock } from "./capture-clock.ts";
import { CAPTURE_DELAY_MS } from "./capture-command.ts";
import { FileSource } from "./file-source.ts";
import type { FrameSink, FrameSource } from "./frame-source.ts";
import { type InterfaceOptions, InterfaceSource } from "./interface-source.ts";
import { MirrorSource } from "./mirror-source.ts";
import { Monitor } from "./monitor.ts";
import type { Unread } from "./unread.ts";

/** Where the frames come from. */
export type Source =
  /** A switch that serves its mirror port as a live pcap stream. */
  | { readonly kind: "mirror"; readonly at: Endpoint }
  /** A network interface of this host, on which a mirror port ends. */
  | ({ readonly kind: "interface" } & Omit<InterfaceOptions, "ports">)
  /** A capture file, or `-` for standard input. */
  | { readonly kind: "capture"; readonly path: string };

export interface HmiMonitorOptions {
  readonly point?: string;
  readonly bundle: Bundle;
  readonly source: Source;
  /** TCP ports of the servers; default 502 Modbus, 4840 OPC UA. */
  readonly ports?: { readonly modbus: readonly number[]; readonly opcua: readonly number[] };
  /** What becomes of frames whose checksums are wrong; default auto for a capture file, else they are passed over. */
  readonly verifyChecksums?: ChecksumRule;
  readonly mode: Mode;
  readonly clock: PlantClock;
  readonly bus?: { readonly url: string; readonly password?: string };
  readonly standalonePhase?: PhaseId;
  readonly runDir?: string;
  readonly logFile?: string;
}

export interface RunningMonitor extends TakesBundles {
  /** What was captured and could not be judged. */
  readonly unread: Readonly<Unread>;
  /** What has come of the capture so far, in sentences. */
  summary(): readonly string[];
  /** Resolves when a capture file, or standard input, is at its end: what is wrong with that, in one sentence. Never for a live source. */
  readonly ended: Promise<string | undefined>;
  close(): Promise<void>;
}

const TICK_MS = 1000;

/** Judges what the HMI commands, from captured frames. Passive: it never stands in the path. */
export async function runHmiMonitor(options: HmiMonitorOptions): Promise<RunningMonitor> {
  const { source } = options;
  const file = source.kind === "capture" ? await FileSource.open(source.path) : undefined;
  const clock = clockFor(options, file);
  const point = new Point({ ...options, clock, point: options.point ?? "hmi-monitor", layer: "hmi", passive: true });
  await point.start();
  const ports = options.ports ?? { modbus: [502], opcua: [4840] };
  const byPort = new Map<number, Protocol>();
  for (const port of ports.modbus) byPort.set(port, "modbus");
  for (const port of ports.opcua) byPort.set(port, "opcua");
  const monitor = new Monitor(point, options.bundle.plant, byPort, {
    announcements: source.kind === "mirror",
    verifyChecksums: options.verifyChecksums ?? (source.kind === "capture" ? "auto" : true),
  });
  point.setFollower(({ plant }) => ok(() => monitor.take(plant)));
  const { promise: ended, resolve: end } = Promise.withResolvers<string | undefined>();
  const about = {
    ended,
    unread: monitor.unread,
    summary: () => summaryOf(point, monitor),
    takeBundle: (open: Parameters<TakesBundles["takeBundle"]>[0]) => point.takeBundle(open),
  };
  if (options.mode === "off") {
    // Nothing is judged, so nobody need wait for it.
    options.clock.on("close", () => point.publishStatus());
    file?.close();
    if (file !== undefined) end("nothing of the capture was judged: the mode is off");
    return { ...about, close: () => point.close() };
  }
  point.setJudgedUpTo(() => monitor.seenUpToMs);
  const tickAt = (timeMs: number): void => {
    monitor.tick(timeMs);
    monitor.look(Math.min(timeMs, monitor.seenUpToMs));
  };
  const ownTime = eachSecond((timeMs) =>
    clock.during(timeMs, () => {
      monitor.quietUpTo(timeMs);
      tickAt(timeMs);
      point.look();
    }),
  );
  const passes = file === undefined ? () => undefined : ownTime;
  const sink = sinkFor(point, monitor, clock, passes, end);
  const frames = openSource(options, file, sink, [...byPort.keys()]);
  const tick = source.kind === "mirror" ? undefined : setInterval(() => tickAt(clock.now()), TICK_MS);
  return {
    ...about,
    close: async () => {
      clearInterval(tick);
      await frames.close();
      monitor.tick(clock.now());
      await point.close();
    },
  };
}

function summaryOf(point: Point, monitor: Monitor): readonly string[] {
  const { judged, denied, lost } = point.status();
  const { joinedLate, gaps, unreadable, resynchronised, blind, bytes, strangerBytes, answers, unanswered } =
    monitor.unread;
  const unread: readonly (readonly [number, string])[] = [
    [lost, "frames, or parts of them, could not be judged"],
    [joinedLate, "connections began before the capture"],
    [gaps, "times bytes were missing in a connection"],
    [unreadable, "messages could not be read"],
    [resynchronised, "times a connection was read on after one of these"],
    [blind, "connections cannot be read from somewhere on"],
    [bytes, "bytes in connections that were blind"],
    [strangerBytes, "bytes of servers that the plant does not name"],
    [answers, "answers to no request that was seen"],
    [unanswered, "commands got no answer that was seen"],
  ];
  const { checksumNote } = monitor;
  return [
    `${judged} messages judged, ${denied} denied`,
    ...unread.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`),
    ...(checksumNote === undefined ? [] : [checksumNote]),
  ];
}

/** A file is read faster than it was captured: what should have come before a frame is looked for by the file's own time. */
function eachSecond(look: (timeMs: number) => void): (timeMs: number) => void {
  let lookedMs = Number.NEGATIVE_INFINITY;
  return (timeMs) => {
    // Time that goes back begins anew from there.
    if (Math.abs(timeMs - lookedMs) < TICK_MS) return;
    lookedMs = timeMs;
    look(timeMs);
  };
}

/** Rules are judged by the time at which a frame was captured. */
function clockFor({ source, clock }: HmiMonitorOptions, file: FileSource | undefined): CaptureClock {
  if (source.kind === "mirror") return new CaptureClock(clock, { behindMs: 0 });
  if (source.kind === "interface")
    return new CaptureClock(clock, { behindMs: source.immediate === true ? 0 : CAPTURE_DELAY_MS });
  const own = new CaptureClock(clock, source.path === "-" ? "runs-on" : "stands");
  if (file?.beginsAtMs !== undefined) own.begin(file.beginsAtMs);
  return own;
}

function openSource(
  { source, clock }: HmiMonitorOptions,
  file: FileSource | undefined,
  sink: FrameSink,
  ports: readonly number[],
): FrameSource {
  if (source.kind === "mirror") return new MirrorSource(source.at, clock, sink);
  if (source.kind === "interface") return new InterfaceSource({ ...source, ports }, sink);
  if (file === undefined) throw new Error("unreachable: a capture that was not opened");
  file.read(sink);
  return file;
}

function sinkFor(
  point: Point,
  monitor: Monitor,
  clock: CaptureClock,
  /** Time comes to that of a frame. */
  passes: (timeMs: number) => void,
  end: (says: string | undefined) => void,
): FrameSink {
  let announced = false;
  const judge = (frame: Parameters<Monitor["frame"]>[0]): boolean =>
    clock.during(frame.timeMs, () => monitor.frame(frame));
  return {
    frames: (frames) => {
      for (const frame of frames) {
        passes(frame.timeMs);
        announced = judge(frame) || announced;
      }
      point.judgedFurther();
    },
    sees: () => {
      point.setBlind(monitor.blindUntil(monitor.seenUpToMs));
      // The coordinator waits for this word: how far everything captured has been judged.
      if (announced) {
        monitor.look(monitor.seenUpToMs);
        point.publishStatus();
      }
      announced = false;
    },
    blind: (says) => point.setBlind(says),
    dropped: (frames, says) => monitor.lost(frames, says),
    quietUpTo: (timeMs) => {
      monitor.quietUpTo(timeMs);
      point.judgedFurther();
    },
    interrupted: () => monitor.interrupted(),
    ended: (says) => {
      monitor.end(clock.now());
      point.setBlind(says ?? "the capture has ended");
      end(says);
    },
  };
}
