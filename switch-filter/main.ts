import type { PlantFollower, TakesBundles } from "#point/bundle-change.ts";
import type { PlantClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { TokenBucket } from "#point/token-bucket.ts";
import { deviceAt } from "#specs/addresses.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { DeviceId, PhaseId } from "#specs/ids.ts";
import type { Link, Mode } from "#specs/plant.ts";
import { ok } from "#specs/result.ts";
import type { DenyActions } from "./actions.ts";
import type { PlaceLimits } from "./connection-places.ts";
import type { FilterListener } from "./listener.ts";
import { listenerProblem } from "./listener-fits.ts";
import { ListenerSessions, type ListenerSessionsOptions } from "./listener-sessions.ts";
import { Gateway } from "./packet-filter/gateway.ts";
import { nftCommand } from "./packet-filter/nft.ts";
import type { PairSettings } from "./packet-filter/pair-file.ts";
import type { PacketSite } from "./packet-filter/site.ts";
import { aliasesOf } from "./packet-filter/wiring.ts";
import { Relay } from "./relay.ts";
import type { RelayOptions } from "./relay-options.ts";

export type { FilterListener } from "./listener.ts";

export interface SwitchFilterOptions {
  readonly point?: string;
  /** Whose rules are enforced; default `switch`. The operator station's own are those of `hmi`. */
  readonly layer?: Layer;
  /** Every client is this device, whatever its address: the listeners are on that device, and only it can reach them. */
  readonly station?: DeviceId;
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
  /** Connections on each listener. Default: `DEFAULT_PLACE_LIMITS`. */
  readonly places?: PlaceLimits;
  readonly mode: Mode;
  /** What a denied Modbus request is answered with. */
  readonly deny?: DenyActions;
  readonly clock: PlantClock;
  readonly bus?: { readonly url: string; readonly password?: string };
  readonly standalonePhase?: PhaseId;
  readonly runDir?: string;
}

export interface RunningFilter extends TakesBundles {
  close(): Promise<void>;
}

/** Real ms that the close of a round waits for answers that are still under way. */
const SETTLE_MS = 300;
/** Of one client's bytes, before others have their turn: some five small Modbus requests, some forty of OPC UA. */
const TURN_BYTES = { modbus: 64, opcua: 4096 } as const;
/** Notices about refused connections and lost servers, per second. */
const NOTICES_PER_SECOND = 5;

/**
 * The inline filter: comes back on its persisted phase first, and only then listens.
 * @throws Error in one sentence when a listener cannot serve its link as the plant declares it
 */
export async function runSwitchFilter(options: SwitchFilterOptions): Promise<RunningFilter> {
  for (const listener of options.listeners) {
    const problem = listenerProblem({ ...listener, station: options.station }, options.bundle.plant);
    if (problem !== undefined) throw new Error(problem);
  }
  const point = new Point({ ...options, point: options.point ?? "switch-filter", layer: options.layer ?? "switch" });
  await point.start();
  const gateway = await openGateway(options, point);
  const aliases = options.packetFilter && new Map(aliasesOf(options.bundle.plant, options.packetFilter.site));
  const from = options.from ?? aliases;
  const led = from === undefined ? options : { ...options, from };
  const fronts = options.listeners.map((listener) => openFront(led, point, listener));
  const relays = fronts.map(({ relay }) => relay);
  point.setFollower(followPlant(options, fronts, gateway, aliases));
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
    takeBundle: (open) => point.takeBundle(open),
    close: async () => {
      await gateway?.close();
      await Promise.all(relays.map((relay) => relay.close()));
      await point.close();
    },
  };
}

/** One listener, and the sessions of those who connect to it. */
interface Front {
  readonly relay: Relay;
  readonly sessions: ListenerSessions;
}

function openFront(options: SwitchFilterOptions, point: Point, listener: FilterListener): Front {
  const { bundle, deny, from, station } = options;
  const link = linkNamed(bundle, listener.link);
  const about = {
    ...{ listener, link, isLedHere: from !== undefined },
    ...(deny === undefined ? {} : { deny }),
    ...(station === undefined ? {} : { station }),
  };
  const sessions = new ListenerSessions(point, about);
  return { sessions, relay: new Relay(relayOptions(options, point, about, sessions)) };
}

/** Everything here that goes by the plant goes by the next one at once, or none of it does. */
function followPlant(
  { packetFilter }: SwitchFilterOptions,
  fronts: readonly Front[],
  gateway: Gateway | undefined,
  aliases: Map<string, string> | undefined,
): PlantFollower {
  return (bundle) => {
    const swaps: (() => void)[] = [];
    for (const { relay, sessions } of fronts) {
      const swap = sessions.prepare(bundle, () => relay.outputs);
      if (!swap.ok) return swap;
      swaps.push(swap.value);
    }
    if (packetFilter !== undefined && gateway !== undefined) {
      const { plant, projections } = bundle;
      const swap = gateway.prepare({ plant, flows: projections.flows, site: packetFilter.site });
      if (!swap.ok) return swap;
      const next = aliasesOf(plant, packetFilter.site);
      swaps.push(swap.value, () => {
        aliases?.clear();
        for (const [client, alias] of next) aliases?.set(client, alias);
      });
    }
    return ok(() => {
      for (const swap of swaps) swap();
    });
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

function relayOptions(
  options: SwitchFilterOptions,
  point: Point,
  { listener, link }: ListenerSessionsOptions,
  sessions: ListenerSessions,
): RelayOptions {
  const notices = new TokenBucket(NOTICES_PER_SECOND, NOTICES_PER_SECOND);
  let reachable = true;
  return {
    listen: listener.listen,
    upstream: listener.upstream,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.mode === "off" ? {} : { session: (client, output) => sessions.begin(client, output) }),
    ...(listener.tls === undefined ? {} : { tls: listener.tls }),
    ...(options.places === undefined ? {} : { places: options.places }),
    turnBytes: TURN_BYTES[link.protocol],
    deviceOf: (address, port) => options.station ?? deviceAt(point.bundle.plant, address, port)?.id,
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

function linkNamed(bundle: Bundle, name: string): Link {
  const link = bundle.plant.links.find((l) => l.id === name);
  if (link !== undefined) return link;
  const known = bundle.plant.links.map((l) => l.id).join(", ");
  throw new Error(`link \`${name}\` is not in plant \`${bundle.plant.id}\`; it has ${known}`);
}
