import { MarkedCourse, type PhaseMark } from "#hmi-monitor/replay/marked-course.ts";
import type { TakesChange } from "#hmi-monitor/replay/phase-course.ts";
import { RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import { Replay, type ReplayOptions } from "#hmi-monitor/replay/replay.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { PhaseId, StepId } from "#specs/ids.ts";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { waterTreatment } from "../../support/plant.ts";

export const { bundle, plant } = waterTreatment();
const [zone] = plant.zones;
if (zone === undefined) throw new Error("the plant has no zone");
export const ZONE = zone.id;
export const PORTS = new Map([[502, "modbus" as const]]);
export const START_MS = 1_750_000_000_000;

const STATION = { "hmi-1": "127.10.1.11", "ews-1": "127.10.1.21", nobody: "127.10.9.66" } as const;
const PLC = { 1: "127.10.2.1", 2: "127.10.2.2" } as const;
/** The same plant over IPv6: `127.10.2.1` is `2001:db8::2:1`. */
export const toIpv6 = (ip: string): string => ip.replace("127.10.", "2001:db8::").replace(".", ":");

export interface Frame {
  readonly timeMs: number;
  readonly frame: Buffer;
}

/** Operator stations talking to the PLCs of the water-treatment plant, frame by frame as a mirror port shows it. */
export class Talk {
  readonly frames: Frame[] = [];
  readonly #connections = new Map<string, { up: number; down: number; transaction: number; readonly port: number }>();
  readonly #place: (ip: string) => string;
  #atMs = START_MS;

  /** @param place where an address of the plant is on this network */
  constructor(place = (ip: string) => ip) {
    this.#place = place;
  }

  /** Frames so far: the number of the last one, as Wireshark counts. */
  get count(): number {
    return this.frames.length;
  }

  get atMs(): number {
    return this.#atMs;
  }

  wait(ms: number): this {
    this.#atMs += ms;
    return this;
  }

  /** Request and answer, each PDU in hex. @returns the number of the request's frame */
  exchange(who: keyof typeof STATION, plc: 1 | 2, request: string, answer: string): number {
    const connection = this.#connection(who, plc);
    connection.transaction = (connection.transaction + 1) & 0xffff;
    const adu = (pdu: string) => {
      const bytes = Buffer.from(pdu.replaceAll(" ", ""), "hex");
      const header = Buffer.alloc(7);
      header.writeUInt16BE(connection.transaction, 0);
      header.writeUInt16BE(bytes.length + 1, 4);
      header.writeUInt8(plc, 6);
      return Buffer.concat([header, bytes]);
    };
    this.#send(who, plc, true, TCP_FLAG.ACK | TCP_FLAG.PSH, adu(request));
    const number = this.count;
    this.#send(who, plc, false, TCP_FLAG.ACK | TCP_FLAG.PSH, adu(answer));
    return number;
  }

  /** Write Single Register; the raw word as on the wire. */
  setRegister(address: number, word: number, plc: 1 | 2 = 1, who: keyof typeof STATION = "hmi-1"): number {
    const pdu = `06${hex(address)}${hex(word)}`;
    return this.exchange(who, plc, pdu, pdu);
  }

  setCoil(address: number, on: boolean, plc: 1 | 2 = 1, who: keyof typeof STATION = "hmi-1"): number {
    const pdu = `05${hex(address)}${on ? "ff00" : "0000"}`;
    return this.exchange(who, plc, pdu, pdu);
  }

  /** What the operator station sees of PLC 1: level mm, flow 0.1 m³/h, chlorine 0.01 mg/L, valve 0.1 %; then open, feed, dosing. */
  see1(words: readonly [number, number, number, number], bits: readonly [number, number, number]): this {
    this.exchange("hmi-1", 1, "0400000004", `0408${words.map(hex).join("")}`);
    this.exchange("hmi-1", 1, "0200000003", `0201${byte(bits)}`);
    return this;
  }

  /** Of PLC 2: level mm, flow 0.1 m³/h, chlorine 0.01 mg/L, head loss 0.1 kPa; then pump, backwash, drain. */
  see2(words: readonly [number, number, number, number], bits: readonly [number, number, number]): this {
    this.exchange("hmi-1", 2, "0400000004", `0408${words.map(hex).join("")}`);
    this.exchange("hmi-1", 2, "0200000003", `0201${byte(bits)}`);
    return this;
  }

  /** A segment that the capture lost, and the bytes after it. */
  lose(who: keyof typeof STATION, plc: 1 | 2): this {
    this.#connection(who, plc).up += 12;
    return this;
  }

  pcap(): Buffer {
    const records = this.frames.map(({ timeMs, frame }) => encodePcapRecord(timeMs, frame));
    return Buffer.concat([encodePcapHeader(), ...records]);
  }

  #connection(who: keyof typeof STATION, plc: 1 | 2) {
    const key = `${who} ${plc}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const made = { up: 1000, down: 5000, transaction: 0, port: 40_000 + this.#connections.size };
    this.#connections.set(key, made);
    this.#send(who, plc, true, TCP_FLAG.SYN);
    this.#send(who, plc, false, TCP_FLAG.SYN | TCP_FLAG.ACK);
    this.#send(who, plc, true, TCP_FLAG.ACK);
    return made;
  }

  #send(who: keyof typeof STATION, plc: 1 | 2, up: boolean, flags: number, payload: Buffer = Buffer.alloc(0)): void {
    const connection = this.#connection(who, plc);
    const client = { ip: this.#place(STATION[who]), port: connection.port, mac: "02:00:00:00:00:01" };
    const server = { ip: this.#place(PLC[plc]), port: 502, mac: "02:00:00:00:00:02" };
    const [from, to] = up ? [client, server] : [server, client];
    const [mine, theirs] = up ? [connection.up, connection.down] : [connection.down, connection.up];
    const frame = buildTcpFrame({
      ...{ srcMac: from.mac, dstMac: to.mac, srcIp: from.ip, dstIp: to.ip, srcPort: from.port, dstPort: to.port },
      ...{ seq: mine, ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : theirs, flags, payload },
    });
    const used = payload.length + ((flags & TCP_FLAG.SYN) === 0 ? 0 : 1);
    if (up) connection.up += used;
    else connection.down += used;
    this.#atMs += 1;
    this.frames.push({ timeMs: this.#atMs, frame });
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(4, "0");
}

function byte(bits: readonly number[]): string {
  return bits
    .reduce((sum, bit, n) => sum | (bit << n), 0)
    .toString(16)
    .padStart(2, "0");
}

type Course = ReplayOptions["course"];

export function marked(...marks: readonly PhaseMark[]): Course {
  return (tables: Tables, changed: TakesChange) => new MarkedCourse(tables, marks, changed);
}

/** One phase for the whole capture: `normal`, `normal/produce`. */
export function phase(place: string): Course {
  return marked({ at: { kind: "start" }, ...placed(place) });
}

export function placed(place: string): Pick<PhaseMark, "phase" | "step"> {
  const [name = "", step] = place.split("/");
  return step === undefined ? { phase: PhaseId(name) } : { phase: PhaseId(name), step: StepId(step) };
}

export const recognised: Course = (tables, changed) => new RecognisedCourse(tables, ZONE, changed);

/** Replays what was said; `verdicts` has each judged message as `frame tag value verdict reason`. */
export function replayed(talk: Talk | Buffer, course: Course, options: Partial<ReplayOptions> = {}) {
  const replay = new Replay({ bundle, layer: "hmi", ports: PORTS, course, ...options });
  const bytes = Buffer.isBuffer(talk) ? talk : talk.pcap();
  replay.push(bytes);
  const problem = replay.end();
  const denied = replay.tally.denials.map(
    ({ reason, rule, about, count, first, last }) =>
      `${reason} ${rule ?? "-"} ${about} ×${count} ${first.frame}-${last.frame}`,
  );
  return {
    replay,
    problem,
    denied,
    possible: replay.course.possible.map(({ phase: id, steps }) => [id, ...steps].join(" ")),
  };
}
