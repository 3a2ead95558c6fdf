import { connect } from "node:net";
import type { TakesBundles } from "#point/bundle-change.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Endpoint } from "#point/endpoint.ts";
import { Point } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { PhaseId } from "#specs/ids.ts";
import type { Mode, Protocol } from "#specs/plant.ts";
import { ok } from "#specs/result.ts";
import { PcapReader } from "#wire/pcap/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import { Monitor } from "./monitor.ts";

export interface HmiMonitorOptions {
  readonly point?: string;
  readonly bundle: Bundle;
  /** Where the mirror port's live pcap stream is served. */
  readonly mirror: Endpoint;
  /** TCP ports of the servers; default 502 Modbus, 4840 OPC UA. */
  readonly ports?: { readonly modbus: readonly number[]; readonly opcua: readonly number[] };
  readonly mode: Mode;
  readonly clock: PlantClock;
  readonly bus?: { readonly url: string; readonly password?: string };
  readonly standalonePhase?: PhaseId;
  readonly runDir?: string;
}

export interface RunningMonitor extends TakesBundles {
  close(): Promise<void>;
}

/**
 * Ms without a frame after which the tap counts as blind: the switch announces itself every 500 ms of plant time. Both clocks must have
 * gone so far: while plant time stands still (a simulation that waits for one of its processes) nothing is announced.
 */
const SILENT_MS = 3000;
const RECONNECT_MS = 500;

/** Judges what the HMI commands, from a live pcap stream. Passive: it never stands in the path. */
export async function runHmiMonitor(options: HmiMonitorOptions): Promise<RunningMonitor> {
  const point = new Point({ ...options, point: options.point ?? "hmi-monitor", layer: "hmi", passive: true });
  await point.start();
  const ports = options.ports ?? { modbus: [502], opcua: [4840] };
  const byPort = new Map<number, Protocol>();
  for (const port of ports.modbus) byPort.set(port, "modbus");
  for (const port of ports.opcua) byPort.set(port, "opcua");
  const monitor = new Monitor(point, options.bundle.plant, byPort);
  point.setFollower(({ plant }) => ok(() => monitor.take(plant)));
  const takeBundle: TakesBundles["takeBundle"] = (open) => point.takeBundle(open);
  if (options.mode === "off") {
    // Nothing is judged, so nobody need wait for it.
    options.clock.on("close", () => point.publishStatus());
    return { takeBundle, close: () => point.close() };
  }
  point.setJudgedUpTo(() => monitor.seenUpToMs);
  const mirror = readMirror(options, point, monitor);
  return {
    takeBundle,
    close: async () => {
      mirror.close();
      await point.close();
    },
  };
}

function readMirror(options: HmiMonitorOptions, point: Point, monitor: Monitor): { close(): void } {
  const { host, port } = options.mirror;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  let socket = open();
  const now = () => ({ realMs: performance.now(), plantMs: options.clock.now() });
  /** undefined: plant time has not begun here. */
  let heard: ReturnType<typeof now> | undefined;
  options.clock.on("open", () => {
    heard ??= now();
  });
  const watch = setInterval(() => {
    const { realMs, plantMs } = now();
    const silentMs = heard === undefined ? 0 : Math.min(realMs - heard.realMs, plantMs - heard.plantMs);
    if (silentMs > SILENT_MS) point.setBlind(`the mirror at ${host}:${port} has been silent for ${SILENT_MS / 1000} s`);
  }, 500);

  function open(): ReturnType<typeof connect> {
    const reader = new PcapReader();
    const next = connect({ host, port, noDelay: true });
    next.on("data", (chunk) => {
      let announced = false;
      try {
        for (const record of reader.push(chunk)) announced = monitor.frame(record) || announced;
      } catch (error) {
        // A mistake of ours must not end the layer unseen: it says that it is blind, and starts again with a new stream.
        point.setBlind(`a mirrored frame cannot be judged (${error instanceof Error ? error.message : String(error)})`);
        next.destroy();
        return;
      }
      heard = now();
      if (reader.state.kind === "failed") {
        point.setBlind(`the mirror stream cannot be read (${describeWireError(reader.state.error)})`);
        next.destroy();
        return;
      }
      point.setBlind(undefined);
      // The coordinator waits for this word: how far everything captured has been judged.
      if (announced) point.publishStatus();
    });
    next.on("error", () => undefined);
    next.on("close", () => {
      if (stopped) return;
      monitor.interrupted();
      point.setBlind(`the mirror at ${host}:${port} cannot be reached`);
      retry = setTimeout(() => {
        socket = open();
      }, RECONNECT_MS);
    });
    return next;
  }

  return {
    close: () => {
      stopped = true;
      clearInterval(watch);
      clearTimeout(retry);
      socket.destroy();
    },
  };
}
