import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adu, RawClient } from "../raw-client.ts";
import { OPERATOR, Program, READ, READER, SECONDS, TIME_OUT_MS, WRITE } from "./filter-process.ts";
import { established, measure, say } from "./latency.ts";

/** Whoever floods, drips, or never reads: a link that is there is served all the while, and memory stays as it was. */
const FILTER = { host: "127.253.2.150", port: 15_250 };
const PLC = { host: "127.253.3.150", port: 15_251 };
const STRANGER = "127.253.1.150";
const ANSWER = "04 02 0000";
/** Real ms, a fifth of what a PLC may take itself, also where the test shares its cores with others. */
const SERVED_MS = 1000;
/** Garbage of connections, not collected yet: by the fifteenth second of a flood it has settled at some 155 MiB, and stays there. */
const GROWTH_KIB = 250 * 1024;
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

let plc: Program;
let filter: Program;

beforeAll(async () => {
  plc = await Program.start(here("./server-process.ts"), [PLC.host, String(PLC.port), "modbus"]);
  filter = await Program.filter([{ link: "test-plc1", listen: FILTER, upstream: PLC }]);
}, TIME_OUT_MS);

afterAll(async () => {
  await filter?.stop();
  await plc?.stop();
});

describe("an established link, and memory, while", () => {
  test.each([
    {
      kind: "flood",
      from: STRANGER,
      connections: 50,
      least: 500,
      name: "an undeclared address opens and ends connections",
    },
    { kind: "flood", from: READER, connections: 50, least: 500, name: "a declared device opens and ends connections" },
    {
      kind: "silent",
      from: STRANGER,
      connections: 500,
      least: 32,
      name: "an undeclared address opens more than it may and says nothing",
    },
    {
      kind: "silent",
      from: READER,
      connections: 1500,
      least: 1000,
      name: "a declared device holds connections and says nothing",
    },
    {
      kind: "drip",
      from: READER,
      connections: 200,
      least: 200,
      name: "a byte a second comes on each of many connections",
    },
    { kind: "deaf", from: READER, connections: 20, least: 20, name: "clients ask and never read their answers" },
    {
      kind: "deaf",
      from: READER,
      connections: 20,
      least: 20,
      name: "clients are denied and never read it",
      pdu: WRITE,
    },
    { kind: "greedy", from: READER, connections: 1, least: 1, name: "one client asks as fast as it can", pdu: READ },
    {
      kind: "greedy",
      from: READER,
      connections: 1,
      least: 1,
      name: "one client asks as fast as it can, and is denied",
      pdu: WRITE,
    },
    { kind: "greedy", from: READER, connections: 20, least: 20, name: "clients ask as fast as they can", pdu: READ },
    {
      kind: "greedy",
      from: STRANGER,
      connections: 32,
      least: 32,
      name: "an undeclared address asks as fast as it can, and is denied",
      pdu: READ,
    },
  ])("$name", { timeout: TIME_OUT_MS }, async ({ kind, from, connections, least, name, pdu }) => {
    const link = await established(FILTER, OPERATOR, READ);
    const quiet = await measure(link, READ, ANSWER, SECONDS / 2);
    const before = filter.rssKib;
    const args = [kind, FILTER.host, String(FILTER.port), from, String(connections), String(SECONDS)];
    const attacker = await Program.start(here("./attacker.ts"), pdu === undefined ? args : [...args, pdu]);
    try {
      const during = await measure(link, READ, ANSWER, SECONDS);
      const growthKib = filter.rssKib - before;
      const told = await attacker.next();
      say("quiet", quiet);
      say(`while ${name} (${JSON.stringify(told)}, memory by ${growthKib} KiB more)`, during);
      expect(told).toMatchObject({ opened: expect.any(Number) });
      expect((told as { readonly opened: number }).opened).toBeGreaterThanOrEqual(least);
      expect([quiet.errors, during.errors]).toEqual([0, 0]);
      expect(during.count).toBeGreaterThan(10);
      expect(during.p99).toBeLessThan(SERVED_MS);
      expect(growthKib).toBeLessThan(GROWTH_KIB);
    } finally {
      await attacker.stop();
      link.close();
    }
    expect(filter.runs).toBe(true);
    const next = await RawClient.open(FILTER, OPERATOR);
    next.say(adu(7, READ));
    expect(await next.answers(1)).toEqual([adu(7, ANSWER).toString("hex")]);
    next.close();
  });
});
