import { join } from "node:path";
import { loadTermination } from "#switch-filter/opcua-identity.ts";
import { makePki, peerSecurity, readPeerIdentity } from "../../bench/switch-filter/opcua-pki.ts";
import type { FuzzSecurity } from "./opcua-fuzz-run.ts";
import { PLC } from "./opcua-plant.ts";

/** Certificates of both ends and of the filter between them, made in `folder`. */
export async function fuzzSecurity(folder: string): Promise<FuzzSecurity> {
  await makePki(folder, PLC);
  return {
    termination: loadTermination(join(folder, "filter"), PLC),
    client: peerSecurity(join(folder, "client"), join(folder, "filter", "own", "clients.pem"), "Sign"),
    server: readPeerIdentity(join(folder, "server")),
  };
}
