import { type Command, InvalidArgumentError } from "commander";
import { portOptions } from "./protocol-ports.ts";
import { type BuildFlags, build } from "./spec/build.ts";
import { type CheckFlags, check } from "./spec/check.ts";
import { type DiffFlags, diff } from "./spec/diff.ts";
import { GRAPH_FORMATS, type GraphFlags, graph } from "./spec/graph.ts";
import { type LearnFlags, learn } from "./spec/learn.ts";
import { type VerifyFlags, verify } from "./spec/verify.ts";

const PLANT = ["[plant]", "a plant under lifecycle-specs/plants, or a folder", "water-treatment"] as const;
const JSON_FLAG = ["--json", "print JSON"] as const;
const NO_COLOR = ["--no-color", "no colours; neither where NO_COLOR is set, nor where this is no terminal"] as const;

/** `sekisho spec check|build|verify|diff|graph`. */
export function addSpecCommands(program: Command): void {
  const spec = program.command("spec").description("check a plant's lifecycle, compare it, draw it, and build bundles");
  spec
    .command("check")
    .description("prove what can be proven of a specification, and name everything that is wrong with it")
    .argument(...PLANT)
    .option("--all", "show every fact, and a line for each generated containment")
    .option(...JSON_FLAG)
    .option(...NO_COLOR)
    .action((plant: string, flags: CheckFlags) => check(plant, flags));
  spec
    .command("build")
    .description("check, and write the bundle that the enforcement points load")
    .argument(...PLANT)
    .option("--out <file>", "where to write the bundle; default: standard output")
    .option("--key <file>", "sign it with this private key (`sekisho keys init`)")
    .option("--json", "with --out: print as JSON what was written")
    .option(...NO_COLOR)
    .action((plant: string, flags: BuildFlags) => build(plant, flags));
  spec
    .command("verify")
    .description("say whether a trusted key signed a bundle, and what it is")
    .argument("<bundle>", "a bundle file")
    .requiredOption("--trust <file>", "the public key, or a set of them (JWK)")
    .option("--after <bundle>", "refuse what is older than this bundle, or another one of its version")
    .option(...JSON_FLAG)
    .action((file: string, flags: VerifyFlags) => verify(file, flags));
  spec
    .command("diff")
    .description("say what may happen by the second that could not by the first, and the other way round")
    .argument("<a>", "a plant, a folder or a bundle file: before")
    .argument("<b>", "the same: after")
    .option("--trust <file>", "take bundles only from these public keys (JWK); default: believe any bundle")
    .option(...JSON_FLAG)
    .option(...NO_COLOR)
    .action((a: string, b: string, flags: DiffFlags) => diff(a, b, flags));
  spec
    .command("graph")
    .description("draw the machine, and for each state what may happen in it")
    .argument(...PLANT)
    .option("--format <format>", GRAPH_FORMATS.join(", "), "svg")
    .option("--out <file>", "where to write the drawing; default: standard output")
    .option("--state <phase>", "draw one phase and its neighbours")
    .option("--all", "draw every generated containment by itself")
    .action((plant: string, flags: GraphFlags) => graph(plant, flags));
  portOptions(spec.command("learn"))
    .description("draft a plant and a lifecycle from captures, with the evidence for each rule")
    .argument("<captures...>", "capture files (pcap or pcapng), in any order; `-` reads standard input")
    .option("--phases <file>", "from when on which phase holds (docs/replay.md)")
    .option(
      "--plant <plant>",
      "a plant, or a folder with both files: its tags, and without --phases its lifecycle tells the phases",
    )
    .option("-o, --out <folder>", "where to write the draft; one that is there is never widened without --widen")
    .option("--sightings <n>", "occasions on which a command must have been seen, 1 to 1000 (3)", sightings)
    .option(
      "--safe <phase>",
      "the phase in which nothing can go wrong; default: that of the given plant, else the first one seen",
    )
    .option("--widen", "take into the draft that is there what it does not allow yet")
    .option(...JSON_FLAG)
    .action((captures: readonly string[], flags: LearnFlags) => learn(captures, flags));
}

function sightings(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 1000) throw new InvalidArgumentError(`\`${text}\` is not a number of 1..1000.`);
  return number;
}
