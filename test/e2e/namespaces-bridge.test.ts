import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { relocatePlant } from "#specs/addresses.ts";
import { buildBundle } from "#specs/bundle.ts";
import { PhaseId } from "#specs/ids.ts";
import { nftCommand } from "#switch-filter/packet-filter/nft.ts";
import { inForce, PacketFilter } from "#switch-filter/packet-filter/packet-filter.ts";
import type { PacketSite } from "#switch-filter/packet-filter/site.ts";
import { Network, whyNoNetwork } from "../support/netns.ts";
import { waterTreatment } from "../support/plant.ts";
import { announcement, Peer, PlcHost, read, sendFrame, write } from "./namespaces-plant.ts";

// hmi, engineering workstation, a stranger and a mirror on a bridge before the PLC: the packet filter alone, without the L7 filter.

const why = whyNoNetwork("pymodbus", "ss", "sysctl", "tcpdump");
const HMI = { ip: "10.97.1.11", mac: "02:00:00:00:01:11" };
const EWS = { ip: "10.97.1.21", mac: "02:00:00:00:01:21" };
const PLC = { ip: "10.97.2.1", mac: "02:00:00:00:02:01" };
const ROGUE = { ip: "10.97.9.9", mac: "02:00:00:00:09:09" };
const NORMAL = PhaseId("normal");
/** The engineering workstation's links are closed. */
const EWS_OUT = PhaseId("contained.normal.ews-1.quarantine");

const { plant: printed, lifecycle } = waterTreatment();
const plant = relocatePlant(printed, "127.10.", "10.97.");
const { flows } = buildBundle(plant, lifecycle).projections;

const site: PacketSite = {
  mode: "bridge",
  devices: {
    "hmi-1": { mac: HMI.mac, interface: "s-hmi" },
    "ews-1": { mac: EWS.mac, interface: "s-ews" },
    "plc-1": { mac: PLC.mac, interface: "s-plc" },
  },
  ports: ["s-rogue", "s-mon"],
  limits: { newPerSecond: 5, newAtOnce: 10 },
};

