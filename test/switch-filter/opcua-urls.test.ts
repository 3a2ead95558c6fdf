import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateSessionRequest,
  CreateSessionResponse,
  type ExtensionObject,
  FindServersOnNetworkRequest,
  FindServersOnNetworkResponse,
  FindServersRequest,
  FindServersResponse,
  GetEndpointsRequest,
  GetEndpointsResponse,
  MessageSecurityMode,
  SecurityPolicy,
  type ServerSecureChannelLayer,
} from "node-opcua";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import { LinkId } from "#specs/ids.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { UaSession } from "#switch-filter/opcua-session.ts";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { bodyOf, UaPeer } from "../../bench/switch-filter/opcua-peer.ts";
import { peerSecurity } from "../../bench/switch-filter/opcua-pki.ts";
import type { FuzzSecurity } from "./opcua-fuzz-run.ts";
import { fuzzSecurity } from "./opcua-fuzz-security.ts";
import { IN_FORCE, LINK, PLC as SERVER, uaPlant, WRITER } from "./opcua-plant.ts";
import {
  makeCertificate,
  makeTermination,
  NO_SECURITY,
  type RunningServer,
  type Security,
  startUaServer,
  uaClient,
} from "./opcua-server.ts";
import { recordingPoint } from "./recording-point.ts";
import { UaTerminatedBench, URLS } from "./ua-terminated-bench.ts";

/** Nothing that a client is told leads past the filter: in every answer that names URLs, and by who has come to the server. */
const CLEAR = { host: "127.252.8.2", port: 28451 };
const ENDED = { host: "127.252.8.2", port: 28452 };
const PLC = { host: "127.252.8.3", port: 28453 };
const OWN = "127.252.8.4";
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-urls-"));
const clock = systemClock();
const { plant, bundle } = uaPlant({ writer: ["127.0.0.1"], reader: ["127.252.8.9"], plc: [CLEAR.host] });
const came = new Set<string>();
let running: RunningServer;
let security: FuzzSecurity;
let filter: RunningFilter;

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  running.server.on("newChannel", (channel: ServerSecureChannelLayer) => void came.add(channel.remoteAddress));
  await makeCertificate(pki, "client");
  const termination = await makeTermination(pki, running.server, ["client"]);
  security = await fuzzSecurity(join(pki, "memory"));
  filter = await runSwitchFilter({
    bundle,
    listeners: [
      { link: LINK, listen: CLEAR, upstream: PLC },
      { link: LINK, listen: ENDED, upstream: PLC, termination },
    ],
    localAddress: OWN,
    mode: "enforce",
    clock,
    standalonePhase: IN_FORCE,
  });
}, 120_000);

beforeEach(() => came.clear());

