import type { WebSocket } from "ws";
import type {
  Detection,
  PlantView,
  ResyncMessage,
  SnapshotMessage,
  StateDelta,
  StateView,
  ToPage,
  VerdictView,
} from "./page-messages.ts";
import type { TrendReadings } from "./tag-trend.ts";
import { VerdictFeed } from "./verdict-feed.ts";

export interface LiveOptions {
  readonly plant: PlantView;
  readonly state: () => StateView;
  /** Readings of before; absent: there are none to show. */
  readonly trend?: () => TrendReadings;
  /** Wall-clock ms; absent: the system's. */
  readonly wallMs?: () => number;
  /** Bytes waiting for one page beyond which it gets no more deltas, only a snapshot once it has caught up. */
  readonly maxBufferedBytes?: number;
  readonly maxPages?: number;
}

export const MAX_BUFFERED_BYTES = 512 * 1024;
export const MAX_PAGES = 32;
/** Real ms between two looks at what changed. */
const TICK_MS = 200;
const MAX_MESSAGE_BYTES = 1024;

/** What a page's connection needs of a WebSocket. */
export interface PageSocket {
  readonly OPEN: number;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "close" | "error", listener: () => void): unknown;
  on(event: "message", listener: (data: WebSocket.RawData, isBinary: boolean) => void): unknown;
}

interface Page {
  readonly socket: PageSocket;
  seq: number;
  /** Left out of deltas: it gets a snapshot when its buffer has run empty. */
  behind: boolean;
}

type Changed = StateDelta["changed"];
/** A message but for its number, which is counted per page. */
type Unnumbered = ToPage extends infer M ? (M extends ToPage ? Omit<M, "seq"> : never) : never;

/** Keeps operator pages up to date: a snapshot, then what changed. A slow page costs a bounded buffer and delays nobody. */
export class Live {
  readonly #options: LiveOptions;
  readonly #pages = new Set<Page>();
  readonly #feed = new VerdictFeed();
  readonly #timer: NodeJS.Timeout;
  #last: StateView | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  get pages(): number {
    return this.#pages.size;
  }

  /** False: there are too many pages already. */
  join(socket: PageSocket): boolean {
    if (this.#pages.size >= (this.#options.maxPages ?? MAX_PAGES)) return false;
    const page: Page = { socket, seq: 0, behind: false };
    socket.on("close", () => this.#pages.delete(page));
    socket.on("error", () => socket.terminate());
    socket.on("message", (data, isBinary) => {
      if (!isBinary && isResync(String(data))) page.behind = true;
    });
    const state = this.#refresh();
    this.#pages.add(page);
    this.#send(page, this.#snapshot(state));
    return true;
  }

  detection(detection: Detection): void {
    for (const page of this.#pages) if (!page.behind) this.#send(page, { kind: "detection", detection });
  }

  /** A receipt for the verdict list; sent with the next tick, kept for pages that are opened later. */
  verdict(view: VerdictView): void {
    this.#feed.add(view);
  }

  /** Sends what changed since the last time. */
  tick(): void {
    if (this.#pages.size > 0) {
      this.#refresh();
      return;
    }
    this.#last = undefined;
    this.#feed.take();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#pages) socket.close(1001, "the coordinator stops");
  }

  /** Brings everybody to the present state and returns it: a page that joins now continues from there. */
  #refresh(): StateView {
    const state = this.#options.state();
    const changed = this.#last === undefined ? {} : difference(this.#last, state);
    const news = this.#feed.take();
    this.#last = state;
    for (const page of this.#pages) {
      if (page.behind) {
        this.#catchUp(page, state);
        continue;
      }
      if (Object.keys(changed).length > 0) this.#send(page, { kind: "state", changed, realMs: this.#wallMs() });
      if (news !== undefined && !page.behind) this.#send(page, { kind: "verdicts", ...news });
    }
    return state;
  }

  #snapshot(state: StateView): Omit<SnapshotMessage, "seq"> {
    const { plant, trend } = this.#options;
    return {
      kind: "snapshot",
      plant,
      state,
      realMs: this.#wallMs(),
      verdicts: this.#feed.recent,
      trend: trend?.() ?? {},
    };
  }

  #wallMs(): number {
    return (this.#options.wallMs ?? Date.now)();
  }

  #catchUp(page: Page, state: StateView): void {
    if (page.socket.bufferedAmount > 0) return;
    page.behind = false;
    this.#send(page, this.#snapshot(state));
  }

  #send(page: Page, message: Unnumbered): void {
    if (page.socket.readyState !== page.socket.OPEN) return;
    if (page.socket.bufferedAmount > (this.#options.maxBufferedBytes ?? MAX_BUFFERED_BYTES)) {
      page.behind = true;
      return;
    }
    page.seq += 1;
    page.socket.send(JSON.stringify({ ...message, seq: page.seq }));
  }
}

/** The fields that differ; of the tags only those that do. Detections have their own message. */
export function difference(before: StateView, after: StateView): Changed {
  const { detections: _old, tags: oldTags, ...was } = before;
  const { detections: _new, tags: newTags, ...is } = after;
  const old = new Map<string, unknown>(Object.entries(was));
  const changed = Object.fromEntries(Object.entries(is).filter(([key, value]) => !same(value, old.get(key))));
  const tags = Object.fromEntries(Object.entries(newTags).filter(([tag, reading]) => !same(reading, oldTags[tag])));
  return Object.keys(tags).length === 0 ? changed : { ...changed, tags };
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function isResync(text: string): boolean {
  if (text.length > MAX_MESSAGE_BYTES) return false;
  try {
    const value: unknown = JSON.parse(text);
    const kind: ResyncMessage["kind"] = "resync";
    return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
  } catch {
    return false;
  }
}
