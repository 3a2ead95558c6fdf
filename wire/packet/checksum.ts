/** Sums 16-bit big-endian words in ones' complement; an odd last byte is padded with zero. @see RFC 1071 §1 */
function sumWords(bytes: Buffer, start: number): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += bytes.readUInt16BE(i);
  if (even !== bytes.length) sum += bytes.readUInt8(even) << 8;
  return sum;
}

/** Internet checksum over the concatenation of `parts`, each of even length but the last. @see RFC 1071 */
export function internetChecksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) sum = sumWords(part, sum);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

const PSEUDO = { SRC: 0, DST: 4, ZERO: 8, PROTOCOL: 9, LENGTH: 10, END: 12 } as const;

/** TCP checksum over pseudo header and segment; 0 for a segment that carries its right checksum.
 *  `addresses` is source and destination, 8 bytes as in the IPv4 header. @see RFC 9293 §3.1 */
export function tcpChecksum(addresses: Buffer, segment: Buffer): number {
  const pseudo = Buffer.alloc(PSEUDO.END);
  addresses.copy(pseudo, PSEUDO.SRC, 0, PSEUDO.ZERO);
  pseudo.writeUInt8(6, PSEUDO.PROTOCOL);
  pseudo.writeUInt16BE(segment.length, PSEUDO.LENGTH);
  return internetChecksum(pseudo, segment);
}
