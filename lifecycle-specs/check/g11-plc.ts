import type { DeviceId } from "../ids.ts";
import type { Plant } from "../plant.ts";
import { allRules } from "../positions.ts";
import { type PlcCost, plcCosts } from "./plc-cost.ts";
import type { Checked, RawFact, RawFinding, Said } from "./report.ts";
import { bookOf } from "./whitelist.ts";

/** Largest state of the generated code of one PLC: last values, times of conditions, and the rings of rates. */
export const MAX_PLC_BYTES = 64 * 1024;

/** The bounds of every guarded PLC, and what its code leaves to the other layers. */
export function plcBounds(spec: Checked): readonly Said[] {
  const costs = [...plcCosts(spec)];
  return [...costs.flatMap(memoryOf), ...costs.map(boundOf), ...ordersLeftOut(spec), ...stepsTold(spec)];
}

function memoryOf([device, { bytes, ringBytes }]: readonly [DeviceId, PlcCost]): readonly RawFinding[] {
  if (bytes <= MAX_PLC_BYTES) return [];
  const message = `the guard of \`${device}\` needs ${bytes} bytes, ${ringBytes} of them for the messages that rates count, and has ${MAX_PLC_BYTES}; let the rules on it count fewer messages (\`most\`)`;
  return [{ at: `device:${device}`, code: "PLC_MEMORY", message }];
}

function boundOf([device, cost]: readonly [DeviceId, PlcCost]): RawFact {
  const { variables, rules, comparisons, changing, bytes } = cost;
  const fact = `\`${device}\`: at most ${comparisons} comparisons in a scan, ${changing} while a phase changes, and ${bytes} bytes, for ${rules} rules on ${variables} variables`;
  return { at: `device:${device}`, guarantee: "G11", fact, detail: { device, ...cost } };
}

function ordersLeftOut({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  return allRules(lifecycle).flatMap((rule): readonly RawFact[] => {
    const { follows, apart } = rule.causality ?? {};
    const asked = [...(follows === undefined ? [] : ["follows"]), ...(apart === undefined ? [] : ["apart"])];
    if (asked.length === 0 || book.entriesOf(rule, "plc").length === 0) return [];
    return [
      {
        at: `rule:${rule.id}`,
        guarantee: "G11",
        fact: `\`${asked.join("`, `")}\` of \`${rule.id}\` is not judged in the PLC, which sees changes and no messages; the layers above judge it`,
        detail: { rule: rule.id, leftOut: asked },
      },
    ];
  });
}

/** Steps that a guard cannot follow by what it sees in its own PLC: it is told of them, and until then allows what either allows. */
function stepsTold({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  const zones = Map.groupBy(guarded(plant), (device) => book.zoneOf(device) ?? "");
  return lifecycle.phases.flatMap((phase): readonly RawFact[] => {
    if (phase.mask !== undefined) return [];
    const told = (zones.get(phase.zone) ?? []).flatMap((device) => {
      const steps = phase.steps.filter(({ next }) =>
        next.some(
          (way) =>
            way.event === "command" ||
            (way.event === "condition" && way.when.all.some(({ tag }) => book.tag(tag)?.device !== device)),
        ),
      );
      return steps.length === 0 ? [] : [`${device} (${steps.map(({ id }) => id).join(", ")})`];
    });
    if (told.length === 0) return [];
    return [
      {
        at: `phase:${phase.id}`,
        guarantee: "G11",
        fact: `in phase \`${phase.id}\` these are told when a step ends, because what ends it is not all in their own PLC: ${told.join("; ")}`,
        detail: { phase: phase.id, told },
      },
    ];
  });
}

function guarded(plant: Plant): readonly DeviceId[] {
  return plant.devices.filter(({ guard }) => guard).map(({ id }) => id);
}
