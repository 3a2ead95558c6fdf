import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageSecurityMode, SecurityPolicy } from "node-opcua";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { LinkId } from "#specs/ids.ts";
import type { Mode, UaWay } from "#specs/plant.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { IN_FORCE, LINK, uaPlant } from "./opcua-plant.ts";
import {
  makeCertificate,
  makeTermination,
  NO_SECURITY,
  type RunningServer,
  type Security,
  startUaServer,
  uaClient,
  writeSp,
} from "./opcua-server.ts";

/** A link is opened in the way that is declared and in no other, between a real client and a real server (node-opcua). */
const FILTER = { host: "127.252.32.2", port: 48_481 };
const PLC = { host: "127.252.32.3", port: 48_482 };
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-ways-"));
const clock = systemClock();
const notices: OwnNotice[] = [];
const opened: string[] = [];
let running: RunningServer;
let filter: RunningFilter | undefined;
let version = 1;

const SECURITY = {
  none: NO_SECURITY,
  sign: { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.Sign },
  encrypt: { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.SignAndEncrypt },
} as const satisfies Record<string, Security>;

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  await makeCertificate(pki, "client");
  vi.spyOn(Point.prototype, "notice").mockImplementation((notice) => void notices.push(notice));
  const real = Point.prototype.opened;
  vi.spyOn(Point.prototype, "opened").mockImplementation(function (this: Point, link, way) {
    opened.push(`${link} ${way}`);
    real.call(this, link, way);
  });
}, 120_000);

beforeEach(() => {
  notices.length = 0;
  opened.length = 0;
  running.executed.sp = 30;
});

afterEach(async () => {
  await filter?.close();
  filter = undefined;
});

