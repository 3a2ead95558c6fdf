import { noise, type Random } from "../random.ts";
import type { FieldInputs } from "./field-tags.ts";
import { headLoss, type PlantState, TURNING } from "./model.ts";
import { SENSOR } from "./parameters.ts";

/** What the transmitters and contacts show for a state: with noise, within their span, in whole steps of the tag's scale. */
export function readSensors(state: PlantState, rng: Random): FieldInputs {
  return {
    LIT101: show("LIT101", state.level101, rng),
    FIT101: show("FIT101", state.feedFlow, rng),
    AIT201: show("AIT201", state.pipe.at(-1) ?? 0, rng),
    "MV101.POS": show("MV101.POS", state.valve101 * 100, rng),
    "MV101.OPEN": state.valve101 > 0.98 ? 1 : 0,
    "P101.RUN": state.feedSpeed > TURNING ? 1 : 0,
    "P201.RUN": state.doseStroke > 0.05 ? 1 : 0,
    LIT401: show("LIT401", state.level401, rng),
    FIT401: show("FIT401", state.distributionFlow, rng),
    AIT401: show("AIT401", state.chlorine401, rng),
    PDT301: show("PDT301", headLoss(state), rng),
    "P401.RUN": state.distributionSpeed > TURNING ? 1 : 0,
    "V301.OPEN": state.valve301 > 0.5 ? 1 : 0,
  };
}

function show(sensor: keyof typeof SENSOR, value: number, rng: Random): number {
  const { noise: deviation, scale, low, high } = SENSOR[sensor];
  const shown = Math.max(low, Math.min(high, value + deviation * noise(rng)));
  // raw × scale, exactly as a reader of the register computes it.
  return Math.round(shown / scale) * scale;
}
