import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  Variant,
} from "node-opcua";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OpcUaIntruder } from "#sim/attacks/opcua-intruder.ts";
import { listenOn } from "../access-switch/support.ts";

const HOST = "127.250.2.2";
const ROGUE = "127.250.9.66";
const folder = mkdtempSync(join(tmpdir(), "sekisho-opcua-"));
let port = 0;
let server: OPCUAServer;
let setPoint = 30;
const from: string[] = [];

beforeAll(async () => {
  const probe = await listenOn(HOST, () => undefined);
  port = probe.at.port;
  await probe.close();
  const certificates = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  server = new OPCUAServer({
    host: HOST,
    hostname: HOST,
    port,
    securityModes: [MessageSecurityMode.None],
    securityPolicies: [SecurityPolicy.None],
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
  });
  await server.initialize();
  const space = server.engine.addressSpace?.getOwnNamespace();
  space?.addVariable({
    browseName: "FIC401.SP",
    nodeId: "ns=1;s=FIC401.SP",
    organizedBy: "ObjectsFolder",
    dataType: DataType.Double,
    value: {
      get: () => new Variant({ dataType: DataType.Double, value: setPoint }),
      set: (variant: Variant) => {
        setPoint = Number(variant.value);
        return StatusCodes.Good;
      },
    },
  });
  server.on("newChannel", (channel) => from.push(String(channel.remoteAddress)));
  await server.start();
}, 30_000);

afterAll(async () => {
  await server.shutdown(0);
  rmSync(folder, { recursive: true, force: true });
});

test("row 40: a client without security writes the set-point from its own address", { timeout: 15_000 }, async () => {
  const intruder = await OpcUaIntruder.create({ host: HOST, port }, { address: ROGUE });
  expect(await intruder.write("ns=1;s=FIC401.SP", 0)).toBe("ok");
  expect(setPoint).toBe(0);
  expect(await intruder.write("ns=1;s=NOTHING", 0)).toBe("BadNodeIdUnknown");
  expect(from.every((address) => address.endsWith(ROGUE))).toBe(true);
  await intruder.close();
});

test("a server that throws it out is an answer, not an end", { timeout: 15_000 }, async () => {
  const refusing = await listenOn("127.250.2.3", (socket) => socket.destroy());
  const intruder = await OpcUaIntruder.create(refusing.at, { address: ROGUE });
  const answers = [await intruder.write("ns=1;s=FIC401.SP", 0), await intruder.write("ns=1;s=FIC401.SP", 0)];
  expect(answers.every((answer) => answer !== "ok" && answer !== "")).toBe(true);
  expect(refusing.from.length).toBeGreaterThan(1);
  expect(new Set(refusing.from)).toEqual(new Set([ROGUE]));
  await intruder.close();
  await refusing.close();
});
