import type { ZoneId } from "#specs/ids.ts";
import { type AnswerMessage, topic } from "./bus.ts";
import type { Bus } from "./bus-client.ts";
import { readLease, readOrder, readPosition } from "./bus-read.ts";
import { type PlantClock, wordAtMs } from "./clock.ts";
import type { PhaseHolder } from "./phase-holder.ts";

/** Real ms between two looks for the first phase. */
const LOOK_MS = 20;

/** What a point does about the coordinator's word. */
export interface LedPoint {
  readonly zone: ZoneId;
  readonly holder: PhaseHolder;
  readonly clock: PlantClock;
  /** Keeps what is held now: before it is answered for, and before anything is forwarded under it. */
  keep(): void;
  answer(answer: Omit<AnswerMessage, "point" | "layer">): void;
  /** Has an order to narrow answered when everything that was seen before it has been judged. Absent: at once. */
  whenDrained?(change: string, atMs: number, answer: () => void): void;
  publishStatus(): void;
}

/** Has the coordinator lead a point from here on: orders of a phase change, where the zone stands, the lease. */
export function followCoordinator(bus: Bus, point: LedPoint): void {
  bus.subscribe(topic.order(point.zone), (payload) => onOrder(point, payload));
  bus.subscribe(topic.position(point.zone), (payload) => onPosition(point, payload));
  bus.subscribe(topic.lease, (payload) => onLease(point, payload));
  bus.onState((state) => {
    if (state === "connected") point.publishStatus();
  });
}

/** Resolves once the coordinator has said where the zone stands, or after so many real ms. */
export async function firstPhase(holder: PhaseHolder, waitMs: number): Promise<void> {
  const until = performance.now() + waitMs;
  while (holder.state === "joining" && performance.now() <= until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function onOrder(point: LedPoint, payload: unknown): void {
  const order = readOrder(payload);
  if (order === undefined) return;
  const atMs = wordAtMs(point.clock);
  const answer = point.holder.order(order, atMs);
  if (answer === undefined) return;
  point.keep();
  const tell = (): void => point.answer({ change: order.change, order: order.order, ...answer });
  if (order.order === "window" && answer.agreed && point.whenDrained !== undefined)
    point.whenDrained(order.change, atMs, tell);
  else tell();
  if (order.order === "take") point.publishStatus();
}

function onPosition(point: LedPoint, payload: unknown): void {
  const position = readPosition(payload);
  if (position === undefined) return;
  const { state, epoch } = point.holder;
  if (!point.holder.adopt(position, wordAtMs(point.clock))) return;
  point.keep();
  if (state !== point.holder.state || epoch !== point.holder.epoch) point.publishStatus();
}

function onLease({ holder }: LedPoint, payload: unknown): void {
  const lease = readLease(payload);
  if (lease !== undefined) holder.renew(lease.leaseMs, performance.now());
}
