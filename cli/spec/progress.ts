import type { Progress } from "#specs/check.ts";

/** Real ms before anything is shown. */
const QUIET_MS = 1000;
/** Real ms between two lines where there is no terminal to write over. */
const LINE_MS = 3000;

interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressLine {
  readonly report: Progress;
  /** Takes the line away again. */
  readonly end: () => void;
}

/** How far the check is, on standard error once it takes longer than a second: one line on a terminal, else one every few seconds. */
export function progressOn(screen: Screen, nowMs: () => number = () => performance.now()): ProgressLine {
  const begun = nowMs();
  let lastMs = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    report: (done, of, what) => {
      const now = nowMs();
      if (now - begun < QUIET_MS || done >= of) return;
      const line = `checking ${done + 1} of ${of}: ${what}`;
      if (screen.isTTY === true) {
        screen.write(`\r\u001b[2K${line}`);
        shown = true;
      } else if (now - lastMs >= LINE_MS) {
        screen.write(`${line}\n`);
        lastMs = now;
      }
    },
    end: () => {
      if (shown) screen.write("\r\u001b[2K");
    },
  };
}
