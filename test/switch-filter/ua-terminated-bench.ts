import { UaNames } from "#point/observe/opcua-names.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import { LinkId } from "#specs/ids.ts";
import type { UaTermination } from "#switch-filter/opcua-identity.ts";
import { UaSession } from "#switch-filter/opcua-session.ts";
import { encodeMessage } from "#wire/opcua/message-splitter.ts";
import type { SecuredMode } from "#wire/opcua/secured-chunk.ts";
import { type PeerIdentity, type PeerSecurity, UaPeer } from "../../bench/switch-filter/opcua-peer.ts";
import { CarelessUaServer } from "./opcua-careless-server.ts";
import type { FuzzSecurity } from "./opcua-fuzz-run.ts";
import { IN_FORCE, PLC, uaPlant, WRITER } from "./opcua-plant.ts";
import { type Recorded, recordingPoint } from "./recording-point.ts";

export const URLS = { filter: "opc.tcp://filter:4840", server: "opc.tcp://plc:4840" } as const;
const { plant, bundle } = uaPlant({ writer: ["127.0.0.2"], reader: ["127.0.0.3"], plc: ["127.0.0.4"] });

/** What has happened since somebody asked. */
export interface UaNews {
  readonly judged: readonly string[];
  readonly reached: readonly string[];
  readonly answers: readonly string[];
  readonly error: string | undefined;
}

/** A channel that ends in the filter, between two ends in memory. What reaches either end is kept, by what it says. */
export class UaTerminatedBench {
  readonly reached: string[] = [];
  readonly answers: string[] = [];
  /** Bodies of the answers. */
  readonly told: Buffer[] = [];
  /** What the server says to a request; nothing where that is undefined. */
  answerTo: (body: Buffer) => Buffer | undefined;
  readonly recorded: Recorded;
  readonly client: UaPeer;
  readonly session: UaSession;
  readonly #said: Buffer[] = [];
  readonly #answered: Buffer[] = [];
  error: string | undefined;

  private constructor(recorded: Recorded, termination: UaTermination, client: PeerSecurity, identity: PeerIdentity) {
    this.recorded = recorded;
    const careless = new CarelessUaServer(true);
    this.answerTo = (body) => careless.take(body)?.answer;
    const server = UaPeer.server((bytes) => void this.#answered.push(bytes), identity);
    server.onMessage = (requestId, body) => {
      this.reached.push(`${requestId} ${body.toString("hex")}`);
      const answer = this.answerTo(body);
      if (answer !== undefined) server.send(requestId, answer);
    };
    this.client = UaPeer.client((bytes) => void this.#said.push(bytes), client);
    this.client.onMessage = (requestId, body) => {
      this.answers.push(String(requestId));
      this.told.push(body);
    };
    this.client.onError = (says) => {
      this.error = says;
    };
    const party = { source: WRITER, sourceAddress: "127.0.0.2:1", target: PLC, link: LinkId("writer-plc1") };
    const names = new UaNames(new UaTags(plant, PLC));
    const shared = { names, urls: URLS, termination: { with: termination, sessions: new Map() } };
    this.session = new UaSession(recorded.point, shared, party, {
      toServer: (bytes) => server.take(Buffer.from(bytes)),
      toClient: (bytes) => this.client.take(Buffer.from(bytes)),
      close: () => undefined,
    });
  }

  /** With the channel open, unless the client is told an error. */
  static async open({ termination, client, server }: FuzzSecurity, mode: SecuredMode): Promise<UaTerminatedBench> {
    const recorded = await recordingPoint(bundle, "enforce", IN_FORCE);
    const bench = new UaTerminatedBench(recorded, termination, { ...client, mode }, server);
    bench.client.hello(URLS.filter);
    bench.exchange();
    return bench;
  }

  /** Puts a message on the channel, and does not send it yet. */
  say(requestId: number, body: Buffer, parts: number): void {
    const { channelId, tokenId } = this.client;
    const maxChunkBytes = 24 + Math.max(1, Math.ceil(body.length / parts));
    const message = encodeMessage({
      channelId,
      tokenId,
      sequenceNumber: 0,
      requestId,
      body,
      maxChunkBytes,
      maxChunkCount: 99,
    });
    if (!message.ok) throw new Error(message.error.code);
    for (const chunk of message.value.chunks) {
      chunk.writeUInt32LE(this.client.next(), 16);
      this.client.sendChunk(chunk);
    }
  }

  /** Sends what was said, in the pieces that it is cut into. */
  exchange(piecesOf: (bytes: Buffer) => readonly Buffer[] = (bytes) => [bytes]): void {
    while (this.#said.length + this.#answered.length > 0) {
      const said = Buffer.concat(this.#said.splice(0));
      if (said.length > 0) for (const piece of piecesOf(said)) this.session.fromClient(piece, 0);
      const answered = Buffer.concat(this.#answered.splice(0));
      if (answered.length > 0) for (const piece of piecesOf(answered)) this.session.fromServer(piece, 0);
    }
  }

  /** What has happened since somebody asked. */
  news(): UaNews {
    const judged = this.recorded.judged.splice(0).map((j) => `${j.observation.message} ${j.action}`);
    return { judged, reached: this.reached.splice(0), answers: this.answers.splice(0), error: this.error };
  }
}
