/**
 * Sequence numbers of a SecureChannel: "incremented by exactly one for each MessageChunk sent", OPN and CLO included
 * (OPC 10000-6 v1.05 §6.7.2.4). The wrap is the one of policies with LegacySequenceNumbers TRUE: not before
 * 4 294 966 271, and then to a number below 1 024.
 */
const MAX_U32 = 0xffff_ffff;
const WRAP_FROM = 4_294_966_271;
const WRAP_BELOW = 1_024;

/** The number after `previous` when we send; wraps to 1 as late as it can. */
export function nextSequenceNumber(previous: number): number {
  return previous >= MAX_U32 ? 1 : previous + 1;
}

/** Whether `received` may follow `previous` from a peer. */
export function followsSequenceNumber(previous: number, received: number): boolean {
  return received === previous + 1 || (previous > WRAP_FROM && received < WRAP_BELOW);
}
