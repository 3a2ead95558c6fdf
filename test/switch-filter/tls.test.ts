import { connect as connectPlain } from "node:net";
import { type ConnectionOptions, connect, createServer, type Server } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { MAX_PER_UNDECLARED } from "#switch-filter/connection-places.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { Relay } from "#switch-filter/relay.ts";
import type { LinkTls } from "#switch-filter/tls.ts";
import { hasTool } from "../support/tools.ts";
import { IN_FORCE, LINK_OF, openPlant, READER } from "./modbus-open-plant.ts";
import { adu, RawClient } from "./raw-client.ts";
import { SERVER_MAKES } from "./servers.ts";
import { type Authority, makeAuthority } from "./tls-certificates.ts";
import { WatchedPoint } from "./watched-point.ts";

/** Modbus/TCP Security: real TLS on loopback, certificates by openssl, modbus-serial behind. Its registers say what came through. */
const FILTER = { host: "127.253.2.131", port: 15_131 };
const PLC = { host: "127.253.3.131", port: 15_132 };
/** The same server behind TLS. */
const SECURE_PLC = { host: "127.253.3.131", port: 15_133 };
const READ = "03 0001 0001";

/** What Node's own type of them leaves out. */
interface ClientOptions extends ConnectionOptions {
  readonly allowHalfOpen?: boolean;
  readonly localAddress?: string;
}

const { plant, bundle } = openPlant();
const tags = new ModbusTags(plant, DeviceId("plc-1"));

