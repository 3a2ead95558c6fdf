import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/**
 * Plant time, in ms. Rules are judged by it and receipts carry it. It may be simulated, so nothing that judges asks the
 * system clock itself. Health (heartbeats, leases, time-outs) goes by real, monotonic time instead.
 *
 * A tick of simulated time has three stages: `open` (clocks now read its time), `act` (operators poll and command),
 * `close` (points report what they have judged).
 */
export type Stage = "open" | "act" | "close";
type Handler = (tick: number, atMs: number) => void | Promise<void>;

export interface PlantClock {
  now(): number;
  /** The capture time of a frame that would be captured at this moment. Absent: `now()`, because nothing is judged late. */
  captureNow?(): number;
  on(stage: Stage, handler: Handler): void;
  close(): void;
}

/** When a word of the coordinator came, in the time by which frames are judged. */
export function wordAtMs(clock: PlantClock): number {
  return clock.captureNow?.() ?? clock.now();
}

/** Plant ms between two `open` stages. */
export const TICK_MS = 100;
/** `act` and `close` come with every so-many-th tick. */
export const TICKS_PER_ROUND = 5;

const MAX_LINE_BYTES = 4096;

/**
 * @param spec `system`, or `tcp:HOST:PORT` for the clock of a simulated plant
 * @throws Error in one sentence when the clock cannot be reached or the spec is not one of the two
 */
export async function openClock(
  spec: string,
  name: string,
  stages: readonly Stage[] = ["open", "close"],
): Promise<PlantClock> {
  if (spec === "system") return systemClock();
  const match = /^tcp:([^:]+):(\d{1,5})$/.exec(spec);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Error(`clock \`${spec}\` is neither \`system\` nor \`tcp:HOST:PORT\``);
  }
  return followClock(match[1], Number(match[2]), name, stages);
}

export function systemClock(): PlantClock {
  const handlers = new Map<Stage, Handler[]>();
  let tick = 0;
  const timer = setInterval(() => {
    tick += 1;
    const now = Date.now();
    run("open", now);
    if (tick % TICKS_PER_ROUND === 0) {
      run("act", now);
      run("close", now);
    }
  }, TICK_MS);
  function run(stage: Stage, now: number): void {
    for (const handler of handlers.get(stage) ?? []) void attempt(handler, tick, now);
  }
  return {
    now: () => Date.now(),
    on: (stage, handler) => void handlers.set(stage, [...(handlers.get(stage) ?? []), handler]),
    close: () => clearInterval(timer),
  };
}

async function attempt(handler: Handler, tick: number, atMs: number): Promise<void> {
  try {
    await handler(tick, atMs);
  } catch (error) {
    process.stderr.write(
      `sekisho: a stage of plant time failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

interface StageMessage {
  readonly tick: number;
  readonly atMs: number;
  readonly stage: Stage;
}

function followClock(host: string, port: number, name: string, stages: readonly Stage[]): Promise<PlantClock> {
  return new Promise((resolve, reject) => {
    const handlers = new Map<Stage, Handler[]>();
    let now = 0;
    let ready = false;
    const socket: Socket = connect({ host, port, noDelay: true });
    const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
    socket.once("connect", () => {
      socket.write(`${JSON.stringify({ join: name, stages: ["open", ...stages.filter((s) => s !== "open")] })}\n`);
      ready = true;
      resolve({
        now: () => now,
        on: (stage, handler) => void handlers.set(stage, [...(handlers.get(stage) ?? []), handler]),
        close: () => socket.destroy(),
      });
    });
    socket.on("error", (error) => {
      if (!ready)
        reject(new Error(`plant clock ${host}:${port} cannot be reached (${error.message}); start the plant first`));
    });
    // readline passes its input's errors on: without a listener a lost clock would end the process.
    lines.on("error", () => undefined);
    lines.on("line", (line) => {
      const message = readStage(line);
      if (message === undefined) return;
      now = message.atMs;
      void answer(message);
    });
    async function answer(message: StageMessage): Promise<void> {
      // A handler that fails must neither end the process (as a rejection nobody takes) nor hold the plant up.
      for (const handler of handlers.get(message.stage) ?? []) await attempt(handler, message.tick, message.atMs);
      if (!socket.destroyed) socket.write(`{"done":${message.tick},"stage":"${message.stage}"}\n`);
    }
  });
}

function readStage(line: string): StageMessage | undefined {
  if (line.length > MAX_LINE_BYTES) return undefined;
  const value: unknown = parseJson(line);
  if (typeof value !== "object" || value === null) return undefined;
  if (!("tick" in value) || !("atMs" in value) || !("stage" in value)) return undefined;
  const { tick, atMs, stage } = value;
  if (typeof tick !== "number" || typeof atMs !== "number") return undefined;
  if (stage !== "open" && stage !== "act" && stage !== "close") return undefined;
  return { tick, atMs, stage };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
