import type { Random } from "#sim/random.ts";
import { random } from "#sim/random.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { NULL_NODE_ID, numericNodeId, parseNodeId, writeNodeId } from "#wire/opcua/node-id.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { SERVICES, type ServiceName } from "#wire/opcua/services/service-table.ts";
import { encodeAcknowledge, encodeHello } from "#wire/opcua/uacp-messages.ts";
import { CaptureFile, Conversation } from "./capture-file.ts";
import { station, type TrafficSize } from "./modbus-traffic.ts";

/** µs between a request and its answer, and between two turns. */
const ANSWER_US = 1500;
const ROUND_US = 100;
const START_MS = 1_750_000_000_000;
const SIZES = {
  protocolVersion: 0,
  receiveBufferSize: 65_536,
  sendBufferSize: 65_536,
  maxMessageSize: 0,
  maxChunkCount: 0,
};
/** Encoding id of DataChangeNotification, OPC 10000-6 §A.3. */
const DATA_CHANGE = 811;
const VALUE_ATTRIBUTE = 13;
/** DataValue: value, source and server time. */
const VALUE_AND_TIMES = 0x0d;
const DOUBLE = 11;

interface Session {
  readonly conversation: Conversation;
  readonly token: Buffer;
  readonly channelId: number;
  readonly nodes: readonly string[];
  sequence: { client: number; server: number };
  requestId: number;
}

/**
 * HMI sessions on SecurityPolicy None, as a mirror port shows them: of a hundred exchanges sixty are a Publish that brings 4 to 24
 * changed values, thirty-five read 1 to 20 nodes with string identifiers, five write one value; the client's TCP acknowledges each
 * answer by itself. The same size gives the same bytes.
 */
export function writeOpcuaCapture(path: string, size: TrafficSize): void {
  const rng = random(4840, "opcua");
  const file = new CaptureFile(path);
  const sessions = Array.from({ length: size.flows }, (_, i) => session(file, rng, i));
  for (const one of sessions) begin(one);
  for (let turn = 0; file.packets < size.packets; turn += 1) {
    const who = sessions[turn % sessions.length];
    if (who === undefined) break;
    const kind = rng();
    const [service, request, response] =
      kind < 0.6 ? publish(who, rng) : kind < 0.95 ? read(who, rng) : write(who, rng);
    who.requestId += 1;
    message(who, "client", body(who, service, "request", request));
    file.wait(ANSWER_US * rng());
    message(who, "server", body(who, service, "response", response));
    file.wait(ROUND_US * rng());
    who.conversation.acknowledge("client");
  }
  file.close();
}

function session(file: CaptureFile, rng: Random, i: number): Session {
  const client = station(Math.floor(i / 250), 1 + (i % 250), 49_152 + (i % 16_000));
  const server = station(128 + (i % 64), 10 + (i % 40), 4840);
  const nodes = Array.from({ length: 40 }, (_, n) => `ns=2;s=Plant.Area${i % 8}.Unit${n % 5}.FIC${200 + n}.PV`);
  return {
    conversation: new Conversation(file, client, server, Math.floor(rng() * 2 ** 32)),
    token: Buffer.from(Array.from({ length: 32 }, () => Math.floor(rng() * 256))),
    channelId: 1 + i,
    nodes,
    sequence: { client: 1, server: 1 },
    requestId: 1,
  };
}

function begin(who: Session): void {
  who.conversation.open();
  who.conversation.data("client", encodeHello({ ...SIZES, endpointUrl: "opc.tcp://plc:4840/" }));
  who.conversation.data("server", encodeAcknowledge(SIZES));
  const ask = new BinaryWriter();
  requestHeader(ask, { ...who, token: Buffer.alloc(0) }, "OpenSecureChannel");
  ask.u32(0).u32(0).u32(1).byteString(null).u32(3_600_000);
  who.conversation.data("client", openChunk({ ...who, channelId: 0 }, ask.toBuffer()));
  const answer = new BinaryWriter();
  responseHeader(answer, who, "OpenSecureChannel");
  answer.u32(0).u32(who.channelId).u32(1).dateTimeMs(START_MS).u32(3_600_000).byteString(null);
  who.conversation.data("server", openChunk(who, answer.toBuffer()));
}

function openChunk(who: Session, content: Buffer): Buffer {
  const rest = new BinaryWriter().u32(who.channelId).string(SECURITY_POLICY_NONE).byteString(null).byteString(null);
  const bytes = Buffer.concat([Buffer.from("OPNF\0\0\0\0"), rest.u32(1).u32(1).raw(content).toBuffer()]);
  bytes.writeUInt32LE(bytes.length, 4);
  return bytes;
}

