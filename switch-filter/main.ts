import type { PlantClock } from "#point/clock.ts";
import type { Endpoint } from "#point/endpoint.ts";
import type { Party } from "#point/observe/modbus.ts";
import { ModbusImage } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { UaTags } from "#point/observe/opcua.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { Point } from "#point/point.ts";
import { TokenBucket } from "#point/token-bucket.ts";
import { deviceAt, linkOf } from "#specs/addresses.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { PhaseId } from "#specs/ids.ts";
import type { Link, Mode } from "#specs/plant.ts";
import type { DenyActions } from "./actions.ts";
import { type FramingName, framingOf } from "./modbus-framing.ts";
import { ModbusSession } from "./modbus-session.ts";
import { ModbusWatch } from "./modbus-watch.ts";
import type { UaTermination } from "./opcua-identity.ts";
import { UaSession } from "./opcua-session.ts";
import { Gateway } from "./packet-filter/gateway.ts";
import { nftCommand } from "./packet-filter/nft.ts";
import type { PairSettings } from "./packet-filter/pair-file.ts";
import type { PacketSite } from "./packet-filter/site.ts";
import { aliasesOf } from "./packet-filter/wiring.ts";
import { Relay } from "./relay.ts";
import type { RelayOptions } from "./relay-options.ts";
import type { Session, SessionOutput } from "./session.ts";
import type { LinkTls } from "./tls.ts";

/** One listener: it stands in front of the server of `link`, for every client of that server over the same protocol. */
export interface FilterListener {
  readonly link: string;
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
  /** Modbus only: how frames lie in the stream, on both sides. Default `mbap`. */
  readonly framing?: FramingName;
  /** OPC UA only: secured channels end here, and go on to the server as others. Default: they go through from end to end. */
  readonly termination?: UaTermination;
  /** Modbus/TCP Security: TLS towards the clients, the server, or both. Default: neither. */
  readonly tls?: LinkTls;
}

export interface SwitchFilterOptions {
  readonly point?: string;
  readonly bundle: Bundle;
  readonly listeners: readonly FilterListener[];
  /** Own address towards the servers. */
  readonly localAddress?: string;
  /**
   * Clients' connections to the servers are led here by the packet filter: client address → own address that is translated back to
   * the client's on the way to the server. Clients go on knowing the servers by their own addresses.
   */
  readonly from?: ReadonlyMap<string, string>;
  /** Keeps the packet filter of this host in step with the phase, and hands the links over where there are two filters. */
  readonly packetFilter?: { readonly site: PacketSite; readonly pair?: PairSettings };
  readonly mode: Mode;
  /** What a denied Modbus request is answered with. */
  readonly deny?: DenyActions;
  readonly clock: PlantClock;
  readonly bus?: { readonly url: string; readonly password?: string };
  readonly standalonePhase?: PhaseId;
  readonly runDir?: string;
}

export interface RunningFilter {
  close(): Promise<void>;
}

/** Real ms that the close of a round waits for answers that are still under way. */
const SETTLE_MS = 300;
/** Notices about refused connections and lost servers, per second. */
const NOTICES_PER_SECOND = 5;

/** The inline filter: comes back on its persisted phase first, and only then listens. */
export async function runSwitchFilter(options: SwitchFilterOptions): Promise<RunningFilter> {
  const point = new Point({ ...options, point: options.point ?? "switch-filter", layer: "switch" });
  await point.start();
  const gateway = await openGateway(options, point);
  const aliases = options.packetFilter && aliasesOf(options.bundle.plant, options.packetFilter.site);
  const from = options.from ?? aliases;
  const led = from === undefined ? options : { ...options, from };
  const relays = options.listeners.map((listener) => new Relay(relayOptions(led, point, listener)));
  point.setJudgedUpTo(() =>
    Math.min(options.clock.now(), ...relays.map((r) => (r.unsettledSinceMs ?? Number.POSITIVE_INFINITY) - 1)),
  );
  options.clock.on("close", async (_tick, atMs) => {
    await settled(relays, atMs);
    point.publishStatus();
  });
  try {
    for (const relay of relays) await relay.listen();
    await gateway?.start();
  } catch (error) {
    await gateway?.close().catch(() => undefined);
    await Promise.all(relays.map((relay) => relay.close().catch(() => undefined)));
    await point.close();
    throw error;
  }
  return {
    close: async () => {
      await gateway?.close();
      await Promise.all(relays.map((relay) => relay.close()));
      await point.close();
    },
  };
}

