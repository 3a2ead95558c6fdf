import { connect } from "node:net";
import type { PlantClock } from "#point/clock.ts";
import type { Endpoint } from "#point/endpoint.ts";
import { PcapReader } from "#wire/pcap/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { FrameSink, FrameSource } from "./frame-source.ts";

/**
 * Ms without a frame after which the tap counts as blind: the switch announces itself every 500 ms of plant time. Both clocks must have
 * gone so far: while plant time stands still (a simulation that waits for one of its processes) nothing is announced.
 */
const SILENT_MS = 3000;
const RECONNECT_MS = 500;
const LOOK_MS = 500;

/** Frames of a switch that serves its mirror port as a live pcap stream over TCP. */
export class MirrorSource implements FrameSource {
  readonly #mirror: Endpoint;
  readonly #clock: PlantClock;
  readonly #sink: FrameSink;
  readonly #watch: NodeJS.Timeout;
  #socket: ReturnType<typeof connect>;
  #retry: NodeJS.Timeout | undefined;
  /** undefined: plant time has not begun here. */
  #heard: { readonly realMs: number; readonly plantMs: number } | undefined;
  #stopped = false;
  /** It was reached at least once. */
  #reached = false;
  readonly #startedMs = performance.now();

  constructor(mirror: Endpoint, clock: PlantClock, sink: FrameSink) {
    this.#mirror = mirror;
    this.#clock = clock;
    this.#sink = sink;
    clock.on("open", () => {
      this.#heard ??= this.#now();
    });
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
    this.#socket = this.#open();
  }

  close(): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#socket.destroy();
  }

  get #where(): string {
    return `the mirror at ${this.#mirror.host}:${this.#mirror.port}`;
  }

  #now() {
    return { realMs: performance.now(), plantMs: this.#clock.now() };
  }

  #look(): void {
    if (this.#heard === undefined) return;
    const { realMs, plantMs } = this.#now();
    const silentMs = Math.min(realMs - this.#heard.realMs, plantMs - this.#heard.plantMs);
    if (silentMs > SILENT_MS) this.#sink.blind(`${this.#where} has been silent for ${SILENT_MS / 1000} s`);
  }

  #open(): ReturnType<typeof connect> {
    const reader = new PcapReader();
    const socket = connect({ ...this.#mirror, noDelay: true });
    socket.on("data", (chunk) => this.#read(reader, chunk, socket));
    socket.on("connect", () => {
      this.#reached = true;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.#closed());
    return socket;
  }

  #read(reader: PcapReader, chunk: Buffer, socket: ReturnType<typeof connect>): void {
    try {
      this.#sink.frames(reader.push(chunk));
    } catch (error) {
      // A mistake of ours must not end the layer unseen: it says that it is blind, and starts again with a new stream.
      this.#sink.blind(`a mirrored frame cannot be judged (${error instanceof Error ? error.message : String(error)})`);
      socket.destroy();
      return;
    }
    this.#heard = this.#now();
    if (reader.state.kind === "failed") {
      this.#sink.blind(`the mirror stream cannot be read (${describeWireError(reader.state.error)})`);
      socket.destroy();
      return;
    }
    this.#sink.sees();
  }

  #closed(): void {
    if (this.#stopped) return;
    this.#sink.interrupted();
    // Both may be starting at the same time: until it has been silent for too long it is not missed, and nothing is vouched for either.
    if (this.#reached || performance.now() - this.#startedMs > SILENT_MS)
      this.#sink.blind(`${this.#where} cannot be reached`);
    this.#retry = setTimeout(() => {
      this.#socket = this.#open();
    }, RECONNECT_MS);
  }
}
