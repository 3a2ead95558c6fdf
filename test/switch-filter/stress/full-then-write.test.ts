import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MAX_UNDECLARED } from "#switch-filter/connection-places.ts";
import { adu, adus, RawClient } from "../raw-client.ts";
import { SERVER_MAKES } from "../servers.ts";
import { HOLDING, Program, READ, READER, SECONDS, TIME_OUT_MS, WRITE } from "./filter-process.ts";

/** A filter at its limit does not let pass what it denies when it has nothing to do: the server's own registers say so. */
const CONNECTIONS = 256;
const DEVICE = CONNECTIONS - MAX_UNDECLARED;
const LIMITS = ["--max-connections", String(CONNECTIONS), "--max-connections-per-source", String(DEVICE)];
const DENIED = "86 01";
const DIRECT = "127.253.3.153";
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

describe.each(SERVER_MAKES.map((make, i) => ({ make, name: make.name, net: i })))("before $name", ({ make, net }) => {
  const FILTER = { host: `127.253.2.${153 + net}`, port: 15_260 + net };
  const PLC = { host: `127.253.3.${153 + net}`, port: 15_270 + net };

  test.skipIf(!make.here)(
    "all places are taken, requests come as fast as they can, writes among them: none reaches the server",
    { timeout: TIME_OUT_MS },
    async () => {
      const server = await make.start(PLC);
      const filter = await Program.filter([{ link: "test-plc1", listen: FILTER, upstream: PLC }], LIMITS);
      const greedy = (pdu: string, count: number) =>
        Program.start(here("./attacker.ts"), [
          ...["greedy", FILTER.host, String(FILTER.port), READER, String(count), String(SECONDS + 2), pdu],
        ]);
      const writers = await open(10, READER);
      const loads = await Promise.all([greedy(READ, 100), greedy(WRITE, 80)]);
      const strangers = [...(await open(32, "127.253.1.153")), ...(await open(32, "127.253.1.154"))];
      try {
        const tried = await Promise.all([...writers, ...strangers].map((client) => writes(client)));
        const answers = tried.flat();
        console.log(`before ${make.name}: ${answers.length} writes at the limit were answered`);
        expect(new Set(answers)).toEqual(new Set([DENIED]));
        expect(answers.length).toBeGreaterThan(writers.length + strangers.length);
        const refused = await RawClient.open(FILTER, "127.253.1.155");
        refused.say(adu(1, WRITE));
        expect(await refused.answers(1)).toEqual([]);
        expect(await register()).toBe("0000");
        expect(filter.runs).toBe(true);
      } finally {
        for (const client of [...writers, ...strangers]) client.close();
        for (const load of loads) await load.stop();
        await filter.stop();
        expect(await register()).toBe("0000");
        await server.stop();
      }
    },
  );

  const open = (count: number, from: string): Promise<readonly RawClient[]> =>
    Promise.all(Array.from({ length: count }, () => RawClient.open(FILTER, from)));

  /** The PDUs that writes of one client are answered with, one at a time and then all at once. */
  async function writes(client: RawClient): Promise<readonly string[]> {
    for (let n = 1; n <= 3; n += 1) {
      client.say(adu(n, WRITE));
      await client.answers(n);
    }
    client.say(Buffer.concat([4, 5, 6, 7].map((n) => adu(n, WRITE))));
    await client.answers(7);
    return adus(client.received).map((answer) => `${answer.slice(14, 16)} ${answer.slice(16)}`);
  }

  async function register(): Promise<string | undefined> {
    const direct = await RawClient.open(PLC, DIRECT);
    direct.say(adu(1, HOLDING));
    const [answer] = await direct.answers(1);
    direct.close();
    return answer?.slice(-4);
  }
});
