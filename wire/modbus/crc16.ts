/** CRC-16 of Modbus RTU: polynomial A001 (reflected), initial value FFFF. @see MODBUS over Serial Line V1.02 §6.2.2 */
const POLYNOMIAL = 0xa001;
const INITIAL = 0xffff;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
  return crc;
});

/** The CRC over `bytes[from..to)`, 0..65535; on the wire its low byte comes first. */
export function crc16(bytes: Buffer, from: number, to: number): number {
  let crc = INITIAL;
  for (let at = from; at < to; at += 1) crc = (crc >> 8) ^ (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return crc;
}
