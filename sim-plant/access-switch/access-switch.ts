import { createServer, type Server, type Socket } from "node:net";
import type { PlantClock } from "#point/clock.ts";
import type { AddressPlan, Endpoint, PortRange } from "../address-plan.ts";
import { Conversation } from "./conversation.ts";
import { dialFrom, isSourceError, type Source } from "./dial-from.ts";
import { type MirrorCounts, MirrorPort, mirrorMac } from "./mirror-port.ts";
import { type PatchPanel, PatchPort } from "./patch-port.ts";
import { Relay, type Tap } from "./relay.ts";

interface AccessListener {
  /** Name of the cable, by which the patch panel knows it. */
  readonly link: string;
  /** Where operators connect to. */
  readonly listen: Endpoint;
  /** The server's network address, also as the mirror shows it. */
  readonly uplink: Endpoint;
}

export interface AccessSwitchOptions {
  readonly listeners: readonly AccessListener[];
  readonly mirror: Endpoint;
  readonly patch: Endpoint;
  readonly clock: PlantClock;
  /** Where one address serves everybody: the ports by which the uplink is dialled. */
  readonly sourcePorts?: PortRange;
  /** Bytes that may wait for one mirror reader. */
  readonly maxReaderBytes?: number;
  readonly log?: (says: string) => void;
}

export interface AccessSwitch {
  readonly counts: MirrorCounts;
  close(): Promise<void>;
}

const MAX_CONNECTIONS_PER_LISTENER = 64;

/** The listeners, mirror and patch panel of an address plan. */
export function accessSwitchOf(plan: AddressPlan): Omit<AccessSwitchOptions, "clock" | "log"> {
  return {
    listeners: [
      { link: "plc-1-modbus", listen: plan.access.plc1, uplink: plan.filter.plc1 },
      { link: "plc-2-modbus", listen: plan.access.plc2, uplink: plan.filter.plc2 },
      { link: "plc-2-opcua", listen: plan.access.plc2Ua, uplink: plan.filter.plc2Ua },
    ],
    mirror: plan.mirror,
    patch: plan.patch,
    ...(plan.sourcePorts === undefined ? {} : { sourcePorts: plan.sourcePorts.hmi }),
  };
}

/** Runs the access switch on the operator's side of the plant network. @throws Error when an address cannot be listened on */
export async function runAccessSwitch(options: AccessSwitchOptions): Promise<AccessSwitch> {
  const log = options.log ?? (() => undefined);
  const mirror = new MirrorPort({
    mac: mirrorMac(options.mirror),
    log,
    ...(options.maxReaderBytes === undefined ? {} : { maxReaderBytes: options.maxReaderBytes }),
  });
  const shared: Shared = { mirror, clock: options.clock, sourcePorts: options.sourcePorts, log, opened: 0 };
  const cables = new Map(options.listeners.map((listener) => [listener.link, new Cable(listener, shared)]));
  const panel: PatchPanel = {
    patch: (link, via) => {
      cables.get(link)?.patch(via);
      return cables.has(link);
    },
  };
  const patchPort = new PatchPort(panel);
  const closers = [...cables.values()].map((cable) => () => cable.close());
  const close = async (): Promise<void> => {
    await Promise.all([...closers.map((end) => end()), mirror.close(), patchPort.close()]);
  };
  try {
    await listen(mirror.server, options.mirror, "mirror");
    await listen(patchPort.server, options.patch, "patch");
    for (const cable of cables.values()) await listen(cable.server, cable.listener.listen, cable.listener.link);
  } catch (error) {
    await close();
    throw error;
  }
  options.clock.on("close", (_tick, atMs) => mirror.announce(atMs));
  return {
    get counts() {
      return mirror.counts;
    },
    close,
  };
}

interface Shared {
  readonly mirror: MirrorPort;
  readonly clock: PlantClock;
  readonly sourcePorts: PortRange | undefined;
  readonly log: (says: string) => void;
  /** Connections so far; each gives its conversation other sequence numbers. */
  opened: number;
}

/** One listener with its uplink, and what may have been patched in between. */
class Cable {
  readonly listener: AccessListener;
  readonly server: Server;
  readonly #shared: Shared;
  readonly #relays = new Set<Relay>();
  #via: Endpoint | undefined;
  #closed = false;

  constructor(listener: AccessListener, shared: Shared) {
    this.listener = listener;
    this.#shared = shared;
    this.server = createServer(
      { noDelay: true, allowHalfOpen: true, pauseOnConnect: true },
      (socket) => void this.#open(socket),
    );
    this.server.maxConnections = MAX_CONNECTIONS_PER_LISTENER;
  }

  /** Pulling a cable ends the connections on it; clients connect again, over the new way. */
  patch(via: Endpoint | undefined): void {
    this.#via = via;
    for (const relay of this.#relays) relay.cut();
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const relay of this.#relays) relay.cut();
    return closeServer(this.server);
  }

  async #open(client: Socket): Promise<void> {
    const { mirror, clock, log } = this.#shared;
    const { uplink, link } = this.listener;
    const source = { host: client.remoteAddress ?? "0.0.0.0", port: client.remotePort ?? 0 };
    this.#shared.opened += 1;
    const conversation = new Conversation(source, uplink, this.#shared.opened);
    client.on("error", () => client.destroy());
    const way = this.#via;
    const far = await this.#dial(way ?? uplink, source.host).catch((error: unknown) => {
      log(`${link}: ${source.host} cannot be carried to ${uplink.host}:${uplink.port} (${says(error)})`);
      return undefined;
    });
    if (far === undefined || this.#closed || client.destroyed || way !== this.#via) {
      far?.resetAndDestroy();
      mirror.send(clock.now(), conversation.refused());
      client.resetAndDestroy();
      return;
    }
    mirror.send(clock.now(), conversation.open());
    const tap: Tap = {
      data: (from, bytes) => mirror.send(clock.now(), conversation.data(from, bytes)),
      end: (from) => mirror.send(clock.now(), conversation.end(from)),
      reset: (from) => mirror.send(clock.now(), conversation.reset(from)),
    };
    const relay = new Relay(client, far, tap);
    this.#relays.add(relay);
    client.on("close", () => this.#relays.delete(relay));
    client.resume();
  }

  /** A switch does not change who speaks: the uplink sees the client's own address where this machine can take it. */
  async #dial(target: Endpoint, address: string): Promise<Socket> {
    const { sourcePorts, log } = this.#shared;
    const source: Source = { address, ...(sourcePorts === undefined ? {} : { ports: sourcePorts }) };
    try {
      return await dialFrom(target, source);
    } catch (error) {
      if (!isSourceError(error)) throw error;
      log(
        `${this.listener.link}: source address ${address} cannot be kept (${says(error)}); the uplink sees another one`,
      );
      return dialFrom(target, undefined);
    }
  }
}

function listen(server: Server, at: Endpoint, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new Error(
          `${name} of the access switch cannot listen on ${at.host}:${at.port} (${error.message}); choose a free address`,
        ),
      );
    });
    server.listen(at.port, at.host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function says(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
