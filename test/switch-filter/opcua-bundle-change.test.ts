import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientSession, MessageSecurityMode, type OPCUAClient, SecurityPolicy } from "node-opcua";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import type { Link, Mode } from "#specs/plant.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";
import { IN_FORCE, LINK, uaPlant } from "./opcua-plant.ts";
import {
  makeCertificate,
  NO_SECURITY,
  type RunningServer,
  type Security,
  startUaServer,
  uaClient,
  writeSp,
} from "./opcua-server.ts";
import { read, UaBench } from "./ua-bench.ts";

/** What becomes of open OPC UA connections (node-opcua) when the link's declaration changes with the bundle. */
const FILTER = { host: "127.252.15.2", port: 48_451 };
const PLC = { host: "127.252.15.3", port: 48_452 };
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-bundle-"));
const clock = systemClock();
const sealed: Security = { policy: SecurityPolicy.Basic256Sha256, mode: MessageSecurityMode.SignAndEncrypt };
const stops: (() => Promise<unknown>)[] = [];
let running: RunningServer;
let version = 1;

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  await makeCertificate(pki, "client");
}, 120_000);

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop().catch(() => undefined);
});

afterAll(async () => {
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

function bundle(link: Partial<Link>): Bundle {
  const { plant, bundle: first } = uaPlant({ writer: ["127.0.0.1"], reader: ["127.252.15.9"], plc: [FILTER.host] });
  version += 1;
  const links = plant.links.map((each) => ({ ...each, ...link }));
  return buildBundle({ ...plant, links }, { ...first.lifecycle, version });
}

async function start(link: Partial<Link>): Promise<RunningFilter> {
  const listeners = [{ link: LINK, listen: FILTER, upstream: PLC }];
  const filter = await runSwitchFilter({
    ...{ bundle: bundle(link), listeners, mode: "enforce", clock, standalonePhase: IN_FORCE },
  });
  stops.push(() => filter.close());
  return filter;
}

async function connect(way: Security): Promise<{ client: OPCUAClient; session: ClientSession; lost: () => number }> {
  const client = await uaClient(pki, way, "client");
  let lost = 0;
  client.on("connection_lost", () => {
    lost += 1;
  });
  await client.connect(`opc.tcp://${FILTER.host}:${FILTER.port}`);
  stops.push(() => client.disconnect());
  return { client, session: await client.createSession(), lost: () => lost };
}

/** The value that the server holds after it: evidence that is not our own. */
async function write(session: ClientSession, value: number): Promise<number> {
  await writeSp(session, value).catch(() => undefined);
  return running.executed.sp;
}

test("in the clear a link goes from enforce to monitor and back under an open session: only what is withheld changes", async () => {
  const filter = await start({ mode: "enforce" });
  const { session, lost } = await connect(NO_SECURITY);
  expect(await write(session, 31)).toBe(31);
  expect(await write(session, 99)).toBe(31);
  filter.takeBundle(() => bundle({ mode: "monitor" }));
  expect(await write(session, 98)).toBe(98);
  filter.takeBundle(() => bundle({ mode: "enforce" }));
  expect(await write(session, 97)).toBe(98);
  expect(await write(session, 32)).toBe(32);
  expect(lost()).toBe(0);
});

test("what cannot be decoded passes while the link is in monitor mode, and not before or after", async () => {
  const bench = await UaBench.open();
  const { plant, lifecycle } = waterTreatment();
  const take = (n: number, mode: Mode): void => {
    const links = plant.links.map((link) => ({ ...link, mode }));
    const next = buildBundle({ ...plant, links }, { ...lifecycle, version: lifecycle.version + n });
    expect(bench.recorded.point.takeBundle(() => next)).toMatchObject({ taken: true });
  };
  const cutShort = read.subarray(0, -1);
  const passes = (requestId: number): boolean => {
    const before = bench.reached.length;
    bench.ask(requestId, cutShort);
    return bench.reached.length > before;
  };
  expect(passes(1)).toBe(false);
  take(1, "monitor");
  expect(passes(2)).toBe(true);
  take(2, "enforce");
  expect(passes(3)).toBe(false);
  expect(bench.ended).toBeUndefined();
});

test("a channel that nobody can look into goes on while its link is opaque, and is ended when it is not any more", async () => {
  const filter = await start({ opaque: true });
  const { session, lost } = await connect(sealed);
  expect(await write(session, 33)).toBe(33);
  filter.takeBundle(() => bundle({ opaque: true }));
  expect(await write(session, 34)).toBe(34);
  expect(lost()).toBe(0);
  filter.takeBundle(() => bundle({ opaque: false }));
  await expect.poll(lost).toBe(1);
});
