/** Guid as 16 bytes and as lower-case text, `72962b91-fa75-4ae6-8d28-b404dc7daf63` (OPC 10000-6 v1.05 §5.1.3, §5.2.2.6). */
export const GUID_TEXT: RegExp = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const NULL_GUID = "00000000-0000-0000-0000-000000000000";

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** The text of the 16 bytes at `at`. */
export function guidText(bytes: Buffer, at: number): string {
  const tail = bytes.toString("hex", at + 8, at + 16);
  return [
    hex(bytes.readUInt32LE(at), 8),
    hex(bytes.readUInt16LE(at + 4), 4),
    hex(bytes.readUInt16LE(at + 6), 4),
    tail.slice(0, 4),
    tail.slice(4),
  ].join("-");
}

/** The bytes of a text; its first three groups are little-endian on the wire. */
export function guidBytes(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
