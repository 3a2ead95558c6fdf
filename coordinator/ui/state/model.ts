import type { PlantView, StateDelta, StateView, ToPage } from "#coordinator/page-messages.ts";
import type { LinkKind } from "./link.ts";
import { STALE_AFTER_MS } from "./readings.ts";
import { addToTrend, NO_TREND, type Trend, trendFromReadings } from "./trend.ts";
import { addVerdicts, MAX_VERDICTS, NO_VERDICTS, type VerdictList } from "./verdicts.ts";

// Everything the page knows, as one value; a message makes the next one.

export const MAX_DETECTIONS = 50;

export interface Known {
  readonly plant: PlantView;
  readonly state: StateView;
  readonly seq: number;
  readonly verdicts: VerdictList;
  readonly trend: Trend;
  /** Coordinator's wall clock − the page's, in ms. */
  readonly clockOffsetMs: number;
}

/** What elements are given to draw. */
export interface View extends Known {
  readonly link: LinkKind;
  /** The coordinator's wall clock, as far as the page can tell. */
  readonly serverNowMs: number;
}

export type Applied =
  | { readonly outcome: "known"; readonly known: Known }
  /** A message was missed: what is known stays, a snapshot must be asked for. */
  | { readonly outcome: "gap"; readonly known: Known | undefined };

export function apply(known: Known | undefined, message: ToPage, pageNowMs: number): Applied {
  if (message.kind === "snapshot") {
    const { plant, state, seq } = message;
    const clockOffsetMs = offset(message.realMs, pageNowMs, known?.clockOffsetMs ?? 0);
    const kept =
      known !== undefined && known.plant.bundle === plant.bundle && known.state.atMs <= state.atMs ? known : undefined;
    const verdicts =
      message.verdicts === undefined
        ? (kept?.verdicts ?? NO_VERDICTS)
        : { rows: message.verdicts.slice(0, MAX_VERDICTS), omitted: 0 };
    const past = message.trend === undefined ? (kept?.trend ?? NO_TREND) : trendFromReadings(message.trend, state.atMs);
    const trend = addToTrend(past, state, STALE_AFTER_MS);
    return { outcome: "known", known: { plant, state, seq, verdicts, trend, clockOffsetMs } };
  }
  if (known === undefined || message.seq !== known.seq + 1) return { outcome: "gap", known };
  const next: Known = { ...known, seq: message.seq };
  switch (message.kind) {
    case "state": {
      const state = merge(known.state, message.changed);
      const trend = addToTrend(known.trend, state, STALE_AFTER_MS);
      return {
        outcome: "known",
        known: { ...next, state, trend, clockOffsetMs: offset(message.realMs, pageNowMs, known.clockOffsetMs) },
      };
    }
    case "detection": {
      const { detection } = message;
      const at = known.state.detections.findIndex((d) => d.id === detection.id);
      const detections = at < 0 ? [detection, ...known.state.detections] : known.state.detections.with(at, detection);
      return {
        outcome: "known",
        known: { ...next, state: { ...known.state, detections: detections.slice(0, MAX_DETECTIONS) } },
      };
    }
    case "verdicts":
      return {
        outcome: "known",
        known: { ...next, verdicts: addVerdicts(known.verdicts, message.verdicts, message.omitted) },
      };
    default:
      return message satisfies never;
  }
}

function merge(state: StateView, changed: StateDelta["changed"]): StateView {
  const tags = changed.tags === undefined ? state.tags : { ...state.tags, ...changed.tags };
  return { ...state, ...changed, tags };
}

function offset(serverMs: number | undefined, pageNowMs: number, before: number): number {
  return serverMs === undefined ? before : serverMs - pageNowMs;
}
