import type { Party } from "#point/observe/modbus.ts";
import type { Point } from "#point/point.ts";
import type { UaWay } from "#specs/plant.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import { decodeAsymmetricHeader } from "#wire/opcua/message-chunk.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { ONLY_DISCOVERY, otherService, type UaChannel } from "./opcua-channel.ts";
import { type Direction, OUT_OF_ORDER } from "./opcua-direction.ts";
import type { UaExits } from "./opcua-exits.ts";
import { UaGreeting } from "./opcua-greeting.ts";
import type { UaJudgement } from "./opcua-judgement.ts";
import { UaSealed } from "./opcua-sealed.ts";
import { UaSender } from "./opcua-sender.ts";
import { chooseWay, type UaServer } from "./opcua-way.ts";
import type { SessionOutput } from "./session.ts";

/** How far the connection is: only the message that is due may come. */
type Stage = "new" | "hello" | "acknowledged" | "opening" | "open" | "renewing" | "closing";

/** A channel whose messages are read and written here. */
export interface OpenChannel {
  readonly channel: UaChannel;
  readonly sender: UaSender;
  /** False: its link is declared opaque, so no rule is about what may pass at all. */
  readonly judges: boolean;
  readonly way: UaWay;
}

export interface OpeningOptions {
  readonly point: Point;
  readonly server: UaServer;
  readonly party: Party;
  readonly judgement: UaJudgement;
  readonly exits: UaExits;
  readonly output: SessionOutput;
  readonly up: Direction;
  readonly down: Direction;
}

/** How a connection comes to have a channel, and keeps it: HEL and ACK, the way that is chosen by the first OPN, and each OPN after it. */
export class UaOpening {
  readonly #options: OpeningOptions;
  readonly #greeting: UaGreeting;
  #stage: Stage = "new";
  /** One of them from the client's first OPN on. */
  open: OpenChannel | undefined;
  sealed: UaSealed | undefined;
  #way: UaWay | undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#greeting = new UaGreeting(options.server.urls.server);
  }

  /** From the answer to the first OPN until CLO; the channel stays usable while it is renewed. */
  get isOpen(): boolean {
    return this.#stage === "open" || this.#stage === "renewing";
  }

  /** How the channel was opened; undefined: not yet, or to find endpoints alone. */
  get way(): UaWay | undefined {
    return this.#way;
  }

  get isBeforeOpen(): boolean {
    return !this.isOpen && this.#stage !== "closing";
  }

  /** CLO has passed. */
  closing(): void {
    this.#stage = "closing";
  }

  /** HEL or OPN of the client. */
  fromClient(frame: UacpFrame, nowMs: number): void {
    const { exits } = this.#options;
    if (frame.type === "HEL" && this.#stage === "new") return this.#greet(frame);
    if (frame.type === "OPN" && (this.#stage === "acknowledged" || this.#stage === "open"))
      return this.#openChannel(frame, nowMs);
    exits.refuse({ says: `a client may not send ${frame.type} here`, status: "BadTcpMessageTypeInvalid" });
  }

  /** ACK of the server. */
  acknowledged(frame: UacpFrame): void {
    const { up, down, exits, output } = this.#options;
    const due = this.#stage === "hello" ? this.#greeting.acknowledge(frame.bytes, up, down) : undefined;
    if (due === undefined) return exits.badAnswer("ACK without HEL");
    if (!due.ok) return exits.serverFault(due.error);
    this.#stage = "acknowledged";
    output.toClient(due.value);
  }

  /** OPN of the server. */
  opened(frame: UacpFrame): void {
    const { down, exits, output } = this.#options;
    const isDue = this.#stage === "opening" || this.#stage === "renewing";
    const chunk = isDue ? this.open?.channel.openResponse(frame.bytes) : undefined;
    if (this.open === undefined || chunk === undefined) return exits.badAnswer("OPN answers no request");
    if (!chunk.ok) return exits.badAnswer(chunk.error.says);
    const response = decodeResponse(chunk.value.body);
    if (!response.ok) return exits.serverFault(response.error);
    const { service } = response.value;
    if (service !== "OpenSecureChannel" && service !== "ServiceFault")
      return exits.badAnswer(`a chunk of OpenSecureChannel carries an answer of service ${service}`);
    down.follows(chunk.value.sequenceNumber);
    const opened = this.open.channel.openToClient(down.next());
    if (!opened.ok) return exits.badAnswer(opened.error.says);
    this.#stage = "open";
    if (service === "OpenSecureChannel" && !this.open.channel.discoveryOnly) this.#noteWay(this.open.way);
    this.open.sender.channelId = chunk.value.channelId;
    output.toClient(opened.value);
  }

  #greet(frame: UacpFrame): void {
    const { exits, output } = this.#options;
    const hello = this.#greeting.hello(frame.bytes);
    if (!hello.ok) return exits.clientFault(hello.error);
    this.#stage = "hello";
    output.toServer(hello.value);
  }

  #openChannel(frame: UacpFrame, nowMs: number): void {
    const { up, exits, output } = this.#options;
    this.open ??= this.#choose(frame, nowMs);
    if (this.open === undefined) return;
    const { channel } = this.open;
    const chunk = channel.openRequest(frame.bytes);
    if (!chunk.ok) return exits.refuse(chunk.error);
    if (!up.follows(chunk.value.sequenceNumber)) return exits.refuse(OUT_OF_ORDER);
    const wrong = otherService(chunk.value.body, "OpenSecureChannel");
    if (wrong !== undefined) return exits.refuse(wrong);
    const opening = channel.openToServer(up.next());
    if (!opening.ok) return exits.refuse(opening.error);
    this.#stage = this.#stage === "open" ? "renewing" : "opening";
    output.toServer(opening.value);
  }

  /** A channel that is to find endpoints alone is used for more, in monitor mode. */
  usedInTheClear(): void {
    if (this.#way !== undefined) return;
    this.#noteWay("clear");
    this.#options.exits.notices.security("detection", `${ONLY_DISCOVERY.says}: in monitor mode it passes`);
  }

  #noteWay(way: UaWay): void {
    const { point, party } = this.#options;
    this.#way = way;
    if (party.link !== undefined) point.opened(party.link, way);
  }

  /** By the policy that the client's first OPN asks for; undefined: it was refused, or is not ours to read. */
  #choose(frame: UacpFrame, nowMs: number): OpenChannel | undefined {
    const { point, server, party, judgement, exits, output, up, down } = this.#options;
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) return void exits.clientFault(header.error);
    const way = chooseWay(point, server, party, header.value, Date.now());
    switch (way.kind) {
      case "channel":
        if (way.says !== undefined) exits.notices.security("info", way.says);
        return {
          channel: way.channel,
          sender: new UaSender(way.channel, up, output),
          judges: way.judges,
          way: way.channel.policyUri === SECURITY_POLICY_NONE ? "clear" : "ended",
        };
      case "sealed":
        this.#stage = "open";
        this.sealed = new UaSealed({
          ...{ way, header: header.value, judgement, exits, output, up, down },
          onOpen: (opened) => this.#noteWay(opened),
        });
        return void this.sealed.clientFrame(frame, nowMs);
      case "refused":
        exits.notices.security("detection", way.says);
        return void exits.end({ says: way.says, status: way.status });
      default: {
        const never: never = way;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }
}
