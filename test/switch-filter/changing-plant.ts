import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { DeviceId, RuleId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { waterTreatment } from "../support/plant.ts";

const HMI = DeviceId("hmi-1");

/** What a version of the bundle allows the operator station in phase normal, besides what the plant's own file does. */
export interface Version {
  readonly version: number;
  /** The inlet may be commanded, and the distribution flow be set. */
  readonly open: boolean;
  readonly plant?: (plant: Plant) => Plant;
  readonly lifecycle?: (lifecycle: Lifecycle) => Lifecycle;
}

/** Versions of the water-treatment plant in which `open` adds and takes away rules. The feed pump may always be commanded. */
export function versionsOf(addresses: Readonly<Record<string, readonly string[]>>): (version: Version) => Bundle {
  const { plant, lifecycle } = waterTreatment(addresses);
  return ({ version, open, plant: changePlant = (p) => p, lifecycle: changeLifecycle = (l) => l }) => {
    const rules = [
      write("t-pump", "P101.CMD", "plc-1"),
      ...(open ? [write("t-inlet", "MV101.CMD", "plc-1"), write("t-flow", "FIC401.SP", "plc-2")] : []),
    ];
    const normal = lifecycle.phases.find(({ id }) => id === "normal")?.rules ?? [];
    const inNormal = [...normal.filter(({ id }) => id !== "nm-dist-sp"), ...rules];
    const phases = lifecycle.phases.map((phase) =>
      phase.id === "normal" || phase.mask?.origin === "normal" ? { ...phase, rules: inNormal } : phase,
    );
    return buildBundle(changePlant(plant), changeLifecycle({ ...lifecycle, version, phases }));
  };
}

function write(id: string, tag: string, target: string): Rule {
  const about = { from: [HMI], operation: "write", targets: [DeviceId(target)], tags: [TagId(tag)], raw: [] } as const;
  return { id: RuleId(id), says: `${id}.`, ...about, mode: "enforce", safety: false };
}

/** The operator station is at another address. */
export function hmiAt(address: string): (plant: Plant) => Plant {
  return (plant) => ({
    ...plant,
    devices: plant.devices.map((device) => (device.id === HMI ? { ...device, addresses: [address] } : device)),
  });
}
