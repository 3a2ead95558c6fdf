import { HEARTBEAT_MS, type PointId, type StatusMessage } from "#point/bus.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { Epoch, PhaseId } from "#specs/ids.ts";
import type { PointHealth, PointView } from "./page-messages.ts";
import type { Participant } from "./phase-change.ts";

export interface ExpectedPoint {
  readonly point: PointId;
  readonly layer: Layer;
}

/** Real ms without a heartbeat after which a point is shown as silent. */
export const SILENT_AFTER_MS = 3 * HEARTBEAT_MS;
const MAX_POINTS = 64;
const MAX_GAPS = 32;

interface Known {
  readonly point: PointId;
  readonly layer: Layer;
  readonly expected: boolean;
  connected: boolean;
  status: StatusMessage | undefined;
  /** Monotonic and wall-clock ms of the last status. */
  seenMs: number;
  seenWallMs: number;
  /** Plant time from which on this point cannot vouch for what happened; undefined: it sees. */
  gapFromMs: number | undefined;
  readonly gaps: { readonly fromMs: number; readonly toMs: number }[];
}

/** The health of the enforcement points, by what they say and by silence. Times are passed in. */
export class Points {
  readonly #known = new Map<PointId, Known>();

  constructor(expected: readonly ExpectedPoint[]) {
    for (const { point, layer } of expected) this.#known.set(point, unseen(point, layer, true));
  }

  /** True: something that people or the protocol care about changed. */
  onStatus(status: StatusMessage, realMs: number, wallMs: number): boolean {
    const known = this.#find(status);
    if (known === undefined) return false;
    const before = known.status;
    known.status = status;
    known.seenMs = realMs;
    known.seenWallMs = wallMs;
    if (status.state !== "down") known.connected = true;
    this.#noteSight(known, before);
    return (
      before === undefined ||
      before.state !== status.state ||
      before.epoch !== status.epoch ||
      before.phase !== status.phase
    );
  }

  onPresence(point: PointId, present: boolean): void {
    const known = this.#known.get(point);
    if (known === undefined) return;
    known.connected = present;
    if (!present) this.#startGap(known);
  }

  health(point: PointId, realMs: number): PointHealth {
    const known = this.#known.get(point);
    return known === undefined ? "missing" : healthOf(known, realMs);
  }

  /** Connected and heard of lately. */
  isLive(point: PointId, realMs: number): boolean {
    return LIVE.has(this.health(point, realMs));
  }

  status(point: PointId): StatusMessage | undefined {
    return this.#known.get(point)?.status;
  }

