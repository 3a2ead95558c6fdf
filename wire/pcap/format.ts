/** Classic pcap file format. @see draft-ietf-opsawg-pcap (PCAP Capture File Format) §4, §5 */
export const PCAP_SPEC = "draft-ietf-opsawg-pcap-05";

/** Offsets within the file header. */
export const FILE = { MAGIC: 0, MAJOR: 4, MINOR: 6, SNAPLEN: 16, LINK_TYPE: 20, END: 24 } as const;
/** Offsets within a record header. */
export const RECORD = { SECONDS: 0, FRACTION: 4, CAPTURED: 8, ORIGINAL: 12, END: 16 } as const;

/** Resolution of time stamps. */
export type PcapResolution = "microseconds" | "nanoseconds";
export type ByteOrder = "big-endian" | "little-endian";

/** The magic number, as a big-endian reader sees it in a big-endian capture. */
export const MAGIC = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d } as const;
/** Of the format that a patched libpcap of the nineties wrote: each record header is eight bytes longer. */
export const MODIFIED_MAGIC = 0xa1b2cd34;
/** Fractions in one second. */
export const FRACTIONS = { microseconds: 1_000_000, nanoseconds: 1_000_000_000 } as const;
export const VERSION = { MAJOR: 2, MINOR: 4 } as const;

/** Largest snapshot length, in bytes; bounds the memory of a reader. @see tcpdump(1), `-s` */
export const MAX_SNAPLEN = 262144;
/** LINKTYPE_ETHERNET. @see https://www.tcpdump.org/linktypes.html */
export const LINKTYPE_ETHERNET = 1;
/** The link type is in the low 16 bits; what is above describes the frame check sequence. */
export const LINK_TYPE_MASK = 0xffff;

export function readU16(bytes: Buffer, at: number, bigEndian: boolean): number {
  return bigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
}

export function readU32(bytes: Buffer, at: number, bigEndian: boolean): number {
  return bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
}
