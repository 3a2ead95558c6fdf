import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
} from "node-opcua";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasTool, isRoot } from "../../support/tools.ts";
import { type RunningServer, startUaServer } from "../../switch-filter/opcua-server.ts";
import { type Decoded, decoded } from "./decoded.ts";
import { compare } from "./differences.ts";
import { LiveCapture } from "./live-capture.ts";
import { uaFactsOfLine, uaFactsOfTshark } from "./opcua-facts.ts";
import { tsharkFrames } from "./pdml.ts";
import { UA_DIFFERENCES } from "./tshark-differences.ts";

const HOST = "127.253.74.1";
const PORT = 15_174;
/** Nodes that every server has: its state, its time and the start of it. */
const STATE = "i=2259";
const TIME = "i=2258";
const LOAD = "i=2272";
const URL = `opc.tcp://${HOST}:${PORT}`;
const IN_TSHARK = ["-o", `opcua.tcp.port:${PORT}`];

describe.skipIf(!hasTool("tshark") || !hasTool("tcpdump") || !isRoot())(
  "a real OPC UA client and server, captured",
  () => {
    let folder = "";
    let server: RunningServer | undefined;
    const met = new Set<string>();

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "sekisho-decode-ua-"));
      server = await startUaServer({ host: HOST, port: PORT }, join(folder, "pki"));
    }, 120_000);
    afterAll(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** One session, which does a bit of everything; what was captured of it. */
    async function session(
      mode: MessageSecurityMode,
      policy: SecurityPolicy,
    ): Promise<Decoded & { readonly file: string }> {
      const name = `${MessageSecurityMode[mode]}.pcap`;
      const capture = await LiveCapture.start(join(folder, name), `host ${HOST} and tcp port ${PORT}`);
      const certificates = new OPCUACertificateManager({
        rootFolder: join(folder, "client"),
        automaticallyAcceptUnknownCertificate: true,
      });
      await certificates.initialize();
      const client = OPCUAClient.create({
        securityMode: mode,
        securityPolicy: policy,
        clientCertificateManager: certificates,
        endpointMustExist: false,
        connectionStrategy: { maxRetry: 1 },
        clientName: "decode test",
      });
      try {
        await client.withSessionAsync(URL, async (asked) => {
          await asked.read([STATE, TIME, LOAD].map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value })));
          await asked.read({ nodeId: "i=84", attributeId: AttributeIds.DisplayName });
          await asked.read({ nodeId: "ns=9;s=nowhere", attributeId: AttributeIds.Value });
          await asked.browse("RootFolder");
          await asked.write({
            nodeId: "ns=1;s=nowhere",
            attributeId: AttributeIds.Value,
            value: { value: { dataType: DataType.Double, value: 20.5 } },
          });
          await asked.call({
            objectId: "i=2253",
            methodId: "i=11492",
            inputArguments: [{ dataType: DataType.UInt32, value: 1 }],
          });
          const subscription = await asked.createSubscription2({
            requestedPublishingInterval: 50,
            publishingEnabled: true,
          });
          const item = await subscription.monitor(
            { nodeId: TIME, attributeId: AttributeIds.Value },
            { samplingInterval: 50, discardOldest: true, queueSize: 2 },
            TimestampsToReturn.Both,
          );
          await new Promise((resolve) => item.once("changed", resolve));
          await subscription.terminate();
        });
      } finally {
        await client.disconnect();
      }
      const bytes = await capture.stop((seen) =>
        decoded(seen, { opcuaPorts: [PORT] }).text.includes('"messageType":"CLO"'),
      );
      return { ...decoded(bytes, { opcuaPorts: [PORT] }), file: capture.file };
    }

    test("in the clear: every message as tshark reads it", { timeout: 60_000 }, async () => {
      const { lines, wrong, counts, file } = await session(MessageSecurityMode.None, SecurityPolicy.None);
      const theirs = uaFactsOfTshark(tsharkFrames(file, IN_TSHARK));
      const compared = compare(lines, lines.map(uaFactsOfLine), theirs, UA_DIFFERENCES);
      for (const name of compared.met) met.add(name);
      expect(compared.unexplained).toEqual([]);
      expect({ wrong, unread: counts.unread.bytes }).toEqual({ wrong: undefined, unread: 0 });
      const services = new Set(lines.map(({ service }) => service));
      for (const service of ["CreateSession", "Read", "Write", "Browse", "Call", "Publish", "CloseSession"])
        expect(services).toContain(service);
      expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
    });

    test("signed: read, and said to be signed", { timeout: 60_000 }, async () => {
      const { lines } = await session(MessageSecurityMode.Sign, SecurityPolicy.Basic256Sha256);
      const read = lines.filter(({ service, securityMode }) => service === "Read" && securityMode === "Sign");
      expect(read.map(({ direction }) => direction)).toEqual(
        read.map((_, i) => (i % 2 === 0 ? "request" : "response")),
      );
      expect(read.length).toBeGreaterThanOrEqual(6);
      expect(read.flatMap(({ nodeIds }) => [nodeIds])).toContainEqual([STATE, TIME, LOAD]);
      expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
    });

    test("encrypted: said to be so, every chunk, and nothing of it read", { timeout: 60_000 }, async () => {
      const { lines, file } = await session(MessageSecurityMode.SignAndEncrypt, SecurityPolicy.Aes256_Sha256_RsaPss);
      const theirs = uaFactsOfTshark(tsharkFrames(file, IN_TSHARK));
      const compared = compare(lines, lines.map(uaFactsOfLine), theirs, UA_DIFFERENCES);
      for (const name of compared.met) met.add(name);
      expect(compared.unexplained).toEqual([]);
      const secured = lines.filter(({ securityPolicy }) => securityPolicy === "Aes256_Sha256_RsaPss");
      expect(secured.length).toBeGreaterThan(20);
      for (const line of secured) expect(line).toMatchObject({ encrypted: true });
      for (const line of secured) expect(line).not.toHaveProperty("service");
      expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
    });

    test("each difference on the list is still one", () => {
      expect([...met].sort()).toEqual(UA_DIFFERENCES.map(({ name }) => name).sort());
    });
  },
);
