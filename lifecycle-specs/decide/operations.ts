import { OPERATIONS, type Operation } from "../lifecycle.ts";

const ABOUT_TAGS: ReadonlySet<Operation> = new Set<Operation>([
  "read",
  "write",
  "call",
  "subscribe",
  "output",
  "report",
]);

/** Whether the operation names tags. The others (session, browse, program, diagnose, raw) are about a whole device. */
export function isAboutTags(operation: Operation): boolean {
  return ABOUT_TAGS.has(operation);
}

/** A message of these may name no item yet; whoever may do it to a tag of the device may then do it to the device. */
export function mayNameNothing(operation: Operation): boolean {
  return operation === "read" || operation === "subscribe";
}

/**
 * Position in `OPERATIONS`; -1: there is no such operation. The two that nearly all traffic is made of are told by a comparison each,
 * which is half the price of a look-up.
 */
export function operationIndex(operation: Operation): number {
  if (operation === "read") return READ;
  return operation === "write" ? WRITE : OPERATIONS.indexOf(operation);
}

const READ = OPERATIONS.indexOf("read");
const WRITE = OPERATIONS.indexOf("write");

/** Whether the operation with this index in `OPERATIONS` names tags. */
export const NAMES_TAGS: Uint8Array = Uint8Array.from(OPERATIONS, (operation) => (isAboutTags(operation) ? 1 : 0));
