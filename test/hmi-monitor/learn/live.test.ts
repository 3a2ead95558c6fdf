import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  type ClientSession,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
} from "node-opcua";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sekisho } from "../../support/cli.ts";
import { hasTool, isRoot } from "../../support/tools.ts";
import { CLIENT_MAKES } from "../../switch-filter/clients.ts";
import { type RunningServer, startUaServer } from "../../switch-filter/opcua-server.ts";
import { SERVER_MAKES } from "../../switch-filter/servers.ts";
import { decoded } from "../decode/decoded.ts";
import { LiveCapture } from "../decode/live-capture.ts";
import { learnBytes, replayed } from "./learned.ts";

const UA_HOST = "127.253.76.1";
const UA_PORT = 15_176;
const MODBUS_PORT = 15_177;
const PATIENCE_MS = 60_000;
/** What every client asks; what one cannot ask it leaves out by itself. Nothing of it is refused. */
const ORDERS = [
  "write-coils 0 1 0 1 1 0 0 1 0 1 1",
  "write-coil 5 1",
  "write-coil 5 0",
  "write-register 3 4660",
  "write-registers 8 1 65535 3 77",
  "read-coils 0 32",
  "read-discrete-inputs 0 16",
  "read-holding-registers 0 32",
  "read-holding-registers 4 8",
  "read-input-registers 0 16",
  "read-write-registers 0 4 12 7 8",
  "report-server-id",
];

/** Functions that not every server has. */
const FUNCTION_OF: Readonly<Record<string, string>> = { "read-write-registers": "23", "report-server-id": "17" };

