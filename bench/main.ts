import { Command } from "commander";
import { benchBundle } from "./bundle/run.ts";
import { benchDecide } from "./decide/run.ts";
import { benchDecode } from "./decode/run.ts";
import { type Figure, line, table } from "./figure.ts";
import { benchLearn } from "./learn/run.ts";
import { benchReassembly } from "./reassembly/run.ts";
import { benchSwitchFilter } from "./switch-filter/run.ts";
import { UsageError } from "./usage-error.ts";

type Bench = (progress: (says: string) => void) => Promise<readonly Figure[]>;

/** `npm run bench -- NAME [--json]`: measurements side by side with other programs, one figure at a time. */
const BENCHES: Readonly<Record<string, Bench>> = {
  bundle: benchBundle,
  decide: benchDecide,
  decode: benchDecode,
  learn: benchLearn,
  reassembly: benchReassembly,
  "switch-filter": benchSwitchFilter,
};

const program = new Command("bench")
  .argument("<name>", `one of ${Object.keys(BENCHES).join(", ")}`)
  .option("--json", "print one JSON line per figure")
  .action(run);
await program.parseAsync();

async function run(name: string, flags: { readonly json?: boolean }): Promise<void> {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (bench === undefined) {
    process.stderr.write(`there is no bench \`${name}\`; it is one of ${Object.keys(BENCHES).join(", ")}\n`);
    process.exitCode = 2;
    return;
  }
  const figures = await figuresOf(bench);
  if (figures === undefined) return;
  process.stdout.write(flags.json === true ? figures.map(line).join("") : table(figures));
  if (figures.some(({ errors, met }) => errors > 0 || met === false)) process.exitCode = 1;
}

async function figuresOf(bench: Bench): Promise<readonly Figure[] | undefined> {
  try {
    return await bench((says) => process.stderr.write(`${says}\n`));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = 2;
    return undefined;
  }
}
