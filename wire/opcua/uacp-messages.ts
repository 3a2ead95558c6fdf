/**
 * The four messages of the connection protocol itself: HEL, ACK, ERR, RHE (OPC 10000-6 v1.05 §7.1.2.3 – §7.1.2.6).
 * Each decoder takes one whole frame and refuses bytes left over.
 */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { BinaryReader } from "./binary-reader.ts";
import { BinaryWriter } from "./binary-writer.ts";
import { DEFAULT_DECODE_LIMITS } from "./decode-limits.ts";
import {
  decodeUacpHeader,
  HEADER,
  MAX_REASON_BYTES,
  MAX_URL_BYTES,
  type MessageType,
  writeUacpHeader,
} from "./uacp-header.ts";

const SPEC_HELLO = "OPC 10000-6 v1.05 §7.1.2.3";
const SPEC_ACKNOWLEDGE = "OPC 10000-6 v1.05 §7.1.2.4";
const SPEC_HEADER = "OPC 10000-6 v1.05 §7.1.2.2";

const FIELD = { RECEIVE_BUFFER: 12, SEND_BUFFER: 16 } as const;

/** Smallest buffers, in bytes; the 1 024 of the ECC policies is not offered, for their chunks cannot be read here. */
const MIN_BUFFER_BYTES = 8_192;

/** Sizes in bytes as the sender of the message means them; 0 is "no limit" in `maxMessageSize` and `maxChunkCount`. */
export interface Acknowledge {
  readonly protocolVersion: number;
  readonly receiveBufferSize: number;
  readonly sendBufferSize: number;
  readonly maxMessageSize: number;
  readonly maxChunkCount: number;
}

/** As {@link Acknowledge}, and the URL the client was given for the server. */
export interface Hello extends Acknowledge {
  readonly endpointUrl: string | null;
}

/** Ends the connection: a status code and a sentence for a log. */
export interface ErrorMessage {
  readonly error: number;
  readonly reason: string | null;
}

/** A server that opens the connection itself. */
export interface ReverseHello {
  readonly serverUri: string | null;
  readonly endpointUrl: string | null;
}

function open(frame: Buffer, type: MessageType, maxStringBytes: number): Result<BinaryReader, WireError> {
  const header = decodeUacpHeader(frame, Number.MAX_SAFE_INTEGER);
  if (!header.ok) return header;
  if (header.value.type !== type) return err(wireError("UA_MESSAGE_TYPE", HEADER.TYPE, SPEC_HEADER));
  if (header.value.size !== frame.length) return err(wireError("UA_SIZE", HEADER.SIZE, SPEC_HEADER));
  return ok(new BinaryReader(frame, { ...DEFAULT_DECODE_LIMITS, maxStringBytes }, HEADER.END));
}

function readSizes(reader: BinaryReader, spec: string): Acknowledge {
  const sizes = {
    protocolVersion: reader.u32(),
    receiveBufferSize: reader.u32(),
    sendBufferSize: reader.u32(),
    maxMessageSize: reader.u32(),
    maxChunkCount: reader.u32(),
  };
  if (sizes.receiveBufferSize < MIN_BUFFER_BYTES) reader.fail("UA_ENCODING", FIELD.RECEIVE_BUFFER, spec);
  if (sizes.sendBufferSize < MIN_BUFFER_BYTES) reader.fail("UA_ENCODING", FIELD.SEND_BUFFER, spec);
  return sizes;
}

export function decodeHello(frame: Buffer): Result<Hello, WireError> {
  const opened = open(frame, "HEL", MAX_URL_BYTES);
  if (!opened.ok) return opened;
  const reader = opened.value;
  const sizes = readSizes(reader, SPEC_HELLO);
  return reader.finish({ ...sizes, endpointUrl: reader.string() });
}

export function decodeAcknowledge(frame: Buffer): Result<Acknowledge, WireError> {
  const opened = open(frame, "ACK", 0);
  if (!opened.ok) return opened;
  return opened.value.finish(readSizes(opened.value, SPEC_ACKNOWLEDGE));
}

export function decodeErrorMessage(frame: Buffer): Result<ErrorMessage, WireError> {
  const opened = open(frame, "ERR", MAX_REASON_BYTES);
  if (!opened.ok) return opened;
  const reader = opened.value;
  const error = reader.u32();
  return reader.finish({ error, reason: reader.string() });
}

export function decodeReverseHello(frame: Buffer): Result<ReverseHello, WireError> {
  const opened = open(frame, "RHE", MAX_URL_BYTES);
  if (!opened.ok) return opened;
  const reader = opened.value;
  const serverUri = reader.string();
  return reader.finish({ serverUri, endpointUrl: reader.string() });
}

function start(): BinaryWriter {
  return new BinaryWriter().raw(Buffer.alloc(HEADER.END));
}

function end(writer: BinaryWriter, type: MessageType): Buffer {
  const bytes = writer.toBuffer();
  writeUacpHeader(bytes, type, "F");
  return bytes;
}

function writeSizes(writer: BinaryWriter, sizes: Acknowledge): BinaryWriter {
  writer.u32(sizes.protocolVersion).u32(sizes.receiveBufferSize).u32(sizes.sendBufferSize);
  return writer.u32(sizes.maxMessageSize).u32(sizes.maxChunkCount);
}

export function encodeHello(hello: Hello): Buffer {
  return end(writeSizes(start(), hello).string(hello.endpointUrl), "HEL");
}

export function encodeAcknowledge(acknowledge: Acknowledge): Buffer {
  return end(writeSizes(start(), acknowledge), "ACK");
}

/** ERR with a reason cut to the 4 096 bytes the standard allows. */
export function encodeErrorMessage(message: ErrorMessage): Buffer {
  return end(
    start()
      .u32(message.error)
      .string(message.reason === null ? null : cut(message.reason)),
    "ERR",
  );
}

/** Cut on a character: four bytes is the longest in UTF-8, so a quarter of the bytes is always enough. */
function cut(reason: string): string {
  return Buffer.byteLength(reason) <= MAX_REASON_BYTES
    ? reason
    : Array.from(reason)
        .slice(0, MAX_REASON_BYTES / 4)
        .join("");
}
