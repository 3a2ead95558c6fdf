import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PhaseId } from "#specs/ids.ts";
import { kill, Network, whyNoNetwork } from "../support/netns.ts";
import { until } from "../support/site.ts";
import { Peer, PlcHost, read, write } from "./namespaces-plant.ts";
import { controlRoom, GATEWAY, HMI, ownAddresses, PLC, routedSite } from "./namespaces-routed.ts";

// Two gateways with a filter each before the same PLC. What has the gateway's addresses is a link that only the active one has up.

const why = whyNoNetwork("pymodbus", "ss", "sysctl");
const NORMAL = PhaseId("normal");
const RUNNER = fileURLToPath(new URL("./namespaces-filter.ts", import.meta.url));
const FORBIDDEN = write(0, 900);
/** @see RFC 9568 §7.3: the address of a virtual router, the same whoever holds it */
const VIRTUAL = { lan: "00:00:5e:00:01:0a", plc: "00:00:5e:00:01:0b" };
const SIDES = { swa: "10.255.0.1", swb: "10.255.0.2" } as const;
type Side = keyof typeof SIDES;
const FAILOVER_MS = 2000;

describe.skipIf(why !== undefined)(
  `two filters before one link${why === undefined ? "" : ` (not run: ${why})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-pair-"));
    const siteFile = join(folder, "site.json");
    const base = routedSite("gw-lan", "gw-plc");
    // The intruder at the HMI's own address and its own polling share one client's places.
    const site = { ...base, ports: ["s-lan", "s-plc"], limits: { connections: 32, newPerSecond: 200, newAtOnce: 200 } };
    const filters = new Map<Side, ChildProcess>();
    let network: Network;
    let plc: PlcHost;
    let hmi: Peer;
    let evil: Peer;
    let rogue: Peer;
    const measured: number[] = [];

    const start = async (side: Side) => {
      filters.set(
        side,
        await network.ready(side, process.execPath, RUNNER, siteFile, NORMAL, join(folder, `${side}.json`)),
      );
    };
    const stop = async (side: Side) => {
      const filter = filters.get(side);
      if (filter !== undefined) await kill(filter);
    };
    const isUp = async (side: Side) =>
      /\bUP\b/.test((await network.ip(side, "-br", "link", "show", "gw-lan")).replace("LOWER_UP", ""));
    const active = async () => {
      const up = await Promise.all((["swa", "swb"] as const).map(async (side) => ((await isUp(side)) ? [side] : [])));
      return up.flat();
    };

    beforeAll(async () => {
      writeFileSync(siteFile, JSON.stringify(site));
      writeFileSync(join(folder, "key"), randomBytes(32), { mode: 0o600 });
      network = await Network.build(async (net) => {
        await net.host("swa", "swb", "plc", "wire");
        await controlRoom(net, []);
        await net.cable(
          { host: "plc", device: "eth", mac: PLC.mac, address: `${PLC.ip}/24` },
          { host: "wire", device: "w-plc" },
        );
        await net.ip("plc", "route", "add", "default", "via", GATEWAY.plc);
        await net.bridge("wire", "br0", ["w-plc"]);
        for (const side of ["swa", "swb"] as const) {
          await net.cable({ host: "lan", device: `l-${side}` }, { host: side, device: "s-lan" });
          await net.cable({ host: "wire", device: `w-${side}` }, { host: side, device: "s-plc" });
          await net.ip("lan", "link", "set", `l-${side}`, "master", "br0");
          await net.ip("wire", "link", "set", `w-${side}`, "master", "br0");
          for (const end of ["lan", "plc"] as const) {
            await net.ip(
              side,
              "link",
              "add",
              `gw-${end}`,
              "link",
              `s-${end}`,
              "address",
              VIRTUAL[end],
              "type",
              "macvlan",
              "mode",
              "private",
            );
            await net.ip(side, "addr", "add", `${GATEWAY[end]}/24`, "dev", `gw-${end}`);
          }
          await ownAddresses(net, side);
          await net.sysctl(side, "net.ipv4.conf.all.arp_ignore=1");
        }
        await net.cable(
          { host: "swa", device: "beat", address: `${SIDES.swa}/30` },
          { host: "swb", device: "beat", address: `${SIDES.swb}/30` },
        );
      });
      for (const side of ["swa", "swb"] as const) {
        const paths = [{ own: SIDES[side], peer: SIDES[side === "swa" ? "swb" : "swa"] }];
        const pair = {
          name: side,
          priority: side === "swa" ? 200 : 100,
          links: ["gw-lan", "gw-plc"],
          paths,
          key: join(folder, "key"),
        };
        writeFileSync(join(folder, `${side}.json`), JSON.stringify(pair));
      }
      plc = await PlcHost.start(network, "plc", PLC.ip);
      [hmi, evil, rogue] = [new Peer(network, "hmi"), new Peer(network, "hmi"), new Peer(network, "rogue")];
      await Promise.all([start("swa"), start("swb")]);
    });
    afterAll(async () => {
      await network?.remove();
      rmSync(folder, { recursive: true, force: true });
      if (measured.length > 0)
        console.log(`time without answers at failover: ${measured.map((ms) => `${Math.round(ms)} ms`).join(", ")}`);
    });

    test("the first in rank holds the links, the other has no address in the plant at all", async () => {
      await until(
        async () => (await active()).length === 1,
        3000,
        () => "one of the two holds the links",
      );
      expect(await active()).toEqual(["swa"]);
      expect(await hmi.open("p", PLC.ip, 2000)).toMatchObject({ open: true });
      expect(await hmi.ask("p", read(0), 2000)).toEqual({ answer: "03020000" });
      expect(await plc.clients()).toEqual([HMI.ip]);
    });

    test.each([
      { dies: "swa", takes: "swb" },
      { dies: "swb", takes: "swa" },
      { dies: "swa", takes: "swb" },
    ] as const)(
      "$dies is killed while the HMI polls and two intruders write: $takes takes over, and nothing got through",
      async ({ dies, takes }) => {
        expect(await active()).toEqual([dies]);
        const trial = trials(2 * FAILOVER_MS);
        await pause(500);
        const killed = performance.now();
        await stop(dies);
        const { answers, reached } = await trial;
        const gap = longestGap(answers);
        measured.push(gap);
        expect(answers.some((at) => at > killed + 1000)).toBe(true);
        expect(gap).toBeLessThanOrEqual(FAILOVER_MS);
        expect(await active()).toEqual([takes]);
        // The HMI's own forbidden writes came as far as the filters and were answered there; the stranger's never came anywhere.
        expect(reached.evil).toBeGreaterThan(0);
        expect(reached.rogue).toBe(0);
        expect(await plc.register(0)).toBe(0);
        expect(await plc.clients()).toEqual([HMI.ip]);
        await start(dies);
        await pause(800);
        // Whoever comes back waits: a failover back would be one more.
        expect(await active()).toEqual([takes]);
      },
    );

    test("one that is stopped hands over", async () => {
      const [side = "swa"] = await active();
      const trial = trials(1500);
      await pause(300);
      await network.run(side, "kill", "-TERM", String(filters.get(side)?.pid));
      const gap = longestGap((await trial).answers);
      measured.push(gap);
      expect(gap).toBeLessThanOrEqual(FAILOVER_MS);
      expect(await active()).toEqual([side === "swa" ? "swb" : "swa"]);
      expect(await plc.register(0)).toBe(0);
      await start(side);
      await pause(800);
    });

    test("a host loses its power: a session of before is reset by the other, so that a client that waits for good learns of it", async () => {
      const [side = "swa"] = await active();
      const patient = new Peer(network, "hmi");
      expect(await patient.open("q", PLC.ip, 2000)).toMatchObject({ open: true });
      expect(await patient.ask("q", read(0), 2000)).toEqual({ answer: "03020000" });
      // As when its power fails: nothing more comes from it, not even the end of its connections.
      const cables = (to: "up" | "down") =>
        Promise.all([
          network.ip("lan", "link", "set", `l-${side}`, to),
          network.ip("wire", "link", "set", `w-${side}`, to),
          network.ip(side, "link", "set", "beat", to),
        ]);
      await cables("down");
      const asked = performance.now();
      expect(await patient.ask("q", read(0), 10_000)).toEqual({ ended: "ECONNRESET" });
      measured.push(performance.now() - asked);
      expect(performance.now() - asked).toBeLessThanOrEqual(FAILOVER_MS);
      await stop(side);
      await cables("up");
      await start(side);
      await pause(800);
    });

    test("a filter that hangs gives its links up before the other takes them", async () => {
      const [side = "swa"] = await active();
      const filter = filters.get(side);
      await network.run(side, "kill", "-STOP", String(filter?.pid));
      const seen = new Set<number>();
      await until(
        async () => {
          const now = await active();
          seen.add(now.length);
          return now.length === 1 && now[0] !== side;
        },
        3000,
        () => "the other has taken over",
      );
      expect(Math.max(...seen)).toBe(1);
      await network.run(side, "kill", "-CONT", String(filter?.pid));
      await pause(700);
      expect((await active()).length).toBe(1);
    });

    test("two that lose sight of each other are both closed for what is forbidden, and one yields when they see each other again", async () => {
      await network.ip("swa", "link", "set", "beat", "down");
      await until(
        async () => (await active()).length === 2,
        3000,
        () => "both hold the links",
      );
      await trials(800);
      expect(await plc.register(0)).toBe(0);
      await network.ip("swa", "link", "set", "beat", "up");
      await until(
        async () => (await active()).length === 1,
        3000,
        () => "one has yielded",
      );
      expect(await active()).toEqual(["swa"]);
      expect(await plc.register(0)).toBe(0);
    });

    /** The HMI polls, and is used for forbidden writes; a stranger tries the same. */
    async function trials(
      forMs: number,
    ): Promise<{ answers: readonly number[]; reached: { evil: number; rogue: number } }> {
      const endMs = performance.now() + forMs;
      const answers: number[] = [];
      const attack = async (peer: Peer): Promise<number> => {
        let answered = 0;
        while (performance.now() < endMs) {
          if (
            (await peer.open("w", PLC.ip, 300)).open === true &&
            (await peer.ask("w", FORBIDDEN, 300)).answer !== undefined
          )
            answered += 1;
          await peer.close("w");
          await pause(20);
        }
        return answered;
      };
      const poll = async (): Promise<void> => {
        let open = (await hmi.open("p", PLC.ip, 500)).open === true;
        while (performance.now() < endMs) {
          if (!open) open = (await hmi.open("p", PLC.ip, 500)).open === true;
          if (open && (await hmi.ask("p", read(0), 500)).answer === "03020000") answers.push(performance.now());
          else {
            await hmi.close("p");
            open = false;
          }
          await pause(20);
        }
      };
      const [byHmi, byRogue] = await Promise.all([attack(evil), attack(rogue), poll()]);
      return { answers, reached: { evil: byHmi, rogue: byRogue } };
    }
  },
);

function longestGap(times: readonly number[]): number {
  return Math.max(0, ...times.slice(1).map((at, n) => at - (times[n] ?? at)));
}
