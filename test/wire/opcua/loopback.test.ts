/**
 * A real client and a real server of node-opcua with a relay between them that knows OPC UA only through our codec: it frames,
 * assembles, decodes, rewrites URLs and sends every message on in chunks of its own. The client must not notice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect as connectTcp, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
} from "node-opcua";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "#specs/result.ts";
import { rewriteRequestUrls, rewriteResponseUrls } from "#wire/opcua/endpoint-rewrite.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { decodeAsymmetricChunk, decodeSymmetricChunk, rewriteSequenceNumber } from "#wire/opcua/message-chunk.ts";
import { encodeMessage } from "#wire/opcua/message-splitter.ts";
import { lowerSizes, negotiate } from "#wire/opcua/negotiation.ts";
import { decodeRequest, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { followsSequenceNumber, nextSequenceNumber } from "#wire/opcua/sequence-number.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { decodeAcknowledge, decodeHello, encodeAcknowledge, encodeHello, type Hello } from "#wire/opcua/uacp-messages.ts";
import { describeWireError, type WireError } from "#wire/wire-error.ts";

const BOUNDS = { maxChunkBytes: 8_192, maxMessageBytes: 1_048_576, maxChunkCount: 128 };
const START_MS = 15_000;

function must<T>(result: Result<T, WireError>): T {
  if (!result.ok) throw new Error(describeWireError(result.error));
  return result.value;
}

interface Seen {
  readonly requests: UaRequest[];
  readonly responses: UaResponse[];
  /** Most chunks that one message took on its way in. */
  mostChunks: number;
  readonly errors: string[];
}

/** One direction of the relay: what it has received and what number it sends next. */
class Direction {
  readonly framer = new UacpFramer();
  readonly assembler = new MessageAssembler();
  received: number | undefined;
  /** Other numbers than the sender's, so that a chunk sent on unchanged would be noticed. */
  next = 1_000;
}

/** A relay of one connection. */
class Relay {
  readonly #up = new Direction();
  readonly #down = new Direction();
  #hello: Hello | undefined;

  constructor(
    readonly_: { client: Socket; server: Socket; seen: Seen; filterUrl: () => string; serverUrl: () => string },
  ) {
    this.#parts = readonly_;
    this.#wire(readonly_.client, this.#up, (frame) => this.#fromClient(frame));
    this.#wire(readonly_.server, this.#down, (frame) => this.#fromServer(frame));
  }
  readonly #parts: { client: Socket; server: Socket; seen: Seen; filterUrl: () => string; serverUrl: () => string };

  #wire(socket: Socket, direction: Direction, take: (frame: UacpFrame) => void): void {
    const { client, server, seen } = this.#parts;
    socket.on("data", (data: Buffer) => {
      try {
        for (const frame of direction.framer.push(data)) take(frame);
        if (direction.framer.failed !== undefined) throw new Error(describeWireError(direction.framer.failed));
      } catch (error) {
        seen.errors.push(String(error));
        client.destroy();
        server.destroy();
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      client.end();
      server.end();
    });
  }

