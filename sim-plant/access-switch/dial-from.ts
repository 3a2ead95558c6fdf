import { connect, type Socket } from "node:net";
import type { Endpoint, PortRange } from "../address-plan.ts";

/** From where a connection is made: an address of this machine, and where ports tell devices apart, a range of ports. */
export interface Source {
  readonly address: string;
  readonly ports?: PortRange;
}

/** Errors of binding the source, not of reaching the target. */
const PORT_TAKEN: ReadonlySet<string> = new Set(["EADDRINUSE", "EADDRNOTAVAIL"]);
const NOT_OURS: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EINVAL", "EADDRINUSE"]);
const CONNECT_TIMEOUT_MS = 3000;

/** Where the next search for a free port begins, so that ports in TIME-WAIT are not tried first. */
const nextOffset = new Map<string, number>();

/**
 * Connects with a given source address. The socket is open, half-open allowed, and still paused.
 * @throws the error of the last attempt
 */
export async function dialFrom(target: Endpoint, source: Source | undefined): Promise<Socket> {
  const ports = source?.ports;
  if (source === undefined || ports === undefined) return dialOnce(target, source?.address, undefined);
  const count = ports.high - ports.low + 1;
  const key = `${source.address}:${ports.low}`;
  let last: unknown = new Error(`source ports ${ports.low}-${ports.high} of ${source.address} are all taken`);
  for (let tries = 0; tries < count; tries += 1) {
    const offset = nextOffset.get(key) ?? 0;
    nextOffset.set(key, (offset + 1) % count);
    try {
      return await dialOnce(target, source.address, ports.low + offset);
    } catch (error) {
      last = error;
      if (!PORT_TAKEN.has(codeOf(error))) break;
    }
  }
  throw last;
}

/** True: the source address could not be taken on this machine, whatever the target. */
export function isSourceError(error: unknown): boolean {
  return NOT_OURS.has(codeOf(error));
}

function dialOnce(target: Endpoint, localAddress: string | undefined, localPort: number | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...target,
      noDelay: true,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(localPort === undefined ? {} : { localPort }),
    });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`)),
      CONNECT_TIMEOUT_MS,
    );
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(socket);
    });
    function fail(error: Error): void {
      clearTimeout(timer);
      reject(error);
    }
  });
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}
