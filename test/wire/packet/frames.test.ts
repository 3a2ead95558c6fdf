import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildLldpFrame,
  buildTcpFrame,
  decodeEthernet,
  decodeIpv4,
  decodeLldpFrame,
  decodeTcp,
  decodeTcpFrame,
  ETHER_TYPE,
  encodeEthernet,
  LINK_TYPE,
  TCP_FLAG,
  type TcpFrameFields,
} from "#wire/packet/index.ts";

const FIELDS: TcpFrameFields = {
  srcMac: "02:00:00:00:00:0a",
  dstMac: "02:00:00:00:00:0b",
  srcIp: "10.0.0.10",
  dstIp: "10.0.0.20",
  srcPort: 40000,
  dstPort: 502,
  seq: 0xffffffff,
  ack: 1,
  flags: TCP_FLAG.PSH | TCP_FLAG.ACK,
  payload: Buffer.from("0001000000060103006b0003", "hex"),
};
const ETHERNET_BYTES = 14;
const IP_BYTES = 20;

/** The frame with the byte at `at` changed. */
function changed(frame: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt8(value, at);
  return copy;
}

describe("Ethernet, IPv4, TCP", () => {
  test.each([{ vlans: [] }, { vlans: [100] }, { vlans: [7, 100] }, { vlans: [1, 2, 3, 4] }])(
    "a built frame decodes to its fields, VLAN tags $vlans",
    ({ vlans }) => {
      const result = decodeTcpFrame(buildTcpFrame({ ...FIELDS, vlans }), LINK_TYPE.ETHERNET, { verifyChecksums: true });
      expect(result).toMatchObject({ ok: true, value: { kind: "tcp", frame: { ...FIELDS, vlans, window: 65535 } } });
    },
  );

  test("any fields survive", () => {
    const fields = fc.record({
      seq: fc.integer({ min: 0, max: 0xffffffff }),
      ack: fc.integer({ min: 0, max: 0xffffffff }),
      srcPort: fc.integer({ min: 0, max: 65535 }),
      flags: fc.integer({ min: 0, max: 255 }),
      payload: fc.uint8Array({ maxLength: 1460 }).map((array) => Buffer.from(array)),
    });
    fc.assert(
      fc.property(fields, (some) => {
        const result = decodeTcpFrame(buildTcpFrame({ ...FIELDS, ...some }), LINK_TYPE.ETHERNET, {
          verifyChecksums: true,
        });
        expect(result).toMatchObject({ ok: true, value: { kind: "tcp", frame: some } });
      }),
      { numRuns: 100 },
    );
  });

  test("Ethernet padding is cut off by the total length of IPv4", () => {
    const frame = buildTcpFrame({ ...FIELDS, payload: Buffer.from([1]) });
    const padded = Buffer.concat([frame, Buffer.alloc(60 - frame.length)]);
    expect(decodeTcpFrame(padded)).toMatchObject({ ok: true, value: { frame: { payload: Buffer.from([1]) } } });
  });

  const frame = buildTcpFrame(FIELDS);
  test.each([
    { name: "Ethernet header cut", bytes: frame.subarray(0, 13), code: "PK_SHORT", offset: 13 },
    { name: "IPv4 header cut", bytes: frame.subarray(0, 33), code: "PK_SHORT", offset: 19 },
    { name: "version 6", bytes: changed(frame, 14, 0x65), code: "PK_IPV4_VERSION", offset: 0 },
    { name: "header of 16 bytes", bytes: changed(frame, 14, 0x44), code: "PK_IPV4_HEADER_LENGTH", offset: 0 },
    { name: "one byte missing at the end", bytes: frame.subarray(0, -1), code: "PK_IPV4_TOTAL_LENGTH", offset: 2 },
    { name: "total length below the header", bytes: changed(frame, 17, 19), code: "PK_IPV4_TOTAL_LENGTH", offset: 2 },
    { name: "IPv4 checksum", bytes: changed(frame, 22, 63), code: "PK_IPV4_CHECKSUM", offset: 10 },
    { name: "TCP data offset 4", bytes: changed(frame, 46, 0x40), code: "PK_TCP_DATA_OFFSET", offset: 12 },
    { name: "TCP data offset past the end", bytes: changed(frame, 46, 0xf0), code: "PK_TCP_DATA_OFFSET", offset: 12 },
    { name: "TCP checksum", bytes: changed(frame, frame.length - 1, 9), code: "PK_TCP_CHECKSUM", offset: 16 },
  ])("$name is refused", ({ bytes, code, offset }) =>
    expect(decodeTcpFrame(bytes, LINK_TYPE.ETHERNET, { verifyChecksums: true })).toMatchObject({
      ok: false,
      error: { code, offset },
    }),
  );

  test("wrong checksums pass unless they are to be verified", () => {
    expect(decodeTcpFrame(changed(frame, frame.length - 1, 9)).ok).toBe(true);
  });

  test("four VLAN tags are read, five are not", () => {
    const tagged = (count: number) =>
      encodeEthernet({
        dstMac: FIELDS.dstMac,
        srcMac: FIELDS.srcMac,
        vlans: Array.from({ length: count }, (_, i) => i),
        etherType: ETHER_TYPE.ARP,
        payload: Buffer.from([1]),
      });
    expect(decodeEthernet(tagged(4))).toMatchObject({ ok: true, value: { vlans: [0, 1, 2, 3], etherType: 0x0806 } });
    expect(decodeEthernet(tagged(5))).toMatchObject({ ok: false, error: { code: "PK_VLAN_DEPTH", offset: 30 } });
  });

  test.each([
    { name: "first fragment", word: 0x20, fragment: { offset: 0, more: true } },
    { name: "last fragment", word: 0x00, low: 2, fragment: { offset: 16, more: false } },
  ])("$name is recognised", ({ word, low, fragment }) => {
    const bytes = changed(changed(frame, 20, word), 21, low ?? 0);
    expect(decodeIpv4(bytes.subarray(ETHERNET_BYTES))).toMatchObject({ ok: true, value: { fragment } });
    expect(decodeTcpFrame(bytes)).toMatchObject({ ok: true, value: { kind: "fragment", protocol: 6 } });
  });

  test("a segment's options are kept raw", () => {
    const segment = Buffer.concat([frame.subarray(ETHERNET_BYTES + IP_BYTES), Buffer.alloc(0)]);
    segment.writeUInt8(0x60, 12);
    expect(decodeTcp(segment)).toMatchObject({ ok: true, value: { options: Buffer.from("00010000", "hex") } });
  });

  test("malformed addresses are a programming error", () => {
    expect(() => buildTcpFrame({ ...FIELDS, srcIp: "10.0.0.256" })).toThrow("`10.0.0.256` is not an IPv4 address");
    expect(() => buildTcpFrame({ ...FIELDS, srcMac: "02:00" })).toThrow("`02:00` is not a MAC address");
  });
});

