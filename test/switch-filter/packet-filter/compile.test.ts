import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PhaseId } from "#specs/ids.ts";
import { compilePacketFilter } from "#switch-filter/packet-filter/compile.ts";
import { ALL_FEATURES } from "#switch-filter/packet-filter/features.ts";
import { comment, readAbout, ruleset } from "#switch-filter/packet-filter/ruleset.ts";
import { type PacketSite, readPacketSite } from "#switch-filter/packet-filter/site.ts";
import { aliasesOf } from "#switch-filter/packet-filter/wiring.ts";
import { BRIDGE, LIFECYCLE, planOf, ROUTED } from "./plan.ts";

const NORMAL = PhaseId("normal");
const EWS_OUT = PhaseId("contained.normal.ews-1.quarantine");

function compiled(site: PacketSite, phase: PhaseId | null, features = ALL_FEATURES) {
  const made = compilePacketFilter(planOf(site), phase, features);
  if (!made.ok) throw new Error(made.error);
  return made.value;
}

describe("the rules as an engineer reads them", () => {
  test.each([
    { name: "bridge-normal", site: BRIDGE, phase: NORMAL, kind: "whole" },
    { name: "bridge-ews-out", site: BRIDGE, phase: EWS_OUT, kind: "inPlace" },
    { name: "routed-normal", site: ROUTED, phase: NORMAL, kind: "whole" },
    { name: "routed-no-phase", site: ROUTED, phase: null, kind: "whole" },
  ] as const)("$name", async ({ name, site, phase, kind }) => {
    await expect(compiled(site, phase)[kind]).toMatchFileSnapshot(`./golden/${name}.nft`);
  });
});

describe("every phase of the plant", () => {
  test.each([BRIDGE, ROUTED])(
    "mode $mode: one structure, only our own tables, and nothing open that the flows do not name",
    (site) => {
      const structures = new Set<string>();
      for (const { id } of LIFECYCLE.phases) {
        const { structure, whole, inPlace } = compiled(site, id);
        structures.add(structure);
        for (const text of [whole, inPlace]) {
          const tables = [...text.matchAll(/^(?:(?:add|delete|flush) )?(?:table|set) (\w+) (\w+)/gm)].map(
            (match) => match[2],
          );
          expect(new Set(tables)).toEqual(new Set(["sekisho"]));
          const named = [...text.matchAll(/comment "link ([\w.-]+)[",:]/g)].map((match) => match[1] ?? "");
          const open = planOf(site).flows.phases.find(({ phase }) => phase === id)?.links ?? [];
          const crossing = named.filter((link) => !text.includes(`comment "link ${link}: the server sees its client"`));
          expect(crossing.filter((link) => !open.some((known) => known === link))).toEqual([]);
        }
      }
      expect(structures.size).toBe(1);
    },
  );

  test("the order of the site file does not matter", () => {
    const devices = Object.fromEntries(Object.entries(ROUTED.devices).toReversed());
    expect(compiled({ ...ROUTED, devices }, NORMAL)).toEqual(compiled(ROUTED, NORMAL));
  });
});

describe("with a filter, nothing passes it by", () => {
  const direct = (text: string) => [...text.matchAll(/comment "link ([\w.-]+), answers"/g)].map((match) => match[1]);
  const listeners = ROUTED.filter?.listeners ?? [];
  test("a link without a listener is closed unless the site says otherwise", () => {
    expect(direct(compiled(ROUTED, NORMAL).whole)).toEqual(["hmi-plc2", "hmi-plc2-ua", "ews-plc2"]);
    expect(direct(compiled({ ...ROUTED, filter: { listeners } }, NORMAL).whole)).toEqual([]);
    const { filter: _, ...without } = ROUTED;
    expect(direct(compiled(without, NORMAL).whole)).toEqual([
      "hmi-plc1",
      "hmi-plc2",
      "hmi-plc2-ua",
      "ews-plc1",
      "ews-plc2",
    ]);
  });

  test("an opaque link passes: nobody could look into it", () => {
    const plan = planOf({ ...ROUTED, filter: { listeners } });
    const links = plan.plant.links.map((link) => (link.id === "hmi-plc2-ua" ? { ...link, opaque: true } : link));
    const made = compilePacketFilter({ ...plan, plant: { ...plan.plant, links } }, NORMAL);
    expect(made.ok && direct(made.value.whole)).toEqual(["hmi-plc2-ua"]);
  });
});

describe("what the kernel cannot do is left out", () => {
  test("without counts, rates and ARP tables nothing else changes", () => {
    const without = compiled(ROUTED, NORMAL, { connectionCount: false, rateLimit: false, arp: false });
    expect(without.families).toEqual(["inet"]);
    expect(without.whole).not.toMatch(/ct count|limit rate|table arp/);
    expect(without.whole).toContain("dnat ip to 169.254.7.100:15502");
  });
});

