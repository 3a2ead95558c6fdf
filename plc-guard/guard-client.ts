import { connect, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";
import {
  MAX_FROM_GUARD_BYTES,
  type ReadAnswer,
  type ReadReport,
  readAnswer,
  readReport,
  type ToGuard,
} from "./link-messages.ts";

/** Real ms between two attempts to reach a guard. */
const RECONNECT_MS = 250;

export interface GuardClientOptions {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly onConnect: () => void;
  readonly onReport: (report: ReadReport) => void;
  readonly onAnswer: (answer: ReadAnswer["answer"]) => void;
  /** Any sign of life, beats included. */
  readonly onHeard: () => void;
}

/** The agent's end of the link to one guard; it keeps trying for good. */
export class GuardClient {
  readonly #options: GuardClientOptions;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: GuardClientOptions) {
    this.#options = options;
    this.#dial();
  }

  /** Not kept while the link is down: an order that comes late is an order refused. */
  send(message: ToGuard): void {
    if (this.#socket?.readyState === "open") writeJsonLine(this.#socket, message);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #dial(): void {
    const { host, port, localAddress, onConnect } = this.#options;
    const socket = connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
    this.#socket = socket;
    socket.on("connect", onConnect);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (!this.#closed) this.#timer = setTimeout(() => this.#dial(), RECONNECT_MS);
    });
    readJsonLines(socket, { maxLineBytes: MAX_FROM_GUARD_BYTES, onValue: (value) => this.#take(value) });
  }

  #take(value: unknown): void {
    this.#options.onHeard();
    const report = readReport(value);
    if (report !== undefined) {
      this.#options.onReport(report);
      return;
    }
    const answer = readAnswer(value);
    if (answer !== undefined) this.#options.onAnswer(answer.answer);
  }
}
