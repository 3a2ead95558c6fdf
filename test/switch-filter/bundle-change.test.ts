import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import modbusSerial, { ServerTCP } from "modbus-serial";
import type { OPCUAServer } from "node-opcua";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { PlantId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { signBundle, unsignedBundle } from "#specs/sign.ts";
import { newKey } from "../lifecycle-specs/keys.ts";
import { RunningPart } from "../support/running-part.ts";
import { hmiAt, versionsOf } from "./changing-plant.ts";
import { FlowWatcher, startPlc2 } from "./works-ua-server.ts";

/** The filter as a process of its own, alone; SIGHUP has it take the bundle file anew while real clients stay connected. */
const MODBUS = { host: "127.251.2.1", port: 15_201 };
const OPCUA = { host: "127.251.2.2", port: 15_202 };
const PLC1 = { host: "127.251.3.1", port: 15_203 };
const PLC2 = { host: "127.251.3.2", port: 15_204 };
const bundle = versionsOf({
  ...{ "hmi-1": ["127.0.0.1"], "test-1": ["127.251.1.9"] },
  ...{ "plc-1": [MODBUS.host], "plc-2": [OPCUA.host] },
});
const pki = mkdtempSync(join(tmpdir(), "sekisho-change-ua-"));
const filter = new RunningPart("switch-filter");
/** What the PLCs have done: evidence that is not our own. */
const executed = { inlet: 0, flow: 30, connections: 0 };
let plc1: ServerTCP;
let plc2: OPCUAServer;
let version = 1;

beforeAll(async () => {
  const coils = new Map<number, boolean>();
  const vector = {
    getHoldingRegister: () => 300,
    getInputRegister: () => 0,
    getCoil: (address: number) => coils.get(address) ?? false,
    getDiscreteInput: () => false,
    setRegister: () => undefined,
    setCoil: (address: number, value: boolean) => {
      if (address === 0) executed.inlet += 1;
      coils.set(address, value);
    },
  };
  plc1 = new ServerTCP(vector, { ...PLC1, debug: false, unitID: 255 });
  plc1.on("socketError", () => undefined);
  await once(plc1, "initialized");
  plc2 = await startPlc2(PLC2, pki, executed);
  const link = (id: string, listen: typeof MODBUS, upstream: typeof MODBUS) => [
    ...["--link", id, "--listen", `${listen.host}:${listen.port}`, "--upstream", `${upstream.host}:${upstream.port}`],
  ];
  const links = [...link("hmi-plc1", MODBUS, PLC1), ...link("hmi-plc2-ua", OPCUA, PLC2)];
  await filter.start(bundle({ version, open: true }), ["--phase", "normal", "--standalone", ...links]);
}, 60_000);

afterAll(async () => {
  await filter.stop();
  await plc2.shutdown(0);
  await new Promise<void>((resolve) => plc1.close(() => resolve()));
  rmSync(pki, { recursive: true, force: true });
});

type ModbusClient = InstanceType<typeof modbusSerial.default>;

async function modbusClient(): Promise<ModbusClient> {
  const client = new modbusSerial.default();
  await client.connectTCP(MODBUS.host, { port: MODBUS.port });
  client.setID(1);
  client.setTimeout(5000);
  return client;
}

/** `ok`, or the exception code. */
async function inlet(client: ModbusClient): Promise<"ok" | number> {
  try {
    await client.writeCoil(0, true);
    return "ok";
  } catch (error) {
    if (typeof error === "object" && error !== null && "modbusCode" in error) return Number(error.modbusCode);
    throw error;
  }
}

const ILLEGAL_FUNCTION = 1;

describe("a Modbus client that stays connected", () => {
  test("its very next request is judged by the bundle that was taken", async () => {
    const client = await modbusClient();
    for (const open of [false, true, false, true]) {
      version += 1;
      expect(await filter.offer(bundle({ version, open }))).toMatch(
        new RegExp(`^sekisho: bundle [0-9a-f]{12} \\(water-treatment, version ${version}\\) is in force$`),
      );
      expect(await inlet(client)).toBe(open ? "ok" : ILLEGAL_FUNCTION);
      expect((await client.readHoldingRegisters(0, 3)).data).toEqual([300, 300, 300]);
    }
    client.close(() => undefined);
  });

  test("1,000 requests under way during 20 changes: none fails, none is answered twice over, each is judged by old or new", async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, modbusClient));
    const probe = await modbusClient();
    const seen = clients.map(() => [] as ("ok" | number)[]);
    executed.inlet = 0;
    let going = true;
    let requests = 0;
    const load = clients.map(async (client, n) => {
      while (going) {
        // Eight at once on one connection: most of a change's requests are under way while it happens.
        const batch = Array.from({ length: 8 }, async (_, i) => {
          requests += 1;
          if (i % 2 === 0) seen[n]?.push(await inlet(client));
          else await client.readHoldingRegisters(0, 1 + (i % 3));
        });
        await Promise.all(batch);
      }
    });
    const probed: ("ok" | number)[] = [];
    const wanted: ("ok" | number)[] = [];
    for (let change = 0; change < 20 || requests < 1000; change += 1) {
      version += 1;
      const open = change % 2 === 1;
      await filter.offer(bundle({ version, open }));
      wanted.push(open ? "ok" : ILLEGAL_FUNCTION);
      probed.push(await inlet(probe));
    }
    going = false;
    await Promise.all(load);
    const verdicts = [...seen.flat(), ...probed];
    expect(probed).toEqual(wanted);
    expect(requests).toBeGreaterThanOrEqual(1000);
    expect(new Set(verdicts)).toEqual(new Set(["ok", ILLEGAL_FUNCTION]));
    expect(verdicts.filter((verdict) => verdict === "ok").length).toBe(executed.inlet);
    // On one connection a verdict turns at most once with each change: never back to the bundle before.
    for (const list of seen) {
      const turns = list.filter((verdict, i) => i > 0 && verdict !== list[i - 1]).length;
      expect(turns).toBeLessThanOrEqual(wanted.length);
    }
    for (const client of [...clients, probe]) expect(client.isOpen).toBe(true);
    for (const client of [...clients, probe]) client.close(() => undefined);
  }, 60_000);

  test("whose device has gone from the plant is a stranger from then on, and itself again when it is back", async () => {
    const client = await modbusClient();
    const read = (): Promise<unknown> =>
      client.readHoldingRegisters(0, 1).then(
        ({ data }) => data,
        (e: Error) => e.message,
      );
    expect(await read()).toEqual([300]);
    version += 1;
    await filter.offer(bundle({ version, open: true, plant: hmiAt("127.251.1.7") }));
    expect(await read()).toMatch(/exception 1/);
    version += 1;
    await filter.offer(bundle({ version, open: true }));
    expect(await read()).toEqual([300]);
    client.close(() => undefined);
  });
});

