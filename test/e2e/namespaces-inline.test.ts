import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PhaseId } from "#specs/ids.ts";
import { type Nft, nftCommand } from "#switch-filter/packet-filter/nft.ts";
import { inForce, listTables, PacketFilter } from "#switch-filter/packet-filter/packet-filter.ts";
import { kill, Network, whyNoNetwork } from "../support/netns.ts";
import { until } from "../support/site.ts";
import { announcement, Peer, PlcHost, read, sendFrame, write } from "./namespaces-plant.ts";
import {
  controlRoom,
  EWS,
  GATEWAY,
  HMI,
  LISTENER,
  movedPlant,
  ownAddresses,
  PLC,
  ROGUE,
  routedSite,
} from "./namespaces-routed.ts";

const why = whyNoNetwork("pymodbus", "ss", "sysctl", "tcpdump");
const NORMAL = PhaseId("normal");
/** The engineering workstation's links are closed. */
const EWS_OUT = PhaseId("contained.normal.ews-1.quarantine");
const RUNNER = fileURLToPath(new URL("./namespaces-filter.ts", import.meta.url));
/** A set-point of the water plant that nobody may set that high, and the emergency stop, which the HMI may always press. */
const FORBIDDEN = write(0, 900);
const ESTOP = "050003ff00";