  #fromClient(frame: UacpFrame): void {
    const { server } = this.#parts;
    if (frame.type === "HEL") {
      this.#hello = lowerSizes(must(decodeHello(frame.bytes)), BOUNDS);
      server.write(encodeHello({ ...this.#hello, endpointUrl: this.#parts.serverUrl() }));
      return;
    }
    this.#pass(frame, this.#up, server, (body) => this.#request(body));
  }

  #fromServer(frame: UacpFrame): void {
    const { client } = this.#parts;
    if (frame.type === "ACK") {
      const acknowledge = lowerSizes(must(decodeAcknowledge(frame.bytes)), BOUNDS);
      if (this.#hello === undefined) throw new Error("ACK before HEL");
      const { clientToServer, serverToClient } = must(negotiate(this.#hello, acknowledge, BOUNDS));
      this.#up.framer.lowerMaxChunkBytes(clientToServer.maxChunkBytes);
      this.#up.assembler.lower(clientToServer);
      this.#down.framer.lowerMaxChunkBytes(serverToClient.maxChunkBytes);
      this.#down.assembler.lower(serverToClient);
      client.write(encodeAcknowledge(acknowledge));
      return;
    }
    this.#pass(frame, this.#down, client, (body) => this.#response(body));
  }

  #pass(frame: UacpFrame, direction: Direction, to: Socket, look: (body: Buffer) => Buffer): void {
    if (frame.type === "OPN") {
      const chunk = must(decodeAsymmetricChunk(frame.bytes));
      this.#order(direction, chunk.sequenceNumber);
      look(chunk.body);
      to.write(must(rewriteSequenceNumber(frame.bytes, this.#number(direction))));
      return;
    }
    const chunk = must(decodeSymmetricChunk(frame.bytes));
    this.#order(direction, chunk.sequenceNumber);
    const assembly = must(direction.assembler.push(chunk));
    if (assembly.kind !== "message") return;
    const { seen } = this.#parts;
    seen.mostChunks = Math.max(seen.mostChunks, assembly.chunkCount);
    const body = look(assembly.body);
    if (frame.type === "CLO") {
      to.write(must(rewriteSequenceNumber(frame.bytes, this.#number(direction))));
      return;
    }
    const { channelId, tokenId, requestId } = chunk;
    const message = { channelId, tokenId, requestId, sequenceNumber: direction.next, body, ...BOUNDS };
    const encoded = must(encodeMessage(message));
    direction.next = encoded.nextSequenceNumber;
    for (const bytes of encoded.chunks) to.write(bytes);
  }

  #order(direction: Direction, received: number): void {
    if (direction.received !== undefined && !followsSequenceNumber(direction.received, received)) {
      throw new Error(`sequence number ${received} after ${direction.received}`);
    }
    direction.received = received;
  }

  #number(direction: Direction): number {
    const number = direction.next;
    direction.next = nextSequenceNumber(number);
    return number;
  }

  #request(body: Buffer): Buffer {
    this.#parts.seen.requests.push(must(decodeRequest(body)));
    return must(rewriteRequestUrls(body, this.#parts.serverUrl())).body;
  }

  /** Refuses, in place of the server, the one write that the test means to be refused. */
  #response(body: Buffer): Buffer {
    const response = must(decodeResponse(body));
    this.#parts.seen.responses.push(response);
    if (response.service === "Write" && response.results.length === 2) {
      const { requestHandle } = response.header;
      return encodeServiceFault({ requestHandle, statusCode: STATUS_CODES.BadUserAccessDenied, timestamp: 0 });
    }
    return must(rewriteResponseUrls(body, this.#parts.filterUrl())).body;
  }
}

const folder = mkdtempSync(join(tmpdir(), "opcua-loopback-"));
const seen: Seen = { requests: [], responses: [], mostChunks: 0, errors: [] };
let server: OPCUAServer | undefined;
let relay: Server | undefined;
let serverUrl = "";
let filterUrl = "";

beforeAll(async () => {
  const certificates = new OPCUACertificateManager({ rootFolder: join(folder, "pki"), automaticallyAcceptUnknownCertificate: true });
  await certificates.initialize();
  server = new OPCUAServer({
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    port: 0,
    nodeset_filename: [],
    securityModes: [MessageSecurityMode.None],
    securityPolicies: [SecurityPolicy.None],
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
  });
  await server.initialize();
  await server.start();
  serverUrl = server.getEndpointUrl();
  relay = createServer((client) => {
    const upstream = connectTcp({ host: "127.0.0.1", port: Number(new URL(serverUrl).port) });
    new Relay({ client, server: upstream, seen, filterUrl: () => filterUrl, serverUrl: () => serverUrl });
  });
  await new Promise<void>((resolve) => relay?.listen(0, "127.0.0.1", resolve));
  filterUrl = `opc.tcp://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}, START_MS);

afterAll(async () => {
  await server?.shutdown(0);
  relay?.close();
  rmSync(folder, { recursive: true, force: true });
}, START_MS);

test("reads, writes, calls, browses and is refused through the relay", async () => {
  console.log(serverUrl, filterUrl);
}, START_MS);
