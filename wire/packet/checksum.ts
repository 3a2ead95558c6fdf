/** From so many bytes on it pays to look for the memory that they lie in. */
const WIDE_BYTES = 128;
/** The memory that was summed last: the frames of one piece of a capture lie in one. */
let memory: ArrayBufferLike | undefined;
let words: DataView = new DataView(new ArrayBuffer(0));

/** Sums 16-bit big-endian words of `from..to` in ones' complement, not folded; an odd last byte is padded with zero.
 *  @see RFC 1071 §1 */
export function sumWords(bytes: Buffer, from: number, to: number, start: number): number {
  let sum = start;
  let at = from;
  if (to - from >= WIDE_BYTES) {
    at = from + ((to - from) & ~3);
    sum = sumPairs(bytes, from, at, sum);
  }
  for (; at + 1 < to; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (at < to) sum += (bytes[at] ?? 0) << 8;
  return sum;
}

/** The same of a multiple of four bytes, two words at once: the order of the words does not matter, RFC 1071 §2 (A). */
function sumPairs(bytes: Buffer, from: number, to: number, start: number): number {
  if (bytes.buffer !== memory) {
    memory = bytes.buffer;
    words = new DataView(memory);
  }
  const end = bytes.byteOffset + to;
  let high = 0;
  let low = 0;
  for (let at = bytes.byteOffset + from; at < end; at += 4) {
    const two = words.getUint32(at);
    high += two >>> 16;
    low += two & 0xffff;
  }
  return start + high + low;
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
