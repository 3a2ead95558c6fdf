import { createPrivateKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { keyBytes } from "#wire/opcua/rsa-security.ts";
import { thumbprint } from "#wire/opcua/secured-open.ts";
import { loadTrustList, type Peer, readCertificate, type TrustList } from "./opcua-trust.ts";

/** Whom the filter logs on as, in the place of a user who came with a certificate. */
export type ServerUser =
  | { readonly kind: "password"; readonly userName: string; readonly password: Buffer }
  | { readonly kind: "certificate"; readonly certificate: Buffer; readonly privateKey: KeyObject };

/** Users who come with certificates: which are believed, and who each is to the server. */
export interface UaUsers {
  readonly trust: TrustList;
  /** By thumbprint, SHA-1 in lower-case hex, or by subject, `CN=…` on one line. */
  readonly users: ReadonlyMap<string, ServerUser>;
}

const MAP_FILE = "users.json";
const MAX_USERS = 10_000;
const THUMBPRINT = /^[0-9a-f]{40}$/;

/** Who `peer` is to the server; undefined: nobody. A thumbprint says more than a subject. */
export function userFor({ users }: UaUsers, { certificate, subject }: Peer): ServerUser | undefined {
  return users.get(thumbprint(certificate).toString("hex")) ?? users.get(subject);
}

/**
 * Reads `users/` of the folder of a listener's certificates: `users/*.pem` (users, or authorities), `users/crl/`, and `users/users.json`, a
 * list of `{"thumbprint" or "subject", "userName" with "passwordFile", or "certificateFile" with "keyFile"}`; files are named from the
 * folder on. undefined: there is none.
 *
 * @throws Error in one sentence
 */
export function loadUsers(folder: string): UaUsers | undefined {
  const file = join(folder, "users", MAP_FILE);
  if (!existsSync(file)) return undefined;
  const users = new Map<string, ServerUser>();
  for (const [index, entry] of entriesOf(file).entries()) {
    const where = `${file}, entry ${index + 1},`;
    const name = nameOf(entry, where);
    if (users.has(name)) throw new Error(`${where} names ${name} a second time`);
    users.set(name, serverUser(entry, where, folder));
  }
  return { trust: loadTrustList(join(folder, "users")), users };
}

type Entry = Readonly<Record<string, string>>;

function entriesOf(file: string): readonly Entry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (!Array.isArray(parsed) || parsed.length > MAX_USERS || !parsed.every(isEntry))
    throw new Error(`${file} is not a list of at most ${MAX_USERS} users whose fields are texts`);
  return parsed;
}

function isEntry(entry: unknown): entry is Entry {
  return (
    typeof entry === "object" && entry !== null && Object.values(entry).every((field) => typeof field === "string")
  );
}

/** Fields that an entry may have, besides the one that names its user. */
const WITH_PASSWORD = ["userName", "passwordFile"] as const;
const WITH_CERTIFICATE = ["certificateFile", "keyFile"] as const;

function nameOf({ thumbprint: print, subject }: Entry, where: string): string {
  if ((print === undefined) === (subject === undefined)) throw new Error(`${where} needs a thumbprint or a subject`);
  const text = print?.replaceAll(":", "").toLowerCase();
  if (text !== undefined && !THUMBPRINT.test(text))
    throw new Error(`${where} has a thumbprint that is not SHA-1 in hex`);
  return text ?? subject ?? "";
}

function serverUser(entry: Entry, where: string, folder: string): ServerUser {
  const { thumbprint: _, subject: __, ...rest } = entry;
  const has = (fields: readonly string[]): boolean =>
    fields.length === Object.keys(rest).length && fields.every((field) => rest[field] !== undefined);
  const path = (field: string): string => (isAbsolute(field) ? field : join(folder, field));
  const { userName = "", passwordFile = "", certificateFile = "", keyFile = "" } = rest;
  if (has(WITH_PASSWORD)) {
    // Editors end a file with a line end; a password does not end with one.
    const password = read(path(passwordFile))
      .toString("utf8")
      .replace(/\r?\n$/, "");
    return { kind: "password", userName, password: Buffer.from(password) };
  }
  if (!has(WITH_CERTIFICATE))
    throw new Error(`${where} needs \`userName\` and \`passwordFile\`, or \`certificateFile\` and \`keyFile\``);
  const certificate = readCertificate(path(certificateFile));
  const privateKey = createPrivateKey(read(path(keyFile)));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`${keyFile} is not the key of ${certificateFile}`);
  if (keyBytes(privateKey) === undefined) throw new Error(`${keyFile} is not an RSA key of 2048 to 4096 bits`);
  return { kind: "certificate", certificate: certificate.raw, privateKey };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${file} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
