import type { Figure } from "../figure.ts";
import { quantile } from "../statistics.ts";
import { cpuUs } from "./processes.ts";
import type { Subject, Way } from "./relays.ts";

/** What a load generator found in one round. Times in µs. */
export interface Loaded {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly requests: number;
  readonly errors: number;
}

export interface Round extends Loaded {
  /** CPU time of the relay for each request, in µs. */
  readonly cpu: number;
}

/** All ways in turn in each round, beginning with another one each time: what disturbs the machine disturbs all. */
export async function interleaved(
  ways: readonly Way[],
  rounds: number,
  load: (way: Way) => Promise<Loaded>,
): Promise<ReadonlyMap<Subject, readonly Round[]>> {
  const found = new Map<Subject, Round[]>(ways.map(({ subject }) => [subject, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % ways.length;
    for (const way of [...ways.slice(first), ...ways.slice(0, first)]) {
      const pid = way.process?.pid;
      const before = pid === undefined ? Number.NaN : cpuUs(pid);
      const loaded = await load(way);
      const cpu = pid === undefined ? Number.NaN : (cpuUs(pid) - before) / loaded.requests;
      found.get(way.subject)?.push({ ...loaded, cpu });
    }
  }
  return found;
}

/** Median over the rounds. */
export function median(rounds: readonly Round[] | undefined, of: (round: Round, index: number) => number): number {
  return quantile(Float64Array.from(rounds ?? [], of), 0.5);
}

/** What a relay adds to a figure of the direct way: median over the rounds of the difference within each. */
export function added(all: ReadonlyMap<Subject, readonly Round[]>, subject: Subject, of: "p50" | "p99"): number {
  const direct = all.get("direct") ?? [];
  return median(all.get(subject), (round, index) => round[of] - (direct[index]?.[of] ?? Number.NaN));
}

export function errorsOf(rounds: readonly Round[] | undefined): number {
  return (rounds ?? []).reduce((sum, { errors }) => sum + errors, 0);
}

/** What all rounds of one load tell of each way. */
export function plainFigures(
  rounds: ReadonlyMap<Subject, readonly Round[]>,
  figure: (subject: Subject, metric: string, value: number, unit: string, errors: number) => Figure,
): readonly Figure[] {
  return [...rounds].flatMap(([subject, all]) => {
    const errors = errorsOf(all);
    const figures = [
      figure(
        subject,
        "median",
        median(all, (r) => r.p50),
        "µs",
        errors,
      ),
      figure(
        subject,
        "p99",
        median(all, (r) => r.p99),
        "µs",
        errors,
      ),
      figure(
        subject,
        "throughput",
        median(all, (r) => r.perSecond),
        "requests/s",
        errors,
      ),
    ];
    const cpu = median(all, (r) => r.cpu);
    return Number.isNaN(cpu) ? figures : [...figures, figure(subject, "CPU", cpu, "µs/request", errors)];
  });
}
