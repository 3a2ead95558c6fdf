import type { LayerSight, PointHealth, PointView, StateView } from "#coordinator/page-messages.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { LinkKind } from "./link.ts";
import { agoWords, countWords, phaseWords } from "./words.ts";

// The enforcement points as people see them: three layers, each with its points.

/** `normal` is drawn without colour; the others stand out, in this order. */
type Weight = "normal" | "attention" | "alarm";

export type PointMark = "in-force" | "joining" | "isolated" | "blind" | "silent" | "down" | "missing" | "unknown";

export interface PointLooks {
  readonly point: string;
  readonly mark: PointMark;
  readonly label: string;
  readonly weight: Weight;
  readonly says: string;
  /** `normal, produce, epoch 4`. */
  readonly holds: string;
  /** In words, where it holds something other than the coordinator; else empty. */
  readonly mismatch: string;
  /** Set where the point does not enforce. */
  readonly mode: "monitor" | "off" | "";
  readonly judged: string;
  readonly denied: string;
  readonly lost: string;
  readonly heard: string;
}

const HEALTH: Readonly<
  Record<PointHealth, { readonly mark: PointMark; readonly label: string; readonly weight: Weight }>
> = {
  up: { mark: "in-force", label: "in force", weight: "normal" },
  joining: { mark: "joining", label: "joining", weight: "attention" },
  isolated: { mark: "isolated", label: "isolated", weight: "alarm" },
  blind: { mark: "blind", label: "blind", weight: "alarm" },
  silent: { mark: "silent", label: "silent", weight: "alarm" },
  down: { mark: "down", label: "down", weight: "alarm" },
  missing: { mark: "missing", label: "never seen", weight: "alarm" },
};

export function pointLooks(point: PointView, state: StateView, link: LinkKind, serverNowMs: number): PointLooks {
  const known = link === "live";
  const health = known
    ? HEALTH[point.health]
    : { mark: "unknown" as const, label: `was ${HEALTH[point.health].label}`, weight: "normal" as const };
  const steps = point.steps.length > 0 ? `, ${point.steps.join(" or ")}` : "";
  return {
    point: point.point,
    ...health,
    says: point.says,
    holds: point.phase === null ? "no phase" : `${phaseWords(point.phase)}${steps}, epoch ${point.epoch ?? "?"}`,
    mismatch: known ? mismatchOf(point, state) : "",
    mode: modeMark(point),
    judged: countWords(point.judged),
    denied: countWords(point.denied),
    lost: point.lost > 0 ? countWords(point.lost) : "",
    heard: point.seenRealMs === 0 ? "never" : agoWords(serverNowMs - point.seenRealMs),
  };
}

/** The HMI layer only watches, in every mode; that is its place and no warning. */
function modeMark(point: PointView): PointLooks["mode"] {
  if (point.mode === "off") return "off";
  return point.mode === "monitor" && point.layer !== "hmi" ? "monitor" : "";
}

/** A point that differs while a phase change runs is on its way, not wrong. */
function mismatchOf(point: PointView, state: StateView): string {
  if (point.agrees || point.phase === null || state.phase === null) return "";
  if (state.changing !== null) return "changing";
  if (point.epoch !== state.epoch) return `coordinator is at epoch ${state.epoch ?? "?"}`;
  return `coordinator is in ${phaseWords(state.phase)}`;
}

export interface LayerView {
  readonly layer: Layer;
  readonly title: string;
  readonly what: string;
  readonly points: readonly PointView[];
}

const LAYERS: readonly Omit<LayerView, "points">[] = [
  { layer: "hmi", title: "HMI layer", what: "watches commands" },
  { layer: "switch", title: "Switch layer", what: "filters messages" },
  { layer: "plc", title: "PLC layer", what: "guards the program" },
];

export function layers(state: StateView): readonly LayerView[] {
  return LAYERS.map((l) => ({ ...l, points: state.points.filter((p) => p.layer === l.layer) }));
}

/** Points of which not even the layer is known. */
export function unplacedPoints(state: StateView): readonly PointView[] {
  return state.points.filter((p) => p.layer === null);
}

const SIGHT: Readonly<Record<LayerSight, string>> = {
  "seen-fine": "seen, and allowed",
  "seen-violating": "seen, a violation",
  "seen-different": "seen, but different",
  "not-seen": "not seen",
  blind: "could not see",
  "not-applicable": "does not concern it",
};

export function sightWords(sight: LayerSight): string {
  return SIGHT[sight];
}
