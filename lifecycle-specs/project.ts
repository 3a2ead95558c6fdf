import type { Layer } from "./decide/observation.ts";
import { type FlowProjection, flowsOf } from "./flows.ts";
import type { PhaseId, RuleId, StepId } from "./ids.ts";
import type { Lifecycle, Mask, Rule } from "./lifecycle.ts";
import type { Plant } from "./plant.ts";
import { allRules, effectiveRules } from "./positions.ts";
import { type HmiEntry, hmiEntry } from "./project/hmi.ts";
import { type Inventory, inventoryOf } from "./project/inventory.ts";
import { type PlcEntry, plcEntry } from "./project/plc.ts";
import { type SwitchEntry, switchEntry } from "./project/switch.ts";
import { slackOf } from "./slack.ts";

export type { HmiEntry } from "./project/hmi.ts";
export type { ModbusTagMessage } from "./project/messages.ts";
export type { PlcEntry } from "./project/plc.ts";
export type { SwitchEntry } from "./project/switch.ts";

/** One source onto three layers and the packet filter, as readable data: what is not listed does not happen. */
export interface Projections {
  readonly hmi: Projection<HmiEntry>;
  readonly switch: Projection<SwitchEntry>;
  readonly plc: Projection<PlcEntry>;
  readonly flows: FlowProjection;
}

/** One layer's share: each rule that it judges once, in the order of the file. Where a rule stands: see `positionsOf`. */
export interface Projection<Entry> {
  /** Plant ms by which this layer judges time more widely than the HMI layer; the numbers of the entries include it. */
  readonly slackMs: number;
  readonly rules: readonly Entry[];
}

/** One phase and step, with the rules of every phase, of the phase and of the step. The safety rules hold in each besides. */
export interface ProjectedPosition {
  readonly phase: PhaseId;
  /** null: the phase has no steps. */
  readonly step: StepId | null;
  readonly rules: readonly RuleId[];
  /** What takes from them, for some sources and targets: see `throughMask`. */
  readonly mask?: Mask;
}

/** Projects a lifecycle onto its layers. Pure, and linear in what the rules name. */
export function project(plant: Plant, lifecycle: Lifecycle): Projections {
  const inventory = inventoryOf(plant);
  const rules = allRules(lifecycle);
  const onto = <Entry>(layer: Layer, entryOf: (i: Inventory, skewMs: number, rule: Rule) => Entry | undefined) => {
    const { skewMs } = lifecycle;
    const { messageMs } = slackOf(layer, skewMs, "write");
    return { slackMs: messageMs, rules: rules.flatMap((rule) => entryOf(inventory, skewMs, rule) ?? []) };
  };
  const onSwitch = onto("switch", switchEntry);
  return {
    hmi: onto("hmi", hmiEntry),
    switch: onSwitch,
    plc: onto("plc", plcEntry),
    flows: flowsOf(plant, lifecycle, onSwitch.rules),
  };
}

/** Every position of a lifecycle: phases in the order of the file, one for each step. */
export function positionsOf(lifecycle: Lifecycle): readonly ProjectedPosition[] {
  return lifecycle.phases.flatMap((phase) => {
    const steps = phase.steps.length === 0 ? [undefined] : phase.steps;
    return steps.map((step) => ({
      phase: phase.id,
      step: step?.id ?? null,
      rules: effectiveRules(lifecycle, phase, step).map(({ id }) => id),
      ...(phase.mask === undefined ? {} : { mask: phase.mask }),
    }));
  });
}
