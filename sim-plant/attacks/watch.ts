import { connect, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";

/** Plant time as an attacker sees it: it looks on, and nobody waits for it. */
export interface Watch {
  now(): number;
  /** Resolves when plant time has reached `atMs`; false: the clock has gone. */
  reached(atMs: number): Promise<boolean>;
  close(): void;
}

const MAX_LINE_BYTES = 4096;
const SYSTEM_STEP_MS = 50;

/** @param spec `system`, or `tcp:HOST:PORT` for the clock of a simulated plant @throws Error when it cannot be reached */
export function watchClock(spec: string, name: string): Promise<Watch> {
  if (spec === "system") return Promise.resolve(watchSystem());
  const match = /^tcp:([^:]+):(\d{1,5})$/.exec(spec);
  if (match?.[1] === undefined) throw new Error(`clock \`${spec}\` is neither \`system\` nor \`tcp:HOST:PORT\``);
  return watchConductor(match[1], Number(match[2]), name);
}

interface Waiter {
  readonly atMs: number;
  readonly resolve: (there: boolean) => void;
}

/** Holds whoever waits for a plant time. */
class Waiters {
  #waiting: Waiter[] = [];

  add(atMs: number): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.push({ atMs, resolve }));
  }

  advance(nowMs: number): void {
    const due = this.#waiting.filter((waiter) => waiter.atMs <= nowMs);
    this.#waiting = this.#waiting.filter((waiter) => waiter.atMs > nowMs);
    for (const waiter of due) waiter.resolve(true);
  }

  end(): void {
    for (const waiter of this.#waiting.splice(0)) waiter.resolve(false);
  }
}

function watchSystem(): Watch {
  const waiters = new Waiters();
  let closed = false;
  const timer = setInterval(() => waiters.advance(Date.now()), SYSTEM_STEP_MS);
  return {
    now: () => Date.now(),
    reached: (atMs) => {
      if (closed) return Promise.resolve(false);
      return atMs <= Date.now() ? Promise.resolve(true) : waiters.add(atMs);
    },
    close: () => {
      closed = true;
      clearInterval(timer);
      waiters.end();
    },
  };
}

function watchConductor(host: string, port: number, name: string): Promise<Watch> {
  return new Promise((resolve, reject) => {
    const waiters = new Waiters();
    let now = 0;
    let known = false;
    let gone = false;
    const socket: Socket = connect({ host, port, noDelay: true });
    socket.once("connect", () => writeJsonLine(socket, { join: name, stages: [], watch: true }));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      gone = true;
      waiters.end();
      if (!known) reject(new Error(`plant clock ${host}:${port} cannot be followed; start the plant first`));
    });
    readJsonLines(socket, { maxLineBytes: MAX_LINE_BYTES, onValue: onStage });
    function onStage(value: unknown): void {
      if (typeof value !== "object" || value === null || !("atMs" in value) || typeof value.atMs !== "number") return;
      now = value.atMs;
      waiters.advance(now);
      if (known) return;
      known = true;
      resolve({
        now: () => now,
        reached: (atMs) => (gone ? Promise.resolve(false) : atMs <= now ? Promise.resolve(true) : waiters.add(atMs)),
        close: () => socket.destroy(),
      });
    }
  });
}
