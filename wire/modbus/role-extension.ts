import { err, ok, type Result } from "#specs/result.ts";

/** 1.3.6.1.4.1.50316.802.1, the role of a Modbus client, as DER content. @see MODBUS/TCP Security V36 §8.3 */
const ROLE_OID = Buffer.from("2b060104018389" + "0c862201", "hex");

/** Tags of X.690 that lie on the way to an extension. */
const TAG = {
  BOOLEAN: 0x01,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  SEQUENCE: 0x30,
  EXTENSIONS: 0xa3,
} as const;
const MAX_CERTIFICATE_BYTES = 16 * 1024;
const MAX_EXTENSIONS = 64;
export const MAX_ROLE_BYTES = 64;
/** Tag and length; the long form of a length is marked by its highest bit. */
const LENGTH = { LONG: 0x80, BYTES: 0x7f, MAX_BYTES: 3 } as const;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** offset behind it */
  readonly end: number;
}

/**
 * The role that a client certificate carries; undefined: none. A certificate that is not DER, or has the extension twice or with
 * anything but a short text in it, is refused in one sentence: a role that two readers could read differently is none.
 */
export function roleOf(certificate: Buffer): Result<string | undefined, string> {
  if (certificate.length > MAX_CERTIFICATE_BYTES)
    return err(`the certificate is longer than ${MAX_CERTIFICATE_BYTES} bytes`);
  const extensions = extensionsOf(certificate);
  if (extensions === undefined) return err("the certificate is not a DER certificate");
  if (extensions.length > MAX_EXTENSIONS) return err(`the certificate has more than ${MAX_EXTENSIONS} extensions`);
  const roles = extensions.filter(([oid]) => oid?.tag === TAG.OID && oid.content.equals(ROLE_OID));
  if (roles.length === 0) return ok(undefined);
  if (roles.length > 1) return err("the certificate names its role twice");
  const value = roles[0]?.at(-1);
  const text = value?.tag === TAG.OCTET_STRING ? only(value.content) : undefined;
  if (text?.tag !== TAG.UTF8_STRING) return err("the role in the certificate is not a UTF8String");
  return readRole(text.content);
}

function readRole(bytes: Buffer): Result<string, string> {
  if (bytes.length < 1 || bytes.length > MAX_ROLE_BYTES) {
    return err(`the role in the certificate has ${bytes.length} bytes, and 1 to ${MAX_ROLE_BYTES} are read`);
  }
  const role = bytes.toString("utf8");
  if (!Buffer.from(role, "utf8").equals(bytes)) return err("the role in the certificate is not UTF-8");
  if (/[\p{C}\p{Z}]/u.test(role)) return err("the role in the certificate has blanks or control characters in it");
  return ok(role);
}

/** Certificate → tbsCertificate → [3] → the elements of each extension. */
function extensionsOf(certificate: Buffer): readonly (readonly Element[])[] | undefined {
  const whole = only(certificate);
  if (whole?.tag !== TAG.SEQUENCE) return undefined;
  const body = elements(whole.content)?.[0];
  if (body?.tag !== TAG.SEQUENCE) return undefined;
  const fields = elements(body.content);
  if (fields === undefined) return undefined;
  const holder = fields.find(({ tag }) => tag === TAG.EXTENSIONS);
  if (holder === undefined) return [];
  const list = only(holder.content);
  const each = list?.tag === TAG.SEQUENCE ? elements(list.content) : undefined;
  const parts = each?.map(({ tag, content }) => (tag === TAG.SEQUENCE ? elements(content) : undefined));
  return parts?.every((part) => part !== undefined) === true ? parts : undefined;
}

/** The one element that fills these bytes. */
function only(bytes: Buffer): Element | undefined {
  const element = elementAt(bytes, 0);
  return element?.end === bytes.length ? element : undefined;
}

function elements(bytes: Buffer): readonly Element[] | undefined {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    if (element === undefined) return undefined;
    found.push(element);
    at = element.end;
  }
  return found;
}

/** One element with a definite length, as DER has it; undefined: it is not, or runs past the end. */
function elementAt(bytes: Buffer, at: number): Element | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const extra = (first & LENGTH.LONG) === 0 ? 0 : first & LENGTH.BYTES;
  const from = at + 2 + extra;
  if (extra > LENGTH.MAX_BYTES || (first === LENGTH.LONG && extra === 0) || from > bytes.length) return undefined;
  const length = extra === 0 ? first : bytes.readUIntBE(at + 2, extra);
  const end = from + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(from, end), end };
}
