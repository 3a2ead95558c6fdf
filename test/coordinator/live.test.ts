import { EventEmitter } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { Readings } from "#coordinator/evidence.ts";
import { Live } from "#coordinator/live.ts";
import type { StateView, ToPage } from "#coordinator/page-messages.ts";
import { plantView } from "#coordinator/plant-view.ts";
import { stateView } from "#coordinator/state-view.ts";
import { TagTrend } from "#coordinator/tag-trend.ts";
import { MAX_PER_MESSAGE, MAX_RECENT, verdictView } from "#coordinator/verdict-feed.ts";
import { TagId } from "#specs/ids.ts";
import { aReceipt } from "./fake-point.ts";
import { BUNDLE, LIFECYCLE, PLANT } from "./plant.ts";

/** A socket whose far side reads when it is told to. */
class SlowSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly got: ToPage[] = [];
  reads = true;

  send(text: string): void {
    if (!this.reads) this.bufferedAmount += text.length;
    this.got.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
    this.emit("close");
  }
  terminate(): void {
    this.close();
  }
}

const zone = PLANT.zones[0];
if (zone === undefined) throw new Error("no zone");
const plant = plantView(BUNDLE, zone);
const readings = new Readings(
  LIFECYCLE,
  PLANT.tags.map((tag) => tag.id),
);
const WALL_MS = 1_900_000_000_000;
const trend = new TagTrend([TagId("LIT101")]);
let nowMs = 0;
const state = (): StateView =>
  stateView({
    lifecycle: LIFECYCLE,
    nowMs,
    standing: undefined,
    change: undefined,
    policy: { mode: "enforce", severityPolicy: "auto" },
    points: [],
    detections: [],
    proposals: [],
    readings,
    exits: [],
    pending: () => undefined,
    candidates: [],
    history: [],
    counts: { receipts: 0, denied: 0, detections: 0 },
  });

let live: Live | undefined;
afterEach(() => {
  live?.close();
  vi.useRealTimers();
});

function open(maxBufferedBytes: number, maxPages = 8): Live {
  vi.useFakeTimers();
  live = new Live({
    plant,
    state,
    trend: () => trend.view(),
    wallMs: () => WALL_MS,
    maxBufferedBytes,
    maxPages,
  });
  return live;
}

function join(to: Live): { socket: SlowSocket; joined: boolean } {
  const socket = new SlowSocket();
  return { socket, joined: to.join(socket) };
}

test("only what changed is sent, of the tags only those that did", () => {
  const pages = open(1e6);
  const { socket } = join(pages);
  readings.observe(TagId("LIT101"), 1.5, 100);
  nowMs = 100;
  pages.tick();
  pages.tick();
  expect(socket.got.slice(1)).toEqual([
    { kind: "state", seq: 2, realMs: WALL_MS, changed: { atMs: 100, tags: { LIT101: { value: 1.5, atMs: 100 } } } },
  ]);
});

test("what changes between the first page's snapshot and the next tick is sent", () => {
  const pages = open(1e6);
  nowMs = 5000;
  const { socket } = join(pages);
  nowMs = 5001;
  pages.tick();
  expect(socket.got).toMatchObject([
    { kind: "snapshot", seq: 1, realMs: WALL_MS, state: { atMs: 5000 } },
    { kind: "state", seq: 2, changed: { atMs: 5001 } },
  ]);
});

const view = (seq: number) => verdictView(aReceipt({ seq }));
const seqs = (message: ToPage | undefined) =>
  message?.kind === "verdicts" || message?.kind === "snapshot" ? message.verdicts?.map((verdict) => verdict.seq) : [];

test("an operate goes out with the time of its select, anything else without", () => {
  expect(verdictView(aReceipt({ select: { seq: 7, atMs: 4000 } })).selectedAtMs).toBe(4000);
  expect(view(1)).not.toHaveProperty("selectedAtMs");
});

