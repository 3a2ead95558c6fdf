/** One action of an attack, written as a line of JSON. For whoever scores the exercise; the defence never sees it. */
export interface AttackAction {
  /** Plant time at which the action began. */
  readonly atMs: number;
  /** What was done, in the protocol's words: `FC6`, `FC5`, `Write`, `tamper FC16`, `patch`. */
  readonly action: string;
  readonly tag: string | null;
  /** Engineering value sent; null where none was. */
  readonly value: number | null;
  /** What came back: `ok`, `exception 2`, `closed`, an OPC UA status, or why it was not done. */
  readonly answer: string;
}

export type AttackLog = (action: AttackAction) => void;

export function says(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
