import { timingSafeEqual } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesPublishPacket, type AuthenticateError, type Client } from "aedes";
import { PREFIX } from "#point/bus.ts";
import { limitPackets } from "./packet-limit.ts";

export interface BrokerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Password per point. undefined: no passwords, and then only loopback peers may connect. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Largest number of connected points. Default 64. */
  readonly maxConnections?: number;
  /** Largest MQTT packet in bytes; a larger one ends the connection before it is read. Default 256 KiB. */
  readonly maxPacketBytes?: number;
}

/** The bus as the coordinator sees it: its own publications do not pass a socket, and nobody else may make them. */
export interface Broker {
  readonly port: number;
  publish(topic: string, payload: object, retain?: boolean): void;
  /** Every message a point published on its own topics, with the point's authenticated name. */
  onMessage(handler: (point: string, channel: string, payload: unknown) => void): void;
  /** A point connected or its connection ended. */
  onPresence(handler: (point: string, present: boolean) => void): void;
  close(): Promise<void>;
}

export const MAX_CONNECTIONS = 64;
export const MAX_PACKET_BYTES = 256 * 1024;
const POINT_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const POINT_TOPIC = new RegExp(
  `^${PREFIX.replaceAll("/", "\\/")}\\/point\\/([^/]+)\\/(status|receipt|notice|tags|answer)$`,
);
/** MQTT 3.1.1 §3.2.2.3: bad user name or password, not authorised. */
const BAD_CREDENTIALS = 4;
const NOT_AUTHORISED = 5;

export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const handlers: ((point: string, channel: string, payload: unknown) => void)[] = [];
  const presence: ((point: string, present: boolean) => void)[] = [];
  const names = new WeakMap<Client, string>();
  const aedes = await Aedes.createBroker({
    concurrency: 1000,
    drainTimeout: 5000,
    connectTimeout: 5000,
    maxClientsIdLength: 64,
    authenticate: (client, username, password, done) => {
      const refusal = refuse(options.secrets, username, password, remoteAddress(client));
      if (refusal !== undefined) return done(refusal, false);
      if (username !== undefined) names.set(client, username);
      done(null, true);
    },
    authorizePublish: (client, packet, done) => {
      // `client` is null for the coordinator's own messages only.
      if (client === null) return done(null);
      const point = pointOf(packet.topic);
      if (point === undefined || point !== names.get(client)) {
        return done(new Error(`\`${names.get(client) ?? "?"}\` may not publish \`${packet.topic.slice(0, 100)}\``));
      }
      done(null);
    },
    authorizeSubscribe: (_client, subscription, done) => {
      done(null, subscription.topic.startsWith(`${PREFIX}/`) ? subscription : null);
    },
  });
  aedes.on("client", (client) => tell(presence, names.get(client) ?? client.id, true));
  aedes.on("clientDisconnect", (client) => tell(presence, names.get(client) ?? client.id, false));
  // A broken or refused connection is the peer's business; points reconnect by themselves.
  aedes.on("clientError", () => undefined);
  aedes.on("connectionError", () => undefined);
  await subscribeAll(aedes, handlers);
  const server = createServer((socket) => accept(socket, aedes, options));
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  const port = await listen(server, options.host, options.port);
  return {
    port,
    publish: (topic, payload, retain = false) => {
      const packet = {
        cmd: "publish",
        topic,
        payload: Buffer.from(JSON.stringify(payload)),
        qos: 0,
        retain,
        dup: false,
      } as const;
      aedes.publish(packet, () => undefined);
    },
    onMessage: (handler) => void handlers.push(handler),
    onPresence: (handler) => void presence.push(handler),
    close: () => closeAll(aedes, server),
  };
}

function subscribeAll(
  aedes: Aedes,
  handlers: readonly ((point: string, channel: string, payload: unknown) => void)[],
): Promise<void> {
  const deliver = (packet: AedesPublishPacket, next: () => void): void => {
    const match = POINT_TOPIC.exec(packet.topic);
    const payload = parse(packet.payload);
    if (match?.[1] !== undefined && match[2] !== undefined && payload !== undefined) {
      for (const handler of handlers) handler(match[1], match[2], payload);
    }
    next();
  };
  return new Promise((resolve) => aedes.subscribe(`${PREFIX}/point/#`, deliver, () => resolve()));
}

function accept(socket: Socket, aedes: Aedes, options: BrokerOptions): void {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  if (options.secrets === undefined && !isLoopback(socket.remoteAddress)) {
    socket.destroy();
    return;
  }
  aedes.handle(limitPackets(socket, options.maxPacketBytes ?? MAX_PACKET_BYTES));
}

function refuse(
  secrets: ReadonlyMap<string, string> | undefined,
  username: string | undefined,
  password: Buffer | undefined,
  peer: string | undefined,
): AuthenticateError | undefined {
  if (username === undefined || !POINT_NAME.test(username)) {
    return refusal("the user name must be the name of the point", BAD_CREDENTIALS);
  }
  if (secrets === undefined) {
    return isLoopback(peer) ? undefined : refusal("without passwords only this machine may connect", NOT_AUTHORISED);
  }
  const secret = secrets.get(username);
  if (secret === undefined || password === undefined || !same(Buffer.from(secret), password)) {
    return refusal("user name and password do not fit", BAD_CREDENTIALS);
  }
  return undefined;
}

function refusal(says: string, returnCode: 4 | 5): AuthenticateError {
  return Object.assign(new Error(says), { returnCode });
}

function same(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function remoteAddress(client: Client): string | undefined {
  return "remoteAddress" in client.conn ? client.conn.remoteAddress : undefined;
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || /^(::ffff:)?127\./.test(address));
}

function pointOf(topic: string): string | undefined {
  return POINT_TOPIC.exec(topic)?.[1];
}

function parse(payload: Buffer | string): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}

function tell(handlers: readonly ((point: string, present: boolean) => void)[], point: string, present: boolean): void {
  for (const handler of handlers) handler(point, present);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Error(`the bus cannot listen on ${host}:${port} (${error.message}); free the port or name another`));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(isAddress(address) ? address.port : port);
    });
  });
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}

function closeAll(aedes: Aedes, server: Server): Promise<void> {
  return new Promise((resolve) => {
    aedes.close(() => {
      server.close(() => resolve());
    });
  });
}
