import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  Variant,
} from "node-opcua";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";

/** The filter alone, in phase normal, between a real OPC UA client and server (node-opcua), SecurityPolicy None. */
const FILTER = { host: "127.252.2.2", port: 48401 };
const PLC = { host: "127.252.3.2", port: 48402 };
const URL = `opc.tcp://${FILTER.host}:${FILTER.port}`;
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-"));
const clock = systemClock();
let setPoint = 30;
let server: OPCUAServer;
let filter: RunningFilter;

beforeAll(async () => {
  const serverCertificateManager = new OPCUACertificateManager({
    rootFolder: join(pki, "server"),
    automaticallyAcceptUnknownCertificate: true,
  });
  server = new OPCUAServer({ port: PLC.port, host: PLC.host, hostname: PLC.host, serverCertificateManager });
  await server.initialize();
  const namespace = server.engine.addressSpace?.getOwnNamespace();
  const device = namespace?.addObject({ organizedBy: "ObjectsFolder", browseName: "PLC2" });
  namespace?.addVariable({
    ...(device === undefined ? {} : { componentOf: device }),
    browseName: "FIC401.SP",
    nodeId: "s=FIC401.SP",
    dataType: "Double",
    value: {
      get: () => new Variant({ dataType: DataType.Double, value: setPoint }),
      set: (value: Variant) => {
        setPoint = Number(value.value);
        return StatusCodes.Good;
      },
    },
  });
  await server.start();
  filter = await runSwitchFilter({
    bundle: waterTreatment({ "hmi-1": ["127.0.0.1"], "test-1": ["127.252.1.1"], "plc-2": [FILTER.host] }).bundle,
    listeners: [{ link: "hmi-plc2-ua", listen: FILTER, upstream: PLC }],
    mode: "enforce",
    clock,
    standalonePhase: PhaseId("normal"),
  });
}, 60_000);

afterAll(async () => {
  await filter.close();
  await server.shutdown(0);
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

async function client(): Promise<OPCUAClient> {
  const made = OPCUAClient.create({
    endpointMustExist: false,
    securityPolicy: SecurityPolicy.None,
    securityMode: MessageSecurityMode.None,
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
    clientCertificateManager: new OPCUACertificateManager({
      rootFolder: join(pki, "client"),
      automaticallyAcceptUnknownCertificate: true,
    }),
  });
  return made;
}

test("a real client reads and writes within its rules, and a denied write is refused without ending its session", async () => {
  const made = await client();
  await made.connect(URL);
  const session = await made.createSession();
  const node = { nodeId: "ns=1;s=FIC401.SP", attributeId: AttributeIds.Value };
  const write = (value: number) =>
    session
      .write({ ...node, value: { value: new Variant({ dataType: DataType.Double, value }) } })
      .catch((error: Error) => error);
  expect((await session.read(node)).value.value).toBe(30);
  expect(await write(33)).toBe(StatusCodes.Good);
  expect(setPoint).toBe(33);
  expect(String(await write(0))).toContain("BadOutOfRange");
  expect(setPoint).toBe(33);
  expect((await session.read(node)).value.value).toBe(33);
  await session.close();
  await made.disconnect();
}, 30_000);

test("every endpoint URL that the server hands out leads back through the filter", async () => {
  const made = await client();
  await made.connect(URL);
  const endpoints = await made.getEndpoints();
  expect(endpoints.length).toBeGreaterThan(0);
  for (const endpoint of endpoints) {
    expect(endpoint.endpointUrl).toBe(URL);
    for (const discovery of endpoint.server.discoveryUrls ?? []) expect(discovery).toBe(URL);
  }
  await made.disconnect();
}, 30_000);
