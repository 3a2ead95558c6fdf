import type { DeviceId } from "#specs/ids.ts";
import type { PlaceLimits } from "./connection-places.ts";
import type { Session, SessionOutput } from "./session.ts";
import type { LinkTls } from "./tls.ts";

/** Real ms of silence after which TCP asks whether the peer is still there: one that lost its power would hold its place for good. */
export const KEEP_ALIVE_MS = 30_000;

export interface RelayOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: { readonly host: string; readonly port: number };
  /** Own address towards the server; the server takes connections from it alone. */
  readonly localAddress?: string;
  /** Client address → own address towards the server on that client's behalf; goes before `localAddress`. */
  readonly from?: ReadonlyMap<string, string>;
  /** Absent, or undefined for a client: bytes pass unseen (mode `off`). */
  readonly session?: (
    client: { readonly address: string; readonly port: number; readonly role?: string },
    output: SessionOutput,
  ) => Session | undefined;
  /** The declared device behind a client's address; undefined, or absent: none. */
  readonly deviceOf?: (address: string, port: number) => DeviceId | undefined;
  /** Absent: the defaults of `ConnectionPlaces`. */
  readonly places?: PlaceLimits;
  /** Bytes of one client that are worked off before others have their turn; a few requests. */
  readonly turnBytes?: number;
  /** Absent: plain TCP on both sides. */
  readonly tls?: LinkTls;
  /** A client over TLS without a certificate that may connect. */
  readonly onUntrusted?: (client: string, says: string) => void;
  readonly onRefused: (client: string, says: string) => void;
  readonly onUpstream: (reachable: boolean, says: string) => void;
  /** Something failed that must not: a session threw, or the listener itself. The connection concerned is closed. */
  readonly onFault: (client: string, says: string) => void;
}
