import {
  beginChange,
  type ChangePlan,
  type ChangeState,
  type ChangeStep,
  type ChangeTimes,
  isOver,
  REPEAT_MS,
  resumeChange,
  STAGE_MS,
  stepChange,
} from "#coordinator/phase-change.ts";
import type { AnswerMessage, OrderMessage } from "#point/bus.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { Epoch, PhaseId, ZoneId } from "#specs/ids.ts";

/**
 * The phase change with a world around it, small enough to visit every state. Messages once sent stay deliverable for good, so
 * that every loss, delay, doubling and reordering is among the behaviours. Points and the coordinator may die and come back.
 */
export interface World {
  /** undefined: the coordinator is down. */
  readonly coordinator: ChangeState | undefined;
  readonly record: "opened" | "committed" | "standing" | "aborted";
  readonly orders: readonly OrderMessage[];
  readonly answers: readonly AnswerMessage[];
  /** The retained position says the new phase. */
  readonly position: boolean;
  readonly points: readonly ModelPoint[];
  readonly deathsLeft: number;
}

export interface ModelPoint {
  readonly point: string;
  readonly layer: Layer;
  readonly alive: boolean;
  readonly holds: "old" | "new";
  readonly prepared: boolean;
  readonly narrowed: boolean;
  /** It has died at least once: its prepared change is lost, its held phase is not. */
  readonly hasDied: boolean;
  /** It refuses to prepare. */
  readonly refuses: boolean;
}

const TIMES: ChangeTimes = { realMs: 0, atMs: 0, stageMs: STAGE_MS };
const LAYERS: readonly Layer[] = ["hmi", "switch", "plc"];

export interface Scenario {
  readonly emergency: boolean;
  readonly withoutAbsent: boolean;
  readonly refusing?: Layer;
  readonly deaths: number;
}

export function planOf(
  scenario: Pick<Scenario, "emergency" | "withoutAbsent">,
  reachable: (layer: Layer) => boolean = () => true,
): ChangePlan {
  return {
    change: "c-2",
    zone: ZoneId("works"),
    epoch: Epoch(2),
    from: PhaseId("old"),
    to: PhaseId("new"),
    steps: [],
    window: [],
    emergency: scenario.emergency,
    withoutAbsent: scenario.withoutAbsent,
    participants: LAYERS.map((layer) => ({ point: layer, layer, reachable: reachable(layer) })),
    event: "request.go",
    cause: "test",
  };
}

export function firstWorld(scenario: Scenario): World {
  const points = LAYERS.map(
    (layer): ModelPoint => ({
      point: layer,
      layer,
      alive: true,
      holds: "old",
      prepared: false,
      narrowed: false,
      hasDied: false,
      refuses: scenario.refusing === layer,
    }),
  );
  const empty: World = {
    coordinator: undefined,
    record: "opened",
    orders: [],
    answers: [],
    position: false,
    points,
    deathsLeft: scenario.deaths,
  };
  return afterStep(empty, beginChange(planOf(scenario), TIMES));
}

/** Every world that one event leads to. */
export function next(world: World, scenario: Scenario): readonly World[] {
  return [...deliveries(world), ...answersHeard(world), ...timePasses(world), ...deaths(world, scenario)].filter(
    (w) => w !== world,
  );
}

function deliveries(world: World): World[] {
  return world.points.flatMap((point, i) => {
    if (!point.alive) return [];
    const worlds = world.orders.map((order) => deliver(world, i, point, order));
    return world.position && point.holds === "old" ? [...worlds, withPoint(world, i, take(point))] : worlds;
  });
}

function deliver(world: World, i: number, point: ModelPoint, order: OrderMessage): World {
  if ("layer" in order && order.layer !== "all" && order.layer !== point.layer) return world;
  const [after, agreed] = obey(point, order);
  const known = world.answers.some((a) => a.point === point.point && a.order === order.order && a.agreed === agreed);
  if (known && same(after, point)) return world;
  const answer: AnswerMessage = {
    point: point.point,
    layer: point.layer,
    change: order.change,
    order: order.order,
    agreed,
    says: "",
  };
  return { ...withPoint(world, i, after), answers: add(world.answers, answer) };
}

