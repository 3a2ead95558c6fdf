import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  StatusCodes,
} from "node-opcua";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import { addressPlan } from "#sim/address-plan.ts";
import { runSoftPlc } from "#sim/plc/main.ts";
import { waterBundle } from "../water-bundle.ts";

const bundle = waterBundle();
const plan = addressPlan(62, false);
const STRANGER = "127.62.9.66";
const FIELD = { LIT401: 1.5, FIT401: 30, AIT401: 2, PDT301: 10.5, "P401.RUN": 1, "V301.OPEN": 0 };

/** The plant's end of the field wiring, scanning when it is told to. */
class Field {
  readonly #server: Server;
  #plc: Socket | undefined;
  #tick = 0;
  #answer: ((outputs: Record<string, number>) => void) | undefined;
  joined = 0;

  constructor() {
    this.#server = createServer((socket) => {
      readJsonLines(socket, {
        maxLineBytes: 65_536,
        onValue: (value) => {
          if (typeof value !== "object" || value === null) return;
          if ("join" in value) {
            this.#plc = socket;
            this.joined += 1;
          } else if ("outputs" in value) {
            this.#answer?.(Object.fromEntries(Object.entries(value.outputs ?? {}).map(([k, v]) => [k, Number(v)])));
          }
        },
      });
    });
  }

  listen = () => new Promise<void>((resolve) => this.#server.listen(plan.field.port, plan.field.host, resolve));
  cut = () => this.#plc?.destroy();
  close = () => {
    this.#plc?.destroy();
    this.#server.close();
  };

  scan(): Promise<Record<string, number>> {
    this.#tick += 1;
    const plc = this.#plc;
    if (plc !== undefined) writeJsonLine(plc, { tick: this.#tick, atMs: this.#tick * 100, dtMs: 100, field: FIELD });
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }
}

/** One Modbus ADU out, one in; `undefined`: the connection was reset instead. */
async function ask(from: string, pduHex: string, unit = 2): Promise<string | undefined> {
  const socket = connect({ host: plan.plc.plc2.host, port: plan.plc.plc2.port, localAddress: from });
  const pdu = Buffer.from(pduHex, "hex");
  const adu = Buffer.concat([Buffer.from([0, 1, 0, 0, 0, pdu.length + 1, unit]), pdu]);
  try {
    socket.on("error", () => undefined);
    socket.write(adu);
    const answer = await new Promise<Buffer | undefined>((resolve) => {
      socket.once("data", resolve);
      socket.once("close", () => resolve(undefined));
    });
    return answer?.subarray(7).toString("hex");
  } finally {
    socket.destroy();
  }
}

describe("soft PLC 2", () => {
  const runDir = mkdtempSync(join(tmpdir(), "sekisho-plc-"));
  const field = new Field();
  const refused: string[] = [];
  let plc: { close(): Promise<void> };

  beforeAll(async () => {
    await field.listen();
    plc = await runSoftPlc({
      bundle,
      device: "plc-2",
      guardMode: "off",
      field: plan.field,
      modbus: plan.plc.plc2,
      opcua: plan.plc.plc2Ua,
      admission: { addresses: [plan.filterUpstream, "127.0.0.1"] },
      agentLink: plan.agentLink.plc2,
      engineeringPort: plan.engineeringPort.plc2,
      runDir,
      log: (says) => void refused.push(says),
    });
    await vi.waitFor(() => expect(field.joined).toBe(1));
    await field.scan();
  }, 30_000);

  afterAll(async () => {
    await plc.close();
    field.close();
    rmSync(runDir, { recursive: true });
  });

  test.each([
    { name: "input registers show the last scan", pdu: "0400000004", want: "040805dc012c00c80069" },
    { name: "read of an address without a tag: exception 02", pdu: "0400040001", want: "8402" },
    { name: "write to an address without a tag: exception 02", pdu: "0600070001", want: "8602" },
    { name: "write of a measurement: no such holding register", pdu: "0600010001", want: "8602" },
    { name: "value above the device's range: exception 03", pdu: "0600000259", want: "8603" },
    {
      name: "Write Multiple Registers with one address too many: exception 02",
      pdu: "100000000204012c0001",
      want: "9002",
    },
    { name: "Mask Write Register is not offered: exception 01", pdu: "16000000ff0001", want: "9601" },
  ])("$name", async ({ pdu, want }) => expect(await ask(plan.filterUpstream, pdu)).toBe(want));

  test("a request to a unit without tags: exception 02", async () =>
    expect(await ask(plan.filterUpstream, "0400000001", 7)).toBe("8402"));

  test("a write waits for the next scan's latch", async () => {
    expect(await ask(plan.filterUpstream, "0600000078")).toBe("0600000078");
    expect(await ask(plan.filterUpstream, "0300000001")).toBe("03020000");
    await field.scan();
    expect(await ask(plan.filterUpstream, "0300000001")).toBe("03020078");
  });

  test("Write Single Coil and Write Multiple Coils reach the program", async () => {
    expect(await ask(plan.filterUpstream, "050000ff00")).toBe("050000ff00");
    await field.scan();
    expect(await ask(plan.filterUpstream, "0100000001")).toBe("010101");
    expect(await ask(plan.filterUpstream, "0f0000000101" + "00")).toBe("0f00000001");
    await field.scan();
    expect(await ask(plan.filterUpstream, "0100000001")).toBe("010100");
  });

  test("a stranger's connection is reset before a byte of it is read", async () => {
    expect(await ask(STRANGER, "0600000258")).toBeUndefined();
    await field.scan();
    expect(await ask(plan.filterUpstream, "0300000001")).not.toBe("03020258");
    expect(refused.some((says) => says.includes(STRANGER))).toBe(true);
    const ua = connect({ host: plan.plc.plc2Ua.host, port: plan.plc.plc2Ua.port, localAddress: STRANGER });
    ua.on("error", () => undefined);
    await new Promise((resolve) => ua.once("close", resolve));
    expect(ua.bytesRead).toBe(0);
  });

  test.each([
    { mode: MessageSecurityMode.None, policy: SecurityPolicy.None, name: "without security" },
    { mode: MessageSecurityMode.SignAndEncrypt, policy: SecurityPolicy.Basic256Sha256, name: "signed and encrypted" },
  ])(
    "OPC UA $name: reads the last scan, writes for the next, refuses what is no set-point",
    async ({ mode, policy }) => {
      const client = OPCUAClient.create({
        securityMode: mode,
        securityPolicy: policy,
        endpointMustExist: false,
        connectionStrategy: { maxRetry: 0 },
        clientCertificateManager: new OPCUACertificateManager({
          rootFolder: join(runDir, "client"),
          automaticallyAcceptUnknownCertificate: true,
        }),
      });
      await client.connect(`opc.tcp://${plan.plc.plc2Ua.host}:${plan.plc.plc2Ua.port}`);
      const endpoints = await client.getEndpoints();
      expect(
        endpoints.every(
          ({ endpointUrl }) => endpointUrl === `opc.tcp://${plan.plc.plc2Ua.host}:${plan.plc.plc2Ua.port}`,
        ),
      ).toBe(true);
      const session = await client.createSession();
      const read = async (nodeId: string) =>
        (await session.read({ nodeId, attributeId: AttributeIds.Value })).value.value;
      const write = (nodeId: string, value: number) =>
        session.write({
          nodeId,
          attributeId: AttributeIds.Value,
          value: { value: { dataType: DataType.Double, value } },
        });
      expect(await read("ns=1;s=LIT401")).toBeCloseTo(1.5);
      expect(await read("ns=1;s=P401.RUN")).toBe(true);
      expect(await write("ns=1;s=FIC401.SP", 21.5)).toBe(StatusCodes.Good);
      await field.scan();
      expect(await read("ns=1;s=FIC401.SP")).toBe(21.5);
      expect(await write("ns=1;s=FIC401.SP", 61)).toBe(StatusCodes.BadOutOfRange);
      expect((await write("ns=1;s=LIT401", 1)).equals(StatusCodes.Good)).toBe(false);
      await session.close();
      await client.disconnect();
    },
    20_000,
  );

  test("the engineering port forces outputs, and takes no others", async () => {
    const socket = connect({ host: plan.engineeringPort.plc2.host, port: plan.engineeringPort.plc2.port });
    const tell = async (force: object) => {
      writeJsonLine(socket, { force });
      const [answer] = await once(socket, "data");
      return JSON.parse(String(answer));
    };
    expect(await tell({ "V301.OUT": 1 })).toEqual({ forced: { "V301.OUT": 1 } });
    expect((await field.scan())["V301.OUT"]).toBe(1);
    expect(await tell({ LIT401: 1 })).toEqual({ forced: { "V301.OUT": 1 } });
    expect(await tell({})).toEqual({ forced: {} });
    expect((await field.scan())["V301.OUT"]).toBe(0);
    socket.destroy();
  });

  test("after a loss of the field wiring the PLC comes back by itself, with its memory", async () => {
    await ask(plan.filterUpstream, "0600000064");
    await field.scan();
    field.cut();
    await expect.poll(() => field.joined, { timeout: 3000 }).toBe(2);
    await field.scan();
    expect(await ask(plan.filterUpstream, "0300000001")).toBe("03020064");
  });
});
