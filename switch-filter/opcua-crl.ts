import { type KeyObject, verify } from "node:crypto";

/**
 * Certificate revocation lists (RFC 5280 §5), as far as it takes to know who was revoked and who says so: every serial number that is
 * listed counts, whatever the reason and whatever the extensions of its entry.
 */
export interface RevocationList {
  /** In hex, without leading zeroes: as {@link serialText} writes them. */
  readonly serials: ReadonlySet<string>;
  isSignedBy(authority: KeyObject): boolean;
}

/** Most bytes of a list, and most certificates in it. */
export const MAX_LIST_BYTES = 4_194_304;
const MAX_SERIALS = 100_000;

const TAG = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OID: 0x06,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
} as const;
const LONG_LENGTH = 0x80;
const MAX_LENGTH_BYTES = 4;

/** Signature algorithms by their identifier in DER: RSA with PKCS #1 v1.5 and ECDSA, each over SHA-2 (RFC 8017 §A.2.4, RFC 5758 §3.2). */
const HASHES: ReadonlyMap<string, string> = new Map([
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
]);

/** One element of DER: its tag, its content, and all of it. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

const isTime = ({ tag }: Element): boolean => tag === TAG.UTC_TIME || tag === TAG.GENERALIZED_TIME;

/** @throws Error in one sentence, without the name of the file */
export function readRevocationList(file: Buffer): RevocationList {
  if (file.length > MAX_LIST_BYTES) throw new Error(`has more than ${MAX_LIST_BYTES} bytes`);
  const [list, ...behind] = elements(derOf(file));
  if (list?.tag !== TAG.SEQUENCE || behind.length > 0) throw new Error("is no revocation list");
  const [signed, algorithm, signature, ...rest] = elements(list.content);
  if (signed?.tag !== TAG.SEQUENCE || algorithm?.tag !== TAG.SEQUENCE || signature?.tag !== TAG.BIT_STRING)
    throw new Error("is no revocation list");
  // The first byte of a bit string counts the bits that its last one has too many.
  if (rest.length > 0 || signature.content[0] !== 0) throw new Error("is no revocation list");
  const [identifier] = elements(algorithm.content);
  const hash = identifier?.tag === TAG.OID ? HASHES.get(identifier.content.toString("hex")) : undefined;
  if (hash === undefined) throw new Error("is signed by an algorithm other than RSA or ECDSA over SHA-2");
  return {
    serials: serialsOf(signed.content),
    isSignedBy: (authority) => verify(hash, signed.whole, authority, signature.content.subarray(1)),
  };
}

/** A serial number as lists and certificates both can be compared by. */
export function serialText(hex: string): string {
  return hex.toLowerCase().replace(/^0+/, "");
}

/** Version?, algorithm, issuer, time, next time?, entries?, extensions? (RFC 5280 §5.1.2). */
function serialsOf(content: Buffer): ReadonlySet<string> {
  const fields = elements(content);
  const timeAt = fields.findIndex(isTime);
  if (timeAt < 2) throw new Error("is no revocation list");
  const entries = fields.slice(timeAt).find((field) => !isTime(field));
  if (entries?.tag !== TAG.SEQUENCE) return new Set();
  const serials = elements(entries.content).map((entry) => {
    const [serial, time] = entry.tag === TAG.SEQUENCE ? elements(entry.content) : [];
    if (serial?.tag !== TAG.INTEGER || time === undefined || !isTime(time))
      throw new Error("has an entry without a serial");
    return serialText(serial.content.toString("hex"));
  });
  if (serials.length > MAX_SERIALS) throw new Error(`revokes more than ${MAX_SERIALS} certificates`);
  return new Set(serials);
}

/** The elements that lie one behind the other in `bytes`, and fill them. */
function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

function elementAt(bytes: Buffer, at: number): Element {
  const [tag = 0, first = LONG_LENGTH] = bytes.subarray(at, at + 2);
  const lengthBytes = first < LONG_LENGTH ? 0 : first - LONG_LENGTH;
  const from = at + 2 + lengthBytes;
  // A length of no bytes is one that is not said, which DER does not have.
  if (first === LONG_LENGTH || lengthBytes > MAX_LENGTH_BYTES || from > bytes.length) throw new Error("is not DER");
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  if (length > bytes.length - from) throw new Error("ends early");
  return { tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) };
}

function derOf(file: Buffer): Buffer {
  const pem = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----/.exec(file.toString("latin1"));
  return pem === null ? file : Buffer.from(pem[1] ?? "", "base64");
}
