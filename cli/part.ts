/** A mistake of the user's: one sentence, exit code 2. */
export class UsageError extends Error {}

/** The answer is no: one sentence, exit code 1. */
export class AnswerNo extends Error {}

export interface Part {
  close(): Promise<void> | void;
  /** Reads anew what it runs by, while it goes on. Absent: a hang-up stops the part. Does not throw. */
  reload?(): void;
}

/** Real ms for a clean stop; after that the process ends all the same. */
const STOP_MS = 3500;

/**
 * Runs one long-lived part: tells a supervisor when it is ready, stops cleanly on SIGINT, SIGTERM, and when the supervisor
 * that started it is gone, so that nothing is left behind. SIGHUP has it read anew what it runs by, where there is such a thing.
 */
export async function runPart(title: string, start: () => Promise<Part>): Promise<void> {
  process.title = `sekisho ${title}`;
  let stopping = false;
  let part: Part | undefined;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), STOP_MS).unref();
    Promise.resolve(part?.close()).then(
      () => process.exit(0),
      () => process.exit(0),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  let hungUp = false;
  const hangUp = (): void => {
    hungUp = part === undefined;
    if (part?.reload !== undefined) part.reload();
    else if (part !== undefined) stop();
  };
  process.on("SIGHUP", hangUp);
  // A hang-up may have closed the terminal: that its last words reach nobody is no reason to end.
  process.stderr.on("error", () => undefined);
  if (process.send !== undefined) process.on("disconnect", stop);
  part = await start();
  // What it read at its start may be from before the hang-up.
  if (hungUp) hangUp();
  process.send?.("ready");
}

/** Ends the process for an error: in words, never with a stack trace unless it is our own bug and debugging is asked for. */
export function fail(error: unknown): never {
  const says = error instanceof Error ? error.message : String(error);
  process.send?.({ error: says });
  process.stderr.write(`sekisho: ${says}\n`);
  if (process.env["SEKISHO_DEBUG"] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack ?? ""}\n`);
  process.exit(error instanceof AnswerNo ? 1 : 2);
}
