import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { NoticeMessage, ReceiptMessage, StatusMessage } from "#point/bus.ts";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { Network, whyNoNetwork } from "../support/netns.ts";
import { busyPlant, SET_POINTS } from "./namespaces-busy-plant.ts";
import { sendFrame } from "./namespaces-plant.ts";
import { scripted } from "./namespaces-script.ts";

// An HMI and a PLC on a bridge whose HMI port is mirrored, both directions, to a fourth host with nothing but the monitor on it.

const why = whyNoNetwork("tcpdump", "tc");
const HMI = { ip: "10.97.1.11", mac: "02:00:00:00:01:11" };
const PLC = { ip: "10.97.2.1", mac: "02:00:00:00:02:01" };
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const SESSION = here("./namespaces-session.ts");

const scales = new Map<string, number>(
  busyPlant().plant.tags.flatMap(({ id, modbus }) => (modbus === undefined ? [] : [[id, modbus.scale]])),
);

const registers: readonly string[] = SET_POINTS;

type LogEntry =
  | ({ readonly kind: "receipt" } & ReceiptMessage)
  | ({ readonly kind: "notice" } & NoticeMessage)
  | ({ readonly kind: "status" } & StatusMessage);

interface Logged {
  readonly receipts: readonly ReceiptMessage[];
  readonly notices: readonly NoticeMessage[];
  readonly statuses: readonly StatusMessage[];
}

interface Played {
  readonly elapsedMs: number;
  readonly ports: readonly number[];
  readonly answered: readonly number[];
}

