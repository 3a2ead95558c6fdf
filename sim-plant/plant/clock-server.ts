import { createServer, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import { type Stage, TICKS_PER_ROUND } from "#point/clock.ts";
import type { Endpoint } from "../address-plan.ts";

interface Participant {
  readonly name: string;
  readonly stages: ReadonlySet<Stage>;
  /** Told of every round, never waited for. */
  readonly watches: boolean;
  readonly socket: Socket;
  /** The stage it has been told of and has not finished. */
  waiting: { readonly tick: number; readonly stage: Stage; readonly resolve: () => void } | undefined;
}

export interface ClockServerOptions {
  readonly at: Endpoint;
  /** Real ms after which a participant that does not finish a stage is dropped. */
  readonly patienceMs: number;
  readonly onDropped: (name: string, tick: number, stage: Stage) => void;
  readonly log: (says: string) => void;
}

const MAX_LINE_BYTES = 4096;
const MAX_PARTICIPANTS = 64;

/**
 * The conductor's end of the plant clock. Participants join with the stages they take part in; each stage of a tick is told to them
 * and ends when all have said done, left, or been dropped.
 */
export class ClockServer {
  readonly #options: ClockServerOptions;
  readonly #participants = new Set<Participant>();
  readonly #server;
  #onJoin: (() => void) | undefined;

  constructor(options: ClockServerOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_PARTICIPANTS;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options.at;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => {
        reject(new Error(`the plant clock cannot listen on ${host}:${port} (${error.message}); choose a free address`));
      });
      this.#server.listen(port, host, resolve);
    });
  }

  has(name: string): boolean {
    return [...this.#participants].some((participant) => participant.name === name);
  }

  /** Called whenever somebody joins. */
  onJoin(handler: () => void): void {
    this.#onJoin = handler;
  }

  /** One stage of one tick; resolved when every participant of the stage has finished it. */
  async stage(tick: number, atMs: number, stage: Stage): Promise<void> {
    const message = { tick, atMs, stage };
    const waits: Promise<void>[] = [];
    for (const participant of this.#participants) {
      if (participant.watches) {
        if (stage === "open" && tick % TICKS_PER_ROUND === 0) writeJsonLine(participant.socket, message);
      } else if (participant.stages.has(stage)) {
        waits.push(this.#tell(participant, message));
      }
    }
    if (waits.length === 0) return;
    const timer = setTimeout(() => this.#dropSilent(tick, stage), this.#options.patienceMs);
    await Promise.all(waits);
    clearTimeout(timer);
  }

  close(): Promise<void> {
    for (const { socket } of this.#participants) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #tell(
    participant: Participant,
    message: { readonly tick: number; readonly atMs: number; readonly stage: Stage },
  ): Promise<void> {
    return new Promise((resolve) => {
      participant.waiting = { tick: message.tick, stage: message.stage, resolve };
      writeJsonLine(participant.socket, message);
    });
  }

  #dropSilent(tick: number, stage: Stage): void {
    for (const participant of this.#participants) {
      if (participant.waiting === undefined) continue;
      this.#options.onDropped(participant.name, tick, stage);
      participant.socket.destroy();
      this.#leave(participant);
    }
  }

  #leave(participant: Participant): void {
    this.#participants.delete(participant);
    participant.waiting?.resolve();
    participant.waiting = undefined;
  }

  #accept(socket: Socket): void {
    let participant: Participant | undefined;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (participant !== undefined) this.#leave(participant);
    });
    readJsonLines(socket, {
      maxLineBytes: MAX_LINE_BYTES,
      onValue: (value) => {
        if (participant !== undefined) return finish(participant, value);
        const joined = readJoin(value);
        if (joined === undefined) return void socket.destroy();
        participant = { ...joined, socket, waiting: undefined };
        this.#participants.add(participant);
        this.#options.log(`${participant.name} has joined the plant clock`);
        this.#onJoin?.();
      },
    });
  }
}

function finish(participant: Participant, value: unknown): void {
  if (typeof value !== "object" || value === null || !("done" in value) || !("stage" in value)) return;
  const { waiting } = participant;
  if (waiting === undefined || value.done !== waiting.tick || value.stage !== waiting.stage) return;
  participant.waiting = undefined;
  waiting.resolve();
}

function readJoin(
  value: unknown,
): { readonly name: string; readonly stages: ReadonlySet<Stage>; readonly watches: boolean } | undefined {
  if (typeof value !== "object" || value === null || !("join" in value) || !("stages" in value)) return undefined;
  const { join, stages } = value;
  if (typeof join !== "string" || join.length > 64 || !Array.isArray(stages)) return undefined;
  const known = new Set<Stage>();
  for (const stage of stages) if (stage === "open" || stage === "act" || stage === "close") known.add(stage);
  return { name: join, stages: known, watches: "watch" in value && value.watch === true };
}
