import type { PlantMessage, TrafficSink } from "./message.ts";

/** What a run did when: enough to tell whether two runs are the same day with noise on it. */
export class Timetable implements TrafficSink {
  readonly #phases: string[] = [];
  readonly #writes = new Set<string>();
  #phase = "";

  enterPhase(phase: string, atMs: number): void {
    this.#fill(atMs);
    this.#phase = phase;
  }

  message({ atMs, ...message }: PlantMessage): void {
    if (message.kind === "write") this.#writes.add(`${Math.floor(atMs / 1000)} ${message.tag.id} ${message.value}`);
    else this.#fill(atMs);
  }

  #fill(atMs: number): void {
    for (let second = this.#phases.length; second * 1000 < atMs; second += 1) this.#phases.push(this.#phase);
  }

  /**
   * How far two runs are in the same phase at the same time, beyond what chance would have: 1 always, 0 as two runs that know nothing of
   * each other (J. Cohen's kappa, Educational and Psychological Measurement 20, 1960).
   */
  phasesAlike(other: Timetable): number {
    const length = Math.min(this.#phases.length, other.#phases.length);
    const shares = (phases: readonly string[]): ReadonlyMap<string, number> => {
      const counts = new Map<string, number>();
      for (const phase of phases.slice(0, length)) counts.set(phase, (counts.get(phase) ?? 0) + 1 / length);
      return counts;
    };
    const [mine, theirs] = [shares(this.#phases), shares(other.#phases)];
    const chance = [...mine].reduce((sum, [phase, share]) => sum + share * (theirs.get(phase) ?? 0), 0);
    let same = 0;
    for (let n = 0; n < length; n += 1) if (this.#phases[n] === other.#phases[n]) same += 1 / length;
    return chance >= 1 ? 1 : (same - chance) / (1 - chance);
  }

  /** The share of writes that the other run has too: same second, same tag, same value. */
  writesAlike(other: Timetable): number {
    const same = [...this.#writes].filter((write) => other.#writes.has(write)).length;
    return same / Math.max(1, this.#writes.size);
  }
}

/** Hands everything to both. */
export function both(first: TrafficSink, second: TrafficSink): TrafficSink {
  return {
    enterPhase: (phase, atMs) => {
      first.enterPhase(phase, atMs);
      second.enterPhase(phase, atMs);
    },
    message: (message) => {
      first.message(message);
      second.message(message);
    },
  };
}
