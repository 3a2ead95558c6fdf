import type { DeviceId, TagId } from "../ids.ts";
import type { Rule } from "../lifecycle.ts";
import type { Bounds } from "../raw.ts";
import { entryOf, type RuleEntry } from "./entry.ts";
import { boundsOf, type Inventory } from "./inventory.ts";

/** PLC layer: which variables may change, whoever changes them, and which outputs the program may set. */
export interface PlcEntry extends RuleEntry {
  readonly operation: "write" | "output";
  readonly variables: readonly PlcVariable[];
}

export interface PlcVariable {
  readonly device: DeviceId;
  readonly variable: TagId;
  readonly unit: string;
  readonly value: Bounds;
}

/** undefined: the rule is not about variables, or only about those of devices without a guard. */
export function plcEntry(inventory: Inventory, skewMs: number, rule: Rule): PlcEntry | undefined {
  const { operation } = rule;
  if (operation !== "write" && operation !== "output") return undefined;
  const variables = rule.tags.flatMap((id): PlcVariable[] => {
    const tag = inventory.tags.get(id);
    if (tag === undefined || inventory.devices.get(tag.device)?.guard !== true) return [];
    return [{ device: tag.device, variable: id, unit: tag.unit, value: boundsOf(rule, tag) }];
  });
  return variables.length === 0 ? undefined : { ...entryOf("plc", skewMs, rule), operation, variables };
}