function message(who: Session, from: "client" | "server", content: Buffer): void {
  who.sequence[from] += 1;
  const ids = { channelId: who.channelId, tokenId: 1, sequenceNumber: who.sequence[from], requestId: who.requestId };
  who.conversation.data(from, encodeMsgChunk({ ...ids, body: content }));
}

function body(
  who: Session,
  service: ServiceName,
  way: "request" | "response",
  fields: (writer: BinaryWriter) => void,
): Buffer {
  const writer = new BinaryWriter(1024);
  if (way === "request") requestHeader(writer, who, service);
  else responseHeader(writer, who, service);
  fields(writer);
  return writer.toBuffer();
}

function requestHeader(writer: BinaryWriter, who: Session, service: ServiceName): void {
  writeNodeId(writer, numericNodeId(SERVICES[service].request));
  if (who.token.length === 0) writeNodeId(writer, NULL_NODE_ID);
  else writer.u8(5).u16(1).byteString(who.token);
  writer.dateTimeMs(START_MS).u32(who.requestId).u32(0).string(null).u32(5000);
  writeNodeId(writer, NULL_NODE_ID);
  writer.u8(0);
}

function responseHeader(writer: BinaryWriter, who: Session, service: ServiceName): void {
  writeNodeId(writer, numericNodeId(SERVICES[service].response));
  writer.dateTimeMs(START_MS).u32(who.requestId).u32(0).u8(0).i32(0);
  writeNodeId(writer, NULL_NODE_ID);
  writer.u8(0);
}

type Exchange = readonly [ServiceName, (request: BinaryWriter) => void, (response: BinaryWriter) => void];

function publish(who: Session, rng: Random): Exchange {
  const count = 4 + Math.floor(rng() * 21);
  const request = (writer: BinaryWriter): void => {
    writer.array([who.requestId], (w, sequence) => w.u32(7).u32(sequence));
  };
  const response = (writer: BinaryWriter): void => {
    const items = new BinaryWriter(1024).array(Array.from({ length: count }), (w) => {
      w.u32(1 + Math.floor(rng() * 40));
      dataValue(w, rng);
    });
    writer.u32(7).i32(0).bool(false).u32(who.requestId).dateTimeMs(START_MS).i32(1);
    writeNodeId(writer, numericNodeId(DATA_CHANGE));
    writer.u8(1).byteString(items.i32(-1).toBuffer());
    writer.array([0], (w, status) => w.u32(status)).i32(0);
  };
  return ["Publish", request, response];
}

function read(who: Session, rng: Random): Exchange {
  const nodes = some(who, rng, 1 + Math.floor(rng() * 20));
  const request = (writer: BinaryWriter): void => {
    writer.f64(0).u32(2);
    writer.array(nodes, (w, node) => {
      nodeText(w, node);
      w.u32(VALUE_ATTRIBUTE).string(null).u16(0).string(null);
    });
  };
  const response = (writer: BinaryWriter): void => {
    writer.array(nodes, (w) => dataValue(w, rng)).i32(0);
  };
  return ["Read", request, response];
}

function write(who: Session, rng: Random): Exchange {
  const request = (writer: BinaryWriter): void => {
    writer.array(some(who, rng, 1), (w, node) => {
      nodeText(w, node);
      w.u32(VALUE_ATTRIBUTE).string(null).u8(1).u8(DOUBLE).f64(measured(rng));
    });
  };
  const response = (writer: BinaryWriter): void => {
    writer.array([0], (w, status) => w.u32(status)).i32(0);
  };
  return ["Write", request, response];
}

function some(who: Session, rng: Random, count: number): readonly string[] {
  const from = Math.floor(rng() * who.nodes.length);
  return Array.from({ length: count }, (_, i) => who.nodes[(from + i) % who.nodes.length] ?? "");
}

function nodeText(writer: BinaryWriter, text: string): void {
  const node = parseNodeId(text);
  if (!node.ok) throw new Error(`\`${text}\` is no NodeId`);
  writeNodeId(writer, node.value);
}

function dataValue(writer: BinaryWriter, rng: Random): void {
  writer.u8(VALUE_AND_TIMES).u8(DOUBLE).f64(measured(rng)).dateTimeMs(START_MS).dateTimeMs(START_MS);
}

/** A reading to hundredths, as transmitters give it. */
function measured(rng: Random): number {
  return Math.round(rng() * 10_000) / 100;
}
