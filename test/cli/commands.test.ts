import { Command } from "commander";
import { expect, test } from "vitest";
import { addCommands, COMMANDS } from "#cli/commands.ts";

async function namesOf(word: string | undefined): Promise<readonly string[]> {
  const program = new Command("sekisho");
  await addCommands(program, word);
  return program.commands.map((command) => command.name());
}

test.each(COMMANDS.flatMap(({ names }) => names.map((name) => ({ name, names }))))(
  "`sekisho $name` loads what adds it, and nothing else",
  async ({ name, names }) => expect(await namesOf(name)).toEqual(names),
);

test.each([undefined, "--help", "help", "decoed"])("all are there for the word %s", async (word) =>
  expect(await namesOf(word)).toEqual(COMMANDS.flatMap(({ names }) => names)),
);
