import { expect, test } from "vitest";
import { encodeEthernet, encodeIpv4, TcpReassembler } from "#wire/packet/index.ts";
import { encodeIpv6 } from "#wire/packet/ipv6.ts";

const MACS = { dstMac: "02:00:00:00:00:0b", srcMac: "02:00:00:00:00:0a" };

function ethernet(etherType: number, payload: Buffer, vlans: readonly number[] = []): Buffer {
  return encodeEthernet({ ...MACS, vlans, etherType, payload });
}

const ipv4 = (protocol: number, payload: Buffer = Buffer.alloc(20)): Buffer =>
  ethernet(0x0800, encodeIpv4({ src: "10.0.0.10", dst: "10.0.0.20", protocol, payload }));
const ipv6 = (protocol: number, payload: Buffer = Buffer.alloc(20)): Buffer =>
  ethernet(0x86dd, encodeIpv6({ src: "fd00::a", dst: "fd00::b", protocol, payload }));

function udp(port: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(port, 2);
  return header;
}

/** An 802.3 frame: its length in the place of the EtherType, then the LLC header. */
const llc = (hex: string, vlans: readonly number[] = []): Buffer =>
  ethernet(46, Buffer.from(hex.padEnd(92, "0"), "hex"), vlans);

test.each([
  { what: "PPPoE session", frame: ethernet(0x8864, Buffer.alloc(46)) },
  { what: "MPLS", frame: ethernet(0x8847, Buffer.alloc(46)) },
  { what: "LLC with SNAP", frame: llc("aaaa030000000800") },
  { what: "LLC with SNAP in a VLAN", frame: llc("aaaa030000000800", [7]) },
  { what: "IPv4 in IPv4", frame: ipv4(4) },
  { what: "IPv6 in IPv4", frame: ipv4(41) },
  { what: "GRE", frame: ipv4(47) },
  { what: "ESP in IPv6", frame: ipv6(50) },
  { what: "VXLAN", frame: ipv4(17, udp(4789)) },
  { what: "GENEVE in IPv6", frame: ipv6(17, udp(6081)) },
])("$what may carry TCP that is not read: counted", ({ frame }) => {
  const reassembler = new TcpReassembler();
  expect(reassembler.push(frame, 0)).toEqual([]);
  expect(reassembler.stats).toMatchObject({ frames: 1, other: 1, tunnelled: 1 });
});

test.each([
  { what: "ARP", frame: ethernet(0x0806, Buffer.alloc(46)) },
  { what: "LLDP", frame: ethernet(0x88cc, Buffer.alloc(46)) },
  { what: "spanning tree, LLC without SNAP", frame: llc("424203") },
  { what: "ICMP", frame: ipv4(1) },
  { what: "UDP from a tunnel's port to another", frame: ipv4(17, Buffer.from("12b5003500080000", "hex")) },
  { what: "UDP cut before its ports", frame: ipv4(17, Buffer.alloc(3)) },
])("$what is other traffic, and no tunnel", ({ frame }) => {
  const reassembler = new TcpReassembler();
  expect(reassembler.push(frame, 0)).toEqual([]);
  expect(reassembler.stats).toMatchObject({ frames: 1, other: 1, tunnelled: 0 });
});
