import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Lines a log takes before it falls silent: a day of scans at 10 per second. */
const MAX_LINES = 900_000;

/** A file of JSON lines. Lines are written in blocks; `close` writes what is left. */
export class JsonLog {
  readonly #file: number;
  #block: string[] = [];
  #lines = 0;
  readonly #timer: NodeJS.Timeout;

  /** @throws Error when the file cannot be made. An earlier one of the same name is kept as `<name>.1`. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) renameSync(path, `${path}.1`);
    this.#file = openSync(path, "w");
    this.#timer = setInterval(() => this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  write(line: string): void {
    if (this.#lines >= MAX_LINES) return;
    this.#lines += 1;
    this.#block.push(line);
    if (this.#block.length >= BLOCK_LINES) this.flush();
  }

  flush(): void {
    if (this.#block.length === 0) return;
    writeSync(this.#file, `${this.#block.join("\n")}\n`);
    this.#block = [];
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
    closeSync(this.#file);
  }
}

const FLUSH_MS = 250;
const BLOCK_LINES = 64;