describe.skipIf(why !== undefined)(`a mirror port${why === undefined ? "" : ` (not run: ${why})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-mirror-"));
  let network: Network;
  let log = "";
  let runs = 0;
  let monitor: ChildProcess | undefined;

  beforeAll(async () => {
    network = await Network.build(async (net) => {
      await net.host("hmi", "plc", "mon", "sw");
      await net.cable(
        { host: "hmi", device: "h0", mac: HMI.mac, address: `${HMI.ip}/16` },
        { host: "sw", device: "s-hmi" },
      );
      await net.cable(
        { host: "plc", device: "p0", mac: PLC.mac, address: `${PLC.ip}/16` },
        { host: "sw", device: "s-plc" },
      );
      await net.cable({ host: "mon", device: "m0" }, { host: "sw", device: "s-mon" });
      await net.bridge("sw", "br0", ["s-hmi", "s-plc"]);
      await net.run("sw", "tc", "qdisc", "add", "dev", "s-hmi", "clsact");
      for (const direction of ["ingress", "egress"])
        await net.run(
          ...(["sw", "tc", "filter", "add", "dev", "s-hmi", direction, "protocol", "all", "u32"] as const),
          ...["match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "s-mon"],
        );
    });
    await network.ready("plc", process.execPath, SESSION, "server", "0.0.0.0", "502");
  });
  afterEach(() => stop());
  afterAll(async () => {
    await network?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function watch(bufferMib = "32", when = "together"): Promise<void> {
    runs += 1;
    log = join(folder, `${runs}.jsonl`);
    monitor = await network.ready("mon", process.execPath, here("./namespaces-monitor.ts"), "m0", log, bufferMib, when);
    await until(async () => (await capturing()).length > 0, "tcpdump runs");
    await pause(300);
  }

  async function stop(): Promise<void> {
    const child = monitor;
    monitor = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  }

  function play(connections: number, perSecond: number, commands: number): { ended: Promise<Played> } {
    const args = [PLC.ip, "502", HMI.ip, String(connections), String(perSecond), String(commands)];
    const child = network.start("hmi", process.execPath, SESSION, "client", ...args);
    let [text, errors] = ["", ""];
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const ended = once(child, "close").then((): Played => {
      if (text === "") throw new Error(`the session did not end well: ${errors}`);
      return JSON.parse(text);
    });
    ended.catch(() => undefined);
    return { ended };
  }

  function logged(): Logged {
    const lines = readFileSync(log, "utf8").trim().split("\n").filter(Boolean);
    const all = lines.map((line): LogEntry => JSON.parse(line));
    return {
      receipts: all.filter((entry) => entry.kind === "receipt"),
      notices: all.filter((entry) => entry.kind === "notice"),
      statuses: all.filter((entry) => entry.kind === "status"),
    };
  }

  const says = () => logged().notices.map((notice) => notice.says);

  /** Processes of the monitor's host that capture. */
  async function capturing(): Promise<readonly number[]> {
    const pids = (await network.run("sw", "ip", "netns", "pids", network.space("mon"))).split("\n").filter(Boolean);
    return pids.map(Number).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "tcpdump";
      } catch {
        return false;
      }
    });
  }

  test("every command of a scripted session at 5,000 a second is seen in its order, and none is invented", async () => {
    await watch();
    const commands = 20_000;
    const { ended } = play(4, 5500, commands);
    const [pid = 0] = await capturing();
    const uid = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[2];
    const { elapsedMs, ports, answered } = await ended;
    await until(async () => logged().receipts.length >= commands, "all were seen", 20_000);
    await pause(1500);
    await stop();
    const { receipts, statuses, notices } = logged();
    const rate = (commands / elapsedMs) * 1000;
    process.stdout.write(`${commands} commands in ${Math.round(elapsedMs)} ms, ${Math.round(rate)} a second\n`);
    expect(answered).toEqual(ports.map(() => commands / 4));
    expect(rate).toBeGreaterThan(3000);
    expect(statuses.at(-1)).toMatchObject({ lost: 0, denied: 0 });
    expect(notices).toEqual([]);
    for (const [n, port] of ports.entries()) expect(seenFrom(receipts, port)).toEqual(expected(n, commands / 4));
    expect(receipts.length).toBe(commands);
    // Having the interface, the capturing program has no rights any more.
    expect(uid).not.toBe("0");
  });

  test("frames that the kernel drops are read from it, counted and said; behind them a connection is read again, and nothing is guessed", async () => {
    await watch("1", "immediate");
    const { ended } = play(4, 3000, 6000);
    await pause(300);
    for (const pid of await capturing()) await network.run("mon", "kill", "-STOP", String(pid));
    await pause(600);
    for (const pid of await capturing()) await network.run("mon", "kill", "-CONT", String(pid));
    const { ports } = await ended;
    await pause(3000);
    await stop();
    const { receipts, statuses } = logged();
    const dropped = says().flatMap((line) => /the kernel dropped (\d+) frames/.exec(line)?.[1] ?? []);
    const sum = dropped.reduce((total, count) => total + Number(count), 0);
    expect(sum).toBeGreaterThan(0);
    expect(statuses.at(-1)?.lost).toBeGreaterThanOrEqual(sum);
    expect(says().some((line) => line.includes("bytes are missing from the mirror"))).toBe(true);
    // What was seen is what was asked, in its order and each once; the last of all is seen again.
    for (const [n, port] of ports.entries()) {
      const [seen, asked] = [seenFrom(receipts, port), expected(n, 1500)];
      const places = seen.map((one) => asked.indexOf(one));
      expect(places.every((place, at) => place > (places[at - 1] ?? -1))).toBe(true);
      expect(seen.at(-1)).toBe(asked.at(-1));
    }
    expect(says().some((line) => line.includes("judged from now on"))).toBe(true);
    expect(receipts.length).toBeLessThan(6000);
  });

  test.each([{ vlans: [5] }, { vlans: [7, 5] }])("a command under the VLAN tags $vlans is seen", async ({ vlans }) => {
    await watch();
    const [up, down] = [
      { srcMac: HMI.mac, dstMac: PLC.mac, srcIp: HMI.ip, dstIp: PLC.ip, srcPort: 40_000, dstPort: 502, vlans },
      { srcMac: PLC.mac, dstMac: HMI.mac, srcIp: PLC.ip, dstIp: HMI.ip, srcPort: 502, dstPort: 40_000, vlans },
    ];
    const { SYN, ACK } = TCP_FLAG;
    const none = Buffer.alloc(0);
    const adu = Buffer.concat([Buffer.from("00010000000601", "hex"), scripted(0, 0).pdu.fill(9, 3)]);
    for (const fields of [
      { ...up, seq: 100, ack: 0, flags: SYN, payload: none },
      { ...down, seq: 500, ack: 101, flags: SYN | ACK, payload: none },
      { ...up, seq: 101, ack: 501, flags: ACK, payload: adu },
    ])
      await sendFrame(network, "sw", "s-mon", buildTcpFrame(fields));
    await until(async () => logged().receipts.length > 0, "it was seen");
    expect(seenFrom(logged().receipts, 40_000)).toEqual([`allow 2=${0x0909}`]);
  });

  test("a session that was there before is joined, said and counted, and judged from a request on that its answer confirms", async () => {
    const { ended } = play(1, 200, 600);
    await pause(1200);
    await watch();
    const { ports } = await ended;
    await pause(2500);
    await stop();
    const { receipts } = logged();
    const [port = 0] = ports;
    const seen = seenFrom(receipts, port);
    expect(seen.length).toBeGreaterThan(50);
    expect(seen).toEqual(expected(0, 600).slice(-seen.length));
    expect(says().join("\n")).toMatch(/joined late: blind until[\s\S]*judged from now on/);
  });

  test("an interface that goes down, and a capture that ends, make the layer blind until they are back", async () => {
    await watch();
    await network.ip("mon", "link", "set", "m0", "down");
    await until(
      async () => says().some((line) => line === "interface m0 is down; it is captured from again when it is up"),
      "down is said",
    );
    await network.ip("mon", "link", "set", "m0", "up");
    await play(1, 100, 20).ended;
    await until(async () => logged().notices.at(-1)?.code === "TAP_BACK", "it sees again");
    const before = await capturing();
    for (const pid of before) await network.run("mon", "kill", "-KILL", String(pid));
    await until(async () => (await capturing()).some((pid) => !before.includes(pid)), "another captures");
    await until(async () => /tcpdump on interface m0 ended/.test(says().join("\n")), "its end is said");
    await pause(300);
    await play(1, 100, 20).ended;
    await until(async () => logged().receipts.length === 40, "it sees all of both sessions");
    expect(logged().notices.at(-1)?.code).toBe("TAP_BACK");
  });
});

/** The registers and words of each command of one connection, as the monitor reports them. */
function seenFrom(receipts: readonly ReceiptMessage[], port: number): readonly string[] {
  return receipts
    .filter(({ sourceAddress }) => sourceAddress === `${HMI.ip}:${port}`)
    .map(({ items, verdict }) =>
      [
        verdict,
        ...items.map(({ tag, value }) => {
          const register = tag === null ? -1 : registers.indexOf(tag);
          return `${register}=${Math.round((value ?? Number.NaN) / (scales.get(tag ?? "") ?? 1))}`;
        }),
      ].join(" "),
    );
}

function expected(connection: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, command) => {
    const { writes } = scripted(connection, command);
    return ["allow", ...writes.map(({ register, word }) => `${register}=${word}`)].join(" ");
  });
}

async function until(holds: () => Promise<boolean>, what: string, withinMs = 5000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(100);
  }
}
