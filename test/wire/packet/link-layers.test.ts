import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIpv6, parseIpv6 } from "#wire/packet/address.ts";
import { buildTcpFrame, decodeTcpFrame, LINK_TYPE, TCP_FLAG, TcpReassembler } from "#wire/packet/index.ts";
import { outline } from "./conversation.ts";

const FIELDS = {
  ...{ srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b", srcPort: 40000, dstPort: 502 },
  ...{ seq: 0xffffffff, ack: 1, flags: TCP_FLAG.ACK, payload: Buffer.from("payload") },
};
const V4 = { ...FIELDS, srcIp: "10.0.0.10", dstIp: "10.0.0.20" };
const V6 = { ...FIELDS, srcIp: "2001:db8::a", dstIp: "fe80::1" };
const ETHERNET_BYTES = 14;
const ipOf = (fields: typeof V4): Buffer => buildTcpFrame(fields).subarray(ETHERNET_BYTES);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const cooked = (protocol: string): Buffer => hex(`0000 0001 0006 02000000000a 0000 ${protocol}`);
const cooked2 = (protocol: string): Buffer => hex(`${protocol} 0000 00000003 0001 00 06 02000000000a 0000`);

describe("the addresses of RFC 5952", () => {
  test.each([
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "the first of two equal runs, §4.2.3"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1", "the longest run, §4.2.3"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "no `::` for one group, §4.2.2"],
    ["2001:0DB8::0001", "2001:db8::1", "no leading zeros, lower case, §4.1, §4.3"],
    ["0:0:0:0:0:0:0:0", "::", "all zero"],
    ["1:0:0:0:0:0:0:0", "1::", "at the end"],
    ["0:0:0:0:0:ffff:c000:0201", "::ffff:192.0.2.1", "IPv4-mapped, §5"],
  ])("%s is written %s: %s", (given, want) => expect(formatIpv6(parseIpv6(given), 0)).toBe(want));

  test("any address survives, and is one for Node too", () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (values) => {
        const bytes = Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
        const text = formatIpv6(bytes, 0);
        expect(isIPv6(text)).toBe(true);
        expect(parseIpv6(text)).toEqual(bytes);
        // The URL parser of Node follows RFC 5952 §4, but writes mapped addresses in hexadecimal.
        if (!text.includes(".")) expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`);
      }),
    );
  });

  test.each(["1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "g::1", "12345::", ":", "1:2:3:4:5:6:7:8::"])(
    "%s is none",
    (text) => expect(() => parseIpv6(text)).toThrow("is not an IPv6 address"),
  );
});

describe("link types", () => {
  test.each([
    { name: "Ethernet", linkType: LINK_TYPE.ETHERNET, head: buildTcpFrame(V4).subarray(0, 14), fields: V4, macs: 2 },
    {
      name: "Ethernet, IPv6",
      linkType: LINK_TYPE.ETHERNET,
      head: buildTcpFrame(V6).subarray(0, 14),
      fields: V6,
      macs: 2,
    },
    { name: "cooked", linkType: LINK_TYPE.LINUX_SLL, head: cooked("0800"), fields: V4, macs: 1 },
    { name: "cooked, IPv6", linkType: LINK_TYPE.LINUX_SLL, head: cooked("86dd"), fields: V6, macs: 1 },
    {
      name: "cooked, VLAN tag",
      linkType: LINK_TYPE.LINUX_SLL,
      head: Buffer.concat([cooked("8100"), hex("0064 0800")]),
      fields: V4,
      macs: 1,
      vlans: [100],
    },
    { name: "cooked v2", linkType: LINK_TYPE.LINUX_SLL2, head: cooked2("0800"), fields: V4, macs: 1 },
    { name: "raw IP, v4", linkType: LINK_TYPE.RAW, head: hex(""), fields: V4, macs: 0 },
    { name: "raw IP, v6", linkType: LINK_TYPE.RAW, head: hex(""), fields: V6, macs: 0 },
    { name: "raw IPv4", linkType: LINK_TYPE.IPV4, head: hex(""), fields: V4, macs: 0 },
    { name: "raw IPv6", linkType: LINK_TYPE.IPV6, head: hex(""), fields: V6, macs: 0 },
    { name: "NULL, little-endian", linkType: LINK_TYPE.NULL, head: hex("02000000"), fields: V4, macs: 0 },
    { name: "NULL, big-endian", linkType: LINK_TYPE.NULL, head: hex("00000002"), fields: V4, macs: 0 },
    { name: "NULL, FreeBSD IPv6", linkType: LINK_TYPE.NULL, head: hex("1c000000"), fields: V6, macs: 0 },
    { name: "LOOP, OpenBSD IPv6", linkType: LINK_TYPE.LOOP, head: hex("00000018"), fields: V6, macs: 0 },
  ])("$name", ({ linkType, head, fields, macs, vlans = [] }) => {
    const frame = Buffer.concat([head, ipOf(fields)]);
    const { srcMac, dstMac, ...rest } = fields;
    const ends = { srcMac: macs > 0 ? srcMac : "", dstMac: macs > 1 ? dstMac : "" };
    const want = { ok: true, value: { kind: "tcp", frame: { ...rest, ...ends, vlans } } };
    expect(decodeTcpFrame(frame, linkType, { verifyChecksums: true })).toMatchObject(want);
    for (let cut = 0; cut < head.length; cut += 1)
      expect(decodeTcpFrame(frame.subarray(0, cut), linkType)).toMatchObject({
        ok: false,
        error: { code: "PK_SHORT" },
      });
  });

  test("what is no IP is other traffic: ARP, an unknown family, netlink", () => {
    const other = (linkType: number, bytes: Buffer) => decodeTcpFrame(Buffer.concat([bytes, ipOf(V4)]), linkType);
    expect(other(LINK_TYPE.LINUX_SLL, cooked("0806"))).toMatchObject({ value: { kind: "other", etherType: 0x0806 } });
    expect(other(LINK_TYPE.NULL, hex("07000000"))).toMatchObject({ value: { kind: "other" } });
    expect(other(LINK_TYPE.LINUX_SLL, hex("0004 0338 0000 0000000000000000 0800"))).toMatchObject({
      value: { kind: "other" },
    });
  });

  test("another link type is refused by name and counted", () => {
    const [event] = new TcpReassembler().push(buildTcpFrame(V4), 0, { linkType: 147, number: 9 });
    const error = { code: "PK_LINK_TYPE", spec: "tcpdump.org LINKTYPE_ 147" };
    expect(event).toMatchObject({ kind: "skipped", reason: "link-type", frame: 9, error });
    const reassembler = new TcpReassembler();
    reassembler.push(buildTcpFrame(V4), 0, { linkType: 147 });
    expect(reassembler.stats).toMatchObject({ frames: 1, linkType: 1, malformed: 0 });
  });
});

describe("IPv6", () => {
  const packet = ipOf(V6);
  const tcp = packet.subarray(40);
  /** The packet with extension headers (hexadecimal, each beginning with the next header) between its header and TCP. */
  const extended = (first: number, headers: string): Buffer => {
    const head = Buffer.from(packet.subarray(0, 40));
    const extension = hex(headers);
    head.writeUInt16BE(extension.length + tcp.length, 4);
    head.writeUInt8(first, 6);
    return Buffer.concat([head, extension, tcp]);
  };
  const raw = (bytes: Buffer) => decodeTcpFrame(bytes, LINK_TYPE.RAW, { verifyChecksums: true });

  test.each([
    { name: "hop-by-hop", bytes: extended(0, "06 00 0104 00000000") },
    { name: "destination options of 16 bytes", bytes: extended(60, "06 01 010c 000000000000000000000000") },
    { name: "routing with no segments left", bytes: extended(43, "06 00 00 00 00000000") },
    {
      name: "authentication header of 24 bytes",
      bytes: extended(51, "06 04 0000 00000001 00000001 000000000000000000000000"),
    },
    { name: "an atomic fragment", bytes: extended(44, "06 00 0000 00000009") },
    { name: "several", bytes: extended(0, "3c 00 0104 00000000 2c 00 0104 00000000 06 00 0000 00000009") },
  ])("$name is passed over", ({ bytes }) => {
    expect(raw(bytes)).toMatchObject({
      ok: true,
      value: { kind: "tcp", frame: { payload: FIELDS.payload, dstPort: 502 } },
    });
  });

  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(packet);
    copy.writeUInt8(value, at);
    return copy;
  };
  test.each([
    { name: "header cut", bytes: packet.subarray(0, 39), code: "PK_SHORT", offset: 39 },
    {
      name: "version 4 under EtherType IPv6",
      bytes: changed(0, 0x40),
      code: "PK_IPV6_VERSION",
      linkType: LINK_TYPE.IPV6,
      offset: 0,
    },
    { name: "payload length past the frame", bytes: packet.subarray(0, -1), code: "PK_IPV6_LENGTH", offset: 4 },
    { name: "extension header past the end", bytes: extended(60, "06 ff 0104 00000000"), code: "PK_IPV6_HEADER" },
    { name: "segments left", bytes: extended(43, "06 00 00 01 00000000"), code: "PK_IPV6_ROUTING", offset: 3 },
    { name: "checksum", bytes: changed(packet.length - 1, 0), code: "PK_TCP_CHECKSUM", offset: 16 },
  ])("$name is refused", ({ bytes, code, offset, linkType }) => {
    const error = offset === undefined ? { code } : { code, offset };
    expect(decodeTcpFrame(bytes, linkType ?? LINK_TYPE.RAW, { verifyChecksums: true })).toMatchObject({
      ok: false,
      error,
    });
  });

  test("no next header, and ESP, are other traffic", () => {
    for (const next of [59, 50]) expect(raw(changed(6, next))).toMatchObject({ ok: true, value: { kind: "other" } });
  });
});

test("random and damaged frames of every link type never throw, and each is counted once", () => {
  const bases = [buildTcpFrame(V4), buildTcpFrame(V6), Buffer.concat([cooked("86dd"), ipOf(V6)]), ipOf(V6), ipOf(V4)];
  const damaged = fc
    .tuple(fc.constantFrom(...bases), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat(120))
    .map(([base, edits, length]) => {
      const copy = Buffer.from(base);
      for (const [at, value] of edits) copy.writeUInt8(value, at % copy.length);
      return copy.subarray(0, length);
    });
  const random = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));
  const linkType = fc.constantFrom(...Object.values(LINK_TYPE), 147);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(damaged, random), linkType), { maxLength: 12, size: "max" }), (frames) => {
      const reassembler = new TcpReassembler({ verifyChecksums: false });
      frames.forEach(([frame, type], i) => {
        const events = reassembler.push(frame, i, { linkType: type, number: i });
        expect(outline(events).length).toBe(events.length);
      });
      const { segments, other, fragments, malformed, cut, linkType: links } = reassembler.stats;
      expect(segments + other + fragments + malformed + cut + links).toBe(frames.length);
    }),
    { numRuns: 1500 },
  );
});
