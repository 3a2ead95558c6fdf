import modbusSerial from "modbus-serial";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import type { At, ClientMake, Framing, ModbusClient } from "./clients.ts";
import { CELLS, IN_FORCE, LIMIT, LIMITED_START, openPlant } from "./modbus-open-plant.ts";
import type { ServerMake } from "./servers.ts";

/** What is allowed: told and done as if there were no filter. */
const ALLOWED = [
  "read-coils 0 32",
  "read-discrete-inputs 0 16",
  "read-holding-registers 0 32",
  "read-input-registers 0 16",
  "write-coil 5 1",
  "write-register 3 4660",
  `write-register ${LIMITED_START} ${LIMIT}`,
  "write-coils 10 1 0 1 1",
  "write-registers 8 1 65535 3",
  "mask-register 3 65280 52",
  "read-write-registers 0 4 12 7 8",
] as const;

/** What is denied. The servers would do what is above the limit, and some have an answer to function 17. */
const DENIED = [
  { order: `write-register ${LIMITED_START} ${LIMIT + 1}`, told: "exception 3", why: "above the limit" },
  {
    order: `write-registers ${LIMITED_START - 1} 1 ${LIMIT + 1}`,
    told: "exception 3",
    why: "one of two above the limit",
  },
  { order: `mask-register ${LIMITED_START} 0 ${LIMIT + 1}`, told: "exception 3", why: "comes to more than the limit" },
  { order: `read-write-registers 0 1 ${LIMITED_START} ${LIMIT + 1}`, told: "exception 3", why: "above the limit" },
  { order: `write-register ${CELLS} 1`, told: "exception 2", why: "no such tag" },
  { order: `read-holding-registers ${CELLS - 2} 4`, told: "exception 2", why: "half of it no tag" },
  { order: "report-server-id", told: "exception 1", why: "no rule for that function" },
] as const;

/**
 * Orders that a make has no request for, or of which it never tells what came of it, with the filter or without: modbus-serial loses the
 * answers to functions 17 and 23, and those to 22 over RTU.
 */
const CANNOT: Readonly<Record<string, readonly string[]>> = {
  mbpoll: ["mask-register", "read-write-registers", "report-server-id"],
  jsmodbus: ["mask-register", "read-write-registers", "report-server-id"],
  "modbus-serial": ["read-write-registers", "report-server-id"],
  "modbus-serial, rtu": ["mask-register"],
};

/** A mask comes to a value only where the present one was read: clients that mask read first. */
const READ_FIRST = `read-holding-registers 0 ${CELLS}`;

interface Cells {
  readonly coils: readonly boolean[];
  readonly registers: readonly number[];
}

const START: Cells = {
  coils: Array.from({ length: CELLS }, (_, at) => at % 3 === 0),
  registers: Array.from({ length: CELLS }, (_, at) => 100 + at),
};

/**
 * Real clients through the filter, before a real server. `octet` is the third of the loopback addresses that no other suite uses.
 * What was done is read off the server, by a connection that goes past the filter.
 */
