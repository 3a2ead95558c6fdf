import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StateView } from "#coordinator/page-messages.ts";
import { ModbusMaster } from "#sim/attacks/modbus-master.ts";
import { PROGRAM_PLC1 } from "#sim/plc/program-plc1.ts";
import { replay } from "#sim/plc/replay.ts";
import { RecordedGuard } from "#sim/plc/scan-log.ts";
import { hasManyLoopbackAddresses } from "#sim/site/site.ts";
import { DeviceId } from "#specs/ids.ts";
import { bundleOfRun } from "../support/run-bundle.ts";
import { scanRecords } from "../support/scan-records.ts";
import { freeInstanceFrom, isAlive, type ProcessName, Site, until } from "../support/site.ts";

/** Real ms: how soon a loss shows, and how soon the part is back (it is started again after four seconds). */
const SEEN_WITHIN_MS = 2000;
const BACK_WITHIN_MS = 15_000;
/** The lease of the plant's lifecycle. */
const LEASE_MS = 10_000;

/** `DOS201.SP` = 9 mg/L, which no phase allows anybody. Write Single Register (06). @see MODBUS AP V1.1b3 §6.6 */
const FORBIDDEN = Buffer.from("0600010384", "hex");
const FORBIDDEN_VALUE = 9;
const WRITE_EVERY_MS = 200;

/** Somebody who tries the forbidden write all the time, and what came of it. */
class Intruder {
  readonly answers = new Map<string, number>();
  readonly #master: ModbusMaster;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(to: { readonly host: string; readonly port: number }, address: string) {
    this.#master = new ModbusMaster(to, { address });
    this.#done = this.#go();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    this.#master.close();
  }

  async #go(): Promise<void> {
    while (!this.#stopped) {
      const { says } = await this.#master.request(1, FORBIDDEN);
      this.answers.set(says, (this.answers.get(says) ?? 0) + 1);
      await pause(WRITE_EVERY_MS);
    }
  }
}

