import type { BlindReason, SkipReason } from "#wire/packet/index.ts";
import { noneUnread, type Unread } from "./dialogue.ts";

/** Everything of a capture that did not become a line, and what did. */
export interface Counts {
  frames: number;
  /** captured bytes of all frames */
  bytes: number;
  /** frames of which the capture holds less than was on the wire */
  cutFrames: number;
  /** lines, those with an error among them */
  messages: number;
  /** lines that carry an error */
  errors: number;
  encrypted: number;
  /** frames that carry no TCP */
  other: number;
  /** of those: what may carry TCP in a way that is not read */
  tunnelled: number;
  readonly skipped: Partial<Record<SkipReason, number>>;
  flows: number;
  joinedLate: number;
  readonly blind: Partial<Record<BlindReason, number>>;
  /** bytes that were sent again with other content; the first ones count */
  differingBytes: number;
  readonly unread: Unread;
  /** Checksums that could not be verified, in a sentence. */
  checksumNote: string | undefined;
  /** TCP payload of connections on ports of neither protocol */
  otherPortBytes: number;
  readonly otherPorts: Map<number, OtherPort>;
  /** connections on other ports than the table of them has room for */
  otherPortsBeyond: number;
}

/** Connections to one port that is of neither protocol. */
export interface OtherPort {
  flows: number;
  /** by their first bytes */
  modbus: number;
  opcua: number;
}

export function noCounts(): Counts {
  return {
    frames: 0,
    bytes: 0,
    cutFrames: 0,
    messages: 0,
    errors: 0,
    encrypted: 0,
    other: 0,
    tunnelled: 0,
    skipped: {},
    flows: 0,
    joinedLate: 0,
    blind: {},
    differingBytes: 0,
    unread: noneUnread(),
    checksumNote: undefined,
    otherPortBytes: 0,
    otherPorts: new Map(),
    otherPortsBeyond: 0,
  };
}
