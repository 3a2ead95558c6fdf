import {
  DataType,
  OpenSecureChannelRequest,
  OpenSecureChannelResponse,
  PublishRequest,
  ReadRequest,
  ReadResponse,
  WriteRequest,
} from "node-opcua";
import type { Party } from "#point/observe/modbus.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import { DeviceId, LinkId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { UaSession } from "#switch-filter/opcua-session.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { type ChunkFields, decodeSymmetricChunk, encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { numericNodeId, writeNodeId } from "#wire/opcua/node-id.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { writeUacpHeader } from "#wire/opcua/uacp-header.ts";
import { encodeAcknowledge, encodeHello } from "#wire/opcua/uacp-messages.ts";
import { waterTreatment } from "../support/plant.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { type Recorded, RecordingOutput, recordingPoint } from "./recording-point.ts";

export const SIZES = {
  protocolVersion: 0,
  receiveBufferSize: 65_536,
  sendBufferSize: 65_536,
  maxMessageSize: 0,
  maxChunkCount: 0,
};
export const HELLO = encodeHello({ ...SIZES, endpointUrl: "opc.tcp://filter:4840" });
export const CHANNEL = 77;
export const TOKEN = 5;
export const HMI: Party = {
  source: DeviceId("hmi-1"),
  sourceAddress: "127.10.1.11:40000",
  target: DeviceId("plc-2"),
  link: LinkId("hmi-plc2-ua"),
};

const { bundle, plant } = waterTreatment();

/** An OPN chunk with any body. */
export function opn(sequenceNumber: number, body: Buffer, channelId = 0, policy = SECURITY_POLICY_NONE): Buffer {
  const writer = new BinaryWriter()
    .raw(Buffer.alloc(8))
    .u32(channelId)
    .string(policy)
    .byteString(null)
    .byteString(null);
  const bytes = writer.u32(sequenceNumber).u32(sequenceNumber).raw(body).toBuffer();
  writeUacpHeader(bytes, "OPN", "F");
  return bytes;
}

export const openBody = (requestType: 0 | 1): Buffer =>
  bodyOf(new OpenSecureChannelRequest({ requestType, securityMode: 1, requestedLifetime: 60_000 }));

export function openedBody(): Buffer {
  return bodyOf(
    new OpenSecureChannelResponse({
      serverProtocolVersion: 0,
      securityToken: { channelId: CHANNEL, tokenId: TOKEN, createdAt: new Date(0), revisedLifetime: 60_000 },
    }),
  );
}

/** A body of any type id: a request header without a session, then `fields`. */
export function rawBody(id: number, fields: Buffer = Buffer.alloc(0), namespace = 0): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, numericNodeId(id, namespace));
  writer
    .raw(Buffer.from([0, 0]))
    .i64(0n)
    .u32(9)
    .u32(0)
    .string(null)
    .u32(0)
    .raw(Buffer.from([0, 0, 0]));
  return writer.raw(fields).toBuffer();
}

/** A session between a client of hand-made chunks and a server that keeps what reaches it. */
export class UaBench {
  readonly recorded: Recorded;
  readonly output = new RecordingOutput();
  readonly session: UaSession;
  readonly names: UaNames;
  /** What reached the server, by name of service; `HEL`, `OPN`, `CLO` by type. */
  readonly reached: string[] = [];
  readonly bodies: { readonly requestId: number; readonly body: Buffer }[] = [];
  nowMs = 0;
  readonly #framer = new UacpFramer();
  readonly #assembler = new MessageAssembler();
  #served = 0;
  #clientSequence = 0;
  #serverSequence = 100;

  private constructor(recorded: Recorded, party: Party, tags: UaTags) {
    this.recorded = recorded;
    const urls = { filter: "opc.tcp://filter:4840", server: "opc.tcp://plc2:4840" };
    this.names = new UaNames(tags);
    this.session = new UaSession(recorded.point, { names: this.names, urls }, party, this.output);
  }

