import { EventEmitter } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import type WebSocket from "ws";
import { Readings } from "#coordinator/evidence.ts";
import { Live } from "#coordinator/live.ts";
import type { StateView, ToPage } from "#coordinator/page-messages.ts";
import { plantView } from "#coordinator/plant-view.ts";
import { stateView } from "#coordinator/state-view.ts";
import { TagId } from "#specs/ids.ts";
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
}

const zone = PLANT.zones[0];
if (zone === undefined) throw new Error("no zone");
const plant = plantView(BUNDLE, zone);
const readings = new Readings(
  LIFECYCLE,
  PLANT.tags.map((tag) => tag.id),
);
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
  live = new Live({ plant, state, maxBufferedBytes, maxPages });
  return live;
}

function join(to: Live): { socket: SlowSocket; joined: boolean } {
  const socket = new SlowSocket();
  return { socket, joined: to.join(socket as unknown as WebSocket) };
}

test("only what changed is sent, of the tags only those that did", () => {
  const pages = open(1e6);
  const { socket } = join(pages);
  readings.observe(TagId("LIT101"), 1.5, 100);
  nowMs = 100;
  pages.tick();
  pages.tick();
  expect(socket.got.slice(1)).toEqual([
    { kind: "state", seq: 2, changed: { atMs: 100, tags: { LIT101: { value: 1.5, atMs: 100 } } } },
  ]);
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