describe("LLDP announcement of a mirror port", () => {
  const announcement = {
    srcMac: "02:00:00:00:00:01",
    chassisId: "access-switch",
    portId: "mirror",
    ttlSeconds: 3,
    plantTimeMs: 123456.789,
    mirroredFrames: 42,
  };
  const frame = buildLldpFrame(announcement);
  const LLDP_CHASSIS = 14;

  test("decodes to what was announced, padded or not", () => {
    expect(decodeLldpFrame(frame)).toEqual({ ok: true, value: announcement });
    expect(decodeLldpFrame(Buffer.concat([frame, Buffer.alloc(8)]))).toEqual({ ok: true, value: announcement });
  });

  test("any time and count survive", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(999), (ms, mirroredFrames, us) => {
        const some = { ...announcement, plantTimeMs: ms + us / 1000, mirroredFrames };
        const result = decodeLldpFrame(buildLldpFrame(some));
        expect(result.ok && result.value.plantTimeMs).toBeCloseTo(some.plantTimeMs, 3);
        expect(result.ok && result.value.mirroredFrames).toBe(mirroredFrames);
      }),
    );
  });

  test.each([
    { name: "another EtherType", bytes: buildTcpFrame(FIELDS), code: "PK_ETHER_TYPE" },
    { name: "no End TLV", bytes: frame.subarray(0, -2), code: "PK_SHORT" },
    { name: "a TLV cut", bytes: frame.subarray(0, -5), code: "PK_SHORT" },
    { name: "first TLV is no chassis id", bytes: changed(frame, LLDP_CHASSIS, 4), code: "PK_LLDP_TLV" },
    { name: "chassis id is not locally assigned", bytes: changed(frame, LLDP_CHASSIS + 2, 4), code: "PK_LLDP_TLV" },
    { name: "another organisation", bytes: changed(frame, frame.indexOf("02736b", 0, "hex"), 9), code: "PK_LLDP_TIME" },
  ])("$name is refused", ({ bytes, code }) =>
    expect(decodeLldpFrame(bytes)).toMatchObject({ ok: false, error: { code } }),
  );
});

test("random and damaged frames never throw", () => {
  const base = [
    buildTcpFrame(FIELDS),
    buildTcpFrame({ ...FIELDS, vlans: [1, 2] }),
    buildLldpFrame({
      srcMac: FIELDS.srcMac,
      chassisId: "a",
      portId: "b",
      ttlSeconds: 1,
      plantTimeMs: 1,
      mirroredFrames: 0,
    }),
  ];
  const damaged = fc
    .tuple(fc.constantFrom(...base), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), fc.nat(80))
    .map(([frame, edits, length]) => {
      const copy = Buffer.from(frame);
      for (const [where, value] of edits) copy.writeUInt8(value, where % copy.length);
      return copy.subarray(0, length);
    });
  const random = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(fc.oneof(damaged, random), (bytes) => {
      decodeTcpFrame(bytes, LINK_TYPE.ETHERNET, { verifyChecksums: true });
      decodeTcpFrame(bytes);
      decodeLldpFrame(bytes);
    }),
    { numRuns: 2000 },
  );
});