  static async make(options: { readonly mode?: Mode; readonly party?: Party } = {}): Promise<UaBench> {
    const recorded = await recordingPoint(bundle, options.mode);
    return new UaBench(recorded, options.party ?? HMI, new UaTags(plant, DeviceId("plc-2")));
  }

  /** With HEL/ACK and OPN done. */
  static async open(options: Parameters<typeof UaBench.make>[0] = {}): Promise<UaBench> {
    const bench = await UaBench.make(options);
    bench.say(HELLO);
    bench.say(opn(bench.next(), openBody(0)));
    return bench;
  }

  get ended(): string | undefined {
    return this.output.ended;
  }

  /** The client's next sequence number. */
  next(): number {
    this.#clientSequence += 1;
    return this.#clientSequence;
  }

  /** Bytes of the client, and then of the server where it answers by itself. */
  say(bytes: Buffer): void {
    this.session.fromClient(bytes, this.nowMs);
    this.#serve();
  }

  /** One message in one chunk. */
  ask(requestId: number, body: Buffer, fields: Partial<ChunkFields> = {}): void {
    this.say(this.chunk(requestId, body, fields));
  }

  chunk(requestId: number, body: Buffer, fields: Partial<ChunkFields> = {}): Buffer {
    const sequenceNumber = this.next();
    return encodeMsgChunk({ channelId: CHANNEL, tokenId: TOKEN, sequenceNumber, requestId, body, ...fields });
  }

  /** The server's answer in one chunk. */
  answer(requestId: number, body: Buffer, fields: Partial<ChunkFields> = {}): void {
    this.#serverSequence += 1;
    const sequenceNumber = this.#serverSequence;
    const chunk = encodeMsgChunk({ channelId: CHANNEL, tokenId: TOKEN, sequenceNumber, requestId, body, ...fields });
    this.session.fromServer(chunk, this.nowMs);
  }

  fromServer(bytes: Buffer): void {
    this.session.fromServer(bytes, this.nowMs);
  }

  #serve(): void {
    while (this.#served < this.output.up.length) {
      const fresh = Buffer.concat(this.output.up.slice(this.#served));
      this.#served = this.output.up.length;
      for (const frame of this.#framer.push(fresh)) this.#take(frame);
    }
  }

  #take(frame: UacpFrame): void {
    if (frame.type === "HEL") this.session.fromServer(encodeAcknowledge(SIZES), this.nowMs);
    if (frame.type === "OPN") {
      this.#serverSequence += 1;
      this.session.fromServer(opn(this.#serverSequence, openedBody(), CHANNEL), this.nowMs);
    }
    if (frame.type !== "MSG") {
      this.reached.push(frame.type);
      return;
    }
    const chunk = decodeSymmetricChunk(frame.bytes);
    const assembly = chunk.ok ? this.#assembler.push(chunk.value) : chunk;
    if (!assembly.ok) throw new Error(`the server was sent a bad chunk: ${assembly.error.code}`);
    if (assembly.value.kind !== "message") return;
    const request = decodeRequest(assembly.value.body);
    this.reached.push(request.ok ? request.value.service : "malformed");
    this.bodies.push(assembly.value);
  }
}

export const SP = { nodeId: "ns=1;s=FIC401.SP", attributeId: 13 };
export const read = bodyOf(new ReadRequest({ nodesToRead: [SP] }));
export const readAnswer = (value: number): Buffer =>
  bodyOf(new ReadResponse({ results: [{ value: { dataType: DataType.Double, value } }] }));
export const item = (value: number, fields: object = {}): object => ({
  ...SP,
  value: { value: { dataType: DataType.Double, value } },
  ...fields,
});
export const write = (...items: readonly object[]): Buffer => bodyOf(new WriteRequest({ nodesToWrite: [...items] }));
export const publish = bodyOf(new PublishRequest({}));

/** The value of the set-point is known, as a write within a largest step needs it. */
export async function opened(): Promise<UaBench> {
  const bench = await UaBench.open();
  bench.ask(1, read);
  bench.answer(1, readAnswer(30));
  return bench;
}
