import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  type ClientSession,
  ClientSubscription,
  DataType,
  MessageSecurityMode,
  type OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  Variant,
} from "node-opcua";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import type { UaTermination } from "#switch-filter/opcua-identity.ts";
import { until } from "../support/site.ts";
import { IN_FORCE, LIMIT, LINK, uaPlant } from "./opcua-plant.ts";
import {
  makeCertificate,
  makeTermination,
  NO_SECURITY,
  type RunningServer,
  type Security,
  startUaServer,
  uaClient,
} from "./opcua-server.ts";

/**
 * node-opcua through the filter, in the clear and where secured channels end in the filter: it reads, writes, calls and subscribes; is
 * denied and goes on; and comes back by itself, with its subscription. What was done is read off the server.
 */
const PLC = { host: "127.252.12.3", port: 48_432 };
const FILTER = { host: "127.252.12.2", port: 48_431 };
const URL = `opc.tcp://${FILTER.host}:${FILTER.port}`;
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-clients-"));
const clock = systemClock();
const policy = SecurityPolicy.Basic256Sha256;

const WAYS: readonly { readonly name: string; readonly security: Security; readonly ended: boolean }[] = [
  { name: "None", security: NO_SECURITY, ended: false },
  { name: "Sign", security: { policy, mode: MessageSecurityMode.Sign }, ended: true },
  { name: "SignAndEncrypt", security: { policy, mode: MessageSecurityMode.SignAndEncrypt }, ended: true },
];

let plc: RunningServer;
let termination: UaTermination;

beforeAll(async () => {
  plc = await startUaServer(PLC, pki);
  await makeCertificate(pki, "client");
  termination = await makeTermination(pki, plc.server, ["client"]);
}, 60_000);

afterAll(async () => {
  await plc.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

describe.each(WAYS)("node-opcua, $name", ({ security, ended }) => {
  let filter: RunningFilter;
  let client: OPCUAClient;
  let session: ClientSession;

  function startFilter(): Promise<RunningFilter> {
    return runSwitchFilter({
      bundle: uaPlant({ writer: ["127.0.0.1"], reader: ["127.252.12.9"], plc: [FILTER.host] }).bundle,
      listeners: [{ link: LINK, listen: FILTER, upstream: PLC, ...(ended ? { termination } : {}) }],
      mode: "enforce",
      clock,
      standalonePhase: IN_FORCE,
    });
  }

  beforeAll(async () => {
    filter = await startFilter();
    const connectionStrategy = { maxRetry: -1, initialDelay: 100, maxDelay: 400 };
    client = await uaClient(pki, security, "client", { connectionStrategy });
    await client.connect(URL);
    session = await client.createSession();
  }, 60_000);

  afterAll(async () => {
    await session.close();
    await client.disconnect();
    await filter.close();
  }, 30_000);

  beforeEach(() => {
    Object.assign(plc.executed, { sp: 30, count: 3, level: 40 });
    plc.executed.calls.length = 0;
  });

  const read = async (name: string) =>
    (await session.read({ nodeId: `ns=1;s=${name}`, attributeId: AttributeIds.Value })).value.value;

  async function write(name: string, dataType: DataType, value: number): Promise<string> {
    const variant = new Variant({ dataType, value });
    const nodeId = `ns=1;s=${name}`;
    return (await session.write({ nodeId, attributeId: AttributeIds.Value, value: { value: variant } })).name;
  }

  async function call(code: number): Promise<string> {
    const inputArguments = [new Variant({ dataType: DataType.Double, value: code })];
    return (await session.call({ objectId: "ns=1;s=UNIT", methodId: "ns=1;s=RESET", inputArguments })).statusCode.name;
  }

  test("reads, browses, and writes what is allowed", async () => {
    expect([await read("SP"), await read("COUNT"), await read("LEVEL")]).toEqual([30, 3, 40]);
    const { references } = await session.browse("ns=1;s=UNIT");
    expect(references?.map(({ browseName }) => browseName.name)).toEqual(["SP", "COUNT", "LEVEL", "RESET"]);
    expect(await write("SP", DataType.Double, LIMIT)).toBe("Good");
    expect(await write("COUNT", DataType.Int16, 7)).toBe("Good");
    expect(plc.executed).toMatchObject({ sp: LIMIT, count: 7 });
  });

  test.each([
    { name: "SP", dataType: DataType.Double, value: LIMIT + 1, told: "BadOutOfRange", why: "above the limit" },
    { name: "COUNT", dataType: DataType.Int16, value: -1, told: "BadOutOfRange", why: "below the limit" },
    { name: "LEVEL", dataType: DataType.Double, value: 1, told: "BadUserAccessDenied", why: "a measurement" },
  ])("a write to $name is told $told ($why) and not done; it goes on", async ({ name, dataType, value, told }) => {
    expect(await write(name, dataType, value)).toBe(told);
    expect(plc.executed).toMatchObject({ sp: 30, count: 3, level: 40 });
    expect(await write("SP", DataType.Double, 31)).toBe("Good");
    expect(plc.executed.sp).toBe(31);
  });

  test("calls the method; a forbidden argument is told, and not called with; it goes on", async () => {
    expect([await call(7), await call(LIMIT + 1), await call(8)]).toEqual(["Good", "BadOutOfRange", "Good"]);
    expect(plc.executed.calls).toEqual([7, 8]);
  });

  test("comes back by itself when the filter was restarted, with its subscription, and is judged as before", async () => {
    const told: number[] = [];
    const subscription = ClientSubscription.create(session, {
      requestedPublishingInterval: 50,
      publishingEnabled: true,
    });
    const item = await subscription.monitor(
      { nodeId: "ns=1;s=SP", attributeId: AttributeIds.Value },
      { samplingInterval: 20, queueSize: 10, discardOldest: true },
      TimestampsToReturn.Both,
    );
    item.on("changed", ({ value }) => told.push(value.value));
    const isTold = (value: number) =>
      until(
        () => told.includes(value),
        20_000,
        () => `${value} of ${told}`,
      );
    await isTold(30);
    expect(await write("SP", DataType.Double, 33)).toBe("Good");
    await isTold(33);
    const back = new Promise<void>((resolve) => client.once("connection_reestablished", () => resolve()));
    await filter.close();
    plc.executed.sp = 34;
    filter = await startFilter();
    await back;
    await isTold(34);
    expect(await write("SP", DataType.Double, LIMIT + 1)).toBe("BadOutOfRange");
    expect(await write("SP", DataType.Double, 35)).toBe("Good");
    expect(plc.executed.sp).toBe(35);
    await isTold(35);
    expect(told).not.toContain(LIMIT + 1);
    await subscription.terminate();
  }, 60_000);
});
