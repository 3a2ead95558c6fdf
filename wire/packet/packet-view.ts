import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import { MAX_VLAN_TAGS } from "./vlan.ts";

/** How wrong checksums are met; see `ReassemblerOptions.verifyChecksums`. */
export type ChecksumRule = boolean | "auto";

const NO_BYTES = Buffer.alloc(0);

/**
 * Where things lie in one captured frame: offsets and numbers, no copies and no text. One object serves all frames, because a million
 * frames a second leave no time to make objects. Each layer fills its part with a `locate…` function, which answers false and sets
 * `error` when it refuses. Offsets in errors are within the header that was refused.
 */
export class PacketView {
  /** the captured frame; the link-layer addresses lie here */
  frame: Buffer = NO_BYTES;
  /** -1: this link has none */
  srcMacAt = -1;
  dstMacAt = -1;
  /** identifiers, outermost first; the first `vlanCount` count */
  readonly vlans = new Uint16Array(MAX_VLAN_TAGS);
  vlanCount = 0;
  /** 0: unknown */
  etherType = 0;
  /** where the network layer begins in `frame` */
  networkAt = 0;

  /** what the IP packet lies in: the frame, or a datagram put together from fragments */
  bytes: Buffer = NO_BYTES;
  /** 0 until an IP header was read */
  ipVersion: 0 | 4 | 6 = 0;
  srcAt = 0;
  dstAt = 0;
  /** the upper layer's */
  protocol = 0;
  /** payload of the IP packet (behind all extension headers), `payloadAt..end` in `bytes` */
  payloadAt = 0;
  end = 0;
  isFragment = false;
  identification = 0;
  /** bytes */
  fragmentOffset = 0;
  moreFragments = false;
  /** of a datagram that was put together: where its first fragment ended */
  firstFragmentEnd = 0;

  /** the addresses as one number each, for who looks the connection up: see `ConnectionTable.find` */
  srcWord = 0;
  dstWord = 0;
  srcPort = 0;
  dstPort = 0;
  seq = 0;
  ack = 0;
  flags = 0;
  window = 0;
  /** TCP options lie in `optionsAt..dataAt`, TCP payload in `dataAt..end` */
  optionsAt = 0;
  dataAt = 0;
  /** a checksum is wrong, and that is taken as the way of the capture, see `ReassemblerOptions.verifyChecksums` */
  unfilled = false;

  error: WireError | undefined;

  /** Begins a frame. */
  start(frame: Buffer): void {
    this.frame = frame;
    this.bytes = frame;
    this.srcMacAt = -1;
    this.dstMacAt = -1;
    this.vlanCount = 0;
    this.etherType = 0;
    this.networkAt = 0;
    this.ipVersion = 0;
    this.isFragment = false;
    this.unfilled = false;
    this.error = undefined;
  }

  refuse(code: WireErrorCode, offset: number, spec: string): false {
    this.error = wireError(code, offset, spec);
    return false;
  }
}