afterAll(async () => {
  vi.restoreAllMocks();
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

function bundle(way: UaWay | undefined) {
  version += 1;
  const where = { writer: ["127.0.0.1"], reader: ["127.252.32.9"], plc: [FILTER.host], opaque: way === "sealed" };
  const { plant, bundle: first } = uaPlant(way === undefined ? where : { ...where, way });
  return buildBundle(plant, { ...first.lifecycle, version });
}

async function start(way: UaWay | undefined, withCertificates: boolean, mode: Mode = "enforce"): Promise<void> {
  const termination = withCertificates ? await makeTermination(pki, running.server, ["client"]) : undefined;
  const listeners = [
    { link: LINK, listen: FILTER, upstream: PLC, ...(termination === undefined ? {} : { termination }) },
  ];
  filter = await runSwitchFilter({
    ...{ bundle: bundle(way), listeners, mode, clock, standalonePhase: IN_FORCE },
  });
}

/** The value that the server holds after a client has tried to write 31. */
async function tried(security: Security): Promise<number> {
  const client = await uaClient(pki, security, "client");
  try {
    await client.connect(`opc.tcp://${FILTER.host}:${FILTER.port}`);
    await writeSp(await client.createSession(), 31);
  } catch {
    // It was refused, or the channel ended: the server's value tells.
  } finally {
    await client.disconnect().catch(() => undefined);
  }
  return running.executed.sp;
}

describe.each([
  { way: "clear", withCertificates: false, opens: "none" },
  { way: "clear", withCertificates: true, opens: "none" },
  { way: "signed", withCertificates: false, opens: "sign" },
  { way: "signed", withCertificates: true, opens: "sign" },
  { way: "sealed", withCertificates: false, opens: "encrypt" },
] as const)("$way, the filter with certificates $withCertificates", ({ way, withCertificates, opens }) => {
  test.each(["none", "sign", "encrypt"] as const)(
    `a client in mode %s: ${opens} alone passes`,
    async (mode) => {
      await start(way, withCertificates);
      // What nobody looks into may be signed as well: the filter does not know.
      const passes = mode === opens || (way === "sealed" && mode === "sign");
      expect(await tried(SECURITY[mode])).toBe(passes ? 31 : 30);
      // A client that is refused there has found the endpoints in the clear before: a channel like any other.
      expect([...new Set(opened)]).toEqual(passes || way === "clear" ? [`${LINK} ${way}`] : []);
      const downgrades = notices.filter(({ code, severity }) => code === "SECURITY_POLICY" && severity === "detection");
      if (!passes) expect(downgrades.length).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe("ended", () => {
  test.each(["none", "sign", "encrypt"] as const)(
    "a client in mode %s: secured alone",
    async (mode) => {
      await start("ended", true);
      expect(await tried(SECURITY[mode])).toBe(mode === "none" ? 30 : 31);
      expect([...new Set(opened)]).toEqual(mode === "none" ? [] : [`${LINK} ended`]);
    },
    60_000,
  );
});

describe.each([
  { way: "clear", withCertificates: false, opens: ["none"] },
  { way: "signed", withCertificates: false, opens: ["sign"] },
  { way: "sealed", withCertificates: false, opens: ["sign", "encrypt"] },
  { way: "ended", withCertificates: true, opens: ["sign", "encrypt"] },
  { way: undefined, withCertificates: true, opens: ["sign", "encrypt"] },
] as const)("in monitor mode, $way, certificates $withCertificates", ({ way, withCertificates, opens }) => {
  test.each(["none", "sign", "encrypt"] as const)(
    "a client in mode %s passes, with a detection where it would have been refused",
    async (mode) => {
      await start(way, withCertificates, "monitor");
      expect(await tried(SECURITY[mode])).toBe(31);
      const detected = notices.filter(({ code, severity }) => code === "SECURITY_POLICY" && severity === "detection");
      const isDue = (opens as readonly string[]).includes(mode);
      // A signed channel is said to be one wherever it is judged.
      if (way !== "signed") expect(detected.length > 0).toBe(!isDue);
      else if (!isDue) expect(detected.length).toBeGreaterThan(0);
    },
    60_000,
  );
});

test("another way is declared while a channel is open: the channel ends, one that is as declared goes on", async () => {
  await start(undefined, false);
  const client = await uaClient(pki, SECURITY.sign, "client");
  let lost = 0;
  client.on("connection_lost", () => {
    lost += 1;
  });
  await client.connect(`opc.tcp://${FILTER.host}:${FILTER.port}`);
  const session = await client.createSession();
  await writeSp(session, 31);
  expect(running.executed.sp).toBe(31);
  filter?.takeBundle(() => bundle("signed"));
  await writeSp(session, 32);
  expect([running.executed.sp, lost]).toEqual([32, 0]);
  filter?.takeBundle(() => bundle("ended"));
  await writeSp(session, 33);
  expect([running.executed.sp, lost]).toEqual([33, 0]);
  filter?.takeBundle(() => bundle("clear"));
  await expect.poll(() => lost).toBe(1);
  await client.disconnect();
}, 60_000);

test("a status tells of each link how it was opened last, and of no link that is gone", async () => {
  const file = join(pki, "status.jsonl");
  const { plant, bundle: first } = uaPlant({ writer: ["127.0.0.1"], reader: ["127.0.0.2"], plc: ["127.0.0.3"] });
  const options = { point: "switch-filter", layer: "switch", mode: "enforce", logFile: file } as const;
  const point = new Point({ ...options, clock, bundle: first, standalonePhase: IN_FORCE });
  await point.start();
  point.opened(LINK, "signed");
  point.opened(LINK, "ended");
  point.opened(LinkId("reader-plc1"), "clear");
  const without = { ...plant, links: plant.links.filter(({ id }) => id !== LINK) };
  expect(point.takeBundle(() => buildBundle(without, { ...first.lifecycle, version: 2 }))).toMatchObject({
    taken: true,
  });
  await point.close();
  const ways = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.includes('"pid"'))
    .map((line) => /"ways":(\{.*?\})/.exec(line)?.[1]);
  expect(ways.at(-1)).toBe('{"reader-plc1":"clear"}');
});
