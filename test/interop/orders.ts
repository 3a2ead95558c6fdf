import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

// A helper process in another namespace takes one JSON order a line, and answers each with one line, in order.

/** Serves orders until the input ends. What an order throws is its answer. */
export async function serveOrders<O>(carryOut: (order: O) => Promise<object>): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    const told = await carryOut(JSON.parse(line)).catch((error: Error) => ({ failed: error.message }));
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
  process.exit(0);
}

/** The other end: gives orders to a helper process. */
export class Orders<O extends object, T> {
  readonly #child: ChildProcess;
  readonly #waiting: { resolve(told: T): void; reject(error: Error): void }[] = [];
  #errors = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("the helper process has no output");
    createInterface({ input: child.stdout }).on("line", (line) => this.#answered(line));
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = `${this.#errors}${chunk}`.slice(-4000);
    });
    child.once("exit", (code) => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`ended with ${code}: ${this.#errors}`));
    });
  }

  give(order: O): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    });
  }

  #answered(line: string): void {
    const waiting = this.#waiting.shift();
    const told = JSON.parse(line);
    if (typeof told.failed === "string") waiting?.reject(new Error(told.failed));
    else waiting?.resolve(told);
  }
}