describe.skipIf(why !== undefined)(
  `the filter inline on a gateway${why === undefined ? "" : ` (not run: ${why})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-inline-"));
    const siteFile = join(folder, "site.json");
    const site = routedSite("s-lan", "s-plc");
    const { plant, projections } = movedPlant().bundle;
    const plan = { plant, flows: projections.flows, site };
    let network: Network;
    let plc: PlcHost;
    let nft: Nft;
    let packets: PacketFilter;
    let filter: ChildProcess;
    let hmi: Peer;
    let ews: Peer;
    let rogue: Peer;

    const startFilter = () => network.ready("sw", process.execPath, RUNNER, siteFile, NORMAL);

    beforeAll(async () => {
      writeFileSync(siteFile, JSON.stringify(site));
      network = await Network.build(async (net) => {
        await net.host("sw", "plc", "mon");
        await controlRoom(net, []);
        await net.cable({ host: "lan", device: "l-sw" }, { host: "sw", device: "s-lan", address: `${GATEWAY.lan}/24` });
        await net.ip("lan", "link", "set", "l-sw", "master", "br0");
        await net.cable(
          { host: "plc", device: "eth", mac: PLC.mac, address: `${PLC.ip}/24` },
          { host: "sw", device: "s-plc", address: `${GATEWAY.plc}/24` },
        );
        await net.ip("plc", "route", "add", "default", "via", GATEWAY.plc);
        await net.cable({ host: "mon", device: "m0" }, { host: "sw", device: "s-mon" });
        await ownAddresses(net, "sw");
      });
      nft = nftCommand(["ip", "netns", "exec", network.space("sw"), "nft"]);
      plc = await PlcHost.start(network, "plc", PLC.ip);
      [hmi, ews, rogue] = [new Peer(network, "hmi"), new Peer(network, "ews"), new Peer(network, "rogue")];
      packets = await PacketFilter.open(plan, nft);
      await packets.enter(NORMAL);
      filter = await startFilter();
    });
    afterAll(async () => {
      await network?.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    test("the HMI talks to the PLC's own address, and the PLC sees the HMI's", async () => {
      expect(await hmi.open("a", PLC.ip, 2000)).toEqual({ open: true, from: HMI.ip });
      expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
      expect(await hmi.ask("a", ESTOP, 2000)).toEqual({ answer: ESTOP });
      expect(await plc.clients()).toEqual([HMI.ip]);
      expect(await ews.open("a", PLC.ip, 2000)).toMatchObject({ open: true });
      expect(await ews.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
      expect((await plc.clients()).toSorted()).toEqual([HMI.ip, EWS.ip]);
    });

    test("what the filter denies is answered, and the register stays", async () => {
      expect(await hmi.ask("a", FORBIDDEN, 2000)).toMatchObject({ answer: expect.stringMatching(/^86/) });
      expect(await plc.register(0)).toBe(0);
    });

    test("nobody reaches the listener but by the server's address, or any other port", async () => {
      expect(await hmi.open("x", LISTENER.address, 1000, { port: LISTENER.port })).toMatchObject({
        ended: "ECONNREFUSED",
      });
      expect(await hmi.open("x", GATEWAY.lan, 1000, { port: LISTENER.port })).toMatchObject({ ended: "ECONNREFUSED" });
      expect(await hmi.open("x", PLC.ip, 1000, { port: 22 })).toMatchObject({ ended: "ECONNREFUSED" });
    });

    test("a stranger, and a stranger under the HMI's address, reach nothing and are told nothing", async () => {
      expect(await rogue.open("a", PLC.ip, 700)).toMatchObject({ ended: "no answer" });
      expect(await rogue.open("a", GATEWAY.lan, 700, { port: LISTENER.port })).toMatchObject({ ended: "no answer" });
      await network.ip("rogue", "addr", "add", `${HMI.ip}/32`, "dev", "eth");
      expect(await rogue.open("a", PLC.ip, 700, { from: HMI.ip })).toMatchObject({ ended: "no answer" });
      await network.ip("rogue", "addr", "del", `${HMI.ip}/32`, "dev", "eth");
    });

    test("a forged announcement does not move the HMI in the gateway's eyes", async () => {
      await hmi.ask("a", read(0), 2000);
      await sendFrame(network, "rogue", "eth", announcement(ROGUE.mac, ROGUE.mac, HMI.ip));
      await pause(100);
      expect(await network.ip("sw", "neigh", "show", HMI.ip)).toContain(HMI.mac);
      expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
    });

    test("more connections of one client than allowed are reset", async () => {
      const told = [];
      for (let n = 0; n < 6; n += 1) told.push(await ews.open(`many-${n}`, PLC.ip, 1000));
      expect(told.map(({ open }) => open)).toEqual([true, true, true, false, false, false]);
      expect(told.at(-1)).toMatchObject({ ended: "ECONNREFUSED" });
      for (let n = 0; n < 6; n += 1) await ews.close(`many-${n}`);
      // Ended ones are counted until the last segment has been seen.
      await until(
        async () => (await ews.open("again", PLC.ip, 1000)).open === true,
        2000,
        () => "the places are free again",
      );
      await ews.close("again");
      await pause(300);
    });

    test("a phase change closes one link and leaves the other's session alone; what was cut is reset, and never lands", async () => {
      expect(await ews.open("b", PLC.ip, 2000)).toMatchObject({ open: true });
      expect(await ews.ask("b", read(0), 2000)).toEqual({ answer: "03020000" });
      await packets.enter(EWS_OUT);
      expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
      expect(await ews.ask("b", write(5, 99), 1000)).toEqual({ ended: "ECONNRESET" });
      expect(await ews.open("c", PLC.ip, 1000)).toMatchObject({ ended: "ECONNREFUSED" });
      await packets.enter(NORMAL);
      await pause(1500);
      expect(await plc.register(5)).toBe(0);
      expect(await ews.open("c", PLC.ip, 1000)).toMatchObject({ open: true });
      expect(await hmi.ask("a", read(0), 2000)).toEqual({ answer: "03020000" });
    });

    test("a forbidden write that waited while the filter was stopped, killed and started again never lands", async () => {
      expect(await hmi.open("d", PLC.ip, 2000)).toMatchObject({ open: true });
      expect(await hmi.ask("d", read(0), 2000)).toEqual({ answer: "03020000" });
      await network.run("sw", "kill", "-STOP", String(filter.pid));
      await hmi.say("d", FORBIDDEN);
      await pause(300);
      await kill(filter);
      // While it is away its links are closed, not open.
      expect(await hmi.open("e", PLC.ip, 1000)).toMatchObject({ ended: "ECONNREFUSED" });
      filter = await startFilter();
      await packets.enter(EWS_OUT);
      await packets.enter(NORMAL);
      await pause(2500);
      expect(await plc.register(0)).toBe(0);
      expect(await hmi.open("a", PLC.ip, 2000)).toMatchObject({ open: true });
      expect(await hmi.ask("a", FORBIDDEN, 2000)).toMatchObject({ answer: expect.stringMatching(/^86/) });
      expect(await plc.register(0)).toBe(0);
    });

    test("a host on a mirror of the gateway's port sees the HMI's request and the answer", async () => {
      const mirror =
        'table netdev mirror {\nchain i {\ntype filter hook ingress device "s-lan" priority -500;\ndup to "s-mon"\n}\nchain o {\ntype filter hook egress device "s-lan" priority -500;\ndup to "s-mon"\n}\n}\n';
      expect(await nft(["-f", "-"], mirror)).toMatchObject({ ok: true });
      const tcpdump = network.start(
        "mon",
        "tcpdump",
        "-i",
        "m0",
        "-nXl",
        "--immediate-mode",
        "tcp port 502 and greater 70",
      );
      let seen = "";
      tcpdump.stdout?.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
      });
      await pause(700);
      await hmi.ask("a", read(0), 2000);
      await pause(300);
      expect(seen).toContain(`${HMI.ip}.`);
      expect(seen).toMatch(/0103 0000 0001/);
      expect(seen).toContain(`IP ${PLC.ip}.502 > ${HMI.ip}`);
      await packets.enter(NORMAL);
      expect((await nft(["list", "tables"])).ok && (await nft(["list", "table", "netdev", "mirror"])).ok).toBe(true);
    });

    test("no table but our own is touched, and a ruleset that the kernel refuses changes nothing", async () => {
      const foreign = "table inet other {\n\tchain c {\n\t\tcounter packets 0 bytes 0 drop\n\t}\n}\n";
      await nft(["-f", "-"], foreign);
      const before = await listTables(nft);
      const broken = await PacketFilter.open(plan, (args, input) => {
        const spoilt =
          args.includes("-c") || input === undefined ? input : `${input}add rule inet sekisho nowhere accept\n`;
        return nft(args, spoilt);
      });
      await expect(broken.enter(EWS_OUT)).rejects.toThrow(/was not taken, what was in force still is: /);
      expect(await inForce(nft)).toMatchObject({ phase: "normal", families: ["inet", "arp"] });
      expect(rulesOf(await listTables(nft))).toBe(rulesOf(before));
      await packets.remove();
      expect(await inForce(nft)).toBeUndefined();
      expect(await nft(["list", "table", "inet", "other"])).toEqual({ ok: true, value: foreign });
      await packets.enter(NORMAL);
    });
  },
);

describe.skipIf(why !== undefined)("a network that cannot be built", () => {
  test("leaves nothing behind", async () => {
    let half: Network | undefined;
    const building = Network.build(async (net) => {
      half = net;
      await net.host("a", "b");
      await net.cable({ host: "a", device: "x0" }, { host: "nowhere", device: "y0" });
    });
    await expect(building).rejects.toThrow();
    expect(await half?.left()).toEqual([]);
  });
});

/** Without counters and what was remembered of connections. */
function rulesOf(listed: string): string {
  return listed.replaceAll(/packets \d+ bytes \d+/g, "").replaceAll(/elements = \{[^}]*\}/g, "");
}
