import { vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import type { PlantClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import { PhaseId } from "#specs/ids.ts";
import { buildLldpFrame, buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import type { PcapRecord } from "#wire/pcap/index.ts";
import { waterTreatment } from "../support/plant.ts";

const { bundle } = waterTreatment();
const HMI = { ip: "127.10.1.11", mac: "02:00:00:00:00:01" };
const PLC = { mac: "02:00:00:00:00:02" };
const START_MS = 1_000_000;

export interface Watching {
  readonly monitor: Monitor;
  readonly point: Point;
  readonly judged: Judged[];
  readonly says: string[];
  /** The state-changing commands, in order: tag, value, verdict. */
  writes(): readonly string[];
}

/** A monitor in phase normal that keeps what it would have reported. */
export async function watching(of: Bundle = bundle, now = () => START_MS): Promise<Watching> {
  const clock: PlantClock = { now, on: () => undefined, close: () => undefined };
  const point = new Point({
    ...{ point: "hmi-monitor", layer: "hmi", bundle: of, mode: "enforce", passive: true, clock },
    standalonePhase: PhaseId("normal"),
  });
  await point.start();
  const judged: Judged[] = [];
  const says: string[] = [];
  vi.spyOn(point, "report").mockImplementation((j) => void judged.push(j));
  vi.spyOn(point, "notice").mockImplementation((notice) => void says.push(notice.says));
  const ports = new Map<number, "modbus" | "opcua">([
    [1502, "modbus"],
    [4840, "opcua"],
  ]);
  return {
    ...{ monitor: new Monitor(point, of.plant, ports), point, judged, says },
    writes: () =>
      judged
        .filter(({ observation }) => observation.operation === "write")
        .map(({ observation, verdict }) => {
          const [item] = observation.items;
          return `${item?.tag ?? "no tag"} ${item?.value ?? "?"} ${verdict.verdict}`;
        }),
  };
}

/** Frames of one connection as a mirror port shows them. */
export class Capture {
  readonly records: PcapRecord[] = [];
  readonly #server: { readonly ip: string; readonly port: number };
  readonly #clientPort: number;
  #seq = { up: 1000, down: 5000 };
  #atMs = START_MS;

  constructor(server: { readonly ip: string; readonly port: number }, clientPort: number) {
    this.#server = server;
    this.#clientPort = clientPort;
    this.#frame(true, TCP_FLAG.SYN);
    this.#frame(false, TCP_FLAG.SYN | TCP_FLAG.ACK);
    this.#frame(true, TCP_FLAG.ACK);
  }

  up(bytes: Buffer): this {
    return this.#frame(true, TCP_FLAG.ACK | TCP_FLAG.PSH, bytes);
  }

  down(bytes: Buffer): this {
    return this.#frame(false, TCP_FLAG.ACK | TCP_FLAG.PSH, bytes);
  }

  /** The server resets the connection. */
  reset(): this {
    return this.#frame(false, TCP_FLAG.RST | TCP_FLAG.ACK);
  }

  announce(mirroredFrames: number): this {
    const frame = buildLldpFrame({
      ...{ srcMac: PLC.mac, chassisId: "sw", portId: "mirror", ttlSeconds: 2 },
      ...{ plantTimeMs: this.#atMs, mirroredFrames },
    });
    this.records.push({ timeMs: this.#atMs, frame, originalLength: frame.length });
    return this;
  }

  #frame(up: boolean, flags: number, payload: Buffer = Buffer.alloc(0)): this {
    const client = { ...HMI, port: this.#clientPort };
    const server = { ...PLC, ...this.#server };
    const [from, to] = up ? [client, server] : [server, client];
    const { up: mine, down: theirs } = up ? this.#seq : { up: this.#seq.down, down: this.#seq.up };
    const frame = buildTcpFrame({
      ...{ srcMac: from.mac, dstMac: to.mac, srcIp: from.ip, dstIp: to.ip, srcPort: from.port, dstPort: to.port },
      ...{ seq: mine, ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : theirs, flags, payload },
    });
    const used = payload.length + ((flags & (TCP_FLAG.SYN | TCP_FLAG.FIN)) === 0 ? 0 : 1);
    if (up) this.#seq.up += used;
    else this.#seq.down += used;
    this.#atMs += 1;
    this.records.push({ timeMs: this.#atMs, frame, originalLength: frame.length });
    return this;
  }
}