describe.skipIf(why !== undefined)(`a bridge in the path${why === undefined ? "" : ` (not run: ${why})`}`, () => {
  let network: Network;
  let plc: PlcHost;
  let filter: PacketFilter;
  let hmi: Peer;
  let ews: Peer;
  let rogue: Peer;

  beforeAll(async () => {
    network = await Network.build(async (net) => {
      await net.host("hmi", "ews", "rogue", "plc", "mon", "sw");
      const plug = (host: string, device: string, at: { ip: string; mac: string }) =>
        net.cable({ host, device, mac: at.mac, address: `${at.ip}/16` }, { host: "sw", device: `s-${host}` });
      await plug("hmi", "h0", HMI);
      await plug("ews", "e0", EWS);
      await plug("rogue", "r0", ROGUE);
      await plug("plc", "p0", PLC);
      await net.cable({ host: "mon", device: "m0" }, { host: "sw", device: "s-mon" });
      await net.bridge("sw", "br0", ["s-hmi", "s-ews", "s-rogue", "s-plc"]);
    });
    plc = await PlcHost.start(network, "plc", PLC.ip);
    hmi = new Peer(network, "hmi");
    ews = new Peer(network, "ews");
    rogue = new Peer(network, "rogue");
    filter = await PacketFilter.open({ plant, flows, site }, nftCommand(nftOn("sw")));
    await filter.enter(NORMAL);
  });
  afterAll(() => network?.remove());

  const nftOn = (host: string): [string, ...string[]] => ["ip", "netns", "exec", network.space(host), "nft"];
  const fdb = async (mac: string) =>
    (await network.run("sw", "bridge", "fdb", "show", "br", "br0"))
      .split("\n")
      .filter((line) => line.startsWith(mac) && !line.includes("permanent"))
      .map((line) => line.split(" ")[2]);

  test("what this kernel lacks is said, and what is in force can be asked for", async () => {
    expect(filter.without.every((line) => line.startsWith("this kernel"))).toBe(true);
    expect(await inForce(nftCommand(nftOn("sw")))).toMatchObject({ families: ["bridge"], phase: "normal" });
  });

  test("a declared device reaches 502 and nothing else", async () => {
    expect(await hmi.open("a", PLC.ip, 2000)).toEqual({ open: true, from: HMI.ip });
    expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
    expect(await hmi.open("other", PLC.ip, 700, { port: 22 })).toMatchObject({ open: false, ended: "no answer" });
  });

  test("an undeclared device reaches nothing", async () => {
    expect(await rogue.open("a", PLC.ip, 700)).toMatchObject({ open: false });
    await network.ip("rogue", "neigh", "replace", PLC.ip, "lladdr", PLC.mac, "dev", "r0", "nud", "permanent");
    expect(await rogue.open("b", PLC.ip, 1500)).toMatchObject({ open: false, ended: "no answer" });
  });

  test.each([
    { name: "the address of the HMI, its own card", mac: ROGUE.mac },
    { name: "the address and the card of the HMI", mac: HMI.mac },
  ])("a forged sender is dropped, and moves nothing: $name", async ({ mac }) => {
    await hmi.ask("a", read(0), 2000);
    await network.ip("rogue", "addr", "add", `${HMI.ip}/16`, "dev", "r0");
    await network.ip("rogue", "link", "set", "r0", "address", mac);
    await network.ip("rogue", "neigh", "replace", PLC.ip, "lladdr", PLC.mac, "dev", "r0", "nud", "permanent");
    expect(await rogue.open("c", PLC.ip, 1200, { from: HMI.ip })).toMatchObject({ open: false, ended: "no answer" });
    expect(await fdb(HMI.mac)).toEqual(["s-hmi"]);
    await network.ip("rogue", "link", "set", "r0", "address", ROGUE.mac);
    await network.ip("rogue", "addr", "del", `${HMI.ip}/16`, "dev", "r0");
    expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
  });

  test("a forged announcement takes nothing over, neither with its own card nor with the PLC's", async () => {
    const gratuitous = [announcement(ROGUE.mac, ROGUE.mac, PLC.ip), announcement(PLC.mac, ROGUE.mac, PLC.ip)];
    for (const frame of gratuitous) await sendFrame(network, "rogue", "r0", frame);
    // A device that is declared may not announce another's address either.
    await sendFrame(network, "ews", "e0", announcement(EWS.mac, EWS.mac, PLC.ip));
    await pause(100);
    const neighbour = await network.ip("hmi", "neigh", "show", PLC.ip);
    expect(neighbour).toContain(PLC.mac);
    expect(await fdb(PLC.mac)).toEqual(["s-plc"]);
    expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
  });

  test("without the filter the same announcement does take over", async () => {
    await filter.remove();
    await sendFrame(network, "rogue", "r0", announcement(ROGUE.mac, ROGUE.mac, PLC.ip));
    await pause(100);
    expect(await network.ip("hmi", "neigh", "show", PLC.ip)).toContain(ROGUE.mac);
    await network.ip("hmi", "neigh", "flush", "dev", "h0");
    await filter.enter(NORMAL);
    expect(await hmi.open("a", PLC.ip, 2000)).toMatchObject({ open: true });
  });

  test("a phase change replaces the table and leaves a session that stays allowed alone", async () => {
    expect(await ews.open("a", PLC.ip, 2000)).toMatchObject({ open: true });
    expect(await ews.ask("a", write(5, 41), 2000)).toMatchObject({ answer: write(5, 41) });
    await filter.enter(EWS_OUT);
    expect(await inForce(nftCommand(nftOn("sw")))).toMatchObject({ phase: EWS_OUT });
    expect(await hmi.ask("a", read(5), 2000)).toEqual({ answer: "03020029" });
    expect(await ews.open("b", PLC.ip, 1200)).toMatchObject({ open: false, ended: "no answer" });
  });

  test("a write that the closed link held back never lands, though its sender's stack sends it again", async () => {
    expect(await ews.ask("a", write(5, 99), 300)).toMatchObject({ ended: "no answer" });
    expect(await unsent("ews")).toBeGreaterThan(0);
    await filter.enter(NORMAL);
    // Linux sends again after 0.2, 0.4, 0.8, 1.6 s: several of them fall into this time.
    await pause(3500);
    expect(await plc.register(5)).toBe(41);
    expect(await ews.open("c", PLC.ip, 2000)).toMatchObject({ open: true });
    expect(await ews.ask("c", write(5, 42), 2000)).toMatchObject({ answer: write(5, 42) });
  });

  test("new connections beyond the rate are dropped; the established one is served", async () => {
    await pause(2500);
    const told = [];
    for (let n = 0; n < 14; n += 1) told.push(await ews.open(`flood-${n}`, PLC.ip, 100));
    expect(told.filter(({ open }) => open === true).length).toBeLessThanOrEqual(11);
    expect(told.filter(({ open }) => open === true).length).toBeGreaterThanOrEqual(9);
    expect(await hmi.ask("a", read(5), 2000)).toEqual({ answer: "0302002a" });
  });

  test("a mirror port gives nothing into the plant", async () => {
    await network.ip("sw", "link", "set", "s-mon", "master", "br0");
    await network.ip("mon", "addr", "add", "10.97.9.8/16", "dev", "m0");
    const mon = new Peer(network, "mon");
    expect(await mon.open("a", PLC.ip, 700)).toMatchObject({ open: false });
  });

  /** Bytes that a host's stack still holds for the PLC. */
  async function unsent(host: string): Promise<number> {
    const lines = (await network.run(host, "ss", "-Htn", "dst", PLC.ip)).split("\n");
    return Math.max(0, ...lines.map((line) => Number(line.trim().split(/\s+/)[2] ?? 0)));
  }
});
