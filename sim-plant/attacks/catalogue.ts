import type { Layer } from "#specs/decide/observation.ts";
import type { Locus } from "#specs/lifecycle.ts";

export type AttackId = "hmi-wrong-order" | "hmi-overdose" | "rogue-master" | "mitm-setpoint" | "rogue-opcua-write";

/** One attack that can be run. The expectations are what the defence is measured against; nothing here reaches the defence. */
export interface Attack {
  readonly id: AttackId;
  /** Row of the attack library. */
  readonly row: number;
  readonly title: string;
  /** MITRE ATT&CK for ICS, v18. */
  readonly technique: string;
  /** Where localisation should put it; sorted. More than one: the taps cannot tell them apart. */
  readonly expectedLocus: readonly Locus[];
  /** Which layer should deny or notice it first. */
  readonly expectedLayer: Layer;
  /** What it does to the plant when nothing stops it. */
  readonly harm: string;
}

export const ATTACKS: readonly Attack[] = [
  {
    id: "hmi-wrong-order",
    row: 2,
    title: "a compromised operator station opens the filter drain while water is produced",
    technique: "T0855",
    expectedLocus: ["hmi"],
    expectedLayer: "hmi",
    harm: "filtered water is drained instead of delivered, and the clean-water tank runs low",
  },
  {
    id: "hmi-overdose",
    row: 4,
    title: "a compromised operator station sets the dose inside the device's range, outside the phase's",
    technique: "T0836",
    expectedLocus: ["hmi"],
    expectedLayer: "hmi",
    harm: "chlorine in the delivered water rises above its limit",
  },
  {
    id: "rogue-master",
    row: 7,
    title: "a foreign Modbus master on a spare switch port takes over raw water and dosing",
    technique: "T0848",
    expectedLocus: ["unknown-device"],
    expectedLayer: "switch",
    harm: "the inlet closes while the feed pump draws more than the plant can bear: the raw-water tank runs dry",
  },
  {
    id: "mitm-setpoint",
    row: 13,
    title: "a man in the middle changes set-points between the mirror and the filter",
    technique: "T0830",
    expectedLocus: ["path-hmi-switch"],
    expectedLayer: "switch",
    harm: "the plant runs at another flow or dose than the operator has set and sees confirmed",
  },
  {
    id: "rogue-opcua-write",
    row: 40,
    title: "a foreign OPC UA client without security stops distribution",
    technique: "T0855",
    expectedLocus: ["unknown-device"],
    expectedLayer: "switch",
    harm: "no water is delivered",
  },
];

/** By id, or by the row of the attack library. */
export function findAttack(idOrRow: string): Attack | undefined {
  return ATTACKS.find((attack) => attack.id === idOrRow || String(attack.row) === idOrRow);
}
