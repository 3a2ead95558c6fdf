import { TagId } from "#specs/ids.ts";
import { between } from "../random.ts";
import type { Hands } from "./hands.ts";
import type { Command } from "./view.ts";

type Wish = Command | undefined;

/** Level in the clean tank that the operator aims at, m. */
const CLEAN_LEVEL = 1.8;
/** Head loss at which he starts a backwash, kPa: as shown, and brought to 30 m³/h, since it grows with the flow; and the level. */
const CLOGGED_KPA = 21;
const CLOGGED_AT_30_KPA = 22;
const LEVEL_FOR_BACKWASH = 1.2;
/** How often he confirms a set-point in normal running, ms. */
const ROUND_MS = 10_000;
const RINSE_AFTER_MS = 6_000;
const RINSE_MS = 5_000;

/** What the operator does in the step that the console shows. Each procedure names one command at a time; its order is his. */
export function startup(h: Hands): Wish {
  return closeHighInlet(h) ?? startupStep(h);
}

function startupStep(h: Hands): Wish {
  switch (h.step) {
    case "fill":
      return h.set("LIT101.SP", 1.5) ?? h.set("MV101.CMD", 1);
    case "prime": {
      const open = h.state.inletOpenSinceMs;
      const opened = open !== undefined && h.nowMs - open >= 4000;
      return h.set("FIC101.SP", 10) ?? (opened && shows(h, "FIC101.SP", 10) ? h.set("P101.CMD", 1) : undefined);
    }
    case "dose-check":
      return h.set("DOS201.SP", 2) ?? (atLeast(h, "FIT101", 7) ? h.set("P201.CMD", 1) : undefined);
    case "ramp":
      return (
        h.set("AUTO101", 1) ??
        (atLeast(h, "LIT401", 0.65) ? h.set("P401.CMD", 1) : undefined) ??
        h.towards("FIC101.SP", 30, { min: 8, max: 32, step: 5, gapMs: 2500 }) ??
        (shows(h, "P401.CMD", 1)
          ? h.towards("FIC401.SP", Math.min(30, h.demand), { min: 0, max: 32, step: 8, gapMs: 2500 })
          : undefined)
      );
    default:
      return undefined;
  }
}

/** An inlet left open by hand would fill the tank to its rim; closing is allowed throughout the start-up. */
function closeHighInlet(h: Hands): Wish {
  const manual = shows(h, "AUTO101", 0) && shows(h, "P101.RUN", 1);
  return manual && atLeast(h, "LIT101", 2.3) ? h.set("MV101.CMD", 0) : undefined;
}

/** A start that is broken off: the inlet first, then dosing, then what moves water. */
export function startHeld(h: Hands): Wish {
  return (
    h.set("MV101.CMD", 0) ??
    (shows(h, "MV101.CMD", 0) ? h.set("AUTO101", 0) : undefined) ??
    h.set("P201.CMD", 0) ??
    (atMost(h, "MV101.POS", 0) ? h.set("P101.CMD", 0) : undefined) ??
    (shows(h, "P101.CMD", 0) ? h.set("P401.CMD", 0) : undefined)
  );
}

export function normal(h: Hands): Wish {
  return backwash(h) ?? flows(h, 5, ROUND_MS) ?? dose(h);
}

function backwash(h: Hands): Wish {
  if (h.step === "produce") {
    // A flow far above the band is not washed through: something is wrong, and a backwash would only hide it.
    const due = isClogged(h) && atLeast(h, "LIT401", LEVEL_FOR_BACKWASH) && atMost(h, "FIT101", 43);
    return due ? h.set("BW301.CMD", 1, 35_000) : closeDrain(h);
  }
  if (h.step !== "backwash" || !shows(h, "BW301.ACTIVE", 1)) return undefined;
  if (!h.state.rinsed) return h.inPlaceMs >= RINSE_AFTER_MS ? h.set("V301.CMD", 1) : undefined;
  return h.since("V301.CMD") >= RINSE_MS ? h.set("V301.CMD", 0, RINSE_MS) : undefined;
}

function isClogged(h: Hands): boolean {
  const loss = h.read("PDT301");
  const flow = h.read("FIT101");
  return (
    loss !== undefined &&
    flow !== undefined &&
    loss >= CLOGGED_KPA &&
    (loss * 30) / Math.max(flow, 10) >= CLOGGED_AT_30_KPA
  );
}

/** A drain that stands open without a backwash is closed at sight. */
function closeDrain(h: Hands): Wish {
  return shows(h, "V301.CMD", 1) ? h.set("V301.CMD", 0, ROUND_MS) : undefined;
}

