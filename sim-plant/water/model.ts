import { noise, type Random, random } from "../random.ts";
import type { FieldOutputs } from "./field-tags.ts";
import {
  CHLORINE_DECAY_PER_H,
  DEMAND,
  DOSING_PIPE,
  DRY_LAG_S,
  F301,
  MV101,
  P101,
  P201,
  P301,
  P401,
  PRIMED_M,
  T101,
  T401,
  V301,
} from "./parameters.ts";

/** The plant's physical state. Levels m, flows m³/h, concentrations mg/L (= g/m³), volumes m³. */
export interface PlantState {
  /** Plant ms since start. */
  readonly timeMs: number;
  readonly level101: number;
  /** 0 closed .. 1 open. */
  readonly valve101: number;
  /** Raw-water flow that an open inlet would give now. */
  readonly supply: number;
  readonly feedFlow: number;
  /** Chlorine fed by the dosing pump, g/h. */
  readonly doseRate: number;
  /** Chlorine in each cell of the pipe behind the dosing point, first to last. */
  readonly pipe: readonly number[];
  /** Water through the filter since its last backwash, and how fast this filter run clogs (around 1). */
  readonly filtered: number;
  readonly clogging: number;
  readonly backwashFlow: number;
  readonly valve301: number;
  readonly drainFlow: number;
  readonly level401: number;
  readonly chlorine401: number;
  readonly distributionFlow: number;
  /** Unforeseen part of the demand. */
  readonly demandNoise: number;
  readonly demand: number;
  /** What the motors are told, for feedback contacts: pump speeds %, stroke %. */
  readonly feedSpeed: number;
  readonly doseStroke: number;
  readonly distributionSpeed: number;
  /** Litres spilled over the rim since start. */
  readonly spilled101L: number;
  readonly spilled401L: number;
  /** The pump's suction has drawn air. */
  readonly dry101: boolean;
  readonly dry401: boolean;
  /** Unbroken time for which the pump has been turning without water, ms. */
  readonly dry101Ms: number;
  readonly dry401Ms: number;
  /** Water delivered to the network since start. */
  readonly deliveredM3: number;
  /** Where in its wave the demand starts, rad; from the seed. */
  readonly demandPhase: number;
}

/** Length of a physics step, ms of plant time. */
export const STEP_MS = 100;

/** A plant at rest with some water in its tanks, as after a weekend. */
export function initialState(seed: number): PlantState {
  const rng = random(seed, "initial");
  const demandPhase = 2 * Math.PI * rng();
  return {
    timeMs: 0,
    level101: 0.5 + 0.1 * rng(),
    valve101: 0,
    supply: MV101.meanSupply,
    feedFlow: 0,
    doseRate: 0,
    pipe: new Array<number>(DOSING_PIPE.cells).fill(0),
    filtered: 0,
    clogging: 1,
    backwashFlow: 0,
    valve301: 0,
    drainFlow: 0,
    level401: 0.9 + 0.1 * rng(),
    chlorine401: 1,
    distributionFlow: 0,
    demandNoise: 0,
    demand: forecast(demandPhase, 0),
    feedSpeed: 0,
    doseStroke: 0,
    distributionSpeed: 0,
    spilled101L: 0,
    spilled401L: 0,
    dry101: false,
    dry401: false,
    dry101Ms: 0,
    dry401Ms: 0,
    deliveredM3: 0,
    demandPhase,
  };
}

/** The foreseeable demand at a plant time, m³/h; the operator's plan follows it. */
export function demandForecast(seed: number, timeMs: number): number {
  return forecast(2 * Math.PI * random(seed, "initial")(), timeMs);
}

function forecast(phase: number, timeMs: number): number {
  return DEMAND.mean + DEMAND.wave * Math.sin((2 * Math.PI * timeMs) / (DEMAND.waveS * 1000) + phase);
}

