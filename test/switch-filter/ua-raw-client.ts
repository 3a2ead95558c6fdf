import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  ActivateSessionRequest,
  AnonymousIdentityToken,
  CreateSessionRequest,
  type ExtensionObject,
  type NodeId,
  resolveNodeId,
} from "node-opcua";
import { UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import {
  type ChunkFields,
  decodeAsymmetricChunk,
  decodeSymmetricChunk,
  encodeMsgChunk,
} from "#wire/opcua/message-chunk.ts";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { openBody, opn, SIZES } from "./ua-bench.ts";

const ANSWER_MS = 2000;

/** A client that says whatever bytes it likes, over a real socket and on SecurityPolicy None. */
export class UaRawClient {
  readonly #socket: Socket;
  readonly #framer = new UacpFramer();
  readonly #assembler = new MessageAssembler();
  readonly #answers = new Map<number, UaResponse>();
  readonly #waiting: (() => void)[] = [];
  #acknowledged = false;
  #sequence = 0;
  #requestId = 1;
  #token: NodeId = resolveNodeId("i=0");
  channelId = 0;
  tokenId = 0;
  ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
  }

  static async connect(
    at: { readonly host: string; readonly port: number },
    localAddress: string,
  ): Promise<UaRawClient> {
    const socket = connect({ ...at, localAddress });
    await once(socket, "connect");
    return new UaRawClient(socket);
  }

  /** With channel and session open. */
  static async open(...where: Parameters<typeof UaRawClient.connect>): Promise<UaRawClient> {
    const client = await UaRawClient.connect(...where);
    client.say(encodeHello({ ...SIZES, endpointUrl: `opc.tcp://${where[0].host}:${where[0].port}` }));
    await client.#until(() => client.#acknowledged);
    await client.openChannel(0);
    const created = await client.ask(new CreateSessionRequest({ sessionName: "raw", requestedSessionTimeout: 60_000 }));
    if (created?.service !== "CreateSession") throw new Error(`no session: ${created?.service ?? "ended"}`);
    client.#token = resolveNodeId(created.authenticationToken.text);
    const userIdentityToken = new AnonymousIdentityToken({
      policyId:
        created.serverEndpoints.flatMap((e) => e.userIdentityTokens).find((t) => t.tokenType === 0)?.policyId ?? "",
    });
    const activated = await client.ask(new ActivateSessionRequest({ userIdentityToken }));
    if (activated?.service !== "ActivateSession") throw new Error(`not activated: ${activated?.service ?? "ended"}`);
    return client;
  }

  /** Issues the channel, or renews it. */
  async openChannel(requestType: 0 | 1): Promise<void> {
    const before = this.tokenId;
    this.say(opn(this.next(), openBody(requestType), this.channelId));
    await this.#until(() => this.tokenId !== before);
  }

  next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  say(bytes: Buffer): void {
    if (!this.ended) this.#socket.write(bytes);
  }

  /** Body of a request of this session. */
  body(request: ExtensionObject & { requestHeader: { authenticationToken: NodeId; requestHandle: number } }): Buffer {
    request.requestHeader.authenticationToken = this.#token;
    request.requestHeader.requestHandle = 7;
    return bodyOf(request);
  }

  chunk(body: Buffer, fields: Partial<ChunkFields> = {}): Buffer {
    const { channelId, tokenId } = this;
    return encodeMsgChunk({
      channelId,
      tokenId,
      sequenceNumber: this.next(),
      requestId: this.#requestId,
      body,
      ...fields,
    });
  }

  /** Says a request and waits for its answer; undefined: the connection ended, or nothing came. */
  async ask(request: Parameters<UaRawClient["body"]>[0] | Buffer): Promise<UaResponse | undefined> {
    this.#requestId += 1;
    this.say(this.chunk(Buffer.isBuffer(request) ? request : this.body(request)));
    return this.answer(this.#requestId);
  }

  async answer(requestId: number): Promise<UaResponse | undefined> {
    await this.#until(() => this.#answers.has(requestId));
    return this.#answers.get(requestId);
  }

  /** A request id of its own for what is said by chunks. */
  newRequest(): number {
    this.#requestId += 1;
    return this.#requestId;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(done: () => boolean): Promise<void> {
    const until = performance.now() + ANSWER_MS;
    while (!done() && !this.ended && performance.now() < until) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, until - performance.now());
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #take(bytes: Buffer): void {
    for (const frame of this.#framer.push(bytes)) {
      if (frame.type === "ACK") this.#acknowledged = true;
      if (frame.type === "OPN") {
        const chunk = decodeAsymmetricChunk(frame.bytes);
        const opened = chunk.ok ? decodeResponse(chunk.value.body) : undefined;
        if (opened?.ok !== true || opened.value.service !== "OpenSecureChannel") continue;
        this.channelId = opened.value.channelId;
        this.tokenId = opened.value.tokenId;
      }
      if (frame.type !== "MSG") continue;
      const chunk = decodeSymmetricChunk(frame.bytes);
      const whole = chunk.ok ? this.#assembler.push(chunk.value) : undefined;
      if (whole?.ok !== true || whole.value.kind !== "message") continue;
      const response = decodeResponse(whole.value.body);
      if (response.ok) this.#answers.set(whole.value.requestId, response.value);
    }
    this.#wake();
  }
}