/** Before anything listens: links that lead past the filter must not be open while it starts. */
async function openGateway({ packetFilter, bundle }: SwitchFilterOptions, point: Point): Promise<Gateway | undefined> {
  if (packetFilter === undefined) return undefined;
  const { site, pair } = packetFilter;
  return Gateway.open({
    plan: { plant: bundle.plant, flows: bundle.projections.flows, site },
    nft: nftCommand(),
    ...(pair === undefined ? {} : { pair }),
    held: () => (point.phase === null ? null : { phase: point.phase, epoch: point.epoch ?? 0 }),
    say: (says) => point.notice({ code: "INTERNAL", severity: "info", locus: [], source: "", target: "", says }),
  });
}

async function settled(relays: readonly Relay[], atMs: number): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while (relays.some((r) => (r.unsettledSinceMs ?? Number.POSITIVE_INFINITY) <= atMs) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function relayOptions(options: SwitchFilterOptions, point: Point, listener: FilterListener): RelayOptions {
  const link = linkNamed(options.bundle, listener.link);
  const notices = new TokenBucket(NOTICES_PER_SECOND, NOTICES_PER_SECOND);
  let reachable = true;
  return {
    listen: listener.listen,
    upstream: listener.upstream,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.mode === "off" ? {} : { session: sessionFactory(options, point, listener, link) }),
    ...(listener.tls === undefined ? {} : { tls: listener.tls }),
    onUntrusted: (client, says) => {
      if (!notices.take(performance.now())) return;
      point.notice({
        code: "SOURCE_FORBIDS",
        severity: "detection",
        locus: [],
        source: client,
        target: link.server,
        says: `${client}: ${says}; it was not let in`,
      });
    },
    onRefused: (client, says) => {
      if (!notices.take(performance.now())) return;
      point.notice({
        code: "CONNECTION_LIMIT",
        severity: "detection",
        locus: [],
        source: client,
        target: link.server,
        says,
      });
    },
    onFault: (client, says) => {
      if (!notices.take(performance.now())) return;
      point.notice({ code: "INTERNAL", severity: "info", locus: [], source: client, target: link.server, says });
    },
    onUpstream: (now, says) => {
      if (now === reachable) return;
      reachable = now;
      point.notice({
        code: now ? "PLC_BACK" : "PLC_SILENT",
        severity: "info",
        locus: [],
        source: link.server,
        target: "",
        says: now
          ? `${link.server} answers again over ${link.protocol}`
          : `${link.server} cannot be reached over ${link.protocol} (${says})`,
      });
    },
  };
}

function sessionFactory(
  options: SwitchFilterOptions,
  point: Point,
  listener: FilterListener,
  link: Link,
): NonNullable<RelayOptions["session"]> {
  const { plant } = options.bundle;
  const party = (client: { readonly address: string; readonly port: number; readonly role?: string }): Party => {
    const source = deviceAt(plant, client.address, client.port)?.id;
    const as = client.role === undefined ? "" : `${client.role}@`;
    return {
      source,
      sourceAddress: `${as}${client.address}:${client.port}`,
      target: link.server,
      link: source === undefined ? undefined : linkOf(plant, source, link.server, link.protocol)?.id,
    };
  };
  const session = sessionOf(options, point, listener, link);
  return (client, output) => {
    const from = party(client);
    const mode = plant.links.find(({ id }) => id === from.link)?.mode;
    // A link that is off passes unseen. Whoever has no link here is judged.
    return mode === "off" ? undefined : session(from, output);
  };
}

function sessionOf(
  { bundle: { plant }, deny, from }: SwitchFilterOptions,
  point: Point,
  listener: FilterListener,
  link: Link,
): (party: Party, output: SessionOutput) => Session {
  if (link.protocol === "modbus") {
    const tags = new ModbusTags(plant, link.server);
    const framing = framingOf(listener.framing ?? "mbap", tags);
    const how = { framing, image: new ModbusImage(tags), ...(deny === undefined ? {} : { actions: deny }) };
    return (party, output) =>
      point.enforces(party.link)
        ? new ModbusSession(point, tags, party, output, how)
        : new ModbusWatch(point, tags, party, output, how);
  }
  const names = new UaNames(new UaTags(plant, link.server));
  const urls = {
    filter: url(from === undefined ? listener.listen : listener.upstream),
    server: url(listener.upstream),
  };
  const { termination } = listener;
  const server =
    termination === undefined
      ? { names, urls }
      : { names, urls, termination: { with: termination, sessions: new Map() } };
  return (party, output) => new UaSession(point, server, party, output);
}

function url({ host, port }: Endpoint): string {
  return `opc.tcp://${host}:${port}`;
}

function linkNamed(bundle: Bundle, name: string): Link {
  const link = bundle.plant.links.find((l) => l.id === name);
  if (link !== undefined) return link;
  const known = bundle.plant.links.map((l) => l.id).join(", ");
  throw new Error(`link \`${name}\` is not in plant \`${bundle.plant.id}\`; it has ${known}`);
}
