import { join } from "node:path";
import type { ChangeRecordView, Detection, StateView } from "#coordinator/page-messages.ts";
import type { Mode } from "#specs/plant.ts";
import { ATTACKS, type Attack, type AttackId } from "../attacks/catalogue.ts";
import type { PreparedSite } from "../site/site.ts";
import { startSite } from "../site/site.ts";
import type { Program, Supervisor } from "../site/supervisor.ts";
import { runTwin } from "../twin.ts";
import type { Exercise } from "./catalogue.ts";
import { ConsoleClient } from "./console-client.ts";
import { acceptedWrites, attackActions, operatorCommands, plantRecords } from "./logs.ts";
import type { ExerciseResult } from "./result.ts";
import { type AttackRun, score } from "./score.ts";

/** Plant ms: how long each attack lasts, and the rest between two. */
const ATTACK_MS = 55_000;
const REST_MS = 5000;
/** Real ms between two looks at the coordinator. */
const LOOK_EVERY_MS = 40;
/** Real ms an exercise may take in all. */
const MAX_REAL_MS = 20 * 60_000;

export interface RunnerOptions {
  readonly exercise: Exercise;
  readonly prepared: PreparedSite;
  readonly program: Program;
  readonly onProgress: (says: string) => void;
}

/** Runs an exercise with real processes and real traffic, then scores it from the logs. @throws Error when a part cannot be started */
export async function runExercise(options: RunnerOptions): Promise<ExerciseResult> {
  options.onProgress("starting the plant");
  const supervisor = await startSite(options.prepared, options.program);
  const run = new Run(options, supervisor);
  try {
    await run.untilEnd();
  } finally {
    // The plant stops first: its log must not show the PLCs going.
    await supervisor.stopAll("plant");
  }
  return run.result();
}

class Run {
  readonly #options: RunnerOptions;
  readonly #mode: Mode;
  readonly #supervisor: Supervisor;
  readonly #console: ConsoleClient;
  readonly #detections = new Map<string, Detection>();
  readonly #changes = new Map<string, ChangeRecordView>();
  readonly #attacks: {
    readonly attack: Attack;
    readonly fromMs: number;
    readonly toMs: number;
    readonly log: string;
  }[] = [];
  readonly #deadline = performance.now() + MAX_REAL_MS;
  #state: StateView | undefined;

  constructor(options: RunnerOptions, supervisor: Supervisor) {
    this.#options = options;
    this.#mode = options.prepared.site.mode;
    this.#supervisor = supervisor;
    this.#console = new ConsoleClient(options.prepared.site.page);
  }

  async untilEnd(): Promise<void> {
    const { exercise, onProgress } = this.#options;
    if (exercise.attacks.length === 0) {
      await this.#until((s) => s.atMs >= exercise.lengthMs, exercise.title);
      return;
    }
    onProgress("the operator starts the plant");
    const { phase, afterMs } = exercise.begins;
    await this.#until((s) => s.phase === phase && s.atMs - s.sinceMs >= afterMs, `the phase ${phase}`);
    for (const id of exercise.attacks) await this.#attack(id);
  }

  result(): ExerciseResult {
    const { exercise, prepared } = this.#options;
    const { site, bundle } = prepared;
    const plant = plantRecords(site.runDir);
    const endMs = plant.at(-1)?.atMs ?? 0;
    const undisturbed = runTwin({
      plant: bundle.plant,
      lifecycle: bundle.lifecycle,
      seed: site.seed,
      untilMs: endMs,
      script: site.script,
    });
    return score({
      exercise: exercise.name,
      seed: site.seed,
      mode: this.#mode,
      attacks: this.#attacks.map((a): AttackRun => ({ ...a, actions: attackActions(a.log) })),
      detections: [...this.#detections.values()],
      denials: this.#state?.counts.denied ?? 0,
      operator: operatorCommands(site.runDir),
      accepted: acceptedWrites(site.runDir),
      changes: [...this.#changes.values()].toSorted((a, b) => a.atMs - b.atMs),
      plant,
      undisturbed: undisturbed.records,
      endMs,
      productionAtLeast: exercise.productionAtLeast,
    });
  }

  async #attack(id: AttackId): Promise<void> {
    const attack = ATTACKS.find((a) => a.id === id);
    if (attack === undefined) throw new Error(`attack \`${id}\` is not in the catalogue`);
    const { prepared, onProgress } = this.#options;
    onProgress(`attack: ${attack.title}`);
    const log = join(prepared.site.runDir, `attack-${id}.jsonl`);
    const name = `attack-${id}`;
    const fromMs = this.#now;
    const args = ["plant", "attack", id, "--site", prepared.file, "--duration", String(ATTACK_MS), "--log", log];
    await this.#supervisor.start({ name, args });
    await this.#until(() => !this.#supervisor.isRunning(name), `the end of ${id}`);
    this.#attacks.push({ attack, fromMs, toMs: this.#now, log });
    if (this.#mode === "enforce") await this.#recover(id);
    await this.#pass(REST_MS);
  }

  /** The shift supervisor: once the cause is gone and nothing is missing any more, the plant is led back. */
  async #recover(id: AttackId): Promise<void> {
    const giveUpMs = this.#now + this.#options.exercise.giveUpMs;
    let asked = "";
    const back = async (state: StateView): Promise<boolean> => {
      if (state.phase === "normal" || state.atMs > giveUpMs) return true;
      if (state.phase?.startsWith("degraded.") !== true) asked = "";
      const offer = state.requests.find((r) => r.request === "return-to-normal" && r.missing.length === 0);
      if (offer !== undefined && asked !== state.phase) {
        const answer = await this.#console.request("return-to-normal", "operator", "exercise supervisor");
        if (answer.accepted) asked = state.phase ?? "";
      }
      return false;
    };
    await this.#until(back, `the return to normal after ${id}`);
    this.#options.onProgress(this.#state?.phase === "normal" ? "back to normal" : `no way back to normal after ${id}`);
  }

  async #pass(plantMs: number): Promise<void> {
    const untilMs = this.#now + plantMs;
    await this.#until((s) => s.atMs >= untilMs, "a rest");
  }

  get #now(): number {
    return this.#state?.atMs ?? 0;
  }

  async #until(holds: (state: StateView) => boolean | Promise<boolean>, what: string): Promise<void> {
    for (;;) {
      const state = await this.#console.state();
      if (state !== undefined) {
        this.#take(state);
        if (await holds(state)) return;
      }
      if (performance.now() > this.#deadline)
        throw new Error(
          `${what} did not come within ${MAX_REAL_MS / 60_000} minutes; see the logs in ${this.#options.prepared.site.runDir}`,
        );
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  #take(state: StateView): void {
    this.#state = state;
    for (const detection of state.detections) this.#detections.set(detection.id, detection);
    for (const change of state.history)
      if (change.outcome === "done") this.#changes.set(`${change.epoch} ${change.to}`, change);
  }
}
