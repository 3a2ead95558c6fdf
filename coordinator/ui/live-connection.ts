import type { ResyncMessage, ToPage } from "#coordinator/page-messages.ts";
import { NO_SOCKET, type SocketFacts } from "./state/link.ts";
import { apply, type Known } from "./state/model.ts";

// The one socket to the coordinator. Decides nothing: it keeps the newest model and says when it changed.

const RETRY_MS = [500, 1000, 2000, 4000] as const;
/** Asking again sooner than this would only add to what a slow page is behind. */
const RESYNC_EVERY_MS = 1000;

const KINDS: ReadonlySet<unknown> = new Set<ToPage["kind"]>(["snapshot", "state", "detection", "verdicts"]);

/** The coordinator is trusted with the fields; the kind tells whether page and coordinator are of one issue. */
function isToPage(value: unknown): value is ToPage {
  return typeof value === "object" && value !== null && "kind" in value && KINDS.has(value.kind);
}

export class LiveConnection {
  known: Known | undefined;
  facts: SocketFacts = NO_SOCKET;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #askedMs = 0;
  readonly #url: string;
  readonly #changed: () => void;

  constructor(url: string, changed: () => void) {
    this.#url = url;
    this.#changed = changed;
  }

  open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.facts = { ...this.facts, open: true, ready: false };
      this.#changed();
    });
    socket.addEventListener("message", (event: MessageEvent<unknown>) => this.#receive(event.data));
    socket.addEventListener("close", () => {
      if (this.#socket !== socket) return;
      this.facts = { ...this.facts, open: false, ready: false };
      this.#retry = setTimeout(() => this.open(), RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)]);
      this.#attempt += 1;
      this.#changed();
    });
  }

  close(): void {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #receive(data: unknown): void {
    const message: unknown = typeof data === "string" ? JSON.parse(data) : undefined;
    if (!isToPage(message)) return;
    const nowMs = Date.now();
    const { outcome, known } = apply(this.known, message, nowMs);
    this.known = known;
    if (outcome === "gap") this.#resync(nowMs);
    const ready = this.facts.ready || message.kind === "snapshot";
    if (ready) this.#attempt = 0;
    this.facts = { open: true, ready, everReady: this.facts.everReady || ready, lastMessageMs: nowMs };
    this.#changed();
  }

  #resync(nowMs: number): void {
    if (nowMs - this.#askedMs < RESYNC_EVERY_MS) return;
    this.#askedMs = nowMs;
    this.#socket?.send(JSON.stringify({ kind: "resync" } satisfies ResyncMessage));
  }
}
