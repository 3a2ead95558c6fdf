/**
 * Sizes of the simulated plant. Flows are in m³/h, levels in m, volumes in m³, times in s unless the name says otherwise.
 *
 * It is a compact skid: at 30 m³/h its tanks turn over in about a minute, so that what goes wrong shows while people watch.
 */
export const T101 = { areaM2: 0.5, heightM: 3 } as const;
export const T401 = { areaM2: 0.3, heightM: 2.8 } as const;

/** Inlet valve: motor travel from closed to open, and the raw-water supply behind it. */
export const MV101 = { travelS: 2, meanSupply: 52, supplySpread: 2.5, supplyTimeS: 120, maxSupply: 60 } as const;

/**
 * Feed and distribution pumps. Below `dryM` the suction draws air: the flow breaks off and the seals run dry, until the level
 * stands `PRIMED_M` higher again.
 */
export const P101 = { capacity: 60, lagS: 2, dryM: 0.2 } as const;
export const P401 = { capacity: 60, lagS: 2, dryM: 0.15 } as const;
export const DRY_LAG_S = 0.3;
export const PRIMED_M = 0.1;

/** Dosing pump: mass flow of chlorine at full stroke, and how fast the stroke follows. */
export const P201 = { capacityGh: 600, lagS: 2 } as const;

/** Pipe between dosing point and analyser, as well-mixed cells in series (Levenspiel, Chemical Reaction Engineering, ch. 14). */
export const DOSING_PIPE = { cells: 6, volumeM3: 0.07 } as const;

/**
 * Filter bed: Darcy's law, head loss = resistance × flow. Resistance grows with the volume filtered since the last backwash.
 * At 30 m³/h a clean bed shows 8 kPa and reaches 22 kPa after about 200 s.
 */
export const F301 = { cleanKPa: 8, atFlow: 30, growthKPaPerM3: 8.4, growthSpread: 0.1, pumpHeadKPa: 400 } as const;

/** Backwash pump, drawing from the clean tank, and the time in which it restores the bed. */
export const P301 = { flow: 20, lagS: 1, cleansInS: 24 } as const;

/**
 * Filter drain by gravity from the clean tank: Torricelli, flow ∝ √head, where the drain ends `belowM` under the tank's floor.
 * 60 m³/h at a full tank.
 */
export const V301 = { full: 60, belowM: 1.5, travelS: 1 } as const;

/** First-order decay of free chlorine in clean water at 20 °C, per hour (order of 0.1 1/h; WHO, Guidelines, 4th ed., §8.5). */
export const CHLORINE_DECAY_PER_H = 0.1;

/** Demand of the network around its mean: a slow wave, and what cannot be foreseen. */
export const DEMAND = { mean: 30, wave: 1.5, waveS: 1800, spread: 0.25, spreadTimeS: 60 } as const;

/** Standard deviations of the sensors' noise, in the unit of the tag; scales are those of the tags' registers. */
export const SENSOR = {
  LIT101: { noise: 0.002, scale: 0.001, low: 0, high: 3 },
  FIT101: { noise: 0.12, scale: 0.1, low: 0, high: 80 },
  AIT201: { noise: 0.015, scale: 0.01, low: 0, high: 20 },
  "MV101.POS": { noise: 0, scale: 0.1, low: 0, high: 100 },
  LIT401: { noise: 0.002, scale: 0.001, low: 0, high: 2.8 },
  FIT401: { noise: 0.12, scale: 0.1, low: 0, high: 80 },
  AIT401: { noise: 0.015, scale: 0.01, low: 0, high: 20 },
  PDT301: { noise: 0.12, scale: 0.1, low: 0, high: 200 },
} as const;
