import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ClientSubscription,
  DataType,
  MessageSecurityMode,
  SecurityPolicy,
  StatusCodes,
  TimestampsToReturn,
  UserTokenType,
  Variant,
} from "node-opcua";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { IN_FORCE, LINK, uaPlant } from "./opcua-plant.ts";
import {
  BY_PASSWORD,
  makeCertificate,
  makeTermination,
  POLICIES,
  type RunningServer,
  type Security,
  SP,
  startUaServer,
  USER,
  uaClient,
  writeSp,
} from "./opcua-server.ts";

/** Real client, the filter that ends secured channels, real server (node-opcua). What was done is read off the server. */
const FILTER = { host: "127.252.4.2", port: 48411 };
const PLC = { host: "127.252.4.3", port: 48412 };
const URL = `opc.tcp://${FILTER.host}:${FILTER.port}`;
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-secured-"));
const clock = systemClock();
let running: RunningServer;
let filter: RunningFilter;

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  for (const name of ["client", "stranger"]) await makeCertificate(pki, name);
  const termination = await makeTermination(pki, running.server, ["client"]);
  filter = await runSwitchFilter({
    bundle: uaPlant({ writer: ["127.0.0.1"], reader: ["127.252.4.9"], plc: [FILTER.host] }).bundle,
    listeners: [{ link: LINK, listen: FILTER, upstream: PLC, termination }],
    mode: "enforce",
    clock,
    standalonePhase: IN_FORCE,
  });
}, 120_000);

afterAll(async () => {
  await filter.close();
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

const MODES = [MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt];
const WAYS: readonly Security[] = POLICIES.flatMap((policy) => MODES.map((mode) => ({ policy, mode })));

describe("a real client through channels that end in the filter", () => {
  test.each(WAYS)(
    "$policy, mode $mode: reads, writes, is denied and carries on, calls, subscribes",
    async (way) => {
      const client = await uaClient(pki, way);
      await client.connect(URL);
      const session = await client.createSession(BY_PASSWORD);
      expect((await session.read(SP)).statusCode).toBe(StatusCodes.Good);
      expect(await writeSp(session, 33)).toBe(StatusCodes.Good);
      expect(running.executed.sp).toBe(33);
      expect((await writeSp(session, 99)).name).toBe("BadOutOfRange");
      expect(running.executed.sp).toBe(33);
      const call = async (code: number) =>
        (
          await session.call({
            objectId: "ns=1;s=UNIT",
            methodId: "ns=1;s=RESET",
            inputArguments: [new Variant({ dataType: DataType.Double, value: code })],
          })
        ).statusCode.name;
      running.executed.calls.length = 0;
      expect(await call(7)).toBe("Good");
      expect(await call(77)).toBe("BadOutOfRange");
      expect(running.executed.calls).toEqual([7]);
      const subscription = ClientSubscription.create(session, {
        requestedPublishingInterval: 50,
        publishingEnabled: true,
      });
      const item = await subscription.monitor(
        SP,
        { samplingInterval: 20, queueSize: 1, discardOldest: true },
        TimestampsToReturn.Both,
      );
      const changed = new Promise<number>((resolve) => {
        item.on("changed", (value) => {
          if (value.value.value === 34) resolve(34);
        });
      });
      expect(await writeSp(session, 34)).toBe(StatusCodes.Good);
      expect(await changed).toBe(34);
      await subscription.terminate();
      await session.close();
      await client.disconnect();
    },
    60_000,
  );
});

const SIGNED: Security = { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.SignAndEncrypt };

test("the client sees the filter's certificate and URL alone, and the server sees the filter's in place of the client's", async () => {
  const seeking = await uaClient(pki);
  await seeking.connect(URL);
  const endpoints = await seeking.getEndpoints();
  expect(endpoints.length).toBeGreaterThan(0);
  for (const { endpointUrl, serverCertificate, securityMode, server, userIdentityTokens } of endpoints) {
    expect(endpointUrl).toBe(URL);
    expect(subjectOf(serverCertificate)).toBe("CN=filter-clients");
    expect(server.applicationUri).toBe("urn:sekisho:test:filter-clients");
    expect(securityMode).not.toBe(MessageSecurityMode.None);
    expect(userIdentityTokens?.map(({ tokenType }) => tokenType)).not.toContain(UserTokenType.Certificate);
    for (const url of server.discoveryUrls ?? []) expect(url).toBe(URL);
  }
  await seeking.disconnect();
  const client = await uaClient(pki, SIGNED);
  await client.connect(URL);
  const session = await client.createSession(BY_PASSWORD);
  const seen = running.sessions.at(-1);
  expect(subjectOf(seen?.channel?.clientCertificate)).toBe("CN=filter-server");
  expect(seen?.clientDescription?.applicationUri).toBe("urn:sekisho:test:filter-server");
  expect(seen?.userIdentityToken).toMatchObject({ userName: USER.userName });
  await session.close();
  await client.disconnect();
}, 60_000);

function subjectOf(certificate: Buffer | null | undefined): string {
  return new X509Certificate(certificate ?? Buffer.alloc(0)).subject;
}

test("a channel that is renewed again and again goes on", async () => {
  const client = await uaClient(pki, SIGNED, "client", { defaultSecureTokenLifetime: 400 });
  let renewals = 0;
  client.on("security_token_renewed", () => {
    renewals += 1;
  });
  await client.connect(URL);
  const session = await client.createSession();
  for (let value = 1; renewals < 3; value = 1 + (value % 40)) {
    expect(await writeSp(session, value)).toBe(StatusCodes.Good);
    expect(running.executed.sp).toBe(value);
  }
  expect((await writeSp(session, 99)).name).toBe("BadOutOfRange");
  await session.close();
  await client.disconnect();
}, 60_000);

describe("is refused", () => {
  beforeEach(() => {
    running.sessions.length = 0;
  });
  test.each([
    { name: "a client that is not trusted", way: SIGNED, who: "stranger" },
    { name: "a policy that no longer holds", way: { ...SIGNED, policy: SecurityPolicy.Basic256 }, who: "client" },
  ])(
    "$name",
    async ({ way, who }) => {
      const client = await uaClient(pki, way, who);
      await expect(client.connect(URL).then(() => client.createSession())).rejects.toThrow();
      await client.disconnect();
      expect(running.sessions).toEqual([]);
    },
    60_000,
  );

  test("a session without security, though the endpoints may be asked for", async () => {
    const client = await uaClient(pki);
    await client.connect(URL);
    await expect(client.createSession()).rejects.toThrow();
    await client.disconnect();
    expect(running.sessions).toEqual([]);
  }, 60_000);

  test("a user's certificate, with a reason, and a wrong password, by the server", async () => {
    const { certificate, key } = await makeCertificate(pki, "user");
    const byCertificate = {
      type: UserTokenType.Certificate,
      certificateData: new X509Certificate(readFileSync(certificate)).raw,
      privateKey: readFileSync(key, "utf8"),
    } as const;
    for (const user of [byCertificate, { ...BY_PASSWORD, password: "guess" }]) {
      const client = await uaClient(pki, SIGNED);
      await client.connect(URL);
      await expect(client.createSession(user)).rejects.toThrow();
      await client.disconnect();
    }
  }, 60_000);
});
