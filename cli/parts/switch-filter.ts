import { endpoint } from "#point/endpoint.ts";
import type { Plant } from "#specs/plant.ts";
import type { FilterListener } from "#switch-filter/listener.ts";
import { UsageError } from "../part.ts";
import { common, type PointFlags, reloading } from "./point-flags.ts";

export async function startSwitchFilter(
  flags: PointFlags & {
    readonly link: readonly string[];
    readonly listen: readonly string[];
    readonly upstream: readonly string[];
    readonly localAddress?: string;
    readonly opcuaPki?: string;
    readonly packetFilter?: string;
    readonly pair?: string;
  } & PlaceFlags &
    ModbusFlags,
) {
  const { link, listen, upstream } = flags;
  const places = await placeLimits(flags);
  if (link.length !== listen.length || link.length !== upstream.length) {
    throw new UsageError(
      `each --link needs one --listen and one --upstream; there are ${link.length}, ${listen.length} and ${upstream.length}`,
    );
  }
  const shared = await common(flags, "switch-filter");
  const { modbus, deny } = await modbusOptions(flags);
  const modbusLinks = new Set(
    shared.bundle.plant.links.flatMap((l) => (l.protocol === "modbus" ? [String(l.id)] : [])),
  );
  const terminated = await terminations(flags.opcuaPki, shared.bundle.plant);
  const listeners = link.map((id, i) => ({
    link: id,
    listen: endpoint(listen[i] ?? ""),
    upstream: endpoint(upstream[i] ?? ""),
    ...(modbusLinks.has(id) ? modbus : terminated(id)),
  }));
  await refuseMisfits(listeners, shared.bundle.plant);
  const { runSwitchFilter } = await import("#switch-filter/main.ts");
  const running = await runSwitchFilter({
    ...shared,
    ...deny,
    ...places,
    listeners,
    ...(await packetFilterOptions(flags)),
    ...(flags.localAddress === undefined ? {} : { localAddress: flags.localAddress }),
  });
  return reloading(running, flags);
}

/** @throws UsageError in one sentence */
async function refuseMisfits(listeners: readonly FilterListener[], plant: Plant): Promise<void> {
  const { listenerProblem } = await import("#switch-filter/listener-fits.ts");
  for (const listener of listeners) {
    const problem = listenerProblem(listener, plant);
    if (problem !== undefined) throw new UsageError(problem);
  }
}

interface PlaceFlags {
  readonly maxConnections?: string;
  readonly maxConnectionsPerSource?: string;
}

/** @throws UsageError in one sentence */
async function placeLimits({ maxConnections, maxConnectionsPerSource }: PlaceFlags) {
  const { readPlaceLimits } = await import("#switch-filter/connection-places.ts");
  try {
    return { places: readPlaceLimits(maxConnections, maxConnectionsPerSource) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Who the filter is, and whom it believes, on each OPC UA link. @throws UsageError in one sentence */
async function terminations(folder: string | undefined, { links }: Plant) {
  const { loadTermination } = await import("#switch-filter/opcua-identity.ts");
  return (id: string) => {
    const link = links.find((candidate) => candidate.id === id && candidate.protocol === "opcua");
    if (folder === undefined || link === undefined) return {};
    try {
      return { termination: loadTermination(folder, link.server) };
    } catch (error) {
      throw new UsageError(`--opcua-pki: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

/** @throws UsageError in one sentence */
async function packetFilterOptions(flags: { readonly packetFilter?: string; readonly pair?: string }) {
  if (flags.packetFilter === undefined) {
    if (flags.pair !== undefined) throw new UsageError("--pair needs --packet-filter");
    return {};
  }
  const { loadPacketSite } = await import("#switch-filter/packet-filter/site.ts");
  const { loadPair } = await import("#switch-filter/packet-filter/pair-file.ts");
  try {
    const pair = flags.pair === undefined ? {} : { pair: loadPair(flags.pair) };
    return { packetFilter: { site: loadPacketSite(flags.packetFilter), ...pair } };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

interface ModbusFlags {
  readonly deny?: string;
  readonly framing: string;
  readonly tlsClients?: string;
  readonly tlsRoles?: string;
  readonly tlsServer?: string;
}

/** @throws UsageError in one sentence */
async function modbusOptions({ deny, framing, tlsClients, tlsRoles, tlsServer }: ModbusFlags) {
  const { readDenyActions } = await import("#switch-filter/actions.ts");
  const { readFraming } = await import("#switch-filter/modbus-framing.ts");
  const { readIdentity } = await import("#switch-filter/tls-files.ts");
  if (tlsRoles !== undefined && tlsClients === undefined) throw new UsageError("--tls-roles needs --tls-clients");
  try {
    const roles = tlsRoles === undefined ? {} : { roles: tlsRoles.split(",") };
    const clients = tlsClients === undefined ? {} : { clients: { ...readIdentity(tlsClients), ...roles } };
    const server = tlsServer === undefined ? {} : { server: readIdentity(tlsServer) };
    return {
      modbus: { framing: readFraming(framing), tls: { ...clients, ...server } },
      deny: deny === undefined ? {} : { deny: readDenyActions(deny) },
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
