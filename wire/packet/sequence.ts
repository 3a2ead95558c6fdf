/** Distance from `b` to `a` in sequence space, -2^31..2^31-1. @see RFC 9293 §3.4 */
export const sequenceDistance = (a: number, b: number): number => (a - b) | 0;

/** The sequence number so many bytes on. */
export const advance = (seq: number, bytes: number): number => (seq + bytes) >>> 0;
