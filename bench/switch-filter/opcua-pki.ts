import { createPrivateKey, X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OPCUACertificateManager } from "node-opcua";
import { securityProfile } from "#wire/opcua/security-profile.ts";
import type { PeerIdentity, PeerSecurity } from "./opcua-peer.ts";

/** The policy that the secured cases are measured under. */
const PROFILE = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256";

/**
 * Certificates of a measurement in `folder`: `client.pem`, `server.pem`, and `filter/`, which is what the filter takes as `--opcua-pki`.
 * A client of the filter believes `filter/own/clients.pem`; one that goes to the server, or through a relay, `server.pem`.
 */
export async function makePki(folder: string, server: string): Promise<void> {
  const filter = join(folder, "filter");
  for (const sub of ["own", "servers", "clients"]) mkdirSync(join(filter, sub), { recursive: true });
  for (const name of ["client", "server", "filter-clients", "filter-server"]) {
    const rootFolder = join(folder, name);
    const manager = new OPCUACertificateManager({ rootFolder });
    await manager.initialize();
    await manager.createSelfSignedCertificate({
      applicationUri: `urn:sekisho:bench:${name}`,
      dns: ["localhost"],
      outputFile: join(folder, `${name}.pem`),
      subject: `CN=${name}`,
      startDate: new Date(Date.now() - 60_000),
      validity: 30,
    });
    copyFileSync(manager.privateKey, join(folder, `${name}.key`));
    await manager.dispose();
  }
  for (const side of ["clients", "server"]) {
    copyFileSync(join(folder, `filter-${side}.pem`), join(filter, "own", `${side}.pem`));
    copyFileSync(join(folder, `filter-${side}.key`), join(filter, "own", `${side}.key`));
  }
  copyFileSync(join(folder, "server.pem"), join(filter, "servers", `${server}.pem`));
  copyFileSync(join(folder, "client.pem"), join(filter, "clients", "client.pem"));
}

/** @param stem of a certificate and its key, `.pem` and `.key` */
export function readPeerIdentity(stem: string): PeerIdentity {
  const certificate = new X509Certificate(readFileSync(`${stem}.pem`)).raw;
  return { certificate, privateKey: createPrivateKey(readFileSync(`${stem}.key`)) };
}

/** @param other certificate of the other end */
export function peerSecurity(own: string, other: string, mode: PeerSecurity["mode"]): PeerSecurity {
  const profile = securityProfile(PROFILE);
  if (profile === undefined) throw new Error(`${PROFILE} is not known`);
  const theirs = new X509Certificate(readFileSync(other));
  return { profile, mode, own: readPeerIdentity(own), otherCertificate: theirs.raw, otherKey: theirs.publicKey };
}
