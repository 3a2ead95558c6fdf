import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerTCP } from "modbus-serial";
import type { OPCUAServer } from "node-opcua";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { versionsOf } from "./changing-plant.ts";
import { CLIENT_MAKES } from "./clients.ts";
import { Leader } from "./leader.ts";
import { FlowWatcher, startPlc2 } from "./works-ua-server.ts";

/** Changes of phase, as a coordinator leads them, under real clients of several makes that are busy all the while. */
const MODBUS = { host: "127.251.2.11", port: 15_211 };
const OPCUA = { host: "127.251.2.12", port: 15_212 };
const PLC1 = { host: "127.251.3.11", port: 15_213 };
const PLC2 = { host: "127.251.3.12", port: 15_214 };
const BROKER = 18_956;
const NORMAL = "normal";
const LOCAL = "degraded.local-control";
/** Longer than a change of phase takes: what is asked before one is answered after it. */
const SLOW_MS = 400;
const PUMP = 1;
const SLOW_INLET = 0;

const clock = systemClock();
const pki = mkdtempSync(join(tmpdir(), "sekisho-phase-ua-"));
/** What the PLCs have done, and how many connections they had. */
const done = { pump: 0, inlet: 0, flow: 30, connections: 0 };
let leader: Leader;
let plc1: ServerTCP;
let plc2: OPCUAServer;
let filter: RunningFilter;

beforeAll(async () => {
  leader = await Leader.open(BROKER);
  leader.stand(NORMAL, ["produce"]);
  const vector = {
    getHoldingRegister: () => 300,
    getInputRegister: () => 0,
    getCoil: () => false,
    getDiscreteInput: () => false,
    setRegister: () => undefined,
    setCoil: async (address: number) => {
      if (address === SLOW_INLET) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      if (address === PUMP) done.pump += 1;
      else done.inlet += 1;
    },
  };
  plc1 = new ServerTCP(vector, { ...PLC1, debug: false, unitID: 255 });
  plc1.on("socketError", () => undefined);
  await once(plc1, "initialized");
  plc2 = await startPlc2(PLC2, pki, done);
  const bundle = versionsOf({
    ...{ "hmi-1": ["127.0.0.1"], "test-1": ["127.251.1.19"] },
    ...{ "plc-1": [MODBUS.host], "plc-2": [OPCUA.host] },
  });
  filter = await runSwitchFilter({
    bundle: bundle({ version: 1, open: true }),
    listeners: [
      { link: "hmi-plc1", listen: MODBUS, upstream: PLC1 },
      { link: "hmi-plc2-ua", listen: OPCUA, upstream: PLC2 },
    ],
    ...{ mode: "enforce", clock, bus: { url: leader.url } },
  });
}, 60_000);

afterAll(async () => {
  await filter.close();
  await plc2.shutdown(0);
  await new Promise<void>((resolve) => plc1.close(() => resolve()));
  await leader.close();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

describe.each(CLIENT_MAKES.filter(({ name }) => name !== "mbpoll"))("$name", ({ here, open }) => {
  test.skipIf(!here)(
    "stays connected through changes of phase, is judged by the phase of the moment, and gets the answers that were under way",
    async () => {
      const client = await open({ ...MODBUS, framing: "mbap" });
      const busy = await open({ ...MODBUS, framing: "mbap" });
      try {
        expect(await client.connect()).toMatch(/^ok/);
        expect(await busy.connect()).toMatch(/^ok/);
        let going = true;
        const reads: string[] = [];
        const reading = (async () => {
          while (going) reads.push(await busy.ask("read-holding-registers 0 3"));
        })();
        for (let round = 0; round < 3; round += 1) {
          const before = { ...done };
          expect(await client.ask(`write-coil ${PUMP} 1`)).toMatch(/^ok/);
          expect(done.pump).toBe(before.pump + 1);
          // Judged in phase normal, and not answered before the phase is another.
          const underWay = client.ask(`write-coil ${SLOW_INLET} 1`);
          await new Promise((resolve) => setTimeout(resolve, 50));
          await leader.change(NORMAL, LOCAL);
          expect(done.inlet).toBe(before.inlet);
          expect(await underWay).toMatch(/^ok/);
          expect(done.inlet).toBe(before.inlet + 1);
          expect(await client.ask(`write-coil ${PUMP} 1`)).toBe("exception 1");
          expect(done.pump).toBe(before.pump + 1);
          await leader.change(LOCAL, NORMAL, ["produce"]);
        }
        expect(await client.ask(`write-coil ${PUMP} 1`)).toMatch(/^ok/);
        going = false;
        await reading;
        expect(reads.length).toBeGreaterThan(10);
        expect(reads.filter((told) => !told.startsWith("ok"))).toEqual([]);
      } finally {
        await client.close();
        await busy.close();
      }
    },
    30_000,
  );
});

test("node-opcua keeps session and subscription through 10 changes of phase, and writes in one phase only", async () => {
  const client = new FlowWatcher(pki);
  await client.connect(OPCUA);
  for (let change = 0; change < 10; change += 1) {
    const inNormal = change % 2 === 0;
    expect(await client.write(20 + change)).toMatch(inNormal ? /^Good$/ : /^Bad/);
    expect(done.flow).toBe(20 + change - (inNormal ? 0 : 1));
    await leader.change(inNormal ? NORMAL : LOCAL, inNormal ? LOCAL : NORMAL, inNormal ? [] : ["produce"]);
    const { told } = client;
    await expect.poll(() => client.told, { timeout: 3000 }).toBeGreaterThan(told);
  }
  expect(client.lost).toBe(0);
  await client.close();
}, 30_000);
