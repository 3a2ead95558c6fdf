import type { ReceiptMessage } from "#point/bus.ts";
import type { RuleId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";

type Counted = "forwarded" | "answered-ok";

/** When a message of each rule that a step waits for was last forwarded and answered with success. Bounded by these rules. */
export class Commands {
  readonly #last = new Map<string, number | undefined>();

  constructor(lifecycle: Lifecycle) {
    for (const { next } of lifecycle.phases.flatMap((phase) => phase.steps)) {
      for (const way of next) if (way.event === "command") this.#last.set(key(way.rule, way.outcome), undefined);
    }
  }

  /** The switch knows both; a PLC sees that a change took effect, and the HMI layer that it was on its way. */
  receipt({ layer, verdict, rule, action, outcome, atMs }: ReceiptMessage): void {
    if (verdict !== "allow" || rule === null || action !== "forwarded") return;
    this.#note(`${rule} forwarded`, atMs);
    if (outcome === "answered-ok" || layer === "plc") this.#note(`${rule} answered-ok`, atMs);
  }

  /** Plant ms; undefined: never, or no step asks for it. */
  last(rule: RuleId, outcome: Counted): number | undefined {
    return this.#last.get(key(rule, outcome));
  }

  #note(what: string, atMs: number): void {
    if (this.#last.has(what)) this.#last.set(what, Math.max(atMs, this.#last.get(what) ?? atMs));
  }
}

function key(rule: RuleId, outcome: Counted): string {
  return `${rule} ${outcome}`;
}