export function describeClients(
  clients: readonly ClientMake[],
  server: ServerMake,
  framing: Framing,
  octet: number,
): void {
  const plc: At = { host: `127.253.${octet}.3`, port: 15_151, framing };
  const writes: At = { host: `127.253.${octet}.1`, port: 15_152, framing };
  const reads: At = { host: `127.253.${octet}.2`, port: 15_153, framing };

  describe.skipIf(!server.here)(`before ${server.name}, ${framing}`, () => {
    const clock = systemClock();
    const stops: (() => Promise<void>)[] = [];
    let writing: RunningFilter | undefined;
    const direct = new modbusSerial.default();

    // Clients dial from 127.0.0.1: to one filter that is the device that may write, to the other the one that may read.
    const startWriting = () => startFilter(writes, "writer-plc1", { writer: ["127.0.0.1"], reader: [unused(octet)] });
    const startReading = () => startFilter(reads, "reader-plc1", { writer: [unused(octet)], reader: ["127.0.0.1"] });

    function startFilter(
      listen: At,
      link: string,
      where: { writer: string[]; reader: string[] },
    ): Promise<RunningFilter> {
      return runSwitchFilter({
        bundle: openPlant({ ...where, plc: [listen.host] }).bundle,
        listeners: [{ link, listen, upstream: plc, framing }],
        localAddress: `127.253.${octet}.4`,
        mode: "enforce",
        clock,
        standalonePhase: IN_FORCE,
      });
    }

    beforeAll(async () => {
      const running = await server.start(plc);
      const reading = await startReading();
      writing = await startWriting();
      if (framing === "rtu") await direct.connectTelnet(plc.host, { port: plc.port });
      else await direct.connectTCP(plc.host, { port: plc.port });
      direct.setID(1);
      direct.setTimeout(3000);
      stops.push(
        () => new Promise<void>((resolve) => direct.close(() => resolve())),
        async () => writing?.close(),
        () => reading.close(),
        () => running.stop(),
        async () => clock.close(),
      );
    }, 20_000);

    afterAll(async () => {
      for (const stop of stops) await stop();
    });

    beforeEach(() => reset());

    async function reset(): Promise<void> {
      await direct.writeCoils(0, [...START.coils]);
      await direct.writeRegisters(0, [...START.registers]);
    }

    async function cells(): Promise<Cells> {
      const coils = (await direct.readCoils(0, CELLS)).data.slice(0, CELLS);
      return { coils, registers: (await direct.readHoldingRegisters(0, CELLS)).data };
    }

    for (const make of clients) {
      const cannot = [...(CANNOT[make.name] ?? []), ...(CANNOT[`${make.name}, ${framing}`] ?? [])];
      const can = (order: string): boolean => !cannot.includes(order.split(" ")[0] ?? "");

      describe.skipIf(!make.here)(make.name, () => {
        const opened = new Map<At, ModbusClient>();

        /** A client, which dials anew; one process for all tests. */
        async function open(at: At): Promise<ModbusClient> {
          const client = opened.get(at) ?? (await make.open(at));
          opened.set(at, client);
          expect(await client.connect()).toBe("ok");
          return client;
        }

        afterAll(async () => {
          for (const client of opened.values()) await client.close();
        });

        const allowed = [...ALLOWED.filter(can), ...(make.allowed ?? [])];
        const byValue = (make.denied ?? []).map((order) => ({ order, told: "exception 3", why: "above the limit" }));
        const denied = [...DENIED.filter(({ order }) => can(order)), ...byValue];

        test.each(allowed)("%s: told and done as without the filter", async (order) => {
          const outcome = async (at: At) => {
            await reset();
            const client = await open(at);
            await client.ask(READ_FIRST);
            return { told: await client.ask(order), cells: await cells() };
          };
          const without = await outcome(plc);
          expect(await outcome(writes)).toEqual(without);
          if (!SELDOM.includes(order.split(" ")[0] ?? "")) expect(without.told).toMatch(/^ok/);
        });

        test.each(denied)("$order: $told ($why), not done; it goes on", async ({ order, told }) => {
          const client = await open(writes);
          await client.ask(READ_FIRST);
          expect(await client.ask(order)).toBe(told);
          expect(await cells()).toEqual(START);
          expect(await client.ask("read-holding-registers 3 2")).toBe("ok 103 104");
          expect(await client.ask("write-register 3 77")).toBe("ok");
          expect((await cells()).registers[3]).toBe(77);
        });

        test("where it may only read: its writes are told exception 1 and not done, its reads are answered", async () => {
          const client = await open(reads);
          for (const order of ["write-coil 5 1", "write-register 3 77", "write-registers 8 1 2", "write-coils 1 1 1"]) {
            expect(await client.ask(order)).toBe("exception 1");
            expect(await client.ask("read-holding-registers 3 1")).toBe("ok 103");
          }
          expect(await cells()).toEqual(START);
        });

        test("it comes back after the filter was restarted, and is then judged as before", async () => {
          const client = await open(writes);
          expect(await client.ask("read-holding-registers 3 1")).toBe("ok 103");
          await writing?.close();
          expect(await client.ask("read-holding-registers 3 1")).toMatch(/^lost /);
          writing = await startWriting();
          expect(await client.connect()).toBe("ok");
          expect(await client.ask(`write-register ${LIMITED_START} ${LIMIT + 1}`)).toBe("exception 3");
          expect(await client.ask("write-register 3 78")).toBe("ok");
          expect(await cells()).toEqual({ ...START, registers: START.registers.with(3, 78) });
        });
      });
    }
  });
}

/** Not every make of server knows them. */
const SELDOM = ["mask-register", "read-write-registers"];

function unused(octet: number): string {
  return `127.253.${octet}.9`;
}