describe.skipIf(!(await hasManyLoopbackAddresses()))("a part is killed while the plant runs", () => {
  let site: Site;
  let intruders: readonly Intruder[] = [];

  beforeAll(async () => {
    // A person decides on containment here: otherwise the first forbidden write would close everything for good.
    site = new Site({ instance: await freeInstanceFrom(32), args: ["--policy", "propose"] });
    await site.ready(60_000);
    await site.until((s) => s.phase === "startup" && allUp(s), 30_000, "every point is up in startup");
    intruders = [
      new Intruder(site.plan.access.plc1, site.plan.hmi),
      new Intruder(site.plan.filter.plc1, `127.${site.instance}.9.77`),
    ];
  });

  afterAll(async () => {
    await Promise.all(intruders.map((intruder) => intruder.stop()));
    await site?.discard();
  });

  /** Nobody's forbidden write has ever reached the PLC's memory, whatever was alive. */
  function nothingPassed(): void {
    const scans = site.lines("plc-1.scans.jsonl");
    expect(scans.length).toBeGreaterThan(0);
    for (const { atMs, out } of scans) {
      const { accepted, tags } = out as {
        readonly accepted: Record<string, number>;
        readonly tags: Record<string, number>;
      };
      if (accepted["DOS201.SP"] === FORBIDDEN_VALUE || tags["DOS201.SP"] === FORBIDDEN_VALUE)
        throw new Error(`the forbidden value reached PLC 1 at ${atMs}`);
    }
    for (const intruder of intruders) {
      expect([...intruder.answers.keys()]).not.toContain("ok");
      expect(intruder.answers.get("exception 1") ?? intruder.answers.get("exception 3")).toBeGreaterThan(0);
    }
  }

  /** Kills a part without warning; how soon the page showed each of its points as lost, and then as back. */
  async function killAndReturn(name: ProcessName, points: readonly string[]): Promise<void> {
    const before = await site.state();
    const pid = site.pid(name);
    process.kill(pid, "SIGKILL");
    const health = (state: StateView) => points.map((point) => site.health(state, point));
    // A guard whose lease has just ended, since agent and coordinator were killed before, is isolated for a moment, and not lost.
    const isLost = (h: string | undefined) => h !== "up" && h !== "isolated";
    const seenMs = await site.until((s) => health(s).every(isLost), SEEN_WITHIN_MS, `${name} shows as lost`);
    const backMs = await site.until(
      (s) => health(s).every((h) => h === "up") && points.every((p) => follows(s, p)),
      BACK_WITHIN_MS,
      `${name} is back under the coordinator's epoch`,
    );
    console.info(`${name}: lost after ${Math.round(seenMs)} ms, back after ${Math.round(seenMs + backMs)} ms`);
    expect(seenMs + backMs).toBeLessThan(BACK_WITHIN_MS);
    expect(isAlive(pid)).toBe(false);
    expect((await site.state())?.epoch).toBeGreaterThanOrEqual(before?.epoch ?? Number.POSITIVE_INFINITY);
    nothingPassed();
  }

  test("the HMI monitor", () => killAndReturn("hmi-monitor", ["hmi-monitor"]));

  test("the switch filter: nothing gets past where it stood", () => killAndReturn("switch-filter", ["switch-filter"]));

  test("the guards' agent: the guards go on by themselves", async () => {
    const before = site.lines("plc-1.scans.jsonl").length;
    const held = readFileSync(join(site.runDir, "plc-1.phase.json"), "utf8");
    await killAndReturn("plc-guard", ["guard-plc-1", "guard-plc-2"]);
    expect(JSON.parse(readFileSync(join(site.runDir, "plc-1.phase.json"), "utf8"))).toMatchObject(phaseOf(held));
    // Shorter than the lease: the guard held its phase.
    expect(leaseEnds(site).length).toBe(0);
    expect(site.lines("plc-1.scans.jsonl").length).toBeGreaterThan(before + 30);
  });

  test("the coordinator: it comes back on the phase it had", async () => {
    const before = await site.state();
    const pid = site.pid("coordinator");
    process.kill(pid, "SIGKILL");
    const seenMs = await until(
      async () => (await site.state()) === undefined,
      SEEN_WITHIN_MS,
      () => "the page still answers",
    );
    let first: StateView | undefined;
    const answersMs = await until(
      async () => {
        first = await site.state();
        return first !== undefined;
      },
      BACK_WITHIN_MS,
      () => "the coordinator does not answer again",
    );
    expect(first).toMatchObject({ standing: "running", phase: before?.phase });
    expect(first?.epoch).toBeGreaterThanOrEqual(before?.epoch ?? Number.POSITIVE_INFINITY);
    const upMs = await site.until(
      (s) => allUp(s) && s.points.every(({ point }) => follows(s, point)),
      BACK_WITHIN_MS - answersMs,
      "every point follows the coordinator again",
    );
    console.info(
      `coordinator: lost after ${Math.round(seenMs)} ms, back after ${Math.round(seenMs + answersMs + upMs)} ms`,
    );
    expect((await site.state())?.epoch).toBeGreaterThanOrEqual(first?.epoch ?? Number.POSITIVE_INFINITY);
    const standings = site.lines("phase-record.jsonl").filter(({ entry }) => entry === "standing");
    const epochs = standings.map(({ epoch }) => Number(epoch));
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    expect(new Set(standings.map(({ epoch, phase }) => `${epoch} ${phase}`)).size).toBe(new Set(epochs).size);
    nothingPassed();
  });

  test("PLC 1: its outputs lose their power, and it goes on when it is back", async () => {
    await site.until((s) => s.tags["MV101.OUT"]?.value === 1, 20_000, "the inlet valve is driven");
    const killedMs = Date.now();
    await killAndReturn("plc-1", ["guard-plc-1"]);
    // The log is written in blocks.
    const scansSince = () => site.lines("plc-1.scans.jsonl").filter(({ atMs }) => Number(atMs) > killedMs + 2000);
    await until(
      () => scansSince().length > 0,
      3000,
      () => "PLC 1 does not scan again",
    );
    const scans = scansSince();
    // Free-running, plant time is the system's clock: both logs speak of the same milliseconds. A record comes each 500 ms.
    const backMs = Number(scans[0]?.["atMs"]);
    const without = site
      .lines("plant.jsonl")
      .filter(({ record }) => isRecord(record) && Number(record["atMs"]) > killedMs + 200)
      .filter(({ record }) => isRecord(record) && Number(record["atMs"]) < backMs);
    expect(without.length).toBeGreaterThanOrEqual(6);
    for (const { outputs } of without) expect(outputs).toMatchObject({ "MV101.OUT": 0, "P101.OUT": 0, "P201.OUT": 0 });
    // What it had been told is still so, and so the valve is driven again without anybody's doing.
    expect(scans[0]?.["out"]).toMatchObject({ tags: { "MV101.CMD": 1 } });
    // Its guard came back on the phase it had kept, before the agent could tell it.
    expect(JSON.stringify(scans[0]?.["guard"])).toContain('{"restore":');
    await until(
      () => scansSince().length > scans.length + 10,
      3000,
      () => "PLC 1 does not go on scanning",
    );
  });

  test("an agent that hangs for longer than the lease: the guard isolates itself, and is led back", async () => {
    const before = leaseEnds(site).length;
    const pid = site.pid("plc-guard");
    process.kill(pid, "SIGSTOP");
    try {
      const seenMs = await site.until(
        (s) => site.health(s, "guard-plc-1") !== "up",
        SEEN_WITHIN_MS,
        "the hanging agent shows",
      );
      const isolatedMs = await until(
        () => leaseEnds(site).length > before,
        LEASE_MS + 1500,
        () => "the guard's lease has not ended",
      );
      console.info(
        `agent hung: shown after ${Math.round(seenMs)} ms, isolated after ${Math.round(seenMs + isolatedMs)} ms`,
      );
      nothingPassed();
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const backMs = await until(
      () => ledBack(site),
      BACK_WITHIN_MS,
      () => "no position reached the isolated guard",
    );
    await site.until((s) => allUp(s) && follows(s, "guard-plc-1"), SEEN_WITHIN_MS, "the page shows the guard as up");
    console.info(`agent goes on: led back after ${Math.round(backMs)} ms`);
    expect(isAlive(pid)).toBe(true);
  });

  test("what PLC 1 did through all this replays from its scan logs, byte for byte", () => {
    const bundle = bundleOfRun(site.runDir);
    // Until it was killed, and from then on: a PLC that starts anew begins with its program's first memory.
    for (const file of ["plc-1.scans.jsonl.1", "plc-1.scans.jsonl"]) {
      const records = scanRecords(join(site.runDir, file));
      expect(records.length).toBeGreaterThan(50);
      const guard = new RecordedGuard(bundle, DeviceId("plc-1"), "enforce");
      expect(replay(PROGRAM_PLC1, records, guard), file).toEqual({ scans: records.length, differs: undefined });
    }
  });
});

function allUp(state: StateView): boolean {
  return state.points.every((point) => point.health === "up");
}

function follows(state: StateView, point: string): boolean {
  return state.points.find((p) => p.point === point)?.epoch === state.epoch;
}

/** The phase and epoch of a saved phase; the steps go on by themselves. */
function phaseOf(saved: string): { readonly phase: string; readonly epoch: number } {
  const { phase, epoch } = JSON.parse(saved);
  return { phase, epoch };
}

/** What reached the guard of PLC 1, oldest first, from its scan log. */
function guardEvents(site: Site): readonly Readonly<Record<string, unknown>>[] {
  return site
    .lines("plc-1.scans.jsonl")
    .flatMap(({ guard }): readonly unknown[] => (Array.isArray(guard) ? guard : []))
    .filter(isRecord);
}

function leaseEnds(site: Site): readonly unknown[] {
  return guardEvents(site).filter((event) => event["leaseEnded"] === true);
}

/** The coordinator's position reached the guard after its lease had ended last. */
function ledBack(site: Site): boolean {
  const events = guardEvents(site);
  return events.slice(events.findLastIndex((event) => event["leaseEnded"] === true)).some((event) => "adopt" in event);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
