import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fuxaTag, MODBUS_DEVICE, OPCUA_DEVICE } from "./fuxa-project.ts";
import { FuxaSite, whyNoFuxa } from "./fuxa-site.ts";
import { titleEnd } from "./installed.ts";

// FUXA through the filter. What came through is read off the PLCs' servers.

const whyNot = whyNoFuxa();
const where = titleEnd("FUXA", whyNot);
const CONNECTED = { [MODBUS_DEVICE]: "connect-ok", [OPCUA_DEVICE]: "connect-ok" };

describe.skipIf(whyNot !== undefined)(`FUXA through the filter${where}`, () => {
  let site: FuxaSite;

  beforeAll(async () => {
    site = await FuxaSite.open({ secured: false });
  }, 120_000);

  afterAll(() => site?.close());

  test("it polls both PLCs: what it shows is what their servers hold, also when that changes", async () => {
    await site.showsTheServers(40_000);
    await site.set({ LIT101: 1777, "P101.RUN": 0, FIT401: 24.5, "P401.RUN": 0 });
    await site.showsTheServers(10_000);
    expect((await site.servers()).writes).toEqual([]);
  });

  test.each([
    { device: MODBUS_DEVICE, tag: "FIC101.SP", value: 320, says: "a set-point (FC 06)" },
    { device: MODBUS_DEVICE, tag: "ESTOP1", value: 1, says: "an emergency stop (FC 05)" },
    { device: OPCUA_DEVICE, tag: "FIC401.SP", value: 33, says: "a set-point (Write)" },
  ])("an operator's command lands: $says, $device", async ({ device, tag, value }) => {
    const { writes } = await site.servers();
    await site.command(device, tag, value);
    expect((await site.servers()).writes).toEqual([...writes, `${tag}=${value}`]);
    await site.showsTheServers(10_000);
  });

  test.each([
    { device: MODBUS_DEVICE, tag: "FIC101.SP", value: 500, says: "beyond the phase's range", told: "exception 3" },
    { device: MODBUS_DEVICE, tag: "P101.CMD", value: 1, says: "not in this phase", told: "exception 1" },
    // Of a Write, FUXA looks at no status of an item.
    { device: OPCUA_DEVICE, tag: "FIC401.SP", value: 60, says: "beyond the phase's range", told: "" },
    { device: OPCUA_DEVICE, tag: "LIT401", value: 1, says: "a measurement", told: "" },
  ])("a forbidden command does not land, and it polls on: $device $tag=$value, $says", async (forbidden) => {
    const { device, tag, value, told } = forbidden;
    const { writes } = await site.servers();
    const from = site.says.length;
    await site.command(device, tag, value);
    expect((await site.servers()).writes).toEqual(writes);
    expect(site.says.slice(from)).toContain(told);
    await site.set({ LIT101: 1000 + value, FIT401: 20 + value / 100 });
    await site.showsTheServers(10_000);
    expect((await site.shown()).status).toMatchObject(CONNECTED);
  });

  test("it comes back by itself after the filter was restarted", async () => {
    await site.killFilter();
    await site.set({ LIT101: 1234, FIT401: 28.5 });
    await pause(2000);
    expect((await site.shown()).values[fuxaTag(MODBUS_DEVICE, "LIT101")]).not.toBe(1234);
    await site.startFilter();
    await site.showsTheServers(45_000);
  });
});

describe.skipIf(whyNot !== undefined)(`FUXA through the filter, OPC UA signed and encrypted${where}`, () => {
  let site: FuxaSite;

  beforeAll(async () => {
    site = await FuxaSite.open({ secured: true });
  }, 120_000);

  afterAll(() => site?.close());

  test("it is not let in while the filter does not trust its certificate", async () => {
    await pause(8000);
    const { values, status } = await site.shown();
    expect(values[fuxaTag(MODBUS_DEVICE, "LIT101")]).toBe(1500);
    expect(values[fuxaTag(OPCUA_DEVICE, "LIT401")] ?? null).toBeNull();
    expect(status[OPCUA_DEVICE]).not.toBe("connect-ok");
  });

  test("once it does, it polls and commands; a forbidden command does not land, and it polls on", async () => {
    site.trustFuxa();
    await site.killFilter();
    await site.startFilter();
    await site.showsTheServers(45_000);
    await site.command(OPCUA_DEVICE, "FIC401.SP", 33);
    expect((await site.servers()).writes).toEqual(["FIC401.SP=33"]);
    await site.command(OPCUA_DEVICE, "FIC401.SP", 60);
    await site.command(OPCUA_DEVICE, "LIT401", 1);
    expect((await site.servers()).writes).toEqual(["FIC401.SP=33"]);
    await site.set({ FIT401: 28.5 });
    await site.showsTheServers(10_000);
    expect((await site.shown()).status).toMatchObject(CONNECTED);
  });
});
