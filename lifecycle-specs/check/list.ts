import { LAYER_CHECK_LIST } from "./list-layers.ts";
import { MACHINE_CHECK_LIST } from "./list-machine.ts";
import type { Check } from "./report.ts";

/** Every check, in the order in which they run and show their progress. */
export const CHECKS: readonly Check[] = [...MACHINE_CHECK_LIST, ...LAYER_CHECK_LIST];
