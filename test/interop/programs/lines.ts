import { createInterface } from "node:readline";

/** Takes one order a line, and answers each with one line, in order. */
export async function serveLines(
  carryOut: (order: string, words: readonly string[]) => Promise<string>,
): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    const [order = "", ...words] = line.split(" ");
    process.stdout.write(`${(await carryOut(order, words)).replaceAll("\n", " ")}\n`);
  }
  process.exit(0);
}