/** One step of the physics. Explicit Euler with balances closed: what leaves one volume enters the next, or is counted. */
export function step(state: PlantState, outputs: FieldOutputs, dtMs: number, rng: Random): PlantState {
  const dt = dtMs / 1000;
  const supply = wander(
    state.supply,
    MV101.meanSupply,
    MV101.supplySpread,
    MV101.supplyTimeS,
    dt,
    rng,
    MV101.maxSupply,
  );
  const demandNoise = wander(state.demandNoise, 0, DEMAND.spread, DEMAND.spreadTimeS, dt, rng, 2);
  const demand = forecast(state.demandPhase, state.timeMs + dtMs) + demandNoise;

  const valve101 = travel(state.valve101, outputs["MV101.OUT"], MV101.travelS, dt);
  const inflow = supply * valve101;

  const dry101 = drawsAir(state.dry101, state.level101, P101.dryM);
  const feedHead = Math.sqrt(Math.max(0, 1 - headLoss(state) / F301.pumpHeadKPa));
  const feedTarget = dry101 ? 0 : (P101.capacity * feedHead * outputs["P101.OUT"]) / 100;
  const feedFlow = limitToVolume(
    lag(state.feedFlow, feedTarget, dry101 ? DRY_LAG_S : P101.lagS, dt),
    state.level101 * T101.areaM2,
    dt,
  );
  const tank101 = fill(state.level101, T101, inflow - feedFlow, dt);

  const doseRate = lag(state.doseRate, (P201.capacityGh * outputs["P201.OUT"]) / 100, P201.lagS, dt);
  const pipe = dosingPipe(state.pipe, feedFlow, doseRate, dt);

  const filter = washFilter(state, feedFlow, dt, rng);
  const water401 = state.level401 * T401.areaM2;
  const backwashFlow = limitToVolume(
    lag(state.backwashFlow, water401 > 0 ? P301.flow * outputs["P301.OUT"] : 0, P301.lagS, dt),
    water401 / 3,
    dt,
  );
  const valve301 = travel(state.valve301, outputs["V301.OUT"], V301.travelS, dt);
  const drainFlow = limitToVolume(valve301 * drain(state.level401), water401 / 3, dt);
  const dry401 = drawsAir(state.dry401, state.level401, P401.dryM);
  // A thirsty network lowers the pressure the pump works against, a sated one raises it: a tenth of the flow per full demand.
  const networkPull = 1 + 0.1 * (demand / DEMAND.mean - 1);
  const distTarget = dry401 ? 0 : (P401.capacity * networkPull * outputs["P401.OUT"]) / 100;
  const distributionFlow = limitToVolume(
    lag(state.distributionFlow, distTarget, dry401 ? DRY_LAG_S : P401.lagS, dt),
    water401 / 3,
    dt,
  );
  const outflow = backwashFlow + drainFlow + distributionFlow;
  const tank401 = fill(state.level401, T401, feedFlow - outflow, dt);
  const chlorine401 = mixTank(state, feedFlow, pipe.at(-1) ?? 0, dt);

  return {
    timeMs: state.timeMs + dtMs,
    level101: tank101.level,
    valve101,
    supply,
    feedFlow,
    doseRate,
    pipe,
    filtered: filter.filtered,
    clogging: filter.clogging,
    backwashFlow,
    valve301,
    drainFlow,
    level401: tank401.level,
    chlorine401,
    distributionFlow,
    demandNoise,
    demand,
    feedSpeed: outputs["P101.OUT"],
    doseStroke: outputs["P201.OUT"],
    distributionSpeed: outputs["P401.OUT"],
    spilled101L: state.spilled101L + tank101.spilledL,
    spilled401L: state.spilled401L + tank401.spilledL,
    dry101,
    dry401,
    dry101Ms: dry101 && outputs["P101.OUT"] > TURNING ? state.dry101Ms + dtMs : 0,
    dry401Ms: dry401 && outputs["P401.OUT"] > TURNING ? state.dry401Ms + dtMs : 0,
    deliveredM3: state.deliveredM3 + distributionFlow * (dt / 3600),
    demandPhase: state.demandPhase,
  };
}

/** Speed in % above which a pump counts as turning. */
export const TURNING = 1;

