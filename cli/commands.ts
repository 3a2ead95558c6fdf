import type { Command } from "commander";

interface Commands {
  readonly names: readonly string[];
  readonly load: () => Promise<(program: Command) => void>;
}

/** Every command, in the order of the help, and what adds it. */
export const COMMANDS: readonly Commands[] = [
  { names: ["decode"], load: async () => (await import("./decode.ts")).addDecodeCommand },
  { names: ["up"], load: async () => (await import("./up.ts")).addUpCommand },
  { names: ["spec"], load: async () => (await import("./spec.ts")).addSpecCommands },
  { names: ["keys"], load: async () => (await import("./keys.ts")).addKeysCommands },
  {
    names: ["switch-filter", "hmi-monitor", "plc-guard", "coordinator"],
    load: async () => (await import("./parts.ts")).addPartCommands,
  },
  { names: ["packet-filter"], load: async () => (await import("./packet-filter.ts")).addPacketFilterCommands },
  { names: ["plant"], load: async () => (await import("./plant.ts")).addPlantCommands },
  { names: ["exercise"], load: async () => (await import("./exercise.ts")).addExerciseCommands },
  { names: ["replay"], load: async () => (await import("./replay.ts")).addReplayCommand },
];

/**
 * Adds the command that is asked for and nothing else: all parts of the product take longer to load than most commands to run. For any other
 * word, and for the help, all are added.
 */
export async function addCommands(program: Command, word: string | undefined): Promise<void> {
  const asked = COMMANDS.filter(({ names }) => word !== undefined && names.includes(word));
  for (const { load } of asked.length > 0 ? asked : COMMANDS) (await load())(program);
}
