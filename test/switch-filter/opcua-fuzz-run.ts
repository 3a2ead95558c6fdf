import { UaNames } from "#point/observe/opcua-names.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import type { Judged } from "#point/point.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { LinkId } from "#specs/ids.ts";
import type { UaTermination } from "#switch-filter/opcua-identity.ts";
import { UaSession } from "#switch-filter/opcua-session.ts";
import type { UaServer } from "#switch-filter/opcua-way.ts";
import type { SessionOutput } from "#switch-filter/session.ts";
import { type PeerIdentity, type PeerSecurity, UaPeer } from "../../bench/switch-filter/opcua-peer.ts";
import { between, chance, type Draw, seededDraw } from "../support/random-plant-draw.ts";
import { CarelessAssembler, CarelessUaServer, type Deed } from "./opcua-careless-server.ts";
import { drawBody, drawChunks, drawPieces, meddled } from "./opcua-mutate.ts";
import { IN_FORCE, PLC, READER, uaPlant, WRITER } from "./opcua-plant.ts";
import { WatchedPoint } from "./watched-point.ts";

const { plant, bundle } = uaPlant({ writer: ["127.0.0.2"], reader: ["127.0.0.3"], plc: ["127.0.0.4"] });
const URLS = { filter: "opc.tcp://filter:4840", server: "opc.tcp://plc:4840" };
const tags = new UaTags(plant, PLC);

export interface UaFuzzCounts {
  streams: number;
  messages: number;
  /** What node-opcua's decoders make a request of, at the server. */
  executed: number;
  writes: number;
  calls: number;
  terminated: number;
  closed: number;
}

export const noUaCounts = (): UaFuzzCounts => ({
  streams: 0,
  messages: 0,
  executed: 0,
  writes: 0,
  calls: 0,
  terminated: 0,
  closed: 0,
});

/** Both ends of channels that end in the filter. */
export interface FuzzSecurity {
  readonly termination: UaTermination;
  readonly client: PeerSecurity;
  readonly server: PeerIdentity;
}

/** Client, session and server of one stream. */
class FuzzStream implements SessionOutput {
  readonly #point: WatchedPoint;
  readonly #counts: UaFuzzCounts;
  readonly #careless: CarelessUaServer;
  readonly #assembler = new CarelessAssembler();
  readonly #session: UaSession;
  readonly #client: UaPeer;
  readonly #server: UaPeer;
  readonly #toFilter: Buffer[] = [];
  readonly #answers: Buffer[] = [];
  isEnded = false;
  isOpen = false;

