import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket, type TlsOptions } from "node:tls";
import { err, ok, type Result } from "#specs/result.ts";
import { roleOf } from "#wire/modbus/role-extension.ts";

/** Who one side is, and whom it believes: PEM texts. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  /** Certificates of those who may have signed the other side's. */
  readonly ca: string;
}

/** Modbus/TCP Security (MODBUS/TCP Security V36; port 802): TLS towards the clients, the server, or both. */
export interface LinkTls {
  /** Towards the clients: they must have a certificate. */
  readonly clients?: TlsIdentity & {
    /** Roles that may connect; absent: any, and none. */
    readonly roles?: readonly string[];
  };
  /** Towards the server. */
  readonly server?: TlsIdentity & {
    /** The name in the server's certificate; absent: its address. */
    readonly serverName?: string;
  };
}

/** "TLS v1.2 or better", §7.2; the suites are Node's, none without forward secrecy is among the first it offers. */
const MIN_VERSION = "TLSv1.2";
/** Real ms for a handshake: one that is never ended would hold its place for good. */
export const HANDSHAKE_TIMEOUT_MS = 5000;

/** What `tls.createServer` takes: both sides show a certificate, §6.2. */
export function serverOptions({ cert, key, ca }: TlsIdentity): TlsOptions {
  return {
    ...{ cert, key, ca, minVersion: MIN_VERSION },
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // A resumed session would skip the certificate, from which the role is read.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** The role of a client whose certificate was verified. An error, in one sentence: it may not connect. */
export function identify(
  socket: TLSSocket,
  { roles }: NonNullable<LinkTls["clients"]>,
): Result<string | undefined, string> {
  const certificate = socket.getPeerX509Certificate();
  if (!socket.authorized || certificate === undefined) return err("the client has no certificate that can be trusted");
  const role = roleOf(certificate.raw);
  if (!role.ok) return role;
  if (roles === undefined || (role.value !== undefined && roles.includes(role.value))) return ok(role.value);
  return err(
    role.value === undefined ? "the client's certificate names no role" : `the role \`${role.value}\` may not connect`,
  );
}

/** Connects to the server behind. Emits `secureConnect` when it is the one that is believed. */
export function dialTls(
  { cert, key, ca, serverName }: NonNullable<LinkTls["server"]>,
  to: { readonly host: string; readonly port: number; readonly localAddress?: string },
): Socket {
  const options: ConnectionOptions & { readonly localAddress?: string } = {
    ...to,
    ...{ cert, key, ca, minVersion: MIN_VERSION },
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: true,
  };
  const socket = connect(options);
  socket.setNoDelay(true);
  return socket;
}