describe.skipIf(!hasTool("tcpdump") || !isRoot())(
  "real clients and servers, captured and learned without a plant",
  () => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "sekisho-learn-live-"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    describe("Modbus", () => {
      const ports = new Map([[MODBUS_PORT, "modbus" as const]]);
      const server = SERVER_MAKES.find(({ here }) => here);
      const makes = CLIENT_MAKES.filter(({ here }) => here);

      test.skipIf(server === undefined).each(makes)(
        "$name: the draft passes the check and allows all that was answered",
        { timeout: PATIENCE_MS },
        async (client) => {
          if (server === undefined) return;
          const host = `127.253.77.${1 + CLIENT_MAKES.indexOf(client)}`;
          const running = await server.start({ host, port: MODBUS_PORT });
          const file = join(folder, `${client.name}.pcap`);
          const capture = await LiveCapture.start(file, `host ${host} and tcp port ${MODBUS_PORT}`);
          const asking = await client.open({ host, port: MODBUS_PORT, framing: "mbap" });
          const told: string[] = [];
          let bytes: Buffer;
          try {
            await asking.connect();
            for (const order of [...ORDERS, ...ORDERS]) told.push(await asking.ask(order));
          } finally {
            await asking.close();
            const answers = told.filter((word) => /^(ok|exception)/.test(word)).length;
            bytes = await capture.stop((seen) => {
              const { lines } = decoded(seen, { modbusPorts: [MODBUS_PORT] });
              return lines.filter(({ direction }) => direction === "response").length >= answers;
            });
            await running.stop();
          }
          const { draft, errors, evidence } = learnBytes(bytes, { ports });
          expect(errors).toEqual([]);
          expect(evidence.commands.length).toBeGreaterThan(5);
          const { denials } = replayed(bytes, draft, { ports });
          // What the server refused, or never answered, is not learned; nothing else is denied.
          const answered = (order: string): boolean => told[ORDERS.indexOf(order)]?.startsWith("ok") === true;
          const unlearned = ORDERS.filter((order) => !answered(order)).map(
            (order) => FUNCTION_OF[order.split(" ")[0] ?? ""],
          );
          const wrong = denials.filter(
            (denial) => !unlearned.some((code) => code !== undefined && denial.includes(` (${code}):`)),
          );
          expect(wrong).toEqual([]);
        },
      );
    });

    describe("OPC UA, by node-opcua", () => {
      const ports = new Map([[UA_PORT, "opcua" as const]]);
      let server: RunningServer | undefined;
      beforeAll(async () => {
        server = await startUaServer({ host: UA_HOST, port: UA_PORT }, join(folder, "pki"));
      }, 120_000);
      afterAll(async () => {
        await server?.stop();
      });

      async function captured(
        name: string,
        mode: MessageSecurityMode,
        policy: SecurityPolicy,
        work: (session: ClientSession) => Promise<void>,
      ): Promise<{ readonly file: string; readonly bytes: Buffer }> {
        const file = join(folder, name);
        const capture = await LiveCapture.start(file, `host ${UA_HOST} and tcp port ${UA_PORT}`);
        const certificates = new OPCUACertificateManager({
          rootFolder: join(folder, "client"),
          automaticallyAcceptUnknownCertificate: true,
        });
        await certificates.initialize();
        const client = OPCUAClient.create({
          ...{ securityMode: mode, securityPolicy: policy, clientCertificateManager: certificates },
          ...{ endpointMustExist: false, connectionStrategy: { maxRetry: 1 }, clientName: "learn test" },
        });
        try {
          await client.withSessionAsync(`opc.tcp://${UA_HOST}:${UA_PORT}`, work);
        } finally {
          await client.disconnect();
        }
        const bytes = await capture.stop((seen) => decoded(seen, { opcuaPorts: [UA_PORT] }).text.includes('"CLO"'));
        return { file, bytes };
      }

      const sp = (value: number) => ({
        ...{ nodeId: "ns=1;s=SP", attributeId: AttributeIds.Value },
        value: { value: { dataType: DataType.Double, value } },
      });

      /** Reads one node, writes two, calls a method, and is told another by a subscription alone. */
      async function work(session: ClientSession): Promise<void> {
        const [alias] = await session.registerNodes(["ns=1;s=COUNT"]);
        for (const value of [20, 21, 22]) {
          await session.read([{ nodeId: "ns=1;s=SP", attributeId: AttributeIds.Value }]);
          await session.write(sp(value));
          await session.write({
            ...{ nodeId: alias ?? "", attributeId: AttributeIds.Value },
            value: { value: { dataType: DataType.Int16, value: value - 18 } },
          });
          await session.call({
            ...{ objectId: "ns=1;s=UNIT", methodId: "ns=1;s=RESET" },
            inputArguments: [{ dataType: DataType.Double, value }],
          });
        }
        await session.browse("RootFolder");
        const subscription = await session.createSubscription2({
          requestedPublishingInterval: 50,
          publishingEnabled: true,
        });
        const item = await subscription.monitor(
          { nodeId: "ns=1;s=LEVEL", attributeId: AttributeIds.Value },
          { samplingInterval: 50, discardOldest: true, queueSize: 2 },
          TimestampsToReturn.Both,
        );
        await new Promise((resolve) => item.once("changed", resolve));
        await subscription.terminate();
      }

      test(
        "in the clear: nodes, a method and its argument are found, and all of it is allowed",
        async () => {
          const { file, bytes } = await captured("clear.pcap", MessageSecurityMode.None, SecurityPolicy.None, work);
          const { draft, errors } = learnBytes(bytes, { ports });
          expect(errors).toEqual([]);
          const found = draft.plant.tags.map(({ opcua, kind }) =>
            [opcua?.nodeId ?? "", kind, opcua?.type ?? ""].join(" "),
          );
          expect(found.sort()).toEqual([
            " argument ",
            "ns=1;s=COUNT set-point Int16",
            "ns=1;s=LEVEL measurement Double",
            "ns=1;s=RESET method Boolean",
            "ns=1;s=SP set-point Double",
          ]);
          expect(replayed(bytes, draft, { ports }).denials).toEqual([]);

          // The same by the commands that a person types.
          const out = join(folder, "draft");
          const of = ["--opcua-port", String(UA_PORT)];
          const learned = await sekisho(["spec", "learn", file, ...of, "--sightings", "1", "-o", out], PATIENCE_MS);
          expect([learned.code, learned.stderr]).toEqual([0, ""]);
          const checked = await sekisho(["spec", "check", out], PATIENCE_MS);
          expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining("0 errors")]);
          const bundle = join(folder, "draft.bundle");
          const built = await sekisho(["spec", "build", out, "--out", bundle], PATIENCE_MS);
          expect(built.code).toBe(0);
          const judged = await sekisho(
            ["replay", file, "--bundle", bundle, "--unsigned", "--phase", "observed", "--json", ...of],
            PATIENCE_MS,
          );
          expect(judged.stderr).toBe("");
          const report = JSON.parse(judged.stdout);
          expect([judged.code, report.judged.denied]).toEqual([0, 0]);
          expect(report.judged.messages).toBeGreaterThan(15);
        },
        4 * PATIENCE_MS,
      );

      test(
        "encrypted: nothing is learned, and it is said why",
        async () => {
          const secured = [MessageSecurityMode.SignAndEncrypt, SecurityPolicy.Basic256Sha256] as const;
          const { file } = await captured("secured.pcap", ...secured, work);
          const { code, stderr } = await sekisho(["spec", "learn", file, "--opcua-port", String(UA_PORT)], PATIENCE_MS);
          expect(code).toBe(2);
          expect(stderr).toMatch(
            /connections to ports .* show no register or node: they are encrypted, refused, or another/,
          );
        },
        4 * PATIENCE_MS,
      );
    });
  },
);
