import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captureCommand } from "#hmi-monitor/capture-command.ts";
import { Monitor } from "#hmi-monitor/monitor.ts";
import type { PlantClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { PhaseId } from "#specs/ids.ts";
import { decodeTcpFrame } from "#wire/packet/index.ts";
import { CaptureReader, type TimedFrame } from "#wire/pcap/index.ts";
import { kill, Network, whyNoNetwork } from "../support/netns.ts";
import { DEBIAN_PYTHON, hasTool } from "../support/tools.ts";
import { busyPlant } from "./namespaces-busy-plant.ts";

// A host that makes every segment by hand, against the kernel and the Modbus server of another. Two ports of the switch between them are mirrored:
// that of the host, and that of the server. What the server says it has written decides.

const why = whyNoNetwork("tcpdump", "tc") ?? (hasTool("scapy") ? undefined : "scapy is not installed");
const HMI = { ip: "10.97.1.11", mac: "02:00:00:00:01:11" };
const PLC = { ip: "10.97.2.1", mac: "02:00:00:00:02:01" };
const ROUTER_MAC = "02:00:00:00:00:fe";
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const EVASIONS = here("./namespaces-evasion.py");

/** Words: what may be seen, what may be missed. */
type Words = "" | "plain" | "hidden" | "plain hidden" | "hidden plain" | "hidden next";

interface Expected {
  /** What the server writes. */
  readonly server: Words;
  /** What is judged of it at the port of the host. */
  readonly seen: Words;
  /** What is said besides; undefined: nothing. */
  readonly says?: RegExp;
}

const TWICE = /sent twice with different content/;
const FRAMES = /frames that are damaged, cut or out of place/;
const LATE = /joined late/;
const GAP = /bytes are missing from the mirror/;
const URGENT = /marked urgent/;
const same = (words: Words, says?: RegExp): Expected => ({ server: words, seen: words, ...(says && { says }) });
const other = (server: Words, seen: Words, says: RegExp): Expected => ({ server, seen, says });

const EXPECTED: Readonly<Record<string, Expected>> = {
  nothing_special: same("plain hidden"),
  // What ordinary networks and cards do: no word about it.
  priority_tags_1: same("hidden"),
  priority_tags_2: same("hidden"),
  priority_tags_3: same("hidden"),
  priority_tags_4: same("hidden"),
  keep_alive_of_the_first_byte: same("hidden"),
  garbage_before_the_window: same("plain hidden"),
  doubled_frames: same("hidden"),
  one_byte_each: same("hidden"),
  backwards: same("hidden"),
  sequence_wraps: same("hidden"),
  ports_used_again: same("plain hidden"),
  ports_used_again_with_an_older_start: same("plain hidden"),
  source_port_of_a_server: same("hidden"),
  source_port_502: same("hidden"),
  ip_options: same("hidden"),
  tiny_fragments: same("hidden"),
  tiny_fragments_backwards: same("hidden"),
  doubled_fragments: same("hidden"),
  syn_with_data_and_cookie: same("hidden"),
  // What the server drops, and so do we: counted.
  wrong_checksum: same("hidden", FRAMES),
  wrong_ip_checksum: same("hidden", FRAMES),
  zero_length_total: same("hidden", FRAMES),
  no_ack_flag: same("hidden", FRAMES),
  bare_fin_without_ack: same("hidden", FRAMES),
  reset_in_the_window: same("hidden", FRAMES),
  reset_with_wrong_checksum: same("hidden", FRAMES),
  syn_within: same("hidden", FRAMES),
  syn_fin: same("hidden", FRAMES),
  second_syn_that_is_lost: same("hidden", FRAMES),
  syn_ack_of_the_client: same("hidden", FRAMES),
  syn_ack_before_the_syn: same("hidden", FRAMES),
  handshake_of_the_client_alone: same("hidden", FRAMES),
  // What never reaches the server, or is dropped there for reasons that a mirror does not show.
  ttl_ends_before_server: other("hidden", "plain", TWICE),
  other_mac: other("hidden", "plain", TWICE),
  other_vlan: other("hidden", "plain", TWICE),
  old_timestamp: other("hidden", "plain", TWICE),
  no_timestamp: same("plain", TWICE),
  md5_signature: other("hidden", "plain", TWICE),
  wrong_ack: other("hidden", "plain", TWICE),
  ack_of_long_ago: other("hidden", "plain", TWICE),
  source_route: other("hidden", "plain", TWICE),
  history_runs_out: other("hidden", "plain", TWICE),
  acknowledged_in_the_servers_name: other("hidden", "plain", TWICE),
  ttl_ends_and_nothing_follows: other("", "plain", /1 commands got no answer/),
  data_before_the_handshake_ends: other("hidden", "plain hidden", GAP),
  fin_that_is_lost: same("hidden", GAP),
  priority_tags_5: other("hidden", "", GAP),
  reset_that_is_lost: same("hidden", LATE),
  ports_used_again_after_a_lost_reset: same("plain hidden", LATE),
  data_then_reset_both_lost: other("hidden", "plain hidden", LATE),
  syn_and_data_that_are_lost: other("hidden", "plain", LATE),
  reset_in_the_servers_name: same("hidden", LATE),
  new_connection_in_the_servers_name: other("hidden", "plain", TWICE),
  // What is sent where it does not belong.
  // As the server answers the FIN before the mirror shows what comes behind it, or after.
  fin_then_data: same("plain", /joined late|bytes are missing from the mirror/),
  fin_in_the_future: same("plain", LATE),
  data_after_a_reset: same("plain", LATE),
  data_across_a_fin: same("plain hidden"),
  beyond_the_window: same("hidden", GAP),
  no_handshake_at_all: same("", LATE),
  syn_with_data: same("plain", TWICE),
  begun_before_the_window: same("plain hidden", TWICE),
  begun_before_the_first_byte: same("hidden", TWICE),
  other_content_later: same("plain", TWICE),
  ahead_of_a_hole_twice: same("plain", TWICE),
  larger_one_covers_smaller_ahead: other("hidden", "plain", TWICE),
  overlap_from_the_left: other("hidden", "plain", TWICE),
  // Linux leaves the urgent byte out.
  urgent_byte: other("hidden next", "", URGENT),
  urgent_pointer_ahead: other("hidden next", "", URGENT),
  urgent_byte_at_an_end: other("hidden", "", URGENT),
  fragments_overlap: other("plain", "hidden", /fragments of a datagram came with two contents/),
  fragment_again_with_other_content: other("plain hidden", "", /fragments of a datagram came with two contents/),
  fragment_lost_then_another: other("hidden plain", "plain hidden", /fragments of a datagram came with two contents/),
  fragments_far_apart: other("hidden", "", GAP),
  // A host that speaks in the server's name on its own port cannot be told from the server there: docs/hmi-monitor.md.
  answered_by_itself: { server: "", seen: "plain" },
};

interface Evasion {
  readonly name: string;
  readonly port: number;
  /** s */
  readonly began: number;
  readonly ended: number;
  readonly plain: number;
  readonly hidden: number;
}

interface Written {
  readonly atMs: number;
  readonly word: number;
}

interface Reading {
  readonly words: readonly number[];
  readonly says: readonly string[];
}

describe.skipIf(why !== undefined)(`evasions${why === undefined ? "" : ` (not run: ${why})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-evasion-"));
  const writes: Written[] = [];
  let network: Network;
  let evasions: readonly Evasion[] = [];
  let atHost: readonly TimedFrame[] = [];
  let atServer: readonly TimedFrame[] = [];

  beforeAll(async () => {
    network = await Network.build(async (net) => {
      await net.host("hmi", "plc", "mon", "sw");
      await net.cable({ host: "hmi", device: "h0", mac: HMI.mac }, { host: "sw", device: "s-hmi" });
      await net.cable(
        { host: "plc", device: "p0", mac: PLC.mac, address: `${PLC.ip}/16` },
        { host: "sw", device: "s-plc" },
      );
      await net.cable({ host: "mon", device: "m0" }, { host: "sw", device: "s-mon0" });
      await net.cable({ host: "mon", device: "m1" }, { host: "sw", device: "s-mon1" });
      await net.bridge("sw", "br0", ["s-hmi", "s-plc"]);
      // The switch is a router too, at which a TTL can end.
      await net.ip("sw", "link", "set", "br0", "address", ROUTER_MAC);
      await net.ip("sw", "addr", "add", "10.97.0.254/16", "dev", "br0");
      await net.sysctl("sw", "net.ipv4.ip_forward=1");
      await net.ip("plc", "neigh", "replace", HMI.ip, "lladdr", HMI.mac, "dev", "p0", "nud", "permanent");
      // Bytes in a SYN are taken from everybody.
      await net.sysctl("plc", "net.ipv4.tcp_fastopen=0x602");
      await net.run("plc", DEBIAN_PYTHON, EVASIONS, "--fill-in-checksums", "p0");
      for (const [port, to] of [
        ["s-hmi", "s-mon0"],
        ["s-plc", "s-mon1"],
      ] as const) {
        await net.run("sw", "tc", "qdisc", "add", "dev", port, "clsact");
        for (const direction of ["ingress", "egress"])
          await net.run(
            ...(["sw", "tc", "filter", "add", "dev", port, direction, "protocol", "all", "u32"] as const),
            ...["match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", to],
          );
      }
    });
    const server = await network.ready("plc", process.execPath, here("./namespaces-evasion-server.ts"), PLC.ip, "502");
    lines<Written>(server, (written) => writes.push(written));
    const captures = [capture("m0"), capture("m1")];
    await pause(1000);
    evasions = await attack();
    await pause(500);
    for (const child of captures) child.kill("SIGINT");
    await Promise.all(captures.map((child) => once(child, "close")));
    await kill(server);
    [atHost = [], atServer = []] = ["m0", "m1"].map((device) => [
      ...new CaptureReader().push(readFileSync(join(folder, `${device}.pcap`))),
    ]);
  }, 60_000);
  afterAll(async () => {
    await network?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the monitor captures on an interface, to a file. */
  function capture(device: string): ChildProcess {
    const [, , ...args] = captureCommand("tcpdump", { interface: device, ports: [502, 4840], immediate: true });
    const toFile = args.map((arg) => (arg === "-" ? join(folder, `${device}.pcap`) : arg));
    return network.start("mon", "tcpdump", "-i", device, "-Z", "root", ...toFile);
  }

  async function attack(): Promise<readonly Evasion[]> {
    const ends = ["h0", HMI.mac, HMI.ip, PLC.mac, PLC.ip, ROUTER_MAC];
    const child = network.start("hmi", DEBIAN_PYTHON, EVASIONS, ...ends);
    const found: Evasion[] = [];
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    lines<Evasion>(child, (evasion) => found.push(evasion));
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`the evasions did not end well: ${errors}`);
    return found;
  }

  const named = (name: string): Evasion => {
    const found = evasions.find((evasion) => evasion.name === name);
    if (found === undefined) throw new Error(`${name} was not tried`);
    return found;
  };
  const done = ({ began, ended }: Evasion): readonly number[] =>
    writes.filter(({ atMs }) => atMs >= began * 1000 - 1 && atMs <= ended * 1000).map(({ word }) => word);
  const wordsOf = (words: Words, { plain, hidden }: Evasion): readonly number[] =>
    words.split(" ").flatMap((word) => {
      if (word === "plain") return [plain];
      if (word === "hidden") return [hidden];
      return word === "next" ? [hidden + 1] : [];
    });

  test("every evasion that is tried stands in the table, and no other", () => {
    expect(evasions.map(({ name }) => name).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(Object.entries(EXPECTED))("%s", async (name, { server, seen, says }) => {
    const evasion = named(name);
    const reading = await read(atHost, evasion);
    expect({ server: done(evasion), seen: reading.words }).toEqual({
      server: wordsOf(server, evasion),
      seen: wordsOf(seen, evasion),
    });
    if (says === undefined) expect(reading.says).toEqual([]);
    else expect(reading.says.join("\n")).toMatch(says);
  });

  test("at the server's own port nothing differs without a word, whatever is tried", async () => {
    for (const evasion of evasions) {
      const { words, says } = await read(atServer, evasion);
      if (says.length === 0)
        expect({ name: evasion.name, words }).toEqual({ name: evasion.name, words: done(evasion) });
    }
    for (const name of [
      "ttl_ends_before_server",
      "history_runs_out",
      "new_connection_in_the_servers_name",
      "answered_by_itself",
    ])
      expect(await read(atServer, named(name))).toEqual({ words: done(named(name)), says: [] });
  });
});

/** What a monitor makes of the frames of one evasion, and of fifteen seconds after it. */
async function read(frames: readonly TimedFrame[], { began, ended, port }: Evasion): Promise<Reading> {
  const bundle = busyPlant();
  const words: number[] = [];
  const says: string[] = [];
  let nowMs = began * 1000;
  const clock: PlantClock = { now: () => nowMs, on: () => undefined, close: () => undefined };
  const point = new Point({
    ...{ point: "hmi-monitor", layer: "hmi", bundle, mode: "enforce", passive: true, clock },
    standalonePhase: PhaseId("normal"),
  });
  await point.start();
  const scales = new Map(bundle.plant.tags.map(({ id, modbus }) => [id, modbus?.scale ?? 1]));
  point.report = ({ observation: { operation, items } }) => {
    if (operation !== "write") return;
    for (const { tag, value } of items)
      words.push(Math.round((value ?? Number.NaN) / ((tag === undefined ? undefined : scales.get(tag)) ?? 1)));
  };
  point.notice = (notice) => void says.push(notice.says);
  const ports = new Map([
    [502, "modbus"],
    [4840, "opcua"],
  ] as const);
  const monitor = new Monitor(point, bundle.plant, ports, { announcements: false });
  for (const frame of frames) {
    if (frame.timeMs < began * 1000 - 1 || frame.timeMs > ended * 1000 || !belongs(frame.frame, port)) continue;
    nowMs = frame.timeMs;
    monitor.frame(frame);
  }
  for (let second = 1; second <= 15; second += 1) {
    nowMs = (ended + second) * 1000;
    monitor.tick(nowMs);
    monitor.look(nowMs);
  }
  await point.close();
  return { words, says };
}

/** Of the connection, or without a port. */
function belongs(bytes: Buffer, port: number): boolean {
  const decoded = decodeTcpFrame(bytes);
  if (!decoded.ok || decoded.value.kind !== "tcp") return true;
  const { srcPort, dstPort } = decoded.value.frame;
  return (srcPort === port && dstPort === 502) || (srcPort === 502 && dstPort === port);
}

function lines<T>(child: ChildProcess, take: (line: T) => void): void {
  let held = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (held + chunk.toString()).split("\n");
    held = parts.pop() ?? "";
    for (const part of parts) if (part.startsWith("{")) take(JSON.parse(part));
  });
}
