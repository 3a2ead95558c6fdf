/** What was asked of a measurement cannot be done: one sentence, exit code 2. */
export class UsageError extends Error {}
