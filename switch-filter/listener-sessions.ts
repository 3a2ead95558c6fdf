import type { Party } from "#point/observe/modbus.ts";
import { ModbusImage } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import type { Point } from "#point/point.ts";
import { deviceAt, linkOf } from "#specs/addresses.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { DeviceId } from "#specs/ids.ts";
import type { Link, Plant } from "#specs/plant.ts";
import { err, ok, type Result } from "#specs/result.ts";
import type { DenyActions } from "./actions.ts";
import type { FilterListener } from "./listener.ts";
import { listenerProblem, listenerWarning } from "./listener-fits.ts";
import { framingOf } from "./modbus-framing.ts";
import { ModbusSession } from "./modbus-session.ts";
import { ModbusWatch } from "./modbus-watch.ts";
import { UaSession } from "./opcua-session.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Who connects, as the relay knows it. */
interface Client {
  readonly address: string;
  readonly port: number;
  /** From the client's certificate, where there is one. */
  readonly role?: string;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A connection, and how far what passes on it is held to rules. */
interface Connection {
  readonly client: Client;
  readonly party: Writable<Party>;
  /** Something passes here that nothing could hold back: it must end where rules are to be enforced. */
  readonly passesFreely: () => boolean;
}

export interface ListenerSessionsOptions {
  readonly listener: FilterListener;
  readonly link: Link;
  readonly deny?: DenyActions;
  /** The clients know the server by the server's own address: the packet filter leads them here. */
  readonly isLedHere: boolean;
  /** Every client is this device. Absent: each is the one that has its address. */
  readonly station?: DeviceId;
}

/**
 * The sessions of one listener, and what they have made from the plant: its server's tags, and who each client is.
 *
 * INVARIANT (one holder): a connection keeps its party, and all connections their tags, image and names, for as long as they live, and ask
 * them for each message. Another bundle changes them in here, between two messages, and no connection ends for it that was held to rules.
 */
export class ListenerSessions {
  readonly #point: Point;
  readonly #link: Link;
  readonly #listener: FilterListener;
  readonly #station: DeviceId | undefined;
  readonly #make: (party: Party, output: SessionOutput) => Pick<Connection, "passesFreely"> & { session: Session };
  readonly #followPlant: (plant: Plant) => void;
  /** By the pair of sockets that a connection is; gone with it. */
  readonly #connections = new WeakMap<SessionOutput, Connection>();

  constructor(point: Point, options: ListenerSessionsOptions) {
    this.#point = point;
    this.#link = options.link;
    this.#listener = options.listener;
    this.#station = options.station;
    const made = options.link.protocol === "modbus" ? modbusSessions(point, options) : uaSessions(point, options);
    this.#make = made.make;
    this.#followPlant = made.follow;
  }

  /** undefined: its link is off, and bytes pass unseen. Whoever has no link here is judged. */
  begin(client: Client, output: SessionOutput): Session | undefined {
    const party = this.#partyOf(client);
    if (isOff(this.#point, party)) {
      this.#connections.set(output, { client, party, passesFreely: () => true });
      return undefined;
    }
    const { session, passesFreely } = this.#make(party, output);
    this.#connections.set(output, { client, party, passesFreely });
    return session;
  }

  /** @param live the connections there are; see `PlantFollower` */
  prepare({ plant }: Bundle, live: () => Iterable<SessionOutput>): Result<() => void, string> {
    const { id, server, protocol } = this.#link;
    const link = plant.links.find((candidate) => candidate.id === id);
    if (link === undefined) return err(`link \`${id}\`, on which this filter listens, is not in the bundle`);
    if (link.protocol !== protocol) return err(`link \`${id}\` is ${link.protocol} in the bundle, and was ${protocol}`);
    if (link.server !== server)
      return err(
        `link \`${id}\` leads to \`${link.server}\` in the bundle, and this filter stands before \`${server}\``,
      );
    const problem = listenerProblem({ ...this.#listener, station: this.#station }, plant);
    if (problem !== undefined) return err(problem);
    return ok(() => {
      this.#followPlant(plant);
      for (const output of live()) this.#follow(output);
    });
  }

  #follow(output: SessionOutput): void {
    const connection = this.#connections.get(output);
    if (connection === undefined) return;
    const { source: now, link } = this.#partyOf(connection.client);
    connection.party.source = now;
    connection.party.link = link;
    if (!connection.passesFreely() || isOff(this.#point, connection.party)) return;
    const { source, sourceAddress, target } = connection.party;
    const says = `${sourceAddress}: its link's mode or way is stricter now, and nothing could be held back on this connection; it was ended`;
    this.#point.notice({
      code: "INTERNAL",
      severity: "info",
      locus: [],
      source: source ?? sourceAddress,
      target,
      says,
    });
    output.close(says);
  }

  #partyOf({ address, port, role }: Client): Writable<Party> {
    const { plant } = this.#point.bundle;
    const { server, protocol } = this.#link;
    const source = this.#station ?? deviceAt(plant, address, port)?.id;
    const as = role === undefined ? "" : `${role}@`;
    return {
      source,
      sourceAddress: `${as}${address}:${port}`,
      target: server,
      link: source === undefined ? undefined : linkOf(plant, source, server, protocol)?.id,
      role,
    };
  }
}

function isOff(point: Point, party: Party): boolean {
  return linkHeld(point, party)?.mode === "off";
}

function linkHeld(point: Point, { link }: Party): Link | undefined {
  return link === undefined ? undefined : point.tables.links.get(link);
}

function modbusSessions(point: Point, { listener, link, deny }: ListenerSessionsOptions) {
  const tags = new ModbusTags(point.bundle.plant, link.server);
  const image = new ModbusImage(tags);
  const framing = framingOf(listener.framing ?? "mbap", tags);
  const how = { framing, image, ...(deny === undefined ? {} : { actions: deny }) };
  return {
    make: (party: Party, output: SessionOutput) =>
      point.enforces(party.link)
        ? { session: new ModbusSession(point, tags, party, output, how), passesFreely: () => false }
        : {
            session: new ModbusWatch(point, tags, party, output, how),
            passesFreely: () => point.enforces(party.link),
          },
    follow: (plant: Plant) => {
      tags.take(plant);
      image.take(tags);
    },
  };
}

function uaSessions(point: Point, { listener, link, isLedHere, station }: ListenerSessionsOptions) {
  const names = new UaNames(new UaTags(point.bundle.plant, link.server));
  const urls = { filter: url(isLedHere ? listener.upstream : listener.listen), server: url(listener.upstream) };
  const { termination } = listener;
  const server =
    termination === undefined
      ? { names, urls }
      : { names, urls, termination: { with: termination, sessions: new Map() } };
  warn(point, { ...listener, station });
  return {
    make: (party: Party, output: SessionOutput) => {
      const session = new UaSession(point, server, party, output);
      const passesFreely = (): boolean => {
        if (!point.enforces(party.link)) return false;
        const { opaque = false, way = session.way } = linkHeld(point, party) ?? {};
        return (session.passesUnseen && !opaque) || (session.way !== undefined && session.way !== way);
      };
      return { session, passesFreely };
    },
    follow: (plant: Plant) => names.take(plant),
  };
}

/** For whoever starts it, and not a notice: how a listener is set up is nothing that was detected. */
function warn(point: Point, listener: Parameters<typeof listenerWarning>[0]): void {
  const says = listenerWarning(listener, point.bundle.plant);
  if (says !== undefined) process.stderr.write(`sekisho: ${says}\n`);
}

function url({ host, port }: FilterListener["listen"]): string {
  return `opc.tcp://${host}:${port}`;
}
