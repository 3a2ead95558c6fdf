/** MAC address as `02:00:00:00:00:01`, lower case. */
export function formatMac(bytes: Buffer, offset: number): string {
  const hex = bytes.toString("hex", offset, offset + 6);
  return `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}:${hex.slice(10)}`;
}

const MAC_PATTERN = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Six bytes of a MAC address; throws on text that is none. */
export function parseMac(text: string): Buffer {
  if (!MAC_PATTERN.test(text)) throw new RangeError(`\`${text}\` is not a MAC address such as 02:00:00:00:00:01`);
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

/** IPv4 address in dotted decimal. */
export function formatIpv4(bytes: Buffer, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** Four bytes of an IPv4 address; throws on text that is none. */
export function parseIpv4(text: string): Buffer {
  const parts = text.split(".").map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) {
    throw new RangeError(`\`${text}\` is not an IPv4 address such as 10.0.0.1`);
  }
  return Buffer.from(parts);
}
