/** pcapng. @see draft-ietf-opsawg-pcapng (PCAP Next Generation Capture File Format) §3, §4 */
export const PCAPNG_SPEC = "draft-ietf-opsawg-pcapng-02";

/** Block types. @see §4, §11.1 */
export const BLOCK = {
  SECTION: 0x0a0d0d0a,
  INTERFACE: 1,
  /** obsolete, appendix A */
  PACKET: 2,
  SIMPLE_PACKET: 3,
  STATISTICS: 5,
  ENHANCED_PACKET: 6,
  JOURNAL: 9,
  CUSTOM: 0x00000bad,
  CUSTOM_DO_NOT_COPY: 0x40000bad,
  SYSDIG_EVENT: 0x204,
} as const;

/** Offsets within any block; its total length stands at both ends. */
export const HEAD = { TYPE: 0, LENGTH: 4, BODY: 8 } as const;
export const TRAILER_BYTES = 4;
/** A block without a body. */
export const MIN_BLOCK_BYTES = 12;

/** Offsets from the start of a block. */
export const SECTION = { BYTE_ORDER: 8, MAJOR: 12, MINOR: 14, LENGTH: 16, OPTIONS: 24 } as const;
export const INTERFACE = { LINK_TYPE: 8, SNAPLEN: 12, OPTIONS: 16 } as const;
export const ENHANCED = { INTERFACE: 8, TIME_HIGH: 12, TIME_LOW: 16, CAPTURED: 20, ORIGINAL: 24, DATA: 28 } as const;
export const OBSOLETE = {
  INTERFACE: 8,
  DROPS: 10,
  TIME_HIGH: 12,
  TIME_LOW: 16,
  CAPTURED: 20,
  ORIGINAL: 24,
  DATA: 28,
} as const;
export const SIMPLE = { ORIGINAL: 8, DATA: 12 } as const;
export const STATISTICS = { INTERFACE: 8, OPTIONS: 20 } as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Minor 2 was written by some tools and means 0, §4.1. */
export const PCAPNG_VERSION = { MAJOR: 1, MINORS: [0, 2] } as const;

/** Option codes; those from 2 on mean something else in each block type. @see §3.5, §4.2, §4.3, §4.6 */
export const OPTION = {
  END: 0,
  COMMENT: 1,
  SECTION_HARDWARE: 2,
  SECTION_SYSTEM: 3,
  SECTION_APPLICATION: 4,
  INTERFACE_NAME: 2,
  INTERFACE_DESCRIPTION: 3,
  INTERFACE_RESOLUTION: 9,
  INTERFACE_TIME_OFFSET: 14,
  PACKET_DROPS: 4,
  STATISTICS_RECEIVED: 4,
  STATISTICS_INTERFACE_DROPS: 5,
  STATISTICS_SYSTEM_DROPS: 7,
} as const;
/** Offsets within an option. */
export const OPTION_FIELD = { CODE: 0, LENGTH: 2, VALUE: 4 } as const;

/** Largest block, in bytes; a longer one is refused before memory is taken for it. As dumpcap and Wireshark bound theirs. */
export const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** Most interfaces of one section. */
export const MAX_INTERFACES = 4096;

/** Bytes rounded up to the 32-bit boundary that blocks and options keep. */
export const padded = (bytes: number): number => (bytes + 3) & ~3;
