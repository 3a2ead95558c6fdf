import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, withTarget } from "../figure.ts";
import { quantile } from "../statistics.ts";
import { writePlantCapture } from "./plant-traffic.ts";
import { peakOfSekisho, runSekisho } from "./programs.ts";

const BENCH = "replay";
const PLANT = "water-treatment";
const PACKETS = 200_000;
/** The second capture is so many times as long: what it takes more is what grows with length. */
const LONGER = 5;
const CONNECTIONS = 64;
const MANY_CONNECTIONS = 10_000;
const ROUNDS = 5;
const TARGET_PER_S = 300_000;
/** How much more memory the longer capture may take: what garbage collectors leave to chance. */
const FLAT = 1.25;

/** Without a phase they are recognised from the traffic. */
const CASES = [
  { name: "phase given", flags: ["--phase", "normal"] },
  { name: "phases recognised", flags: [] },
] as const;

/**
 * Packets per second judged by `sekisho replay`, as a user runs it: one process on one core, its start included; and how its memory grows
 * with the length of a capture.
 */
export async function benchReplay(progress: (says: string) => void): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bench-replay-"));
  try {
    const [short, long, many] = [join(folder, "short.pcap"), join(folder, "long.pcap"), join(folder, "many.pcap")];
    progress(`writing captures of ${PACKETS} and ${LONGER * PACKETS} packets`);
    writePlantCapture(short, PACKETS, CONNECTIONS);
    writePlantCapture(long, LONGER * PACKETS, CONNECTIONS);
    writePlantCapture(many, PACKETS, MANY_CONNECTIONS);
    const [bundle, out] = [join(folder, "bundle.json"), join(folder, "out")];
    await runSekisho(["spec", "build", PLANT, "--out", bundle], out, "any core");
    const judge = (capture: string, flags: readonly string[]) =>
      ["replay", capture, "--bundle", bundle, "--unsigned", "--json", ...flags] as const;

    const figures: Figure[] = [];
    for (const { name, flags } of CASES) {
      progress(`judging, ${name}`);
      const seconds = { short: [] as number[], long: [] as number[] };
      let errors = 0;
      for (let round = 0; round <= ROUNDS; round += 1) {
        const first = await runSekisho(judge(short, flags), out, "one core");
        errors += countErrors(out, PACKETS, CONNECTIONS);
        const second = await runSekisho(judge(long, flags), out, "one core");
        errors += countErrors(out, LONGER * PACKETS, CONNECTIONS);
        // The first round is without a clock: files are in memory, and what Node compiles is kept.
        if (round === 0) continue;
        seconds.short.push(first.processorS);
        seconds.long.push(second.processorS);
      }
      const [whole, longer] = [median(seconds.short), median(seconds.long)];
      const common = { bench: BENCH, case: `${name}, one core`, subject: "sekisho replay", unit: "packets/s", errors };
      const cold = { ...common, metric: "judged per second of the processor, start included", value: PACKETS / whole };
      const further = ((LONGER - 1) * PACKETS) / (longer - whole);
      figures.push(withTarget(cold, ">=", TARGET_PER_S));
      figures.push({ ...common, metric: "further packets per second of the processor", value: further });
    }
    progress("memory");
    const flags = CASES[0].flags;
    const common = { bench: BENCH, subject: "sekisho replay", unit: "MiB", errors: 0, metric: "peak memory" };
    const less = await peakOfSekisho(judge(short, flags), out);
    const more = await peakOfSekisho(judge(long, flags), out);
    const wide = await peakOfSekisho(judge(many, flags), out);
    const errors = countErrors(out, PACKETS, MANY_CONNECTIONS);
    const growth = { ...common, case: `${LONGER} × as long`, metric: "growth of memory", unit: "×" };
    return [
      ...figures,
      { ...common, case: `${PACKETS} packets`, value: less },
      { ...common, case: `${LONGER * PACKETS} packets`, value: more },
      withTarget({ ...growth, value: more / less }, "<=", FLAT),
      { ...common, case: `${PACKETS} packets, ${MANY_CONNECTIONS} connections at once`, value: wide, errors },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Report {
  readonly capture: { readonly frames: number; readonly problem: string | null };
  readonly judged: { readonly allowed: number; readonly denied: number };
}

/** What the report lacks: everything that was asked in the capture must have been judged, and the phase allows all of it. */
function countErrors(report: string, packets: number, connections: number): number {
  const { capture, judged }: Report = JSON.parse(readFileSync(report, "utf8"));
  // One request in three frames, but for the handshakes.
  const asked = Math.floor((packets - 3 * connections) / 3);
  const missing = Math.max(0, asked - judged.allowed);
  return missing + judged.denied + (capture.problem === null ? 0 : 1) + (capture.frames < packets ? 1 : 0);
}

function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values), 0.5);
}
