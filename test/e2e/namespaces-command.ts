// `sekisho packet-filter …` alone, with the exit codes of the whole command.
import { Command } from "commander";
import { addPacketFilterCommands } from "#cli/packet-filter.ts";
import { fail } from "#cli/part.ts";

const program = new Command("sekisho");
addPacketFilterCommands(program);
try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