afterAll(async () => {
  await filter.close();
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

const WAYS: readonly { readonly name: string; readonly at: typeof CLEAR; readonly way: Security }[] = [
  { name: "in the clear", at: CLEAR, way: NO_SECURITY },
  { name: "signed", at: ENDED, way: { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.Sign } },
];

describe.each(WAYS)("a real client $name", ({ at, way }) => {
  const url = `opc.tcp://${at.host}:${at.port}`;

  test("follows every URL that it is told, and never comes to the server", async () => {
    const told = new Set<string>();
    const seeking = await uaClient(pki);
    await seeking.connect(url);
    for (const { endpointUrl, server } of await seeking.getEndpoints())
      for (const one of [endpointUrl, ...(server.discoveryUrls ?? [])]) told.add(String(one));
    for (const server of await seeking.findServers())
      for (const one of server.discoveryUrls ?? []) told.add(String(one));
    const network = await seeking.findServersOnNetwork().catch(() => []);
    for (const { discoveryUrl } of network) told.add(String(discoveryUrl));
    await seeking.disconnect();
    expect([...told]).toEqual([url]);
    // The endpoint is looked for first, and the session goes to the URL that the answer names.
    const client = await uaClient(pki, way, "client", { endpointMustExist: true });
    await client.connect(url);
    const session = await client.createSession();
    expect(session.isReconnecting).toBe(false);
    await session.close();
    await client.disconnect();
    expect([...came]).toEqual([OWN]);
  }, 60_000);

  test("is told of no other endpoint when its session is created", async () => {
    const own = join(pki, "client", "own.pem");
    const stem = join(pki, "pair");
    copyFileSync(own, `${stem}.pem`);
    copyFileSync(join(pki, "client", "own", "private", "private_key.pem"), `${stem}.key`);
    const isSecured = way !== NO_SECURITY;
    const by = isSecured ? peerSecurity(stem, join(pki, "filter", "own", "clients.pem"), "Sign") : undefined;
    const socket = connect({ ...at });
    await once(socket, "connect");
    const peer = UaPeer.client((bytes) => socket.write(bytes), by);
    const answer = new Promise<Buffer>((resolve, reject) => {
      peer.onMessage = (_, body) => resolve(body);
      peer.onError = (says) => reject(new Error(says));
    });
    peer.onOpen = () =>
      peer.send(
        2,
        bodyOf(
          new CreateSessionRequest({
            endpointUrl: url,
            clientNonce: randomBytes(32),
            requestedSessionTimeout: 10_000,
            clientDescription: { applicationUri: "urn:sekisho:test:client" },
            ...(by && { clientCertificate: by.own.certificate }),
          }),
        ),
      );
    socket.on("data", (bytes) => peer.take(bytes));
    peer.hello(url);
    const created = decodeResponse(await answer);
    socket.destroy();
    if (!created.ok || created.value.service !== "CreateSession") throw new Error("no session");
    expect(created.value.serverEndpoints.length).toBeGreaterThan(0);
    for (const { endpointUrl, server, securityMode } of created.value.serverEndpoints) {
      expect([endpointUrl, ...server.discoveryUrls].every((one) => one === url)).toBe(true);
      if (isSecured) expect(securityMode).not.toBe(MessageSecurityMode.None);
    }
  }, 60_000);
});

const DIRTY = "opc.tcp://plc:4840/back-door";
const description = { applicationUri: "urn:plc", discoveryUrls: [DIRTY, URLS.server] };
const endpoint = (securityMode: MessageSecurityMode, securityPolicyUri: string) => ({
  endpointUrl: DIRTY,
  server: description,
  securityMode,
  securityPolicyUri,
  transportProfileUri: "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary",
});
const endpoints = [
  endpoint(MessageSecurityMode.None, SECURITY_POLICY_NONE),
  endpoint(MessageSecurityMode.Sign, SecurityPolicy.Basic256Sha256),
];

const ANSWERS: readonly {
  readonly name: string;
  readonly request: ExtensionObject;
  readonly response: ExtensionObject;
}[] = [
  { name: "GetEndpoints", request: new GetEndpointsRequest({}), response: new GetEndpointsResponse({ endpoints }) },
  {
    name: "FindServers",
    request: new FindServersRequest({}),
    response: new FindServersResponse({ servers: [description] }),
  },
  {
    name: "FindServersOnNetwork",
    request: new FindServersOnNetworkRequest({}),
    response: new FindServersOnNetworkResponse({ servers: [{ serverName: "plc", discoveryUrl: DIRTY }] }),
  },
];

const SESSION = {
  name: "CreateSession",
  request: new CreateSessionRequest({}),
  response: new CreateSessionResponse({ serverEndpoints: endpoints }),
};

/** What a client in the clear is told, of a listener that ends secured channels or of one that does not. */
async function toldInTheClear({ request, response }: (typeof ANSWERS)[number], ends: boolean): Promise<Buffer> {
  const { point } = await recordingPoint(bundle, "enforce", IN_FORCE);
  const toFilter: Buffer[] = [];
  const answered: Buffer[] = [];
  const told: Buffer[] = [];
  const client = UaPeer.client((bytes) => void toFilter.push(bytes));
  const server = UaPeer.server((bytes) => void answered.push(bytes));
  client.onMessage = (_, body) => void told.push(body);
  server.onMessage = (requestId) => server.send(requestId, bodyOf(response));
  const shared = { names: new UaNames(new UaTags(plant, SERVER)), urls: URLS };
  const termination = ends ? { termination: { with: security.termination, sessions: new Map() } } : {};
  const party = { source: WRITER, sourceAddress: "127.0.0.1:1", target: SERVER, link: LinkId("writer-plc1") };
  const session = new UaSession(point, { ...shared, ...termination }, party, {
    toServer: (bytes) => server.take(Buffer.from(bytes)),
    toClient: (bytes) => client.take(Buffer.from(bytes)),
    close: () => undefined,
  });
  const exchange = (): void => {
    while (toFilter.length + answered.length > 0) {
      for (const bytes of toFilter.splice(0)) session.fromClient(bytes, 0);
      for (const bytes of answered.splice(0)) session.fromServer(bytes, 0);
    }
  };
  client.hello(URLS.filter);
  exchange();
  client.send(2, bodyOf(request));
  exchange();
  return told[0] ?? Buffer.alloc(0);
}

const read = (body: Buffer): UaResponse => {
  const response = decodeResponse(body);
  if (!response.ok) throw new Error(response.error.code);
  return response.value;
};

describe.each([...ANSWERS, SESSION])("an answer to $name", (one) => {
  test("in the clear leads back to the filter alone", async () => {
    const told = await toldInTheClear(one, false);
    expect(read(told).service).toBe(one.name);
    expect(told.includes("plc:4840")).toBe(false);
    expect(told.includes(URLS.filter)).toBe(true);
  });
});

describe.each(ANSWERS)("an answer to $name", ({ request, response }) => {
  test("on a channel that ends here leads back to the filter alone", async () => {
    const bench = await UaTerminatedBench.open(security, "Sign");
    bench.answerTo = () => bodyOf(response);
    bench.say(2, bodyOf(request), 1);
    bench.exchange();
    const told = bench.told[0] ?? Buffer.alloc(0);
    expect(told.includes("plc:4840")).toBe(false);
    expect(told.includes(URLS.filter)).toBe(true);
  });
});

test("a server that offers no security has no endpoint where channels end here: there is nothing to fall back to", async () => {
  const bare = new GetEndpointsResponse({ endpoints: endpoints.slice(0, 1) });
  const request = new GetEndpointsRequest({});
  const told = read(await toldInTheClear({ name: "GetEndpoints", request, response: bare }, true));
  expect(told).toMatchObject({ service: "GetEndpoints", endpoints: [] });
  const both = read(
    await toldInTheClear({ name: "", request, response: new GetEndpointsResponse({ endpoints }) }, true),
  );
  expect(both).toMatchObject({ endpoints: [{ securityMode: MessageSecurityMode.Sign }] });
});
