import type { Command } from "commander";
import { addExerciseCommands } from "./exercise.ts";
import { addKeysCommands } from "./keys.ts";
import { addPacketFilterCommands } from "./packet-filter.ts";
import { addPartCommands } from "./parts.ts";
import { addPlantCommands } from "./plant.ts";
import { addReplayCommand } from "./replay.ts";
import { addSpecCommands } from "./spec.ts";
import { addUpCommand } from "./up.ts";

/** Every command that needs the parts of the product. */
export function addCommands(program: Command): void {
  addUpCommand(program);
  addSpecCommands(program);
  addKeysCommands(program);
  addPartCommands(program);
  addPacketFilterCommands(program);
  addPlantCommands(program);
  addExerciseCommands(program);
  addReplayCommand(program);
}
