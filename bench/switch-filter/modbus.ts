import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Figure, withTarget } from "../figure.ts";
import { MODBUS_LINK } from "./plant.ts";
import { readAll, type Workshop } from "./processes.ts";
import { type Subject, startFilter, startRelays, type Way } from "./relays.ts";
import { added, errorsOf, interleaved, type Loaded, median, plainFigures, type Round } from "./rounds.ts";

interface Load {
  readonly connections: number;
  readonly requests: number;
  readonly rounds: number;
}

const LOADS: readonly Load[] = [
  { connections: 1, requests: 6000, rounds: 11 },
  { connections: 50, requests: 40_000, rounds: 7 },
  { connections: 200, requests: 80_000, rounds: 7 },
];
/** Before anything counts: a just-in-time compiler is given what a plant gives it in its first minutes. */
const WARM_UP: Load = { connections: 50, requests: 100_000, rounds: 1 };
/** The eighth request of each load writes. */
const WRITES_OF = 8;

type Rounds = ReadonlyMap<Subject, readonly Round[]>;

/** Modbus in a closed loop: latency with one connection, throughput and CPU time with many. */
export async function benchModbus(workshop: Workshop, progress: (says: string) => void): Promise<readonly Figure[]> {
  const program = workshop.compile("modbus-load");
  const server = workshop.start(workshop.compile("modbus-server"), []);
  const [upstream, counts] = await twoPorts(server.stdout);
  const relays = await startRelays(workshop, upstream);
  const filter = await startFilter(workshop, MODBUS_LINK, upstream);
  const ways = [...relays, filter];
  const sent = new Sent();
  const run = async (load: Load): Promise<Rounds> => {
    progress(`modbus: ${load.connections} connections, ${load.rounds} rounds of ${load.requests} requests each`);
    return interleaved(ways, load.rounds, async (way) => {
      const loaded = await runLoad(program, way, load);
      sent.add(way.subject, load.requests);
      return loaded;
    });
  };
  await run(WARM_UP);
  const figures: Figure[] = [];
  for (const load of LOADS) figures.push(...figuresOf(load, await run(load)));
  const executed: unknown = JSON.parse(await readAll(counts));
  await workshop.stop(filter.process);
  return [...figures, ...proofOf(sent, executed, readFileSync(filter.log, "utf8"))];
}

async function runLoad(program: string, { port }: Way, { connections, requests }: Load): Promise<Loaded> {
  const { stdout } = await promisify(execFile)(program, [port, connections, requests].map(String));
  const found: Omit<Loaded, "requests"> = JSON.parse(stdout);
  return { ...found, requests };
}

function figuresOf({ connections }: Load, rounds: Rounds): readonly Figure[] {
  const name = `modbus, ${connections} ${connections === 1 ? "connection" : "connections"}`;
  const figure = (subject: string, metric: string, value: number, unit: string, errors: number): Figure => ({
    ...{ bench: "switch-filter", case: name, subject, metric, value, unit, errors },
  });
  const figures = plainFigures(rounds, figure);
  const errors = errorsOf(rounds.get("sekisho")) + errorsOf(rounds.get("haproxy"));
  const over = (metric: string, value: number): Figure => figure("sekisho", metric, value, "× haproxy", errors);
  const ratio = (of: "p50" | "p99"): number => added(rounds, "sekisho", of) / added(rounds, "haproxy", of);
  const own = (subject: Subject, of: (round: Round) => number): number => median(rounds.get(subject), of);
  if (connections === 1) {
    return [
      ...figures,
      withTarget(over("added median", ratio("p50")), "<=", 1),
      withTarget(over("added p99", ratio("p99")), "<=", 1),
    ];
  }
  const throughput = own("sekisho", (r) => r.perSecond) / own("haproxy", (r) => r.perSecond);
  const perCpu = own("haproxy", (r) => r.cpu) / own("sekisho", (r) => r.cpu);
  if (connections < 200) return [...figures, over("throughput", throughput), over("requests per CPU-second", perCpu)];
  return [
    ...figures,
    withTarget(over("throughput", throughput), ">=", 1),
    withTarget(over("requests per CPU-second", perCpu), ">=", 0.8),
  ];
}

/** Requests that were sent, by way. */
class Sent {
  readonly #by = new Map<Subject, { requests: number; writes: number }>();

  add(subject: Subject, requests: number): void {
    const before = this.#by.get(subject) ?? { requests: 0, writes: 0 };
    const writes = Math.floor(requests / WRITES_OF);
    this.#by.set(subject, { requests: before.requests + requests, writes: before.writes + writes });
  }

  of(subject: Subject): { readonly requests: number; readonly writes: number } {
    return this.#by.get(subject) ?? { requests: 0, writes: 0 };
  }

  get all(): number {
    return [...this.#by.values()].reduce((sum, { requests }) => sum + requests, 0);
  }
}

/** A count in a server's last word; 0: it has not said it. */
function countIn(said: unknown, name: "reads" | "writes"): number {
  const counts: Readonly<Record<string, unknown>> = typeof said === "object" && said !== null ? { ...said } : {};
  const count = counts[name];
  return typeof count === "number" ? count : 0;
}

/** Every request was executed by the server, judged by the filter, and every write receipted: by the counts of each. */
function proofOf(sent: Sent, executed: unknown, log: string): readonly Figure[] {
  const [reads, writes] = [countIn(executed, "reads"), countIn(executed, "writes")];
  const lines = log.split("\n").filter((line) => line !== "");
  const receipts = lines.filter((line) => line.startsWith('{"kind":"receipt"')).length;
  const last: { judged?: number; lost?: number } = JSON.parse(lines.at(-1) ?? "{}");
  const own = sent.of("sekisho");
  const proof = (subject: string, metric: string, value: number, wanted: number): Figure => ({
    ...{ bench: "switch-filter", case: "modbus, counts", subject, metric, value, unit: "messages" },
    ...{ errors: Math.abs(value - wanted), target: `= ${wanted}`, met: value === wanted },
  });
  return [
    proof("server", "requests executed, of all subjects", reads + writes, sent.all),
    proof("sekisho", "requests judged", last.judged ?? Number.NaN, own.requests),
    proof("sekisho", "receipts of writes in the log", receipts, own.writes),
    proof("sekisho", "receipts lost", last.lost ?? Number.NaN, 0),
  ];
}

/** The two lines that the server begins with. */
async function twoPorts(output: NodeJS.ReadableStream | null): Promise<readonly [number, number]> {
  const ports: number[] = [];
  if (output !== null) {
    for await (const line of createInterface({ input: output })) if (ports.push(Number(line)) === 2) break;
  }
  const [modbus, counts] = ports;
  if (modbus === undefined || counts === undefined) throw new Error("the server did not say where it listens");
  return [modbus, counts];
}