/** Head loss over the filter, kPa. */
export function headLoss(state: PlantState): number {
  const perFlow = (F301.cleanKPa + F301.growthKPaPerM3 * state.clogging * state.filtered) / F301.atFlow;
  return perFlow * state.feedFlow;
}

/** Drain flow by gravity through an open valve, m³/h. */
function drain(level: number): number {
  return V301.full * Math.sqrt((level + V301.belowM) / (T401.heightM + V301.belowM));
}

function drawsAir(before: boolean, level: number, dryM: number): boolean {
  return level < (before ? dryM + PRIMED_M : dryM);
}

/** First-order approach to a target. */
function lag(value: number, target: number, timeS: number, dt: number): number {
  return value + (target - value) * Math.min(1, dt / timeS);
}

/** A motor valve moves at constant speed. */
function travel(position: number, target: number, travelS: number, dt: number): number {
  const most = dt / travelS;
  return position + Math.max(-most, Math.min(most, (target > 0 ? 1 : 0) - position));
}

/** Mean-reverting random walk (Ornstein–Uhlenbeck), kept within ±3 spreads and below a ceiling. */
function wander(
  value: number,
  mean: number,
  spread: number,
  timeS: number,
  dt: number,
  rng: Random,
  ceiling: number,
): number {
  const next = value + ((mean - value) * dt) / timeS + spread * Math.sqrt((2 * dt) / timeS) * noise(rng);
  return Math.max(mean - 3 * spread, Math.min(mean + 3 * spread, ceiling, next));
}

/** A pump cannot draw more than is there. */
function limitToVolume(flow: number, volumeM3: number, dt: number): number {
  return Math.max(0, Math.min(flow, (volumeM3 * 3600) / dt));
}

function fill(
  level: number,
  tank: { readonly areaM2: number; readonly heightM: number },
  netFlow: number,
  dt: number,
): { readonly level: number; readonly spilledL: number } {
  const next = level + (netFlow * (dt / 3600)) / tank.areaM2;
  if (next <= tank.heightM) return { level: Math.max(0, next), spilledL: 0 };
  return { level: tank.heightM, spilledL: (next - tank.heightM) * tank.areaM2 * 1000 };
}

/** Water pushes the dosed chlorine from cell to cell; where nothing flows it stays where it is. */
function dosingPipe(cells: readonly number[], flow: number, doseRate: number, dt: number): readonly number[] {
  if (flow < 0.05) return cells;
  const share = Math.min(1, (flow * (dt / 3600)) / (DOSING_PIPE.volumeM3 / DOSING_PIPE.cells));
  // Concentration behind the dosing point, g/h over m³/h; the injection point mixes at 1 m³/h at least.
  let before = doseRate / Math.max(1, flow);
  return cells.map((cell) => {
    const next = cell + (before - cell) * share;
    before = cell;
    return next;
  });
}

function washFilter(
  state: PlantState,
  feedFlow: number,
  dt: number,
  rng: Random,
): { readonly filtered: number; readonly clogging: number } {
  const grown = state.filtered + feedFlow * (dt / 3600);
  // Drawn in every step, so that the number of draws does not depend on what is operated when.
  const clogging = 1 + F301.growthSpread * (2 * rng() - 1);
  if (state.backwashFlow < P301.flow / 2) return { filtered: grown, clogging: state.clogging };
  const washed = Math.max(0, state.filtered - (FULL_BED_M3 * dt) / P301.cleansInS);
  return { filtered: washed, clogging };
}

/** A bed as dirty as it gets in ordinary operation; a backwash of the declared length empties it. */
const FULL_BED_M3 = 2.5;

/** Chlorine in the clean tank: a well-mixed volume, mass in minus mass out minus first-order decay. */
function mixTank(state: PlantState, inflow: number, chlorineIn: number, dt: number): number {
  const volume = state.level401 * T401.areaM2;
  const added = inflow * (dt / 3600);
  if (volume + added < 1e-6) return state.chlorine401;
  const mixed = (volume * state.chlorine401 + added * chlorineIn) / (volume + added);
  return mixed * (1 - (CHLORINE_DECAY_PER_H * dt) / 3600);
}
