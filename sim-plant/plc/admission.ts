import type { Server, Socket } from "node:net";
import type { PortRange } from "../address-plan.ts";

/** Who may connect to a PLC's servers. */
export interface Admission {
  /** Source addresses; empty: anybody. */
  readonly addresses: readonly string[];
  /** Where one address serves everybody: the source ports that may. */
  readonly ports?: PortRange | undefined;
}

export function isAdmitted(admission: Admission, address: string | undefined, port: number | undefined): boolean {
  if (admission.addresses.length === 0) return true;
  if (address === undefined || port === undefined || !admission.addresses.includes(address)) return false;
  return admission.ports === undefined || (port >= admission.ports.low && port <= admission.ports.high);
}

/** Resets connections from anybody else at once, before the server behind reads a byte of theirs. */
export function guardDoor(server: Server, admission: Admission, onRefused: (from: string) => void): void {
  server.prependListener("connection", (socket: Socket) => {
    if (isAdmitted(admission, socket.remoteAddress, socket.remotePort)) return;
    onRefused(`${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`);
    socket.on("error", () => socket.destroy());
    socket.resetAndDestroy();
  });
}
