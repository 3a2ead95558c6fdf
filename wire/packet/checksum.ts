/** Sums 16-bit big-endian words of `from..to` in ones' complement, not folded; an odd last byte is padded with zero.
 *  @see RFC 1071 §1 */
export function sumWords(bytes: Buffer, from: number, to: number, start: number): number {
  let sum = start;
  const even = from + ((to - from) & ~1);
  for (let i = from; i < even; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (even !== to) sum += (bytes[even] ?? 0) << 8;
  return sum;
}

/** Folds a sum into 16 bits, not complemented. */
export function foldSum(start: number): number {
  let sum = start;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Internet checksum over the concatenation of `parts`, each of even length but the last. @see RFC 1071 */
export function internetChecksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) sum = sumWords(part, 0, part.length, sum);
  return ~foldSum(sum) & 0xffff;
}

const PROTOCOL_TCP = 6;

/** Sum of the pseudo header: addresses, protocol, length. @see RFC 9293 §3.1 (IPv4), RFC 8200 §8.1 (IPv6) */
export function pseudoHeaderSum(bytes: Buffer, addressesFrom: number, addressesTo: number, tcpBytes: number): number {
  return sumWords(bytes, addressesFrom, addressesTo, PROTOCOL_TCP + (tcpBytes >>> 16) + (tcpBytes & 0xffff));
}

/** TCP checksum over pseudo header and segment; 0 for a segment that carries its right checksum.
 *  `addresses` is source and destination as in the IP header: 8 bytes of IPv4 or 32 of IPv6. */
export function tcpChecksum(addresses: Buffer, segment: Buffer): number {
  const pseudo = pseudoHeaderSum(addresses, 0, addresses.length, segment.length);
  return ~foldSum(sumWords(segment, 0, segment.length, pseudo)) & 0xffff;
}
