import { readU16, readU32 } from "./format.ts";
import { INTERFACE, OPTION, STATISTICS, TRAILER_BYTES } from "./pcapng-format.ts";
import { walkOptions } from "./pcapng-options.ts";
import { TimeScale } from "./pcapng-time.ts";

/** What a capture says was lost before it came into the file. */
export interface CaptureDrops {
  /** by the network card, for want of buffers (isb_ifdrop) */
  readonly byInterface: number;
  /** by the kernel, because the capturing program was too slow (isb_osdrop) */
  readonly bySystem: number;
  /** told packet by packet (epb_dropcount, and the drop count of obsolete packet blocks) */
  readonly betweenPackets: number;
}

/** An interface that a section describes. */
export interface CaptureInterface {
  readonly linkType: number;
  /** bytes; 0: no limit */
  readonly snaplen: number;
  readonly name: string | undefined;
  readonly scale: TimeScale;
  /** the latest word of its statistics */
  readonly statistics: { received: number; interfaceDrops: number; systemDrops: number };
}

/** Reads an interface description block in `at..end`; a number is the offset of an option that does not hold. */
export function readInterface(bytes: Buffer, at: number, end: number, bigEndian: boolean): CaptureInterface | number {
  let name: string | undefined;
  let resolution: number | undefined;
  let offsetSeconds = 0;
  let wrong: number | undefined;
  const bad = walkOptions(bytes, at + INTERFACE.OPTIONS, end - TRAILER_BYTES, bigEndian, (code, value, length) => {
    if (code === OPTION.INTERFACE_NAME) name = bytes.toString("utf8", value, value + length);
    else if (code === OPTION.INTERFACE_RESOLUTION) {
      if (length === 1) resolution = bytes.readUInt8(value);
      else wrong ??= value;
    } else if (code === OPTION.INTERFACE_TIME_OFFSET) {
      if (length === 8) offsetSeconds = Number(bigEndian ? bytes.readBigInt64BE(value) : bytes.readBigInt64LE(value));
      else wrong ??= value;
    }
  });
  const refused = bad ?? wrong;
  if (refused !== undefined) return refused;
  return {
    linkType: readU16(bytes, at + INTERFACE.LINK_TYPE, bigEndian),
    snaplen: readU32(bytes, at + INTERFACE.SNAPLEN, bigEndian),
    name,
    scale: new TimeScale(resolution, offsetSeconds),
    statistics: { received: 0, interfaceDrops: 0, systemDrops: 0 },
  };
}

/** Takes over the counters of a statistics block in `at..end`; they count from the start of the capture, so the latest holds. */
export function readStatistics(
  into: CaptureInterface["statistics"],
  bytes: Buffer,
  at: number,
  end: number,
  bigEndian: boolean,
): number | undefined {
  return walkOptions(bytes, at + STATISTICS.OPTIONS, end - TRAILER_BYTES, bigEndian, (code, value, length) => {
    if (length !== 8) return;
    const count = Number(bigEndian ? bytes.readBigUInt64BE(value) : bytes.readBigUInt64LE(value));
    if (code === OPTION.STATISTICS_RECEIVED) into.received = count;
    else if (code === OPTION.STATISTICS_INTERFACE_DROPS) into.interfaceDrops = count;
    else if (code === OPTION.STATISTICS_SYSTEM_DROPS) into.systemDrops = count;
  });
}
