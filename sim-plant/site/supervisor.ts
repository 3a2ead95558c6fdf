import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** How the parts of Sekisho are started: the program and its first arguments. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

export interface ProcessSpec {
  /** Unique; also the name of its log file. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface SupervisorOptions {
  readonly program: Program;
  readonly runDir: string;
  /** Real ms after which a part that ended by itself is started again; undefined: it is not. */
  readonly restartMs?: number;
  readonly onEvent?: (event: ProcessEvent) => void;
}

export type ProcessEvent =
  | { readonly kind: "started"; readonly name: string; readonly pid: number }
  | { readonly kind: "ready"; readonly name: string }
  | { readonly kind: "ended"; readonly name: string; readonly says: string; readonly restartMs: number | undefined };

/** Real ms a part may take to say that it is ready, and to stop when asked to. */
const READY_MS = 30_000;
const STOP_MS = 4000;

interface Running {
  readonly spec: ProcessSpec;
  child: ChildProcess;
  ready: boolean;
  wanted: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Starts the parts as processes of their own, starts them again when they die, and leaves nothing behind. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  pid(name: string): number | undefined {
    return this.#running.get(name)?.child.pid;
  }

  isRunning(name: string): boolean {
    const child = this.#running.get(name)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves when the part says that it is ready. @throws Error in one sentence, with the part's own last words */
  start(spec: ProcessSpec): Promise<void> {
    const running: Running = { spec, child: this.#spawn(spec), ready: false, wanted: true, timer: undefined };
    this.#running.set(spec.name, running);
    return this.#watch(running);
  }

  /** Resolves with the exit code once a part has ended by itself. */
  ended(name: string): Promise<number> {
    const child = this.#running.get(name)?.child;
    if (child === undefined || child.exitCode !== null) return Promise.resolve(child?.exitCode ?? 1);
    return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  }

  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    running.wanted = false;
    clearTimeout(running.timer);
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(timer);
  }

  /** Stops everything; `first` before the others, so that it does not see them go. */
  async stopAll(first?: string): Promise<void> {
    for (const running of this.#running.values()) running.wanted = false;
    if (first !== undefined) await this.stop(first);
    await Promise.all([...this.#running.keys()].reverse().map((name) => this.stop(name)));
  }

  #spawn(spec: ProcessSpec): ChildProcess {
    const { program, runDir } = this.#options;
    const log = openSync(join(runDir, `${spec.name}.log`), "a");
    try {
      return spawn(program.command, [...program.args, ...spec.args], {
        stdio: ["ignore", log, log, "ipc"],
        env: { ...process.env, ...spec.env },
      });
    } finally {
      closeSync(log);
    }
  }

  #watch(running: Running): Promise<void> {
    const { name } = running.spec;
    const { child } = running;
    this.#tell({ kind: "started", name, pid: child.pid ?? 0 });
    return new Promise((resolve, reject) => {
      let lastWords = "";
      const timer = setTimeout(
        () => reject(new Error(`${name} was not ready within ${READY_MS / 1000} s; see ${name}.log`)),
        READY_MS,
      );
      child.on("error", (error) => reject(new Error(`${name} cannot be started (${error.message})`)));
      child.on("message", (message) => {
        if (message === "ready") {
          clearTimeout(timer);
          running.ready = true;
          this.#tell({ kind: "ready", name });
          resolve();
        } else if (typeof message === "object" && message !== null && "error" in message) {
          lastWords = String(message.error);
        }
      });
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        const says = lastWords || (signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`);
        if (!running.ready) reject(new Error(`${name}: ${says}`));
        this.#ended(running, says);
      });
    });
  }

  #ended(running: Running, says: string): void {
    const { name } = running.spec;
    const restartMs = running.wanted && running.ready ? this.#options.restartMs : undefined;
    this.#tell({ kind: "ended", name, says, restartMs });
    if (restartMs === undefined) return;
    running.timer = setTimeout(() => {
      running.child = this.#spawn(running.spec);
      // It has been ready once: from now on it is started again each time it dies.
      this.#watch(running).catch(() => undefined);
    }, restartMs);
  }

  #tell(event: ProcessEvent): void {
    this.#options.onEvent?.(event);
  }
}
