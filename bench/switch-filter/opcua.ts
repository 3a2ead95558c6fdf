import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Figure, withTarget } from "../figure.ts";
import { makePki } from "./opcua-pki.ts";
import { OPCUA_LINK, OPCUA_SERVER } from "./plant.ts";
import { freePort, type Workshop } from "./processes.ts";
import { startFilter, startHaproxy, type Way } from "./relays.ts";
import { added, errorsOf, interleaved, type Loaded, plainFigures } from "./rounds.ts";

const MODES = ["None", "Sign"] as const;
type Mode = (typeof MODES)[number];

const LOADS = [
  { sessions: 1, rounds: 7, seconds: 2 },
  { sessions: 50, rounds: 3, seconds: 2 },
] as const;
const WARM_UP_SECONDS = 6;

/** Read and Write of one Double by turns, in the clear and signed: where it is signed, the filter ends the channel and begins another. */
export async function benchOpcUa(workshop: Workshop, progress: (says: string) => void): Promise<readonly Figure[]> {
  const pki = join(workshop.folder, "opcua");
  await makePki(pki, OPCUA_SERVER);
  const figures: Figure[] = [];
  for (const mode of MODES) figures.push(...(await measureMode(workshop, pki, mode, progress)));
  return figures;
}

async function measureMode(
  workshop: Workshop,
  pki: string,
  mode: Mode,
  progress: (says: string) => void,
): Promise<readonly Figure[]> {
  const upstream = await freePort();
  const own = mode === "None" ? [] : ["--own", join(pki, "server")];
  const server = workshop.start(process.execPath, [
    script("opcua-server"),
    "--listen",
    `127.0.0.1:${upstream}`,
    ...own,
  ]);
  const lines = createInterface({ input: server.stdout ?? process.stdin })[Symbol.asyncIterator]();
  await lines.next();
  const filterOptions = mode === "None" ? [] : ["--opcua-pki", join(pki, "filter")];
  const filter = await startFilter(workshop, OPCUA_LINK, upstream, filterOptions);
  const ways: readonly Way[] = [{ subject: "direct", port: upstream }, await startHaproxy(workshop, upstream), filter];
  let told = 0;
  let toldBySekisho = 0;
  const run = async ({ port, subject }: Way, sessions: number, seconds: number): Promise<Loaded> => {
    const certificate = subject === "sekisho" ? join(pki, "filter", "own", "clients.pem") : join(pki, "server.pem");
    const secured = mode === "None" ? [] : ["--own", join(pki, "client"), "--other", certificate, "--mode", mode];
    const load = [
      "--to",
      `127.0.0.1:${port}`,
      "--sessions",
      `${sessions}`,
      "--seconds",
      `${seconds}`,
      "--warm-up",
      "0",
    ];
    const { stdout } = await promisify(execFile)(process.execPath, [script("opcua-load"), ...load, ...secured]);
    const { p50, p99, per_s, requests, errors, reads, writes }: Answer = JSON.parse(stdout);
    told += reads + writes;
    if (subject === "sekisho") toldBySekisho += reads + writes;
    return { p50: p50 * 1000, p99: p99 * 1000, perSecond: per_s, requests, errors };
  };
  for (const way of ways) await run(way, 10, WARM_UP_SECONDS);
  const figures: Figure[] = [];
  for (const { sessions, rounds, seconds } of LOADS) {
    progress(`opcua ${mode}: ${sessions} sessions, ${rounds} rounds of ${seconds} s each`);
    const found = await interleaved(ways, rounds, (way) => run(way, sessions, seconds));
    const name = `opcua ${mode}, ${sessions} ${sessions === 1 ? "session" : "sessions"}`;
    const figure = (subject: string, metric: string, value: number, unit: string, errors: number): Figure => ({
      ...{ bench: "switch-filter", case: name, subject, metric, value, unit, errors },
    });
    figures.push(...plainFigures(found, figure));
    const ratio = added(found, "sekisho", "p50") / added(found, "haproxy", "p50");
    const errors = errorsOf(found.get("sekisho")) + errorsOf(found.get("haproxy"));
    const over = figure("sekisho", "added median", ratio, "× haproxy", errors);
    figures.push(sessions === 1 ? withTarget(over, "<=", 1.5) : over);
  }
  for (const { process } of ways) if (process !== undefined) await workshop.stop(process);
  server.stdin?.end();
  const { value: counts } = await lines.next();
  const executed: { reads: number; writes: number } = JSON.parse(String(counts));
  return [
    ...figures,
    ...proofOf(mode, executed.reads + executed.writes, told, readFileSync(filter.log, "utf8"), toldBySekisho),
  ];
}

interface Answer {
  /** ms */
  readonly p50: number;
  readonly p99: number;
  readonly per_s: number;
  readonly requests: number;
  readonly errors: number;
  /** Good answers, of all the time. */
  readonly reads: number;
  readonly writes: number;
}

/** Every request that was answered well was executed by the server, and those through the filter were judged. */
function proofOf(mode: Mode, executed: number, told: number, log: string, toldBySekisho: number): readonly Figure[] {
  const { judged = 0 }: { judged?: number } = JSON.parse(log.trimEnd().split("\n").at(-1) ?? "{}");
  const proof = (subject: string, metric: string, value: number, wanted: number): Figure => ({
    ...{ bench: "switch-filter", case: `opcua ${mode}, counts`, subject, metric, value, unit: "messages" },
    ...{ errors: Math.abs(value - wanted), target: `= ${wanted}`, met: value === wanted },
  });
  return [
    proof("server", "requests executed, of all subjects", executed, told),
    // Sessions are created and activated besides, which is judged as well.
    {
      ...proof("sekisho", "requests judged", judged, judged),
      target: `>= ${toldBySekisho}`,
      met: judged >= toldBySekisho,
    },
  ];
}

function script(name: string): string {
  return join(import.meta.dirname, `${name}.ts`);
}
