import { DeviceId, TagId } from "#specs/ids.ts";
import { PLC2_INPUTS, type Plc2Input, type Plc2Output } from "../water/field-tags.ts";
import { P401 } from "../water/parameters.ts";
import { AT_REST, clamp, type FlowControl, flowControl } from "./flow-control.ts";
import { type ControlProgram, overwrite, type ProgramMemory, pick } from "./program.ts";

/** What the network may write in PLC 2. */
type Command = "P401.CMD" | "BW301.CMD" | "V301.CMD" | "ESTOP2" | "FIC401.SP";

export interface Plc2Memory extends ProgramMemory {
  readonly tags: Readonly<Record<Command | Plc2Input | "BW301.ACTIVE", number>>;
  readonly distribution: FlowControl;
  /** Plant ms left of the backwash; 0: none under way. */
  readonly backwashMs: number;
}

/** Length of a backwash, ms. */
export const BACKWASH_MS = 30_000;

/**
 * Level trim: inside the band the set-point holds; outside, the distribution flow gives way by up to `most` m³/h, in proportion
 * over `reachM`, so that the tank neither empties nor overflows while nobody writes.
 */
export const TRIM = { lowM: 0.8, highM: 2, reachM: 0.8, most: 10 } as const;

const initial: Plc2Memory = {
  tags: {
    "P401.CMD": 0,
    "BW301.CMD": 0,
    "V301.CMD": 0,
    ESTOP2: 0,
    "FIC401.SP": 0,
    LIT401: 0,
    FIT401: 0,
    AIT401: 0,
    PDT301: 0,
    "P401.RUN": 0,
    "V301.OPEN": 0,
    "BW301.ACTIVE": 0,
  },
  distribution: AT_REST,
  backwashMs: 0,
};

/** Filtration, clean water and distribution. As in PLC 1, nothing here stops a pump for want of water. */
export const PROGRAM_PLC2: ControlProgram<Plc2Memory> = {
  device: DeviceId("plc-2"),
  initial,
  inputs: PLC2_INPUTS.map((name) => TagId(name)),
  write: (memory, writes) => ({ ...memory, tags: overwrite(memory.tags, writes) }),
  scan: (memory, inputs, dtMs) => scan(memory, pick(PLC2_INPUTS, inputs), dtMs),
};

function scan(
  memory: Plc2Memory,
  field: Readonly<Record<Plc2Input, number>>,
  dtMs: number,
): { readonly memory: Plc2Memory; readonly outputs: Record<Plc2Output, number> } {
  const stopped = memory.tags.ESTOP2 !== 0;
  const cleared = stopped ? { "P401.CMD": 0, "BW301.CMD": 0, "V301.CMD": 0 } : {};
  const tags = { ...memory.tags, ...field, ...cleared };

  const backwash = sequence(memory.backwashMs, tags["BW301.CMD"] !== 0, dtMs);
  // The sequence ends by taking back its start command and closing the rinse, so that no drain is left open behind it.
  const released = backwash.ended ? { "BW301.CMD": 0, "V301.CMD": 0 } : {};
  const next = { ...tags, ...released, "BW301.ACTIVE": backwash.leftMs > 0 ? 1 : 0 };

  const distribution =
    next["P401.CMD"] !== 0
      ? flowControl(memory.distribution, trimmed(next["FIC401.SP"], next.LIT401), next.FIT401, P401.capacity, dtMs)
      : AT_REST;

  return {
    memory: { tags: next, distribution, backwashMs: backwash.leftMs },
    outputs: {
      "P401.OUT": distribution.speed,
      "P301.OUT": next["BW301.ACTIVE"],
      "V301.OUT": next["V301.CMD"],
    },
  };
}

function sequence(leftMs: number, wanted: boolean, dtMs: number): { readonly leftMs: number; readonly ended: boolean } {
  if (!wanted) return { leftMs: 0, ended: leftMs > 0 };
  if (leftMs === 0) return { leftMs: BACKWASH_MS, ended: false };
  const left = Math.max(0, leftMs - dtMs);
  return { leftMs: left, ended: left === 0 };
}

/** The distribution flow to aim at for a set-point and a level of the clean tank, m³/h. */
export function trimmed(setPoint: number, level: number): number {
  const above = clamp((level - TRIM.highM) / TRIM.reachM, 0, 1);
  const below = clamp((TRIM.lowM - level) / TRIM.reachM, 0, 1);
  return clamp(setPoint + TRIM.most * (above - below), 0, P401.capacity);
}
