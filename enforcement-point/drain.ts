/** An answer that waits. */
interface Waiting {
  readonly change: string;
  /** Everything that was captured up to then must have been judged, plant ms. */
  readonly upToMs: number;
  /** No frame from before can come any more after this, real ms. */
  readonly untilMs: number;
  readonly answer: () => void;
}

/**
 * The layer that judges a copy says that it has narrowed only when all that was captured before has been judged, or can come no more. One
 * zone has one change at a time. Pure: times go in.
 */
export class Drain {
  #waiting: Waiting | undefined;
  #drained: string | undefined;

  /** An order of this change that is repeated waits no longer than the first. */
  begin(wait: Waiting): void {
    if (this.#drained === wait.change) wait.answer();
    else if (this.#waiting?.change !== wait.change) this.#waiting = wait;
  }

  /** Call when more has been judged, and when time has passed. */
  look(judgedUpToMs: number, realMs: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined || (judgedUpToMs < waiting.upToMs && realMs < waiting.untilMs)) return;
    this.#waiting = undefined;
    this.#drained = waiting.change;
    waiting.answer();
  }
}