describe.skipIf(!hasTool("openssl"))("Modbus/TCP Security", () => {
  let ours: Authority;
  let theirs: Authority;
  let filterSide: NonNullable<LinkTls["clients"]>;
  let operator: ConnectionOptions;
  let plc: { stop(): Promise<void> } | undefined;
  let securePlc: Server;
  const point = new WatchedPoint(bundle, IN_FORCE);
  let relay: Relay | undefined;
  let roles: (string | undefined)[] = [];
  let untrusted: string[] = [];
  let upstream: string[] = [];

  beforeAll(async () => {
    ours = makeAuthority("site");
    theirs = makeAuthority("elsewhere");
    filterSide = ours.identity("filter", { address: FILTER.host });
    operator = ours.identity("hmi", { role: "operator" });
    await point.start();
    plc = await SERVER_MAKES[0]?.start(PLC);
    const identity = ours.identity("plc", { address: SECURE_PLC.host });
    securePlc = createServer({ ...identity, requestCert: true, rejectUnauthorized: true }, (socket) => {
      const inner = connectPlain(PLC);
      socket.on("error", () => inner.destroy());
      inner.on("error", () => socket.destroy());
      socket.pipe(inner).pipe(socket);
    });
    await new Promise<void>((resolve) => securePlc.listen(SECURE_PLC, resolve));
  }, 30_000);

  afterEach(async () => {
    await relay?.close();
    relay = undefined;
    [roles, untrusted, upstream] = [[], [], []];
  });

  afterAll(async () => {
    await plc?.stop();
    await new Promise((resolve) => securePlc.close(resolve));
    ours.remove();
    theirs.remove();
  });

  async function start(tls: LinkTls, to = PLC): Promise<void> {
    relay = new Relay({
      listen: FILTER,
      upstream: to,
      tls,
      session: ({ role }, output) => {
        roles.push(role);
        const party = { source: READER, sourceAddress: "", target: DeviceId("plc-1"), link: LINK_OF[READER] };
        return new ModbusSession(point, tags, party, output);
      },
      onRefused: (_, says) => untrusted.push(says),
      onUntrusted: (_, says) => untrusted.push(says),
      onUpstream: (reachable, says) => upstream.push(`${reachable} ${says}`),
      onFault: (_, says) => expect.fail(says),
    });
    await relay.listen();
  }

  function open(as: ClientOptions): RawClient {
    return new RawClient(connect({ ...FILTER, ca: ours.certificate, ...as }));
  }

  async function ask(as: ClientOptions, pdu: string): Promise<readonly string[]> {
    const client = open(as);
    client.say(adu(1, pdu));
    const answers = await client.answers(1);
    client.close();
    return answers;
  }

  const of = (pdu: string): readonly string[] => [adu(1, pdu).toString("hex")];

  test("a client with a certificate reads, is denied what its rules deny, and its role is known", async () => {
    await start({ clients: filterSide });
    expect(await ask(operator, READ)).toEqual(of("03 02 0000"));
    expect(await ask(operator, "06 0001 1234")).toEqual(of("86 01"));
    expect(await ask(ours.identity("nobody in particular"), READ)).toEqual(of("03 02 0000"));
    expect(roles).toEqual(["operator", "operator", undefined]);
    expect(untrusted).toEqual([]);
  });

  test("a client that ends its own side after its last request gets every answer first", async () => {
    await start({ clients: filterSide });
    const client = open({ ...operator, allowHalfOpen: true });
    const count = 40;
    client.socket.once("end", () => client.close());
    client.socket.end(Buffer.concat(Array.from({ length: count }, (_, n) => adu(n, READ))));
    await client.ended();
    expect((await client.answers(count)).length).toBe(count);
  });

  test("in TLS 1.2 as well, not below it", async () => {
    await start({ clients: filterSide });
    expect(await ask({ ...operator, maxVersion: "TLSv1.2" }, READ)).toEqual(of("03 02 0000"));
    const old: ConnectionOptions = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
    expect(await ask({ ...operator, ...old }, READ)).toEqual([]);
    expect(roles).toEqual(["operator"]);
  });

  test.each([
    { name: "no certificate", as: () => ({}) },
    { name: "a certificate of another authority", as: () => theirs.identity("hmi", { role: "operator" }) },
  ])("$name: not let in, which is said, and no session is begun", async ({ as }) => {
    await start({ clients: filterSide });
    expect(await ask({ ...as(), ca: ours.certificate }, READ)).toEqual([]);
    expect(roles).toEqual([]);
    expect(untrusted.length).toBe(1);
    expect(relay?.connections).toBe(0);
  });

  test("bytes that are no TLS: not let in", async () => {
    await start({ clients: filterSide });
    const client = await RawClient.open(FILTER, "127.253.1.131");
    client.say(Buffer.concat([adu(1, READ), Buffer.alloc(100)]));
    await client.ended();
    expect([roles, untrusted.length]).toEqual([[], 1]);
  });

  test("where roles are named, only they are let in", async () => {
    await start({ clients: { ...filterSide, roles: ["operator"] } });
    expect(await ask(operator, READ)).toEqual(of("03 02 0000"));
    expect(await ask(ours.identity("guest", { role: "viewer" }), READ)).toEqual([]);
    expect(await ask(ours.identity("nobody in particular"), READ)).toEqual([]);
    expect(roles).toEqual(["operator"]);
    expect(untrusted).toEqual(["the role `viewer` may not connect", "the client's certificate names no role"]);
  });

  test("a role that two readers could read differently is none", async () => {
    await start({ clients: filterSide });
    expect(await ask(ours.identity("guest", { role: "op erator" }), READ)).toEqual([]);
    expect(untrusted).toEqual(["the role in the certificate has blanks or control characters in it"]);
  });

  test("towards the server: TLS, by a certificate that it takes", async () => {
    await start({ server: ours.identity("filter") }, SECURE_PLC);
    const client = await RawClient.open(FILTER, "127.253.1.131");
    client.say(adu(1, READ));
    expect(await client.answers(1)).toEqual(of("03 02 0000"));
    expect(upstream).toEqual(["true "]);
    client.close();
  });

  test("a server with a certificate of another authority, or of another name, gets nothing; the client is told", async () => {
    for (const server of [
      { ...ours.identity("filter"), ca: theirs.certificate },
      { ...ours.identity("filter"), serverName: "another.example" },
    ]) {
      await start({ server }, SECURE_PLC);
      const client = await RawClient.open(FILTER, "127.253.1.131");
      client.say(adu(1, READ));
      expect(await client.answers(1)).toEqual(of("83 0b"));
      expect(upstream.length).toBe(1);
      expect(upstream[0]).toMatch(/^false /);
      client.close();
      await relay?.close();
      upstream = [];
    }
  });

  test("a handshake that does not end counts as a connection, and gives its place back", async () => {
    await start({ clients: filterSide });
    const from = "127.253.1.131";
    const silent = await Promise.all(Array.from({ length: MAX_PER_UNDECLARED }, () => RawClient.open(FILTER, from)));
    const further = await RawClient.open(FILTER, from);
    await further.ended();
    expect(untrusted).toEqual([expect.stringContaining(`has ${MAX_PER_UNDECLARED} connections`)]);
    for (const client of silent) client.close();
    untrusted = [];
    await expect.poll(() => ask({ ...operator, localAddress: from }, READ)).toEqual(of("03 02 0000"));
  });
});
