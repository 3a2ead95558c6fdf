import type { ModbusFrame } from "#wire/modbus/index.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import {
  type BlindReason,
  type ChecksumRule,
  type Flow,
  type ReassemblySink,
  TcpReassembler,
} from "#wire/packet/index.ts";
import { CaptureReader, type TimedFrame } from "#wire/pcap/index.ts";
import { type Counts, noCounts } from "./counts.ts";
import { Dialogue, type DialogueError } from "./dialogue.ts";
import type { TakesBlock } from "./json-bytes.ts";
import { Lines } from "./lines.ts";
import { ModbusInterpreter } from "./modbus-interpreter.ts";
import { type Moment, Moments } from "./moments.ts";
import { OpcuaInterpreter } from "./opcua-interpreter.ts";
import { OtherPorts } from "./other-ports.ts";

export interface DecodeOptions {
  /** TCP ports of Modbus servers; default 502 */
  readonly modbusPorts?: readonly number[];
  /** TCP ports of OPC UA servers; default 4840 */
  readonly opcuaPorts?: readonly number[];
  /** how Modbus frames lie in TCP; default mbap */
  readonly modbusFraming?: "mbap" | "rtu";
  /** what to do with frames whose checksums are wrong, see `TcpReassembler`; default auto */
  readonly verifyChecksums?: ChecksumRule;
}

/** Of servers, unless somebody says that they are the other protocol's. */
const MODBUS_PORT = 502;
const OPCUA_PORT = 4840;
/** Connections that are followed at once. */
const MAX_FLOWS = 32_768;
/** Bytes of each direction that retransmissions are compared with. */
const HISTORY_BYTES = 1024;
/** A capture can wait for a retransmission as long as slow stacks repeat one. */
const GAP_TIMEOUT_MS = 60_000;

const BLIND_CODES = {
  gap: "TCP_GAP",
  "out-of-order-limit": "TCP_OUT_OF_ORDER",
  urgent: "TCP_URGENT",
} as const satisfies Record<BlindReason, DialogueError>;

type AnyDialogue = Dialogue<ModbusFrame> | Dialogue<UacpFrame>;

/**
 * A capture in, JSON lines out: one per application message in the order of the capture, and one for what cannot be decoded. Pure: asks
 * no clock and opens nothing. Memory is bounded by the connections that are open at once, not by the length of the capture.
 */
export class CaptureDecoder {
  readonly #reader = new CaptureReader();
  readonly #lines: Lines;
  readonly #counts = noCounts();
  readonly #options: DecodeOptions;
  readonly #modbus: ReadonlySet<number>;
  readonly #opcua: ReadonlySet<number>;
  readonly #reassembler: TcpReassembler;
  readonly #dialogues = new Map<number, AnyDialogue>();
  readonly #otherPorts: OtherPorts;
  /** the frame that is being read */
  #at: Moment = { number: 0, seconds: 0, nanoseconds: 0 };
  readonly #moments = new Moments();

  constructor(take: TakesBlock, options: DecodeOptions = {}) {
    this.#lines = new Lines(take);
    this.#options = options;
    const { modbusPorts = [], opcuaPorts = [] } = options;
    this.#modbus = new Set(options.modbusPorts ?? [MODBUS_PORT].filter((port) => !opcuaPorts.includes(port)));
    this.#opcua = new Set(options.opcuaPorts ?? [OPCUA_PORT].filter((port) => !modbusPorts.includes(port)));
    this.#otherPorts = new OtherPorts(this.#counts);
    const serverPorts = [...this.#modbus, ...this.#opcua];
    const bounds = { maxFlows: MAX_FLOWS, historyBytes: HISTORY_BYTES, gapTimeoutMs: GAP_TIMEOUT_MS };
    const verifyChecksums = options.verifyChecksums ?? "auto";
    this.#reassembler = new TcpReassembler(
      { ...bounds, afterGap: "resume", verifyChecksums, serverPorts },
      this.#sink(),
    );
  }

  /** What was counted so far. */
  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  /** Nothing more of the capture can be read. */
  get failed(): boolean {
    return this.#reader.state.kind === "failed";
  }

  /** Takes the next bytes of the capture. The buffer may be used again afterwards. */
  push(chunk: Buffer): void {
    const frames = this.#reader.push(chunk);
    for (let i = 0; i < frames.length; i += 1) {
      const frame = frames[i];
      if (frame !== undefined) this.#frame(frame);
    }
  }

  /** The capture is over: hands on the last lines, and answers in a sentence what is wrong with it; undefined: nothing. */
  end(): string | undefined {
    this.#reassembler.end();
    for (const dialogue of this.#dialogues.values()) dialogue.end(this.#at);
    this.#dialogues.clear();
    this.#lines.flush();
    this.#counts.messages = this.#lines.count;
    this.#counts.errors = this.#lines.errors;
    const { other, tunnelled } = this.#reassembler.stats;
    this.#counts.other = other;
    this.#counts.tunnelled = tunnelled;
    this.#counts.checksumNote = this.#reassembler.checksumNote;
    return this.#reader.end();
  }

  #frame(frame: TimedFrame): void {
    const counts = this.#counts;
    const bytes = frame.frame;
    counts.frames += 1;
    counts.bytes += bytes.length;
    if (bytes.length < frame.originalLength) counts.cutFrames += 1;
    this.#at = frame;
    this.#moments.keep(frame);
    this.#reassembler.push(bytes, frame.timeMs, frame);
  }

  /** What the reassembler saw, at the frame that is being read. */
  #sink(): ReassemblySink {
    const counts = this.#counts;
    const dialogues = this.#dialogues;
    return {
      open: (flow, joinedLate) => this.#open(flow, joinedLate),
      data: (flow, direction, bytes, timeMs, frame) => {
        const dialogue = dialogues.get(flow.id);
        const at = frame === this.#at.number ? this.#at : this.#moments.of(frame, timeMs);
        if (dialogue !== undefined) dialogue.data(direction, bytes, at);
        else this.#otherPorts.data(flow, bytes);
      },
      blind: (flow, direction, reason) => {
        counts.blind[reason] = (counts.blind[reason] ?? 0) + 1;
        dialogues.get(flow.id)?.blind(direction, BLIND_CODES[reason], this.#at);
      },
      close: (flow) => {
        dialogues.get(flow.id)?.end(this.#at);
        dialogues.delete(flow.id);
        this.#otherPorts.close(flow);
      },
      overlap: (_flow, _direction, differingBytes) => {
        counts.differingBytes += differingBytes;
      },
      skipped: (reason) => {
        counts.skipped[reason] = (counts.skipped[reason] ?? 0) + 1;
      },
    };
  }

  #open(flow: Flow, joinedLate: boolean): void {
    this.#counts.flows += 1;
    if (joinedLate) this.#counts.joinedLate += 1;
    const { port } = flow.server;
    const lines = this.#lines;
    const { unread } = this.#counts;
    if (this.#modbus.has(port)) {
      const interpreter = new ModbusInterpreter(this.#options.modbusFraming === "rtu", lines, unread);
      this.#dialogues.set(flow.id, new Dialogue(interpreter, flow, joinedLate, lines, unread));
    } else if (this.#opcua.has(port)) {
      const interpreter = new OpcuaInterpreter(lines, this.#counts);
      this.#dialogues.set(flow.id, new Dialogue(interpreter, flow, joinedLate, lines, unread));
    } else this.#otherPorts.open(flow);
  }
}