/** As the points' phase holder does it. */
function obey(point: ModelPoint, order: OrderMessage): [ModelPoint, boolean] {
  if (point.holds === "new") return [point, order.order === "take"];
  switch (order.order) {
    case "prepare":
      return point.refuses ? [point, false] : [{ ...point, prepared: true }, true];
    case "window":
      return point.prepared ? [{ ...point, narrowed: true }, true] : [point, false];
    case "take":
      return [take(point), true];
    case "abort":
      return [{ ...point, prepared: false, narrowed: false }, true];
    default: {
      const never: never = order;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

function take(point: ModelPoint): ModelPoint {
  return { ...point, holds: "new", prepared: false, narrowed: false };
}

function answersHeard(world: World): World[] {
  const { coordinator } = world;
  if (coordinator === undefined || isOver(coordinator)) return [];
  return world.answers.map((answer) =>
    fed(world, coordinator, stepChange(coordinator, { kind: "answer", answer }, TIMES)),
  );
}

function timePasses(world: World): World[] {
  const { coordinator } = world;
  if (coordinator === undefined || isOver(coordinator)) return [];
  return [REPEAT_MS, STAGE_MS].map((realMs) =>
    afterStep(world, stepChange(coordinator, { kind: "time" }, { ...TIMES, realMs })),
  );
}

function deaths(world: World, scenario: Scenario): World[] {
  const worlds: World[] = [];
  if (world.deathsLeft > 0) {
    const fewer = { ...world, deathsLeft: world.deathsLeft - 1 };
    if (world.coordinator !== undefined) worlds.push({ ...fewer, coordinator: undefined });
    for (const [i, point] of world.points.entries()) {
      if (point.alive)
        worlds.push(
          goneTold(
            withPoint(fewer, i, { ...point, alive: false, prepared: false, narrowed: false, hasDied: true }),
            point.point,
          ),
        );
    }
  }
  if (world.coordinator === undefined) worlds.push(restartCoordinator(world, scenario));
  for (const [i, point] of world.points.entries())
    if (!point.alive) worlds.push(withPoint(world, i, { ...point, alive: true }));
  return worlds;
}

function goneTold(world: World, point: string): World {
  const { coordinator } = world;
  return coordinator === undefined ? world : afterStep(world, stepChange(coordinator, { kind: "gone", point }, TIMES));
}

/** Follows the record: committed rolls forward, opened is taken back. */
export function restartCoordinator(world: World, scenario: Scenario): World {
  const plan = planOf(scenario, (layer) => world.points.some((p) => p.layer === layer && p.alive));
  if (world.record === "committed") return afterStep(world, resumeChange({ ...plan, withoutAbsent: true }, TIMES));
  const over: ChangeState = {
    plan,
    at: { stage: "done" },
    waiting: [],
    without: new Map(),
    stageEndsMs: 0,
    repeatAtMs: 0,
  };
  if (world.record === "standing") return { ...world, coordinator: over, position: true };
  const aborted: ChangeState = { ...over, at: { stage: "aborted", because: "restart" } };
  const abort: OrderMessage = {
    order: "abort",
    zone: plan.zone,
    change: plan.change,
    epoch: plan.epoch,
    from: plan.from,
    to: plan.to,
    steps: [],
    atMs: 0,
  };
  return { ...world, coordinator: aborted, record: "aborted", orders: add(world.orders, abort) };
}

/** The same world where nothing came of it: most messages come too late to matter. */
function fed(world: World, coordinator: ChangeState, step: ChangeStep): World {
  return step.state === coordinator && step.outputs.length === 0 ? world : afterStep(world, step);
}

/** Puts a step's outputs into the world; the commit record is durable at once or the coordinator is down. */
function afterStep(world: World, step: ChangeStep): World {
  let now: World = { ...world, coordinator: { ...step.state, stageEndsMs: STAGE_MS, repeatAtMs: REPEAT_MS } };
  for (const output of step.outputs) {
    switch (output.kind) {
      case "order":
        now = { ...now, orders: add(now.orders, output.order) };
        break;
      case "commit":
        now = afterStep({ ...now, record: "committed" }, stepChange(step.state, { kind: "durable" }, TIMES));
        break;
      case "done":
        now = { ...now, record: "standing", position: true };
        break;
      case "aborted":
        now = { ...now, record: "aborted" };
        break;
      default: {
        const never: never = output;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }
  return now;
}

function same(a: ModelPoint, b: ModelPoint): boolean {
  return a.holds === b.holds && a.prepared === b.prepared && a.narrowed === b.narrowed;
}

function withPoint(world: World, i: number, point: ModelPoint): World {
  return { ...world, points: world.points.map((old, j) => (i === j ? point : old)) };
}

function add<T extends OrderMessage | AnswerMessage>(list: readonly T[], item: T): readonly T[] {
  return list.some((old) => wordOf(old) === wordOf(item)) ? list : [...list, item];
}

function wordOf(message: OrderMessage | AnswerMessage): string {
  return "point" in message
    ? `${message.point}${message.order}${message.agreed}`
    : `${message.order}${"layer" in message ? message.layer : ""}`;
}

/** What tells worlds apart. The order in which messages were sent does not. */
export function keyOf(world: World): string {
  const { coordinator, record, orders, answers, position, points, deathsLeft } = world;
  const at =
    coordinator === undefined
      ? null
      : [
          coordinator.at.stage,
          "layer" in coordinator.at ? coordinator.at.layer : "",
          coordinator.waiting,
          [...coordinator.without.keys()].sort(),
        ];
  const sent = orders.map(wordOf).sort();
  // An answer to a stage that is over says nothing any more: stages only go forward, a restart begins at take or abort.
  const stage = coordinator?.at.stage;
  const said = answers.filter((a) => a.order === stage || a.order === "take" || a.order === "abort").map(wordOf);
  said.sort();
  const held = points.map((p) => [p.alive, p.holds, p.prepared, p.narrowed, p.hasDied]);
  return JSON.stringify([at, record, sent, said, position, held, deathsLeft]);
}

/** Lets the world run on without further faults until nothing changes: everybody is up and every message arrives. */
export function settle(world: World, scenario: Scenario): World {
  let now = world.coordinator === undefined ? restartCoordinator(world, scenario) : world;
  now = { ...now, points: now.points.map((point) => ({ ...point, alive: true })) };
  for (let round = 0; round < 40; round += 1) {
    const before = keyOf(now);
    const last = now.orders.at(-1);
    for (const [i] of now.points.entries()) {
      const point = now.points[i];
      if (point === undefined) continue;
      if (last !== undefined) now = deliver(now, i, point, last);
      const after = now.points[i];
      if (now.position && after !== undefined) now = withPoint(now, i, take(after));
    }
    for (const answer of now.answers) {
      if (now.coordinator !== undefined)
        now = afterStep(now, stepChange(now.coordinator, { kind: "answer", answer }, TIMES));
    }
    if (keyOf(now) === before) {
      if (now.coordinator === undefined || isOver(now.coordinator)) return now;
      now = afterStep(now, stepChange(now.coordinator, { kind: "time" }, { ...TIMES, realMs: STAGE_MS }));
    }
  }
  return now;
}