test("receipts go out with the tick, newest first, once", () => {
  const pages = open(1e6);
  const { socket } = join(pages);
  for (const seq of [1, 2, 3]) pages.verdict(view(seq));
  expect(socket.got).toHaveLength(1);
  pages.tick();
  pages.tick();
  expect(socket.got.filter((message) => message.kind === "verdicts")).toMatchObject([{ omitted: 0 }]);
  expect(seqs(socket.got.at(-1))).toEqual([3, 2, 1]);
});

test.each([
  { came: MAX_PER_MESSAGE, omitted: 0 },
  { came: MAX_PER_MESSAGE + 1, omitted: 1 },
  { came: 5000, omitted: 5000 - MAX_PER_MESSAGE },
])("of $came receipts at once the newest are sent and $omitted counted", ({ came, omitted }) => {
  const pages = open(1e6);
  const { socket } = join(pages);
  for (let seq = 1; seq <= came; seq += 1) pages.verdict(view(seq));
  pages.tick();
  const message = socket.got.at(-1);
  expect(message).toMatchObject({ kind: "verdicts", omitted });
  expect(seqs(message)).toEqual(Array.from({ length: MAX_PER_MESSAGE }, (_, i) => came - i));
});

test.each([MAX_RECENT, MAX_RECENT + 1])(
  "a page opened after %i receipts is given the last, and none of them twice",
  (came) => {
    const pages = open(1e6);
    for (let seq = 1; seq <= came; seq += 1) {
      pages.verdict(view(seq));
      if (seq % 7 === 0) pages.tick();
    }
    const { socket } = join(pages);
    pages.tick();
    expect(socket.got.map((message) => message.kind)).toEqual(["snapshot"]);
    expect(seqs(socket.got[0])).toEqual(Array.from({ length: MAX_RECENT }, (_, i) => came - i));
  },
);

test("a page that caught up has the receipts it missed in its snapshot, and is sent none of them again", () => {
  const pages = open(1000);
  const { socket } = join(pages);
  socket.bufferedAmount = 2000;
  pages.verdict(view(1));
  pages.tick();
  pages.verdict(view(2));
  socket.bufferedAmount = 0;
  pages.tick();
  pages.tick();
  expect(socket.got.map((message) => message.kind)).toEqual(["snapshot", "snapshot"]);
  expect(seqs(socket.got[1])).toEqual([2, 1]);
});

test("a page that is opened late has the readings of before", () => {
  const pages = open(1e6);
  trend.observe(TagId("LIT101"), 1.25, 1000);
  expect(join(pages).socket.got[0]).toMatchObject({ kind: "snapshot", trend: { LIT101: [[1000, 1.25]] } });
});

test("a page that joins later continues from its own snapshot", () => {
  const pages = open(1e6);
  const first = join(pages).socket;
  nowMs = 200;
  const second = join(pages).socket;
  expect(first.got.at(-1)).toMatchObject({ kind: "state", changed: { atMs: 200 } });
  nowMs = 300;
  pages.tick();
  expect(second.got.map((message) => message.kind)).toEqual(["snapshot", "state"]);
});

test("a page that does not read gets no more deltas, and one snapshot when it does", () => {
  const pages = open(1000);
  const { socket } = join(pages);
  socket.reads = false;
  for (nowMs = 1000; nowMs < 3000; nowMs += 1) pages.tick();
  const held = socket.got.length;
  expect(held).toBeLessThan(60);
  socket.reads = true;
  socket.bufferedAmount = 0;
  pages.tick();
  expect(socket.got).toHaveLength(held + 1);
  expect(socket.got.at(-1)?.kind).toBe("snapshot");
});

test("pages are bounded, and a closed one makes room", () => {
  const pages = open(1e6, 1);
  const first = join(pages);
  expect([first.joined, join(pages).joined]).toEqual([true, false]);
  first.socket.close();
  expect(join(pages).joined).toBe(true);
});
