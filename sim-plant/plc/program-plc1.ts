import { DeviceId, TagId } from "#specs/ids.ts";
import { PLC1_INPUTS, type Plc1Input, type Plc1Output } from "../water/field-tags.ts";
import { P101, P201 } from "../water/parameters.ts";
import { AT_REST, clamp, type FlowControl, flowControl } from "./flow-control.ts";
import { type ControlProgram, overwrite, type ProgramMemory, pick } from "./program.ts";

/** What the network may write in PLC 1. */
type Command = "MV101.CMD" | "P101.CMD" | "P201.CMD" | "ESTOP1" | "AUTO101" | "FIC101.SP" | "DOS201.SP" | "LIT101.SP";

export interface Plc1Memory extends ProgramMemory {
  readonly tags: Readonly<Record<Command | Plc1Input, number>>;
  readonly feed: FlowControl;
  /** Automatic level control: the inlet is asked to be open. */
  readonly filling: boolean;
}

/** Half the band around LIT101.SP within which the inlet keeps its position, m. */
const LEVEL_HYSTERESIS = 0.15;

const initial: Plc1Memory = {
  tags: {
    "MV101.CMD": 0,
    "P101.CMD": 0,
    "P201.CMD": 0,
    ESTOP1: 0,
    AUTO101: 0,
    "FIC101.SP": 0,
    "DOS201.SP": 0,
    "LIT101.SP": 1.5,
    LIT101: 0,
    FIT101: 0,
    AIT201: 0,
    "MV101.POS": 0,
    "MV101.OPEN": 0,
    "P101.RUN": 0,
    "P201.RUN": 0,
  },
  feed: AT_REST,
  filling: false,
};

/**
 * Raw water and dosing. The emergency stop clears all commands, so that nothing starts again when it is released. There is no
 * low-level cut-out of the feed pump here: a set-point too high runs it dry, and only the guard's interlock prevents that.
 */
export const PROGRAM_PLC1: ControlProgram<Plc1Memory> = {
  device: DeviceId("plc-1"),
  initial,
  inputs: PLC1_INPUTS.map((name) => TagId(name)),
  write: (memory, writes) => ({ ...memory, tags: overwrite(memory.tags, writes) }),
  scan: (memory, inputs, dtMs) => scan(memory, pick(PLC1_INPUTS, inputs), dtMs),
};

function scan(
  memory: Plc1Memory,
  field: Readonly<Record<Plc1Input, number>>,
  dtMs: number,
): { readonly memory: Plc1Memory; readonly outputs: Record<Plc1Output, number> } {
  const stopped = memory.tags.ESTOP1 !== 0;
  const cleared = stopped ? { "MV101.CMD": 0, "P101.CMD": 0, "P201.CMD": 0, AUTO101: 0 } : {};
  const tags = { ...memory.tags, ...field, ...cleared };

  const filling = levelControl(memory.filling, tags.LIT101, tags["LIT101.SP"]);
  const inlet = tags.AUTO101 !== 0 ? (filling ? 1 : 0) : tags["MV101.CMD"];
  const feed =
    tags["P101.CMD"] !== 0 ? flowControl(memory.feed, tags["FIC101.SP"], tags.FIT101, P101.capacity, dtMs) : AT_REST;
  // mg/L × m³/h = g/h: the stroke follows the flow, so that the concentration stays.
  const stroke = tags["P201.CMD"] !== 0 ? clamp((100 * tags["DOS201.SP"] * tags.FIT101) / P201.capacityGh, 0, 100) : 0;

  return {
    memory: { tags, feed, filling },
    outputs: { "MV101.OUT": inlet, "P101.OUT": feed.speed, "P201.OUT": stroke },
  };
}

function levelControl(filling: boolean, level: number, wanted: number): boolean {
  if (level < wanted - LEVEL_HYSTERESIS) return true;
  if (level > wanted + LEVEL_HYSTERESIS) return false;
  return filling;
}
