import type { Connection } from "./connection.ts";
import type { BlindReason, Direction } from "./flow.ts";
import type { ReassemblySink } from "./sink.ts";

const DIRECTIONS = ["client-to-server", "server-to-client"] as const;

/** Connections with a gap: says when one is given up, and what follows behind it. */
export class GapWatch {
  readonly #sink: ReassemblySink;
  readonly #withGap = new Set<Connection>();

  constructor(sink: ReassemblySink) {
    this.#sink = sink;
  }

  /** When the first of the gaps that may still close was noticed; undefined: there is none. */
  get sinceMs(): number | undefined {
    let first: number | undefined;
    for (const { up, down } of this.#withGap)
      for (const at of [up.gapSinceMs, down.gapSinceMs])
        if (at !== undefined && (first === undefined || at < first)) first = at;
    return first;
  }

  /** Looks at a connection that a segment has changed. Before it is open nothing of it waits, and nobody waits for it. */
  judge(connection: Connection, timeMs: number, frame: number): void {
    if (connection.state !== "open") return;
    for (const direction of DIRECTIONS) {
      const half = connection.half(direction);
      for (let reason = half.judge(timeMs); reason !== undefined; reason = half.judge(timeMs))
        this.#givenUp(connection, direction, reason, timeMs, frame);
    }
    if (connection.up.hasGap || connection.down.hasGap) this.#withGap.add(connection);
    else this.#withGap.delete(connection);
  }

  judgeAll(timeMs: number, frame: number): void {
    for (const connection of this.#withGap) this.judge(connection, timeMs, frame);
  }

  /** The connection is over: gaps that are open stay open. */
  close(connection: Connection, timeMs: number, frame: number): void {
    for (const direction of DIRECTIONS) {
      const half = connection.half(direction);
      const judge = () => half.finalJudgement(timeMs);
      for (let reason = judge(); reason !== undefined; reason = judge())
        this.#givenUp(connection, direction, reason, timeMs, frame);
    }
    this.#withGap.delete(connection);
  }

  closeAll(timeMs: number, frame: number): void {
    for (const connection of this.#withGap) this.close(connection, timeMs, frame);
  }

  forget(connection: Connection): void {
    this.#withGap.delete(connection);
  }

  /** A gap does not close; where the direction resumes, what lies behind it follows. */
  #givenUp(connection: Connection, direction: Direction, reason: BlindReason, timeMs: number, frame: number): void {
    const { flow } = connection;
    this.#sink.blind(flow, direction, reason, timeMs, frame);
    for (const held of connection.half(direction).takeResumed())
      this.#sink.data(flow, direction, held.bytes, held.timeMs, held.frame);
  }
}
