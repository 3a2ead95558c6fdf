/**
 * A real client and a real server of node-opcua with a relay between them that knows OPC UA only through our codec: it
 * frames, assembles, decodes, rewrites URLs and sends every message on in chunks of its own. The client must not notice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from "node:net";
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
  TimestampsToReturn,
  VariantArrayType,
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
import { followsSequenceNumber, nextSequenceNumber } from "#wire/opcua/sequence-number.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import {
  decodeAcknowledge,
  decodeHello,
  encodeAcknowledge,
  encodeHello,
  type Hello,
} from "#wire/opcua/uacp-messages.ts";
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

interface RelayParts {
  readonly client: Socket;
  readonly server: Socket;
  readonly seen: Seen;
  readonly filterUrl: string;
  readonly serverUrl: string;
}

/** Where a message belongs. */
interface Addressed {
  readonly channelId: number;
  readonly tokenId: number;
  readonly requestId: number;
}

/** A relay of one connection. */
class Relay {
  readonly #parts: RelayParts;
  readonly #up = new Direction();
  readonly #down = new Direction();
  #hello: Hello | undefined;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#wire(parts.client, this.#up, (frame) => this.#fromClient(frame));
    this.#wire(parts.server, this.#down, (frame) => this.#fromServer(frame));
  }

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
      server.write(encodeHello({ ...this.#hello, endpointUrl: this.#parts.serverUrl }));
      return;
    }
    this.#pass(frame, this.#up, server, (body, chunk) => this.#request(body, chunk));
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

  #pass(
    frame: UacpFrame,
    direction: Direction,
    to: Socket,
    look: (body: Buffer, chunk: Addressed) => Buffer | undefined,
  ): void {
    if (frame.type === "OPN") {
      const chunk = must(decodeAsymmetricChunk(frame.bytes));
      this.#order(direction, chunk.sequenceNumber);
      look(chunk.body, { channelId: chunk.channelId, tokenId: 0, requestId: chunk.requestId });
      to.write(must(rewriteSequenceNumber(frame.bytes, this.#number(direction))));
      return;
    }
    const chunk = must(decodeSymmetricChunk(frame.bytes));
    this.#order(direction, chunk.sequenceNumber);
    const assembly = must(direction.assembler.push(chunk));
    if (assembly.kind !== "message") return;
    const { seen } = this.#parts;
    seen.mostChunks = Math.max(seen.mostChunks, assembly.chunkCount);
    const { channelId, tokenId, requestId } = chunk;
    const body = look(assembly.body, chunk);
    if (body === undefined) return;
    if (frame.type === "CLO") {
      to.write(must(rewriteSequenceNumber(frame.bytes, this.#number(direction))));
      return;
    }
    this.#send(to, direction, { channelId, tokenId, requestId }, body);
  }

  #send(to: Socket, direction: Direction, { channelId, tokenId, requestId }: Addressed, body: Buffer): void {
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

  /** Answers in place of the server to a write of two items, which the test means to be refused. */
  #request(body: Buffer, chunk: Addressed): Buffer | undefined {
    const request = must(decodeRequest(body));
    this.#parts.seen.requests.push(request);
    if (request.service === "Write" && request.nodesToWrite.length === 2) {
      const { requestHandle } = request.header;
      const refusal = { requestHandle, statusCode: STATUS_CODES.BadUserAccessDenied, timestamp: Date.now() };
      this.#send(this.#parts.client, this.#down, chunk, encodeServiceFault(refusal));
      return undefined;
    }
    return must(rewriteRequestUrls(body, this.#parts.serverUrl)).body;
  }

  #response(body: Buffer): Buffer {
    this.#parts.seen.responses.push(must(decodeResponse(body)));
    return must(rewriteResponseUrls(body, this.#parts.filterUrl)).body;
  }
}

const folder = mkdtempSync(join(tmpdir(), "opcua-loopback-"));
const certificates = new OPCUACertificateManager({
  rootFolder: join(folder, "pki"),
  automaticallyAcceptUnknownCertificate: true,
});
const seen: Seen = { requests: [], responses: [], mostChunks: 0, errors: [] };
let server: OPCUAServer | undefined;
let relay: Server | undefined;
let serverUrl = "";
let filterUrl = "";

/** Long enough that its Read takes several chunks of 8,192 bytes. */
const TREND = Float64Array.from({ length: 4_000 }, (_, i) => i / 8);

function addNodes({ engine }: OPCUAServer): void {
  const { addressSpace } = engine;
  if (addressSpace === null) throw new Error("server has no address space");
  const namespace = addressSpace.getOwnNamespace();
  const loop = namespace.addObject({
    organizedBy: addressSpace.rootFolder.objects,
    browseName: "FIC201",
    nodeId: "s=FIC201",
  });
  const setpoint = { dataType: DataType.Double, value: 12.5 } as const;
  namespace.addVariable({
    componentOf: loop,
    browseName: "SP",
    nodeId: "s=FIC201.SP",
    dataType: "Double",
    value: setpoint,
  });
  const trend = { dataType: DataType.Double, arrayType: VariantArrayType.Array, value: TREND } as const;
  namespace.addVariable({
    componentOf: loop,
    browseName: "Trend",
    nodeId: "s=FIC201.Trend",
    dataType: "Double",
    valueRank: 1,
    value: trend,
  });
  const method = namespace.addMethod(loop, {
    browseName: "Double",
    nodeId: "s=FIC201.Double",
    inputArguments: [{ name: "x", dataType: DataType.Int32 }],
    outputArguments: [{ name: "y", dataType: DataType.Int32 }],
  });
  method.bindMethod((inputs, _context, callback) => {
    const outputArguments = [{ dataType: DataType.Int32, value: 2 * Number(inputs[0]?.value) }];
    callback(null, { statusCode: StatusCodes.Good, outputArguments });
  });
}

beforeAll(async () => {
  await certificates.initialize();
  server = new OPCUAServer({
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    port: 0,
    securityModes: [MessageSecurityMode.None],
    securityPolicies: [SecurityPolicy.None],
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
  });
  await server.initialize();
  await server.start();
  addNodes(server);
  serverUrl = server.getEndpointUrl();
  relay = createServer((client) => {
    const upstream = connectTcp({ host: "127.0.0.1", port: Number(new URL(serverUrl).port) });
    new Relay({ client, server: upstream, seen, filterUrl, serverUrl });
  });
  await new Promise<void>((resolve) => relay?.listen(0, "127.0.0.1", resolve));
  filterUrl = `opc.tcp://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}, START_MS);

afterAll(async () => {
  await server?.shutdown(0);
  relay?.close();
  await certificates.dispose();
  rmSync(folder, { recursive: true, force: true });
}, START_MS);

const last = <S extends UaRequest["service"]>(service: S): Extract<UaRequest, { service: S }> | undefined =>
  seen.requests.findLast((request): request is Extract<UaRequest, { service: S }> => request.service === service);

const value = (number: number): object => ({ value: { dataType: DataType.Double, value: number } });

test("client and server work through the relay, and the decoder saw what they meant", {
  timeout: START_MS,
}, async () => {
  const client = OPCUAClient.create({
    applicationName: "HMI",
    endpointMustExist: true,
    connectionStrategy: { maxRetry: 0 },
    clientCertificateManager: certificates,
  });
  await client.connect(filterUrl);
  const endpoints = await client.getEndpoints();
  expect(endpoints.map((endpoint) => endpoint.endpointUrl)).toEqual(endpoints.map(() => filterUrl));
  expect(endpoints.length).toBeGreaterThan(0);

  const session = await client.createSession();
  expect(last("CreateSession")).toMatchObject({
    clientDescription: { applicationName: { text: "HMI" } },
    endpointUrl: filterUrl,
  });
  expect(last("ActivateSession")).toMatchObject({ identity: { kind: "anonymous" } });

  const read = await session.read({ nodeId: "ns=1;s=FIC201.SP", attributeId: AttributeIds.Value });
  expect(read.value.value).toBe(12.5);
  expect(last("Read")).toMatchObject({ nodesToRead: [{ nodeId: { text: "ns=1;s=FIC201.SP" }, attributeId: 13 }] });
  expect(seen.responses.at(-1)).toMatchObject({
    service: "Read",
    results: [{ value: { type: "Double", value: 12.5 } }],
  });

  const setpoint = { nodeId: "ns=1;s=FIC201.SP", attributeId: AttributeIds.Value };
  expect(await session.write({ ...setpoint, value: value(42.25) })).toBe(StatusCodes.Good);
  expect(last("Write")).toMatchObject({
    nodesToWrite: [
      { nodeId: { text: "ns=1;s=FIC201.SP" }, attributeId: 13, value: { value: { type: "Double", value: 42.25 } } },
    ],
  });
  expect(seen.responses.at(-1)).toMatchObject({ service: "Write", results: [0] });
  expect((await session.read(setpoint)).value.value).toBe(42.25);
  const two = [
    { ...setpoint, value: value(1) },
    { ...setpoint, value: value(2) },
  ];
  await expect(session.write(two)).rejects.toThrow(/BadUserAccessDenied/);

  const trend = await session.read({ nodeId: "ns=1;s=FIC201.Trend", attributeId: AttributeIds.Value });
  expect(Array.from(trend.value.value)).toEqual(Array.from(TREND));
  expect(seen.mostChunks).toBeGreaterThan(3);

  const inputArguments = [{ dataType: DataType.Int32, value: 21 }];
  const called = await session.call({ objectId: "ns=1;s=FIC201", methodId: "ns=1;s=FIC201.Double", inputArguments });
  expect(called.outputArguments?.[0]?.value).toBe(42);
  expect(last("Call")).toMatchObject({
    methodsToCall: [
      {
        objectId: { text: "ns=1;s=FIC201" },
        methodId: { text: "ns=1;s=FIC201.Double" },
        inputArguments: [{ type: "Int32", value: 21 }],
      },
    ],
  });

  const browsed = await session.browse("ns=1;s=FIC201");
  expect(browsed.references?.map((reference) => reference.nodeId.toString())).toContain("ns=1;s=FIC201.SP");
  expect(last("Browse")).toMatchObject({ nodesToBrowse: [{ nodeId: { text: "ns=1;s=FIC201" } }] });

  const subscription = await session.createSubscription2({ requestedPublishingInterval: 20, publishingEnabled: true });
  const item = await subscription.monitor(setpoint, { samplingInterval: 20, queueSize: 1 }, TimestampsToReturn.Both);
  const changed = await new Promise<number>((resolve) => {
    item.on("changed", (dataValue) => resolve(Number(dataValue.value.value)));
  });
  expect(changed).toBe(42.25);
  expect(last("CreateMonitoredItems")).toMatchObject({
    itemsToCreate: [{ itemToMonitor: { nodeId: { text: "ns=1;s=FIC201.SP" } } }],
  });
  const published = seen.responses.filter((response) => response.service === "Publish");
  expect(published.flatMap((response) => response.dataChanges)).toMatchObject([{ value: { value: { value: 42.25 } } }]);

  await session.close();
  await client.disconnect();
  expect(seen.errors).toEqual([]);
  expect(seen.requests.filter((request) => request.service === "unknown")).toEqual([]);
  expect(last("CloseSession")).toMatchObject({ deleteSubscriptions: true });
});
