import { Command, CommanderError } from "commander";
import { addCommands } from "./commands.ts";
import { fail } from "./part.ts";

/** The command line. Its words, `--json` outputs and exit codes (0 fine, 1 the answer is no, 2 wrong usage) are a contract. */
const program = new Command("sekisho")
  .description("Checkpoints in the path of every command: layered, lifecycle-aware whitelisting for industrial plants.")
  .showHelpAfterError("Run the same command with --help to see what it takes.")
  .exitOverride();

await addCommands(program, process.argv[2]);
for (const command of [program, ...nested(program)]) command.exitOverride();

// Whoever reads our output may stop reading (`sekisho spec build | head`): that is no error of anybody's. A full disk is one.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  process.stderr.write(`error: the output cannot be written (${error.code ?? error.message}); write it elsewhere\n`);
  process.exit(2);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) fail(error);
  // Commander has said what is wrong; help and version are no mistakes.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}

function nested(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...nested(child)]);
}
