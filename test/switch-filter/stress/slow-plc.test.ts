import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { OPERATOR, type Place, Program, READ, SECONDS, TIME_OUT_MS } from "./filter-process.ts";
import { established, measure, say } from "./latency.ts";

/** One filter before two PLCs: whatever becomes of the one, the other's link is as quick as before, and memory stays. */
const FILTER = { host: "127.253.2.152", port: 15_254 };
const SICK = { host: "127.253.3.152", port: 15_255 };
const HEALTHY_FILTER = { host: "127.253.2.152", port: 15_256 };
const HEALTHY = { host: "127.253.3.152", port: 15_257 };
const CLIENTS = 30;
const ANSWER = "04 02 0000";
/** PLC 2 is unit 2 in the plant. */
const UNIT = 2;
/** Real ms, a fifth of what a PLC may take itself, also where the test shares its cores with others. */
const SERVED_MS = 1000;
/** What was read of clients that went on sending, and is garbage already. */
const GROWTH_KIB = 150 * 1024;
/** Until a connection was not taken: the listener's queue is full, and the kernel drops each further SYN. */
const DROPPED_MS = 300;
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const serve = ({ host, port }: Place, kind: string): Promise<Program> =>
  Program.start(here("./server-process.ts"), [host, String(port), kind]);

describe("one slow or dead PLC", () => {
  let healthy: Program;
  let filter: Program;
  let sick: Program | undefined;
  let fillers: Socket[] = [];

  beforeAll(async () => {
    healthy = await serve(HEALTHY, "modbus");
    filter = await Program.filter([
      { link: "test-plc1", listen: FILTER, upstream: SICK },
      { link: "test-plc2", listen: HEALTHY_FILTER, upstream: HEALTHY },
    ]);
  }, TIME_OUT_MS);

  afterEach(async () => {
    for (const socket of fillers) socket.destroy();
    fillers = [];
    sick?.signal("SIGCONT");
    await sick?.stop();
    sick = undefined;
  });

  afterAll(async () => {
    await filter?.stop();
    await healthy?.stop();
  });

  async function dropSyns(): Promise<void> {
    sick?.signal("SIGSTOP");
    for (;;) {
      const socket = connect(SICK);
      socket.on("error", () => undefined);
      fillers.push(socket);
      const taken = once(socket, "connect").then(() => true);
      const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), DROPPED_MS));
      if (!(await Promise.race([taken, late]))) return;
    }
  }

  test.each([
    { name: "takes connections and answers nothing", kind: "silent", begin: async () => undefined },
    { name: "takes connections and reads nothing", kind: "deaf", begin: async () => undefined },
    { name: "takes no connections: its SYNs are dropped", kind: "silent", begin: dropSyns },
    { name: "refuses connections", kind: undefined, begin: async () => undefined },
  ])("that $name does not delay the other's link", { timeout: TIME_OUT_MS }, async ({ name, kind, begin }) => {
    if (kind !== undefined) sick = await serve(SICK, kind);
    await begin();
    const link = await established(HEALTHY_FILTER, OPERATOR, READ, UNIT);
    const quiet = await measure(link, READ, ANSWER, SECONDS / 2, UNIT);
    const before = filter.rssKib;
    const to = [FILTER.host, String(FILTER.port), "127.0.0.1"];
    const clients = await Program.start(here("./attacker.ts"), ["greedy", ...to, String(CLIENTS), String(SECONDS)]);
    try {
      const during = await measure(link, READ, ANSWER, SECONDS, UNIT);
      say("quiet", quiet);
      say(`beside a PLC that ${name}, memory by ${filter.rssKib - before} KiB more`, during);
      expect([quiet.errors, during.errors]).toEqual([0, 0]);
      expect(during.p99).toBeLessThan(SERVED_MS);
      expect(filter.rssKib - before).toBeLessThan(GROWTH_KIB);
      expect(await clients.next()).toMatchObject({ opened: expect.any(Number) });
    } finally {
      await clients.stop();
      link.close();
    }
  });
});
