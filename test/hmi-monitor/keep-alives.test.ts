import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  AttributeIds,
  ClientSubscription,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  type OPCUAServer,
  SecurityPolicy,
  TimestampsToReturn,
} from "node-opcua";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlc2 } from "../switch-filter/works-ua-server.ts";
import { Capture, type Watching, watching } from "./capture.ts";

/** A real client and server (node-opcua) with a man in the middle, as the mirror port of the client's switch shows them. */
const KEEP_ALIVE_MS = 600;
const folder = mkdtempSync(join(tmpdir(), "sekisho-keep-alives-"));
let plc: OPCUAServer;
let middle: Server;
let swallows = false;
let capture: Capture;
let watched: Watching;
let shown = 0;

beforeAll(async () => {
  plc = await startPlc2({ host: "127.0.0.1", port: 0 }, folder, { flow: 30 });
  watched = await watching();
  capture = new Capture({ ip: "127.10.2.2", port: 4840 }, 40_002);
  const server = Number(new URL(plc.getEndpointUrl()).port);
  middle = createServer((client) => {
    const upstream = connect(server, "127.0.0.1");
    const show = (): void => {
      for (const record of capture.records.slice(shown)) watched.monitor.frame({ ...record, timeMs: Date.now() });
      shown = capture.records.length;
    };
    client.on("data", (bytes) => {
      capture.up(bytes);
      show();
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (swallows) return;
      capture.down(bytes);
      show();
      client.write(bytes);
    });
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
    client.on("close", () => upstream.destroy());
  });
  middle.listen(0, "127.0.0.1");
  await once(middle, "listening");
}, 30_000);
afterAll(async () => {
  middle?.close();
  await plc?.shutdown(0);
  rmSync(folder, { recursive: true, force: true });
});

async function passes(seconds: number): Promise<void> {
  for (let s = 0; s < seconds * 2; s += 1) {
    await pause(500);
    watched.monitor.tick(Date.now());
    watched.monitor.look(Date.now());
  }
}

test("keep-alives that come are not missed; when a man in the middle keeps them back they are, once", async () => {
  const client = OPCUAClient.create({
    ...{ endpointMustExist: false, securityPolicy: SecurityPolicy.None, securityMode: MessageSecurityMode.None },
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
    clientCertificateManager: new OPCUACertificateManager({ rootFolder: join(folder, "client") }),
  });
  await client.connect(`opc.tcp://127.0.0.1:${(middle.address() as AddressInfo).port}`);
  const session = await client.createSession();
  const subscription = ClientSubscription.create(session, {
    ...{ requestedPublishingInterval: KEEP_ALIVE_MS / 3, requestedMaxKeepAliveCount: 3, publishingEnabled: true },
    ...{ requestedLifetimeCount: 1000, maxNotificationsPerPublish: 10, priority: 1 },
  });
  await once(subscription, "started");
  await subscription.monitor(
    { nodeId: "ns=1;s=FIC401.SP", attributeId: AttributeIds.Value },
    { samplingInterval: 100, queueSize: 1, discardOldest: true },
    TimestampsToReturn.Both,
  );
  await passes(6);
  expect(watched.says).toEqual([]);

  swallows = true;
  await passes(7);
  expect(watched.says).toEqual([
    expect.stringMatching(
      /^subscription \d+ has told nothing for [\d.]+ s, not even a keep-alive, though it is asked$/,
    ),
  ]);
  const within = Number(/for ([\d.]+) s/.exec(watched.says[0] ?? "")?.[1]);
  const everyMs = subscription.publishingInterval * subscription.maxKeepAliveCount;
  expect(within).toBeCloseTo((1.5 * everyMs + 2000) / 1000, 2);
  swallows = false;
  await client.disconnect().catch(() => undefined);
}, 60_000);
