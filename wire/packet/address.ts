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

const IPV6_GROUPS = 8;
const IPV4_MAPPED_GROUP = 5;

/** IPv6 address in its one recommended form; an IPv4-mapped one ends in dotted decimal. @see RFC 5952 §4, §5 */
export function formatIpv6(bytes: Buffer, offset: number): string {
  const groups = Array.from({ length: IPV6_GROUPS }, (_, i) => bytes.readUInt16BE(offset + 2 * i));
  const zeros = longestZeroRun(groups);
  const isMapped = zeros.start === 0 && zeros.length === IPV4_MAPPED_GROUP && groups[IPV4_MAPPED_GROUP] === 0xffff;
  if (isMapped) return `::ffff:${formatIpv4(bytes, offset + 12)}`;
  const text = groups.map((group) => group.toString(16));
  // "The symbol '::' MUST NOT be used to shorten just one 16-bit 0 field." §4.2.2
  if (zeros.length < 2) return text.join(":");
  return `${text.slice(0, zeros.start).join(":")}::${text.slice(zeros.start + zeros.length).join(":")}`;
}

/** The first of the longest runs of zero groups, §4.2.3. */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, i) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i + 1 - length, length };
  });
  return best;
}

/** Sixteen bytes of an IPv6 address without zone; throws on text that is none. @see RFC 4291 §2.2 */
export function parseIpv6(text: string): Buffer {
  const refuse = () => new RangeError(`\`${text}\` is not an IPv6 address such as fe80::1`);
  const halves = text.split("::").map((half) => (half === "" ? [] : half.split(":").flatMap(groupOf)));
  const [head = [], tail] = halves;
  const missing = IPV6_GROUPS - head.length - (tail?.length ?? 0);
  if (halves.length > 2 || missing < 0 || (tail === undefined) !== (missing === 0)) throw refuse();
  const groups = tail === undefined ? head : [...head, ...Array<number>(missing).fill(0), ...tail];
  if (groups.some((group) => Number.isNaN(group))) throw refuse();
  const bytes = Buffer.alloc(2 * IPV6_GROUPS);
  for (const [i, group] of groups.entries()) bytes.writeUInt16BE(group, 2 * i);
  return bytes;
}

function groupOf(part: string): number[] {
  if (part.includes(".")) {
    const ipv4 = parseIpv4(part);
    return [ipv4.readUInt16BE(0), ipv4.readUInt16BE(2)];
  }
  return [/^[0-9a-f]{1,4}$/i.test(part) ? Number.parseInt(part, 16) : Number.NaN];
}