  constructor(point: WatchedPoint, counts: UaFuzzCounts, isWriter: boolean, security: FuzzSecurity | undefined) {
    this.#point = point;
    this.#counts = counts;
    this.#careless = new CarelessUaServer(isWriter);
    const source = isWriter ? WRITER : READER;
    const party = { source, sourceAddress: "127.0.0.2:1", target: PLC, link: LinkId(`${source}-plc1`) };
    const names = new UaNames(tags);
    const server: UaServer =
      security === undefined
        ? { names, urls: URLS }
        : { names, urls: URLS, termination: { with: security.termination, sessions: new Map() } };
    this.#session = new UaSession(point, server, party, this);
    this.#client = UaPeer.client((bytes) => void this.#toFilter.push(bytes), security?.client);
    this.#client.onOpen = () => {
      this.isOpen = true;
    };
    this.#server = UaPeer.server((bytes) => void this.#answers.push(bytes), security?.server);
    this.#server.onMessage = (requestId, body) => this.#execute(requestId, body);
  }

  open(): void {
    this.#client.hello(URLS.filter);
    this.#exchange((bytes) => [bytes]);
    if (!this.isOpen) throw new Error("the channel did not open");
  }

  /** Messages, mostly well-formed, in whatever pieces. */
  say(draw: Draw, messages: number): void {
    const { isSecured } = this.#client;
    for (let i = 0; i < messages; i += 1) {
      const chunks = drawChunks(draw, this.#client, between(draw, 2, 9) + 10 * i, drawBody(draw));
      for (const chunk of chunks) this.#client.sendChunk(chunk);
    }
    // What is changed behind the signature is another test: here it would end nearly every stream.
    const whole = Buffer.concat(this.#toFilter.splice(0));
    this.#toFilter.push(isSecured && !chance(draw, 10) ? whole : meddled(draw, whole));
    this.#exchange((bytes) => drawPieces(draw, bytes));
  }

  end(): void {
    this.#session.expire(60_000);
    this.#session.closed();
  }

  /** Back and forth until nothing is under way. */
  #exchange(piecesOf: (bytes: Buffer) => readonly Buffer[]): void {
    while (this.#toFilter.length + this.#answers.length > 0) {
      for (const bytes of this.#toFilter.splice(0))
        for (const piece of piecesOf(bytes)) this.#session.fromClient(piece, 0);
      for (const bytes of this.#answers.splice(0)) this.#session.fromServer(bytes, 0);
    }
  }

  toServer(bytes: Buffer): void {
    if (this.isEnded) throw new Error("bytes were forwarded after the end");
    if (this.#server.isSecured || bytes.toString("latin1", 0, 3) !== "MSG") return this.#server.take(bytes);
    const message = this.#assembler.take(bytes);
    if (message !== undefined) this.#execute(message.requestId, message.body);
  }

  toClient(bytes: Buffer): void {
    // Until the channel is open the client has to follow; later it does not care what it is told.
    if (!this.isOpen) this.#client.take(Buffer.from(bytes));
  }

  close(): void {
    this.isEnded = true;
  }

  #execute(requestId: number, body: Buffer): void {
    const judged = this.#point.judged;
    this.#point.judged = [];
    const taken = this.#careless.take(body);
    if (taken === undefined) {
      if (judged.some(isDenied)) throw new Error("what was denied was forwarded");
      return;
    }
    const { deed, answer } = taken;
    compare(deed, judged);
    this.#counts.executed += 1;
    if (deed.service === "Write") this.#counts.writes += deed.items.length;
    if (deed.service === "Call") this.#counts.calls += deed.items.length;
    this.#server.send(requestId, answer);
  }
}

const isDenied = ({ action, verdict }: Judged): boolean => action !== "forwarded" || verdict.verdict !== "allow";

/** What the server does is what was judged, is allowed by what was judged, and by the rules as the server knows them. */
function compare(deed: Deed, all: readonly Judged[]): void {
  const message = `${deed.service}Request`;
  // Requests that were denied since the last one that passed are judged as well, and are no part of this one.
  const judged = all.slice(all.findLastIndex((j) => isDenied(j) || j.observation.operation === "report") + 1);
  const about = judged.filter(({ observation }) => observation.message === message);
  if (about.length === 0) throw new Error(`the server does a ${message}, and none was judged and allowed`);
  const told = about.flatMap(({ observation }) =>
    observation.operation === "browse" ? [] : observation.items.flatMap((item) => inWords(deed, item)),
  );
  if (
    ["Write", "Call", "Read", "CreateMonitoredItems"].includes(deed.service) &&
    told.slice(-deed.items.length).join() !== deed.items.join()
  )
    throw new Error(`the server does ${message} ${deed.items.join()}, and judged was ${told.join()}`);
  if (!deed.allowed) throw new Error(`the server does ${message} ${deed.items.join()}, which no rule allows`);
}

function inWords(deed: Deed, { address, value }: Observation["items"][number]): readonly string[] {
  if (deed.service === "Write") return [`${address} = ${value}`];
  if (deed.service === "Call") return address.startsWith("argument") ? [`argument = ${value}`] : [];
  return [address];
}

const MESSAGES_OF_A_STREAM = 8;
/** Opening a secured channel takes as long as some hundred messages, so it is done seldom, and then much is said on it. */
const SECURED_PERCENT = 1;
const SECURED_ROUNDS = 40;

function runOne(draw: Draw, point: WatchedPoint, counts: UaFuzzCounts, security: FuzzSecurity | undefined): void {
  const secured = chance(draw, SECURED_PERCENT) ? security : undefined;
  const stream = new FuzzStream(point, counts, !chance(draw, 30), secured);
  stream.open();
  for (let i = secured === undefined ? 1 : SECURED_ROUNDS; i > 0 && !stream.isEnded; i -= 1) {
    const messages = between(draw, 1, secured === undefined ? MESSAGES_OF_A_STREAM : 1);
    stream.say(draw, messages);
    counts.messages += messages;
    if (secured !== undefined) counts.terminated += messages;
  }
  counts.streams += 1;
  if (stream.isEnded) counts.closed += 1;
  stream.end();
}

/** So many messages at least, or for so long, from this seed on. The seed of a stream that fails is named. */
export async function uaFuzz(
  seed: number,
  goesOn: () => boolean,
  counts: UaFuzzCounts,
  security?: FuzzSecurity,
): Promise<number> {
  const point = new WatchedPoint(bundle, IN_FORCE);
  await point.start();
  let next = seed;
  for (; goesOn(); next += 1) {
    point.judged = [];
    try {
      runOne(seededDraw(next), point, counts, security);
    } catch (error) {
      throw new Error(`seed ${next}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return next;
}
