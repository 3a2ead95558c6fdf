/** What a session tells its sockets. */
export interface SessionOutput {
  toServer(bytes: Buffer): void;
  toClient(bytes: Buffer): void;
  /** Sends what is queued for the client, then closes both sides. */
  close(says: string): void;
}

/** One client connection through the filter: bytes of both sides go in, what may pass comes out. Real time is passed in. */
export interface Session {
  fromClient(chunk: Buffer, realMs: number): void;
  fromServer(chunk: Buffer, realMs: number): void;
  /** Called once a second: gives up what has waited too long. */
  expire(realMs: number): void;
  /** A side has gone. */
  closed(): void;
  /** False: the client is not read until what it sent has been worked off. */
  readonly wantsMore: boolean;
  /** Everything that the client asked for has been answered. Absent: it cannot be said. */
  readonly isIdle?: boolean;
  /** Plant time of the oldest request whose outcome is not known yet. */
  readonly unsettledSinceMs: number | undefined;
}