  /** Who takes part in a change: expected points, and others while they are live. */
  participants(realMs: number): readonly Participant[] {
    return [...this.#known.values()]
      .filter((known) => known.expected || LIVE.has(healthOf(known, realMs)))
      .map((known) => ({ point: known.point, layer: known.layer, reachable: LIVE.has(healthOf(known, realMs)) }));
  }

  /** Live points that have not yet judged everything up to a plant time. */
  behind(atMs: number, realMs: number): readonly PointId[] {
    return [...this.#known.values()]
      .filter((known) => LIVE.has(healthOf(known, realMs)) && (known.status?.judgedUpToMs ?? 0) < atMs)
      .map((known) => known.point);
  }

  /** Plant time up to which everything a layer saw has been judged and reported, by its slowest live point. */
  judgedUpToMs(layer: Layer, realMs: number): number {
    const live = this.#ofLayer(layer).filter((known) => LIVE.has(healthOf(known, realMs)));
    return live.length === 0
      ? Number.NEGATIVE_INFINITY
      : Math.min(...live.map((known) => known.status?.judgedUpToMs ?? 0));
  }

  /** Whether a layer saw everything around a plant time. A gap is never evidence of absence. */
  saw(layer: Layer, atMs: number, realMs: number): boolean {
    const points = this.#ofLayer(layer);
    return points.length > 0 && points.every((known) => sawAt(known, atMs, realMs));
  }

  views(
    realMs: number,
    standing: { readonly phase: PhaseId; readonly epoch: Epoch } | undefined,
  ): readonly PointView[] {
    return [...this.#known.values()].map((known) => viewOf(known, realMs, standing));
  }

  #find(status: StatusMessage): Known | undefined {
    const known = this.#known.get(status.point);
    if (known !== undefined) return known.layer === status.layer ? known : undefined;
    if (this.#known.size >= MAX_POINTS) return undefined;
    const fresh = unseen(status.point, status.layer, false);
    this.#known.set(status.point, fresh);
    return fresh;
  }

  #ofLayer(layer: Layer): readonly Known[] {
    return [...this.#known.values()].filter((known) => known.layer === layer);
  }

  #noteSight(known: Known, before: StatusMessage | undefined): void {
    const status = known.status;
    if (status === undefined) return;
    const restarted = before !== undefined && before.pid !== status.pid;
    if (!seesIn(status) || restarted) this.#startGap(known, before);
    if (seesIn(status) && known.gapFromMs !== undefined) {
      known.gaps.push({ fromMs: known.gapFromMs, toMs: status.atMs });
      if (known.gaps.length > MAX_GAPS) known.gaps.shift();
      known.gapFromMs = undefined;
    }
  }

  /** What happened after the last time the point vouched for may have gone unseen. */
  #startGap(known: Known, last: StatusMessage | undefined = known.status): void {
    known.gapFromMs ??= last?.judgedUpToMs ?? Number.NEGATIVE_INFINITY;
  }
}

const LIVE: ReadonlySet<PointHealth> = new Set<PointHealth>(["up", "joining", "isolated", "blind"]);

function unseen(point: PointId, layer: Layer, expected: boolean): Known {
  return {
    point,
    layer,
    expected,
    connected: false,
    status: undefined,
    seenMs: Number.NEGATIVE_INFINITY,
    seenWallMs: 0,
    gapFromMs: Number.NEGATIVE_INFINITY,
    gaps: [],
  };
}

function seesIn(status: StatusMessage): boolean {
  return status.state === "in-force" || status.state === "isolated";
}

function sawAt(known: Known, atMs: number, realMs: number): boolean {
  if (known.gapFromMs !== undefined && atMs >= known.gapFromMs) return false;
  if (known.gaps.some((gap) => atMs >= gap.fromMs && atMs <= gap.toMs)) return false;
  return LIVE.has(healthOf(known, realMs)) || atMs < (known.status?.judgedUpToMs ?? Number.NEGATIVE_INFINITY);
}

function healthOf(known: Known, realMs: number): PointHealth {
  const { status } = known;
  if (status === undefined) return "missing";
  if (status.state === "down" || !known.connected) return "down";
  if (realMs - known.seenMs > SILENT_AFTER_MS) return "silent";
  return status.state === "in-force" ? "up" : status.state;
}

const WHY: Readonly<Record<PointHealth, string>> = {
  up: "",
  joining: "it holds no phase yet and denies everything",
  isolated: "it has not heard the coordinator for the lease's length",
  blind: "it cannot see at present",
  silent: "no heartbeat for three periods",
  down: "its connection has ended",
  missing: "it has not been seen yet",
};

function viewOf(
  known: Known,
  realMs: number,
  standing: { readonly phase: PhaseId; readonly epoch: Epoch } | undefined,
): PointView {
  const { status } = known;
  const health = healthOf(known, realMs);
  return {
    point: known.point,
    layer: known.layer,
    health,
    says:
      health === "up" ? "" : LIVE.has(health) && status !== undefined && status.says !== "" ? status.says : WHY[health],
    mode: status?.mode ?? null,
    phase: status?.phase ?? null,
    steps: status?.steps ?? [],
    epoch: status?.epoch ?? null,
    agrees:
      status !== undefined &&
      standing !== undefined &&
      status.epoch === standing.epoch &&
      status.phase === standing.phase,
    judged: status?.judged ?? 0,
    denied: status?.denied ?? 0,
    lost: status?.lost ?? 0,
    judgedUpToMs: status?.judgedUpToMs ?? 0,
    seenRealMs: known.seenWallMs,
    expected: known.expected,
  };
}