/** Distribution follows the plan; feed follows distribution and brings the clean tank back to its level. */
function flows(h: Hands, step: number, everyMs: number): Wish {
  const level = h.read("LIT401");
  if (level === undefined) return undefined;
  const feed = h.demand + 20 * (CLEAN_LEVEL - level);
  return (
    h.towards("FIC101.SP", Math.max(27, Math.min(39, feed)), {
      min: 20,
      max: 40,
      step,
      gapMs: everyMs,
      reassert: true,
    }) ?? h.towards("FIC401.SP", h.demand, { min: 15, max: 45, step, gapMs: everyMs, reassert: true })
  );
}

function dose(h: Hands): Wish {
  if (h.since("DOS201.SP") < ROUND_MS) return undefined;
  return h.towards("DOS201.SP", between(h.rng, 1.9, 2.2), {
    min: 1,
    max: 3,
    step: 0.4,
    gapMs: ROUND_MS,
    reassert: true,
  });
}

/** The dose is held; flows go on as in normal running. */
export function dosingHeld(h: Hands): Wish {
  return closeDrain(h) ?? flows(h, 5, ROUND_MS);
}

/** Small changes, one at a time. */
export function probation(h: Hands): Wish {
  return closeDrain(h) ?? flows(h, 1.5, 7000);
}

/** Inlet first, then both flows down together, then dosing, feed and distribution off, with water left in both tanks. */
export function shutdown(h: Hands): Wish {
  const feedLow = atMost(h, "FIC101.SP", 10);
  const distributionLow = atMost(h, "FIC401.SP", 10);
  const rawDrawnDown = atMost(h, "LIT101", 0.9) || h.inPlaceMs > 60_000;
  const cleanDrawnDown = atMost(h, "LIT401", 1.1) || (shows(h, "P101.CMD", 0) && h.inPlaceMs > 70_000);
  const down = (tag: string) => h.towards(tag, 10, { min: 0, max: 40, step: 8, gapMs: 2500 });
  return (
    h.set("V301.CMD", 0) ??
    h.set("BW301.CMD", 0) ??
    h.set("AUTO101", 0) ??
    h.set("MV101.CMD", 0) ??
    (feedLow ? undefined : down("FIC101.SP")) ??
    (distributionLow ? undefined : down("FIC401.SP")) ??
    (feedLow ? h.set("P201.CMD", 0) : undefined) ??
    (feedLow && rawDrawnDown && shows(h, "P201.CMD", 0) ? h.set("P101.CMD", 0) : undefined) ??
    (distributionLow && cleanDrawnDown ? h.set("P401.CMD", 0) : undefined)
  );
}

/** One line of the maintenance list: what is written at the engineering workstation, and what ends the line. */
interface MaintenanceLine {
  readonly tag: string;
  readonly value: number;
  readonly done: (h: Hands) => boolean;
}

export const MAINTENANCE_LIST: readonly MaintenanceLine[] = [
  { tag: "MV101.CMD", value: 1, done: (h) => atLeast(h, "MV101.POS", 99) },
  { tag: "MV101.CMD", value: 0, done: (h) => atMost(h, "MV101.POS", 1) },
  { tag: "V301.CMD", value: 1, done: (h) => shows(h, "V301.OPEN", 1) },
  { tag: "V301.CMD", value: 0, done: (h) => shows(h, "V301.OPEN", 0) },
  { tag: "FIC101.SP", value: 5, done: (h) => shows(h, "FIC101.SP", 5) },
  { tag: "FIC101.SP", value: 0, done: (h) => shows(h, "FIC101.SP", 0) },
];

/** Devices are tried one by one. A line is done when its effect shows; the place in the list is kept by the policy. */
export function maintenance(h: Hands): Wish {
  const line = MAINTENANCE_LIST[h.state.maintenanceDone];
  if (line === undefined || h.since(line.tag) < 2500) return undefined;
  const shown = h.read(line.tag);
  if (shown === undefined || shown === line.value) return undefined;
  return { from: "ews-1", tag: TagId(line.tag), value: line.value };
}

/** True: the list's present line has had its effect. */
export function maintenanceLineDone(h: Hands): boolean {
  const line = MAINTENANCE_LIST[h.state.maintenanceDone];
  return line !== undefined && shows(h, line.tag, line.value) && h.since(line.tag) >= 1000 && line.done(h);
}

export function shows(h: Hands, tag: string, value: number): boolean {
  const shown = h.read(tag);
  return shown !== undefined && Math.abs(shown - value) < 1e-6;
}

export function atLeast(h: Hands, tag: string, value: number): boolean {
  const shown = h.read(tag);
  return shown !== undefined && shown >= value - 1e-6;
}

export function atMost(h: Hands, tag: string, value: number): boolean {
  const shown = h.read(tag);
  return shown !== undefined && shown <= value + 1e-6;
}
