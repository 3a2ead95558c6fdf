import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keyBytes } from "#wire/opcua/rsa-security.ts";
import { thumbprint } from "#wire/opcua/secured-open.ts";
import { loadTrustList, type Peer, peerOf, readCertificate, type TrustList } from "./opcua-trust.ts";
import { loadUsers, type UaUsers } from "./opcua-user-map.ts";

/** An application certificate, in DER, with its key and the URI of the application it names. */
export interface Credentials {
  readonly certificate: Buffer;
  readonly thumbprint: Buffer;
  readonly privateKey: KeyObject;
  readonly applicationUri: string;
}

/** What ends secured channels here: who this filter is towards either side, and whom it believes. */
export interface UaTermination {
  /** The server that clients see. */
  readonly towardsClients: Credentials;
  /** The client that the server sees. */
  readonly towardsServer: Credentials;
  readonly server: Peer;
  readonly clients: TrustList;
  /** Absent: nobody logs on by a certificate of their own. */
  readonly users?: UaUsers;
  /** The server's endpoints without security are offered as well: nothing is refused here. */
  readonly offersClear?: boolean;
}

/**
 * Reads the certificates of a listener from a folder: `own/clients.pem`, `own/clients.key` (shown to clients), `own/server.pem`,
 * `own/server.key` (shown to the server), `servers/<device>.pem` (the one that this server must have), `clients/*.pem` (trusted clients,
 * or authorities), `clients/crl/*` (what those have revoked), and `users/`, see {@link loadUsers}. DER works as well.
 *
 * @throws Error in one sentence
 */
export function loadTermination(folder: string, server: string): UaTermination {
  const clients = loadTrustList(join(folder, "clients"));
  if (clients.certificates.length === 0)
    throw new Error(`${join(folder, "clients")} holds no certificate, so no client could open a secured channel`);
  const users = loadUsers(folder);
  return {
    towardsClients: readCredentials(join(folder, "own", "clients")),
    towardsServer: readCredentials(join(folder, "own", "server")),
    server: readPeer(join(folder, "servers", `${server}.pem`)),
    clients,
    ...(users === undefined ? {} : { users }),
  };
}

function readCredentials(stem: string): Credentials {
  const certificate = readCertificate(`${stem}.pem`);
  const privateKey = createPrivateKey(readFileSync(`${stem}.key`));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`${stem}.key is not the key of ${stem}.pem`);
  if (keyBytes(privateKey) === undefined) throw new Error(`${stem}.key is not an RSA key of 2048 to 4096 bits`);
  const applicationUri = uriOf(certificate);
  if (applicationUri === undefined) throw new Error(`${stem}.pem names no application URI in its subjectAltName`);
  return { certificate: certificate.raw, thumbprint: thumbprint(certificate.raw), privateKey, applicationUri };
}

function readPeer(file: string): Peer {
  const certificate = readCertificate(file);
  const peer = peerOf(certificate);
  if (peer === undefined) throw new Error(`${file} has no RSA key of 2048 to 4096 bits`);
  return peer;
}

/** The application that a certificate is for (OPC 10000-6 v1.05 §6.2.2). */
function uriOf({ subjectAltName }: X509Certificate): string | undefined {
  const uri = subjectAltName?.split(", ").find((name) => name.startsWith("URI:"));
  return uri?.slice("URI:".length);
}
