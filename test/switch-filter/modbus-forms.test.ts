import { connect } from "node:tls";
import { ServerTCP } from "modbus-serial";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { buildBundle } from "#specs/bundle.ts";
import { checkSpec } from "#specs/check.ts";
import { PhaseId } from "#specs/ids.ts";
import { loadPlant } from "#specs/load.ts";
import { readDenyActions } from "#switch-filter/actions.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { hasTool } from "../support/tools.ts";
import { adu, RawClient } from "./raw-client.ts";
import { type Authority, makeAuthority } from "./tls-certificates.ts";

/**
 * In which form something may be done, and by whom: from the files of a plant to the registers of a real server (modbus-serial), which
 * alone say what came through.
 */
const HMI = "127.253.1.171";
const EWS = "127.253.1.172";
const PLAIN = { host: "127.253.2.171", port: 15_171 };
const SECURE = { host: "127.253.2.171", port: 15_172 };
const PLC = { host: "127.253.3.171", port: 15_173 };

/** Codes that the server does not use, so that its own refusals cannot be taken for ours. */
const OURS = readDenyActions("function=exception:21,role=exception:22,address=exception:23,value=exception:24");

const register = (n: number, range = "[0, 65535]") =>
  `  H${n}: { title: register ${n}, kind: set-point, device: plc-1, range: ${range}, modbus: { unit: 1, table: holding-register, address: ${n}, type: uint16 } }`;
const PLANT = `
id: forms
title: Ten registers
zones: { works: Works }
devices:
  hmi-1: { title: Operator station, role: hmi, zone: works, addresses: [${HMI}] }
  ews-1: { title: Engineering workstation, role: engineering, zone: works, addresses: [${EWS}] }
  plc-1: { title: Registers, role: plc, zone: works, addresses: [${PLC.host}] }
links:
  hmi-plc: { client: hmi-1, server: plc-1, protocol: modbus, mode: enforce }
  ews-plc: { client: ews-1, server: plc-1, protocol: modbus, mode: enforce, tls: true }
tags:
${Array.from({ length: 10 }, (_, n) => register(n)).join("\n")}
`;
const LIFECYCLE = `
plant: forms
version: 1
initial: run
isolated: run
safe: { phase: run, within: 1s }
lease: 10s
rules:
  look: { says: Four registers at a time., from: [hmi-1], may: read, tags: { device: plc-1 }, quantity: 4 }
  one: { says: One register by function 6., from: [hmi-1], may: write, tags: [H0], functions: [6] }
  many: { says: Two registers by function 16., from: [hmi-1], may: write, tags: [H1, H2], functions: [16], quantity: 2 }
  swap: { says: A register by function 23., from: [hmi-1], may: write, tags: [H4], functions: [23] }
  name-plate: { says: Who it is., from: [hmi-1], may: diagnose, to: [plc-1], objects: [basic] }
  engineer: { says: Engineers alone., from: [ews-1], roles: [engineer], may: write, tags: [H3] }
phases:
  run:
    says: In force.
    because: There is nothing else.
    containment: true
`;

const loaded = loadPlant({ file: "plant.yaml", text: PLANT }, { file: "lifecycle.yaml", text: LIFECYCLE });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
const { plant, lifecycle } = loaded.value;

test("the files are in order: nothing about links, forms and roles is found by the checker", () => {
  const found = checkSpec(loaded.value).findings.map(({ code }) => code);
  for (const code of ["FORM_UNUSABLE", "ROLE_UNSEEN", "RULE_WITHOUT_LINK", "LAYER_STRICTER"])
    expect(found).not.toContain(code);
});

