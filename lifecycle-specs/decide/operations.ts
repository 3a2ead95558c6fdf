import type { Operation } from "../lifecycle.ts";

const ABOUT_TAGS: ReadonlySet<Operation> = new Set<Operation>(["read", "write", "call", "subscribe", "output"]);

/** Whether the operation names tags. The others (session, browse, program, diagnose) are about a whole device. */
export function isAboutTags(operation: Operation): boolean {
  return ABOUT_TAGS.has(operation);
}
