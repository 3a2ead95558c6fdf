import type { OrderMessage, PositionMessage } from "#point/bus.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { DeviceId, Epoch, PhaseId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import { loadPlantFolder } from "#specs/load.ts";

export const PLC1 = DeviceId("plc-1");
export const PLC2 = DeviceId("plc-2");
export const WORKS = ZoneId("works");

let made: Bundle | undefined;

/** The bundle of the plant that comes with the product. */
export function waterTreatment(): Bundle {
  made ??= build();
  return made;
}

function build(): Bundle {
  const loaded = loadPlantFolder("water-treatment");
  if (!loaded.ok) throw new Error(loaded.error.map((diagnostic) => diagnostic.message).join("; "));
  return buildBundle(loaded.value.plant, loaded.value.lifecycle);
}

export function values(record: Readonly<Record<string, number>>): ReadonlyMap<TagId, number> {
  return new Map(Object.entries(record).map(([tag, value]) => [TagId(tag), value]));
}

export function position(phase: string, steps: readonly string[] = [], epoch = 1): PositionMessage {
  return { zone: WORKS, phase: PhaseId(phase), steps: steps.map(StepId), epoch: Epoch(epoch), atMs: 0 };
}

export function take(to: string, epoch: number, steps: readonly string[] = []): OrderMessage {
  return {
    zone: WORKS,
    change: `c${epoch}`,
    epoch: Epoch(epoch),
    to: PhaseId(to),
    steps: steps.map(StepId),
    atMs: 0,
    order: "take",
    layer: "all",
  };
}

/** Waits until `holds`, for at most `ms` real time. */
export async function until(holds: () => boolean, ms = 4000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error("what the test waits for did not happen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