describe("what the kernel is told about itself", () => {
  test("a phase of any length is found again, within the room of nft's comments", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z.-]{0,127}$/), (phase) => {
        const { whole, structure } = ruleset([], phase);
        expect(whole).toBe("");
        const table = ruleset([{ family: "inet", sets: [], chains: [] }], phase);
        expect(readAbout(table.whole)).toEqual({ phase, structure: table.structure });
        expect(table.structure).not.toBe(structure);
      }),
    );
    expect(readAbout(ruleset([{ family: "inet", sets: [], chains: [] }], null).whole)).toMatchObject({ phase: null });
    expect(readAbout("chain about { }")).toBeUndefined();
    expect(comment("x".repeat(200))).toBe(`comment "${"x".repeat(127)}"`);
  });
});

describe("a site that does not fit its plant is refused in one sentence", () => {
  const site = (change: object): PacketSite => ({ ...ROUTED, ...change });
  test.each([
    {
      name: "unknown device",
      site: site({ devices: { "hmi-9": ROUTED.devices["hmi-1"] } }),
      says: /^`devices` names `hmi-9`, which is no device of plant `water-treatment`; it has /,
    },
    {
      name: "unknown server",
      site: site({ filter: { listeners: [{ server: "x", protocol: "modbus", address: "169.254.7.100", port: 1 }] } }),
      says: /^`filter` names `x`/,
    },
    {
      name: "an address it has not",
      site: site({ devices: { "hmi-1": { mac: "02:00:00:00:00:01", interface: "a", address: "10.0.0.1" } } }),
      says: /^device `hmi-1` has no address `10.0.0.1`/,
    },
    {
      name: "two cards for one address",
      site: site({
        devices: {
          ...ROUTED.devices,
          "hmi-1": [
            { mac: "02:00:00:00:00:01", interface: "a" },
            { mac: "02:00:00:00:00:02", interface: "a" },
          ],
        },
      }),
      says: /^address 10.97.1.11 is bound to both /,
    },
    {
      name: "one alias for two",
      site: site({
        filter: {
          listeners: ROUTED.filter?.listeners ?? [],
          aliases: { "hmi-1": "169.254.7.1", "ews-1": "169.254.7.1" },
        },
      }),
      says: /share the alias 169.254.7.1/,
    },
    {
      name: "one listener for two servers",
      site: site({
        filter: {
          listeners: ["plc-1", "plc-2"].map((server) => ({
            server,
            protocol: "modbus",
            address: "169.254.7.100",
            port: 1,
          })),
        },
      }),
      says: /^two listeners share 169.254.7.100:1; /,
    },
    {
      name: "inline on a bridge",
      site: { ...BRIDGE, ...(ROUTED.filter && { filter: ROUTED.filter }) },
      says: /^`filter` leads connections to this host/,
    },
  ])("$name", ({ site: wrong, says }) => {
    expect(compilePacketFilter(planOf(wrong), NORMAL)).toEqual({ ok: false, error: expect.stringMatching(says) });
  });

  test("a device with IPv6 addresses only", () => {
    const plan = planOf(ROUTED);
    const devices = plan.plant.devices.map((d) => (d.id === "hmi-1" ? { ...d, addresses: ["2001:db8::11"] } : d));
    expect(compilePacketFilter({ ...plan, plant: { ...plan.plant, devices } }, NORMAL)).toEqual({
      ok: false,
      error: expect.stringMatching(/^device `hmi-1` has IPv6 addresses only/),
    });
  });

  test("a phase that the bundle has not", () => {
    expect(compilePacketFilter(planOf(ROUTED), PhaseId("summer"))).toEqual({
      ok: false,
      error: "phase `summer` is not in this bundle",
    });
  });
});

describe("the site file", () => {
  test.each([
    { name: "nothing", text: "", says: /^the file / },
    { name: "no YAML", text: "a: [", says: /^it is neither YAML nor JSON \(/ },
    { name: "another mode", text: "mode: hub\ndevices: {}", says: /mode|devices/ },
    { name: "no devices", text: "mode: bridge\ndevices: {}", says: /^`devices` / },
    {
      name: "a card that is none",
      text: "mode: bridge\ndevices: { a: { mac: '02:00', interface: x } }",
      says: /devices/,
    },
    {
      name: "a wildcard",
      text: "mode: bridge\ndevices: { a: { mac: '02:00:00:00:00:01', interface: 'x*' } }",
      says: /devices/,
    },
    {
      name: "nft's own language",
      text: "mode: bridge\ndevices: { a: { mac: '02:00:00:00:00:01', interface: 'x\" accept' } }",
      says: /devices/,
    },
    {
      name: "an address beyond 255",
      text: "mode: routed\ndevices: { a: { mac: '02:00:00:00:00:01', interface: x, address: 10.0.0.256 } }",
      says: /devices/,
    },
    {
      name: "a key too many",
      text: "mode: bridge\ndevices: { a: { mac: '02:00:00:00:00:01', interface: x } }\ncolour: red",
      says: /./,
    },
  ])("refused: $name", ({ text, says }) => {
    expect(readPacketSite(text)).toEqual({ ok: false, error: expect.stringMatching(says) });
  });

  test("YAML and JSON are the same", () => {
    expect(readPacketSite(JSON.stringify(ROUTED))).toEqual({ ok: true, value: ROUTED });
  });

  test("what the filter dials from, by client", () => {
    expect([...aliasesOf(planOf(ROUTED).plant, ROUTED)]).toEqual([
      ["10.97.1.11", "169.254.7.1"],
      ["10.97.1.21", "169.254.7.2"],
    ]);
  });
});
