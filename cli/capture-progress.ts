/** Real ms before anything is shown, and between two looks. */
const QUIET_MS = 500;
const LOOK_MS = 200;
const BAR_CELLS = 30;

interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How far a capture is read: a bar on a terminal, and nothing elsewhere. */
export class CaptureProgress {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #begun: number;
  #looked: number;
  #shown = false;

  constructor(screen: Screen, nowMs: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = nowMs;
    this.#begun = nowMs();
    this.#looked = this.#begun;
  }

  /** @param of bytes of the file; 0: nobody knows */
  report(done: number, of: number): void {
    if (this.#screen.isTTY !== true || of === 0) return;
    const now = this.#now();
    if (now - this.#begun < QUIET_MS || now - this.#looked < LOOK_MS) return;
    this.#looked = now;
    const share = Math.min(1, done / of);
    const full = Math.round(share * BAR_CELLS);
    const bar = "█".repeat(full) + "░".repeat(BAR_CELLS - full);
    this.#screen.write(`\r\u001b[2K${bar} ${Math.floor(100 * share)} % of ${(of / 1e6).toFixed(1)} MB`);
    this.#shown = true;
  }

  /** Takes the bar away again. */
  end(): void {
    if (this.#shown) this.#screen.write("\r\u001b[2K");
    this.#shown = false;
  }
}
