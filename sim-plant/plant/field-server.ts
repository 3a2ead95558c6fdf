import { createServer, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import { TagId } from "#specs/ids.ts";
import type { Endpoint } from "../address-plan.ts";
import {
  type FieldInputs,
  type FieldOutputs,
  fieldOutputs,
  PLC1_INPUTS,
  PLC1_OUTPUTS,
  PLC2_INPUTS,
  PLC2_OUTPUTS,
} from "../water/field-tags.ts";
import { readFieldAnswer, readJoin } from "./field-messages.ts";

export interface FieldServerOptions {
  readonly at: Endpoint;
  /** Real ms after which a PLC that does not answer a scan is disconnected. */
  readonly patienceMs: number;
  readonly onDropped: (device: string, tick: number) => void;
  readonly log: (says: string) => void;
}

const WIRES = {
  "plc-1": { inputs: PLC1_INPUTS, outputs: PLC1_OUTPUTS },
  "plc-2": { inputs: PLC2_INPUTS, outputs: PLC2_OUTPUTS },
} as const;
type WiredPlc = keyof typeof WIRES;

interface WiredEnd {
  readonly device: WiredPlc;
  readonly socket: Socket;
  outputs: ReadonlyMap<TagId, number>;
  waiting: { readonly tick: number; readonly resolve: () => void } | undefined;
}

const MAX_LINE_BYTES = 16 * 1024;

/** The plant's end of the field wiring: one socket per PLC. A PLC that is not there has lost its power, and so have its outputs. */
export class FieldServer {
  readonly #options: FieldServerOptions;
  readonly #ends = new Map<WiredPlc, WiredEnd>();
  readonly #server;
  #onJoin: (() => void) | undefined;

  constructor(options: FieldServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = 16;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options.at;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => {
        reject(
          new Error(`the field wiring cannot listen on ${host}:${port} (${error.message}); choose a free address`),
        );
      });
      this.#server.listen(port, host, resolve);
    });
  }

  has(name: string): boolean {
    return isWired(name) && this.#ends.has(name);
  }

  onJoin(handler: () => void): void {
    this.#onJoin = handler;
  }

  /** Shows every PLC its inputs, so that it scans. With `wait`, resolved when each has answered, left, or run out of time. */
  async scan(tick: number, atMs: number, dtMs: number, inputs: FieldInputs, wait: boolean): Promise<void> {
    const waits = [...this.#ends.values()].map((end) => {
      const field = Object.fromEntries(WIRES[end.device].inputs.map((name) => [name, inputs[name]]));
      const answered = wait
        ? new Promise<void>((resolve) => {
            end.waiting = { tick, resolve };
          })
        : Promise.resolve();
      writeJsonLine(end.socket, { tick, atMs, dtMs, field });
      return answered;
    });
    if (!wait) return;
    const timer = setTimeout(() => this.#dropSilent(tick), this.#options.patienceMs);
    await Promise.all(waits);
    clearTimeout(timer);
  }

  /** The output images as they stand at the terminals. */
  outputs(): FieldOutputs {
    const values = new Map<string, number>();
    for (const end of this.#ends.values()) {
      for (const name of WIRES[end.device].outputs) {
        const value = end.outputs.get(TagId(name));
        if (value !== undefined) values.set(name, value);
      }
    }
    return fieldOutputs(values);
  }

  close(): Promise<void> {
    for (const { socket } of this.#ends.values()) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #dropSilent(tick: number): void {
    for (const end of this.#ends.values()) {
      if (end.waiting === undefined) continue;
      this.#options.onDropped(end.device, tick);
      end.socket.destroy();
      this.#leave(end);
    }
  }

  #leave(end: WiredEnd): void {
    if (this.#ends.get(end.device) === end) this.#ends.delete(end.device);
    end.waiting?.resolve();
    end.waiting = undefined;
  }

  #accept(socket: Socket): void {
    let end: WiredEnd | undefined;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (end === undefined) return;
      this.#options.log(`${end.device} has left the field wiring; its outputs have lost their power`);
      this.#leave(end);
    });
    readJsonLines(socket, {
      maxLineBytes: MAX_LINE_BYTES,
      onValue: (value) => {
        if (end !== undefined) return takeAnswer(end, value);
        const device = readJoin(value);
        if (device === undefined || !isWired(device)) return void socket.destroy();
        const before = this.#ends.get(device);
        if (before !== undefined) {
          // One PLC per set of terminals: a restarted PLC takes the place of the one that is still half connected.
          before.socket.destroy();
          this.#leave(before);
        }
        end = { device, socket, outputs: new Map(), waiting: undefined };
        this.#ends.set(device, end);
        this.#onJoin?.();
      },
    });
  }
}

function takeAnswer(end: WiredEnd, value: unknown): void {
  const answer = readFieldAnswer(value);
  if (answer === undefined) return;
  end.outputs = answer.outputs;
  if (end.waiting?.tick !== answer.tick) return;
  end.waiting.resolve();
  end.waiting = undefined;
}

function isWired(name: string): name is WiredPlc {
  return name in WIRES;
}
