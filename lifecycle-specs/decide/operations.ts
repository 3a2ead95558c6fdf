import { OPERATIONS, type Operation } from "../lifecycle.ts";

const ABOUT_TAGS: ReadonlySet<Operation> = new Set<Operation>([
  "read",
  "write",
  "call",
  "subscribe",
  "output",
  "report",
]);

const INDEX: ReadonlyMap<Operation, number> = new Map(OPERATIONS.map((operation, index) => [operation, index]));

/** Whether the operation names tags. The others (session, browse, program, diagnose, raw) are about a whole device. */
export function isAboutTags(operation: Operation): boolean {
  return ABOUT_TAGS.has(operation);
}

/** A message of these may name no item yet; whoever may do it to a tag of the device may then do it to the device. */
export function mayNameNothing(operation: Operation): boolean {
  return operation === "read" || operation === "subscribe";
}

/** Position in `OPERATIONS`; -1: there is no such operation. */
export function operationIndex(operation: Operation): number {
  return INDEX.get(operation) ?? -1;
}

/** Whether the operation with this index in `OPERATIONS` names tags. */
export const NAMES_TAGS: Uint8Array = Uint8Array.from(OPERATIONS, (operation) => (isAboutTags(operation) ? 1 : 0));