describe("what is refused", () => {
  const links = (change: (link: Plant["links"][number]) => readonly Plant["links"][number][]) => (plant: Plant) => ({
    ...plant,
    links: plant.links.flatMap(change),
  });
  const next = () => ({ version: version + 1, open: false });
  const renamed = (lifecycle: Lifecycle): Lifecycle =>
    JSON.parse(JSON.stringify(lifecycle).replaceAll('"normal"', '"production"'));
  const newer = () => unsignedBundle(bundle(next()));

  test.each([
    { name: "a file cut short", text: () => newer().slice(0, -9), says: /cut short|not begin|more than/ },
    { name: "one without a signature", text: newer, says: /the bundle is not signed/ },
    {
      name: "one of an unknown signer",
      text: () => signBundle(bundle(next()), newKey().secret),
      says: /is signed by key `[^`]+`, which is not trusted here/,
    },
    {
      name: "one of an unknown schema",
      text: () => newer().replace('sekisho-bundle/2"}', 'sekisho-bundle/9"}'),
      says: /not signed|schema/,
    },
    { name: "nothing", text: () => "", says: /the bundle file is empty/ },
  ])("$name: one sentence, and the last good one stays in force", async ({ text, says }) => {
    const client = await modbusClient();
    expect(await inlet(client)).toBe("ok");
    filter.put(text());
    const said = await filter.hangUp();
    expect(said.split("\n")).toHaveLength(1);
    expect(said).toMatch(says);
    expect(said).toMatch(new RegExp(`; bundle [0-9a-f]{12} \\(water-treatment, version ${version}\\) stays in force$`));
    expect(await inlet(client)).toBe("ok");
    client.close(() => undefined);
  });

  test.each([
    {
      name: "an older version",
      of: () => bundle({ version: 1, open: false }),
      says: /has version 1, but version \d+ was loaded/,
    },
    {
      name: "another of the same version",
      of: () => bundle({ version, open: false }),
      says: /raise the lifecycle's version/,
    },
    {
      name: "another plant",
      of: () => {
        const { plant, lifecycle } = bundle(next());
        return buildBundle({ ...plant, id: PlantId("other") }, { ...lifecycle, plant: PlantId("other") });
      },
      says: /the bundle is of plant `other`/,
    },
    {
      name: "one without a link that is listened on",
      of: () => bundle({ ...next(), plant: links((link) => (link.id === "hmi-plc1" ? [] : [link])) }),
      says: /link `hmi-plc1`, on which this filter listens, is not in the bundle/,
    },
    {
      name: "one in which a link has another protocol",
      of: () =>
        bundle({ ...next(), plant: links((link) => [link.id === "hmi-plc1" ? { ...link, protocol: "opcua" } : link]) }),
      says: /link `hmi-plc1` is opcua in the bundle, and was modbus/,
    },
    {
      name: "one without the phase in which the filter stands alone",
      of: () =>
        bundle({
          ...next(),
          lifecycle: renamed,
        }),
      says: /phase `normal`, in which this point stands alone, is not in the bundle/,
    },
  ])("$name: one sentence, and the last good one stays in force", async ({ of, says }) => {
    const client = await modbusClient();
    const said = await filter.offer(of());
    expect(said.split("\n")).toHaveLength(1);
    expect(said).toMatch(says);
    expect(await inlet(client)).toBe("ok");
    expect(filter.isRunning).toBe(true);
    client.close(() => undefined);
  });

  test("the same once more is in force already", async () => {
    expect(await filter.offer(bundle({ version, open: true }))).toMatch(/is in force already$/);
  });
});

test("an OPC UA client keeps session and subscription through 20 changes, and writes by the bundle of the moment", async () => {
  const client = new FlowWatcher(pki);
  await client.connect(OPCUA);
  for (let change = 0; change < 20; change += 1) {
    version += 1;
    const open = change % 2 === 1;
    const before = executed.flow;
    await filter.offer(bundle({ version, open }));
    expect(await client.write(20 + change)).toMatch(open ? /^Good$/ : /^Bad/);
    expect(executed.flow).toBe(open ? 20 + change : before);
    const { told } = client;
    await expect.poll(() => client.told, { timeout: 3000 }).toBeGreaterThan(told);
  }
  expect(client.lost).toBe(0);
  await client.close();
}, 60_000);
