import { adu, adus, RawClient } from "../raw-client.ts";
import type { Place } from "./filter-process.ts";

/** Times in ms. */
export interface Latency {
  readonly count: number;
  readonly errors: number;
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
}

/** One request at a time for so many seconds, on a link that stays open. */
export async function measure(
  client: RawClient,
  pdu: string,
  answer: string,
  seconds: number,
  unit = 1,
): Promise<Latency> {
  const times: number[] = [];
  let errors = 0;
  const until = performance.now() + seconds * 1000;
  for (let n = 1; performance.now() < until && !client.closed; n = (n % 0xffff) + 1) {
    client.received = Buffer.alloc(0);
    const begun = performance.now();
    client.say(adu(n, pdu, unit));
    await client.until(() => client.closed || adus(client.received).length > 0);
    times.push(performance.now() - begun);
    if (adus(client.received)[0] !== adu(n, answer, unit).toString("hex")) errors += 1;
  }
  return summary(times, client.closed ? errors + 1 : errors);
}

/** A link that has had its first answer. */
export async function established(to: Place, from: string, pdu: string, unit = 1): Promise<RawClient> {
  const client = await RawClient.open(to, from);
  client.say(adu(1, pdu, unit));
  await client.answers(1);
  return client;
}

export function summary(times: readonly number[], errors: number): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { count: sorted.length, errors, median: at(0.5), p99: at(0.99), worst: at(1) };
}

export function say(what: string, { count, errors, median, p99, worst }: Latency): void {
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  console.log(`${what}: ${count} reads, ${errors} errors, median ${ms(median)}, p99 ${ms(p99)}, worst ${ms(worst)}`);
}