describe("before a real server", () => {
  const registers = new Map<number, number>();
  const clock = systemClock();
  let ours: Authority | undefined;
  let server: ServerTCP;
  let filter: RunningFilter;

  beforeAll(async () => {
    const vector = {
      getHoldingRegister: (address: number) => registers.get(address) ?? 0,
      setRegister: (address: number, value: number) => void registers.set(address, value),
      readDeviceIdentification: () => ({ 0: "maker", 1: "code", 2: "1.0", 128: "a secret" }),
    };
    server = new ServerTCP(vector, { ...PLC, debug: false, unitID: 1 });
    await new Promise((resolve) => server.once("initialized", resolve));
    ours = hasTool("openssl") ? makeAuthority("site") : undefined;
    const tls = ours && { clients: ours.identity("filter", { address: SECURE.host }) };
    filter = await runSwitchFilter({
      bundle: buildBundle(plant, lifecycle),
      listeners: [
        { link: "hmi-plc", listen: PLAIN, upstream: PLC },
        ...(tls === undefined ? [] : [{ link: "ews-plc", listen: SECURE, upstream: PLC, tls }]),
      ],
      mode: "enforce",
      deny: OURS,
      clock,
      standalonePhase: PhaseId("run"),
    });
  }, 30_000);

  afterAll(async () => {
    await filter.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    clock.close();
  });

  async function ask(pdu: string): Promise<string | undefined> {
    const client = await RawClient.open(PLAIN, HMI);
    client.say(adu(1, pdu));
    const [answer] = await client.answers(1);
    client.close();
    return answer?.slice(14);
  }

  test("function 6 is allowed and 16 is not, to the same register and with the same value", async () => {
    expect(await ask("06 0000 002a")).toBe("060000002a");
    expect(registers.get(0)).toBe(42);
    expect(await ask("10 0000 0001 02 0063")).toBe("9015");
    expect(await ask("16 0000 0000 0063")).toBe("9615");
    expect(await ask("17 0000 0001 0000 0001 02 0063")).toBe("9715");
    expect(registers.get(0)).toBe(42);
  });

  test("where 16 alone is allowed, 6 is not", async () => {
    expect(await ask("10 0001 0002 04 0007 0008")).toBe("1000010002");
    expect([registers.get(1), registers.get(2)]).toEqual([7, 8]);
    expect(await ask("06 0001 0009")).toBe("8615");
    expect(registers.get(1)).toBe(7);
  });

  test("function 23 is judged by its write and by its read, each in its own form", async () => {
    // This server does not know the function: its own exception says that the request has come through.
    expect(await ask("17 0000 0004 0004 0001 02 0005")).toBe("9701");
    expect(await ask("17 0000 0005 0004 0001 02 0006")).toBe("9718");
    expect(await ask("17 0000 0004 0000 0001 02 0006")).toBe("9715");
  });

  test("so many registers are read at once, and no more", async () => {
    expect(await ask("03 0006 0004")).toBe(`0308${"0000".repeat(4)}`);
    expect(await ask("03 0005 0005")).toBe("8318");
  });

  test("the basic identification is shown, the extended is not, nor anything else that diagnosis would be", async () => {
    expect(await ask("2b 0e 01 00")).toMatch(/^2b0e01/);
    expect(await ask("2b 0e 03 00")).toBe("ab17");
    expect(await ask("2b 0e 04 80")).toBe("ab17");
    expect(await ask("11")).toBe("9115");
    expect(await ask("08 0000 1234")).toBe("8815");
  });

  test("without a certificate there is no role, and what asks for one is denied", async () => {
    const client = await RawClient.open(PLAIN, EWS);
    client.say(adu(1, "06 0003 0001"));
    expect(await client.answers(1)).toEqual([adu(1, "86 16").toString("hex")]);
    client.close();
    expect(registers.get(3)).toBeUndefined();
  });

  test.skipIf(!hasTool("openssl"))(
    "the role in the client's certificate opens what it may, another does not",
    async () => {
      const says = async (role: string | undefined, value: string) => {
        const identity = ours?.identity("ews", role === undefined ? {} : { role });
        const to = { ...SECURE, localAddress: EWS, ...identity };
        const client = new RawClient(connect(to));
        client.say(adu(1, `06 0003 ${value}`));
        const [answer] = await client.answers(1);
        client.close();
        return answer?.slice(14);
      };
      expect(await says("operator", "0001")).toBe("8616");
      expect(await says(undefined, "0001")).toBe("8616");
      expect(registers.get(3)).toBeUndefined();
      expect(await says("engineer", "0002")).toBe("0600030002");
      expect(registers.get(3)).toBe(2);
    },
  );
});
