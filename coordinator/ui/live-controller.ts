import type { ReactiveController, ReactiveControllerHost } from "lit";
import { LiveConnection } from "./live-connection.ts";
import { type LinkLooks, linkLooks } from "./state/link.ts";
import type { View } from "./state/model.ts";

/** The page is drawn at most this often, however fast messages come. */
const DRAW_EVERY_MS = 100;
/** Ages on the page go on without messages. */
const CLOCK_MS = 1000;

/** Ties the socket to an element's life, and the element's drawing to the socket. */
export class LiveController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #connection: LiveConnection;
  #clock: ReturnType<typeof setInterval> | undefined;
  #due: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ReactiveControllerHost, url: string) {
    this.#host = host;
    this.#connection = new LiveConnection(url, () => this.#draw());
    host.addController(this);
  }

  hostConnected(): void {
    this.#connection.open();
    this.#clock = setInterval(() => this.#draw(), CLOCK_MS);
  }

  hostDisconnected(): void {
    clearInterval(this.#clock);
    clearTimeout(this.#due);
    this.#due = undefined;
    this.#connection.close();
  }

  get link(): LinkLooks {
    return linkLooks(this.#connection.facts, Date.now());
  }

  /** undefined until the first snapshot. While the coordinator is not heard its clock stands where it was last heard. */
  get view(): View | undefined {
    const { known, facts } = this.#connection;
    if (known === undefined) return undefined;
    const { kind } = this.link;
    const pageNowMs = kind === "live" ? Date.now() : facts.lastMessageMs;
    return { ...known, link: kind, serverNowMs: pageNowMs + known.clockOffsetMs };
  }

  #draw(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.#host.requestUpdate();
    }, DRAW_EVERY_MS);
  }
}
