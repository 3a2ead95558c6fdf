import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageSecurityMode, SecurityPolicy, StatusCodes } from "node-opcua";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { IN_FORCE, LINK, uaPlant } from "./opcua-plant.ts";
import {
  makeCertificate,
  POLICIES,
  type RunningServer,
  type Security,
  SP,
  startUaServer,
  uaClient,
  writeSp,
} from "./opcua-server.ts";

/** Channels whose keys the filter does not have, between a real client and a real server (node-opcua). */
const LOOKED_INTO = { host: "127.252.5.2", port: 48421 };
const OPAQUE = { host: "127.252.5.2", port: 48422 };
const WATCHED = { host: "127.252.5.2", port: 48423 };
const PLC = { host: "127.252.5.3", port: 48424 };
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-sealed-"));
const clock = systemClock();
const notices: OwnNotice[] = [];
let running: RunningServer;
const filters: RunningFilter[] = [];

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  await makeCertificate(pki, "client");
  const where = { writer: ["127.0.0.1"], reader: ["127.252.5.9"], plc: [LOOKED_INTO.host] };
  for (const [listen, opaque, mode] of [
    [LOOKED_INTO, false, "enforce"],
    [OPAQUE, true, "enforce"],
    [WATCHED, false, "monitor"],
  ] as const) {
    const { bundle } = uaPlant({ ...where, opaque });
    const listeners = [{ link: LINK, listen, upstream: PLC }];
    filters.push(await runSwitchFilter({ bundle, listeners, mode, clock, standalonePhase: IN_FORCE }));
  }
  vi.spyOn(Point.prototype, "notice").mockImplementation((notice) => void notices.push(notice));
}, 120_000);

beforeEach(() => {
  notices.length = 0;
  running.executed.sp = 30;
});

afterAll(async () => {
  vi.restoreAllMocks();
  for (const filter of filters) await filter.close();
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

const policies = POLICIES.map((policy) => ({ policy }));
const says = (): string => notices.map((notice) => `${notice.severity} ${notice.says}`).join("\n");

async function session(at: { readonly host: string; readonly port: number }, way: Security) {
  const client = await uaClient(pki, way, "client", { defaultSecureTokenLifetime: 2000 });
  await client.connect(`opc.tcp://${at.host}:${at.port}`);
  return { client, session: await client.createSession() };
}

describe("mode Sign, through from end to end", () => {
  test.each(policies)(
    "$policy: what is allowed passes, and a denial ends the channel",
    async ({ policy }) => {
      const way = { policy, mode: MessageSecurityMode.Sign };
      const { client, session: signed } = await session(LOOKED_INTO, way);
      expect((await signed.read(SP)).value.value).toBe(30);
      expect(await writeSp(signed, 33)).toBe(StatusCodes.Good);
      expect(running.executed.sp).toBe(33);
      expect(says()).toContain("signed and not encrypted");
      expect(says()).toContain("client certificate CN=client");
      await expect(writeSp(signed, 99)).rejects.toThrow();
      expect(running.executed.sp).toBe(33);
      expect(says()).toContain("can only be closed: SP 99");
      await client.disconnect();
    },
    60_000,
  );

  test("goes on over renewals", async () => {
    const way = { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.Sign };
    const { client, session: signed } = await session(LOOKED_INTO, way);
    let renewals = 0;
    client.on("security_token_renewed", () => {
      renewals += 1;
    });
    for (let value = 1; renewals < 2; value = 1 + (value % 40)) {
      expect(await writeSp(signed, value)).toBe(StatusCodes.Good);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await signed.close();
    await client.disconnect();
  }, 60_000);

  test("a denial is only said where nothing is blocked", async () => {
    const way = { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.Sign };
    const { client, session: signed } = await session(WATCHED, way);
    expect(await writeSp(signed, 99)).toBe(StatusCodes.Good);
    expect(running.executed.sp).toBe(99);
    await signed.close();
    await client.disconnect();
  }, 60_000);
});

describe("mode SignAndEncrypt, through from end to end", () => {
  const way = { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.SignAndEncrypt };

  test.each(policies)(
    "$policy: refused on a link that is not declared opaque",
    async ({ policy }) => {
      await expect(session(LOOKED_INTO, { ...way, policy })).rejects.toThrow();
      expect(says()).toContain("detection");
      expect(says()).toContain("not readable");
    },
    60_000,
  );

  test("passes on an opaque link: certificates, policy, sizes and time are all that is known", async () => {
    const { client, session: sealed } = await session(OPAQUE, way);
    expect(await writeSp(sealed, 99)).toBe(StatusCodes.Good);
    expect(running.executed.sp).toBe(99);
    await sealed.close();
    await client.disconnect();
    await vi.waitFor(() => expect(says()).toContain("nobody looked into"));
    expect(says()).toMatch(/info .*under Basic256Sha256, client certificate CN=client .*declared opaque/);
    expect(says()).toMatch(/info .* \d+ bytes asked, \d+ answered/);
    expect(says()).not.toContain("detection");
  }, 60_000);

  test("passes where nothing is blocked, as a detection", async () => {
    const { client, session: sealed } = await session(WATCHED, way);
    expect(await writeSp(sealed, 41)).toBe(StatusCodes.Good);
    expect(says()).toMatch(/detection .*in monitor mode it passes unjudged/);
    await sealed.close();
    await client.disconnect();
  }, 60_000);
});

test("an opaque link is declared to be secured: a session in the clear is refused there", async () => {
  const none = { policy: SecurityPolicy.None, mode: MessageSecurityMode.None };
  await expect(session(OPAQUE, none)).rejects.toThrow();
  expect(says()).toContain("without security");
}, 60_000);
