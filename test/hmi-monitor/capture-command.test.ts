import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  captureCommand,
  captureFault,
  captureFilter,
  droppedIn,
  isInterfaceName,
  isListening,
} from "#hmi-monitor/capture-command.ts";
import { captureUser } from "#hmi-monitor/interface-source.ts";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { hasTool, toolPath } from "../support/tools.ts";

describe.skipIf(!hasTool("tcpdump"))("the filter, as tcpdump takes it", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-filter-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const frame = (dstPort: number, vlans: readonly number[] = []) =>
    buildTcpFrame({
      ...{ srcMac: "02:00:00:00:00:01", dstMac: "02:00:00:00:00:02", srcIp: "10.0.0.1", dstIp: "10.0.0.2" },
      ...{ srcPort: 40_000, dstPort, seq: 1, ack: 1, flags: TCP_FLAG.ACK, payload: Buffer.from("abc"), vlans },
    });
  const fragment = (): Buffer => {
    const bytes = Buffer.from(frame(9));
    bytes.writeUInt16BE(100, 14 + 6);
    return bytes;
  };
  const ipv6 = (next: number, port: number): Buffer => {
    const bytes = Buffer.alloc(14 + 40 + 20);
    bytes.writeUInt16BE(0x86dd, 12);
    bytes.writeUInt8(0x60, 14);
    bytes.writeUInt16BE(20, 18);
    bytes.writeUInt8(next, 20);
    bytes.writeUInt16BE(port, 56);
    bytes.writeUInt8(0x50, 66);
    return bytes;
  };
  const passes = (bytes: Buffer): boolean => {
    const file = join(folder, "one.pcap");
    writeFileSync(file, Buffer.concat([encodePcapHeader(), encodePcapRecord(1000, bytes)]));
    const args = ["-r", file, "-n", "-t", captureFilter([502, 4840])];
    return execFileSync(toolPath("tcpdump"), args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }) !== "";
  };

  test.each([
    { name: "Modbus", bytes: frame(502), wanted: true },
    { name: "OPC UA", bytes: frame(4840), wanted: true },
    { name: "another port", bytes: frame(503), wanted: false },
    { name: "under a VLAN tag", bytes: frame(502, [5]), wanted: true },
    { name: "another port under a VLAN tag", bytes: frame(503, [5]), wanted: false },
    { name: "under two", bytes: frame(4840, [5, 6]), wanted: true },
    { name: "another port under two", bytes: frame(503, [5, 6]), wanted: false },
    { name: "a later fragment, which has no port", bytes: fragment(), wanted: true },
    { name: "under three tags, whatever it is", bytes: frame(503, [0, 0, 0]), wanted: true },
    { name: "under four", bytes: frame(502, [0, 0, 0, 0]), wanted: true },
    { name: "IPv6 with options for the destination", bytes: ipv6(60, 0), wanted: true },
    { name: "ICMP over IPv6", bytes: ipv6(58, 0), wanted: false },
    { name: "over IPv6", bytes: ipv6(6, 502), wanted: true },
    { name: "another port over IPv6", bytes: ipv6(6, 503), wanted: false },
    { name: "a fragment of IPv6", bytes: ipv6(44, 0), wanted: true },
  ])("$name: $wanted", ({ bytes, wanted }) => expect(passes(bytes)).toBe(wanted));

  test("an interface that is not there is said in one sentence", () => {
    const command = captureCommand("tcpdump", { interface: "nosuch0", ports: [502] });
    const { status, stderr } = spawnSync(toolPath("tcpdump"), command, { encoding: "utf8", timeout: 5000 });
    expect(captureFault("tcpdump", "nosuch0", stderr.split("\n"), status)).toMatch(
      /^interface nosuch0 (does not exist|cannot be captured from)/,
    );
  });
});

test.each([
  { line: "10 packets captured, 12 packets received by filter, 3 packets dropped by kernel", dropped: 3 },
  { line: "tcpdump: 0 packets captured, 1 packet received by filter, 1 packet dropped by kernel", dropped: 1 },
  { line: "4 packets dropped by kernel, 2 packets dropped by interface", dropped: 6 },
  {
    line: "Packets received/dropped on interface 'eth0': 120/3 (pcap:3/dumpcap:0/flushed:0/ps_ifdrop:0) (97.6%)",
    dropped: 3,
  },
  { line: "tcpdump: listening on m0, link-type EN10MB (Ethernet), snapshot length 262144 bytes", dropped: undefined },
])("dropped in `$line`: $dropped", ({ line, dropped }) => expect(droppedIn(line)).toBe(dropped));

test.each([
  {
    lines: [
      "tcpdump: eth0: You don't have permission to perform this capture on that device",
      "(socket: Operation not permitted)",
    ],
    says: "interface eth0 cannot be captured from: this user may not; run as root, or give tcpdump the capabilities cap_net_raw and cap_net_admin",
  },
  {
    lines: ["tcpdump: eth0: No such device exists"],
    says: "interface eth0 does not exist; `ip link` lists those there are",
  },
  {
    lines: ["tcpdump: pcap_loop: The interface disappeared", "0 packets captured"],
    says: "interface eth0 is gone or down; it is captured from again when it is back",
  },
  {
    lines: ["tcpdump: Couldn't find user 'nosuch'"],
    says: "interface eth0 cannot be captured from: tcpdump: Couldn't find user 'nosuch'; name a user that exists with --capture-user",
  },
  {
    lines: ["a surprise", "0 packets captured"],
    says: "tcpdump on interface eth0 ended with 1 (a surprise); it is started again",
  },
  { lines: [], says: "tcpdump on interface eth0 ended with 1; it is started again" },
])("fault: $says", ({ lines, says }) => expect(captureFault("tcpdump", "eth0", lines, 1)).toBe(says));

test("what begins like an option, or is too long for the system, is no interface", () => {
  expect(["eth0", "enp3s0f1", "br-lan.5", "any"].every(isInterfaceName)).toBe(true);
  expect(["-w", "", "a b", "x".repeat(16), "../etc"].some(isInterfaceName)).toBe(false);
});

test("only root can become another user, and it becomes one that is there", () => {
  const passwd = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n";
  expect(captureUser(passwd, true)).toBe("nobody");
  expect(captureUser(`${passwd}tcpdump:x:72:72::/:/sbin/nologin\n`, true)).toBe("tcpdump");
  expect(captureUser(passwd, false)).toBeUndefined();
});

test("both programs say when they have the interface", () => {
  expect(isListening("tcpdump: listening on m0, link-type EN10MB (Ethernet), snapshot length 262144 bytes")).toBe(true);
  expect(isListening("Capturing on 'Loopback: lo'")).toBe(true);
  expect(isListening("0 packets captured")).toBe(false);
});
