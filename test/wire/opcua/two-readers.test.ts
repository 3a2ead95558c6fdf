/**
 * What a filter must never have: a request that it reads one way and the server another. Valid requests are damaged at
 * random; whatever our decoder still accepts must mean the same to node-opcua's, or be refused by it.
 */
import fc from "fast-check";
import {
  BinaryStream,
  CallRequest,
  DataType,
  decodeExpandedNodeId,
  type ExtensionObject,
  type NodeId,
  NodeIdType,
  ReadRequest,
  VariantArrayType,
  WriteRequest,
} from "node-opcua";
import { describe, expect, test } from "vitest";
import { decodeRequest, type UaRequest } from "#wire/opcua/request.ts";
import { bodyOf } from "./node-opcua-bytes.ts";

const RUNS = { numRuns: 3_000 };

const write = bodyOf(
  new WriteRequest({
    nodesToWrite: [
      { nodeId: "ns=1;s=FIC201.SP", attributeId: 13, value: { value: { dataType: DataType.Double, value: 42.5 } } },
      { nodeId: "ns=1;i=1025", attributeId: 13, value: { value: { dataType: DataType.Boolean, value: true } } },
      {
        nodeId: "ns=2;g=72962B91-FA75-4AE6-8D28-B404DC7DAF63",
        attributeId: 13,
        value: { value: { dataType: DataType.Int16, arrayType: VariantArrayType.Array, value: [1, 2, 3] } },
      },
    ],
  }),
);
const call = bodyOf(
  new CallRequest({
    methodsToCall: [
      { objectId: "ns=1;s=Batch", methodId: "ns=1;i=7", inputArguments: [{ dataType: DataType.UInt32, value: 9 }] },
    ],
  }),
);
const read = bodyOf(
  new ReadRequest({
    nodesToRead: [
      { nodeId: "ns=1;s=A", attributeId: 13 },
      { nodeId: "i=2258", attributeId: 13 },
    ],
  }),
);

/** Node-opcua's NodeId in our canonical text. */
function theirText(id: NodeId): string {
  const prefix = id.namespace === 0 ? "" : `ns=${id.namespace};`;
  switch (id.identifierType) {
    case NodeIdType.NUMERIC:
      return `${prefix}i=${id.value}`;
    case NodeIdType.GUID:
      return `${prefix}g=${String(id.value).toLowerCase()}`;
    case NodeIdType.BYTESTRING:
      return `${prefix}b=${Buffer.isBuffer(id.value) ? id.value.toString("base64") : ""}`;
    default:
      return `${prefix}s=${id.value ?? ""}`;
  }
}

/** What node-opcua reads, or undefined when it refuses. */
function theirs<T extends ExtensionObject>(message: T, body: Buffer): T | undefined {
  try {
    const stream = new BinaryStream(body);
    decodeExpandedNodeId(stream);
    message.decode(stream);
    return message;
  } catch {
    return undefined;
  }
}

/** One to three bytes replaced, and sometimes the end cut off. */
const damaged = (body: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(body.length - 1), fc.oneof(fc.constantFrom(0, 1, 2, 0xff), fc.nat(255))), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
    )
    .map(([changes, cut]) => {
      const copy = Buffer.from(body.subarray(0, body.length - cut));
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
      return copy;
    });

function accepted<S extends UaRequest["service"]>(
  body: Buffer,
  service: S,
): Extract<UaRequest, { service: S }> | undefined {
  const result = decodeRequest(body);
  const is = (request: UaRequest): request is Extract<UaRequest, { service: S }> => request.service === service;
  return result.ok && is(result.value) ? result.value : undefined;
}

describe("a damaged request that both readers accept means the same to both", () => {
  test("Write", () => {
    let both = 0;
    fc.assert(
      fc.property(damaged(write), (body) => {
        const ours = accepted(body, "Write");
        const other = ours === undefined ? undefined : theirs(new WriteRequest(), body);
        if (ours === undefined || other === undefined) return;
        both += 1;
        const items = other.nodesToWrite ?? [];
        expect(ours.nodesToWrite.map((item) => [item.nodeId.text, item.attributeId])).toEqual(
          items.map((item) => [theirText(item.nodeId), item.attributeId]),
        );
        for (const [i, item] of ours.nodesToWrite.entries()) {
          const variant = items[i]?.value.value;
          if (item.value.value === undefined) continue;
          expect(item.value.value.type).toBe(DataType[variant?.dataType ?? DataType.Null]);
          if (item.value.value.type === "Double") expect(item.value.value.value).toEqual(variant?.value);
          if (item.value.value.type === "Boolean") expect(item.value.value.value).toEqual(variant?.value);
        }
      }),
      RUNS,
    );
    expect(both).toBeGreaterThan(RUNS.numRuns / 10);
  });

  test("Call", () => {
    fc.assert(
      fc.property(damaged(call), (body) => {
        const ours = accepted(body, "Call");
        const other = ours === undefined ? undefined : theirs(new CallRequest(), body);
        if (ours === undefined || other === undefined) return;
        expect(ours.methodsToCall.map((method) => [method.objectId.text, method.methodId.text])).toEqual(
          (other.methodsToCall ?? []).map((method) => [theirText(method.objectId), theirText(method.methodId)]),
        );
      }),
      RUNS,
    );
  });

  test("Read", () => {
    fc.assert(
      fc.property(damaged(read), (body) => {
        const ours = accepted(body, "Read");
        const other = ours === undefined ? undefined : theirs(new ReadRequest(), body);
        if (ours === undefined || other === undefined) return;
        expect(ours.nodesToRead.map((item) => [item.nodeId.text, item.attributeId])).toEqual(
          (other.nodesToRead ?? []).map((item) => [theirText(item.nodeId), item.attributeId]),
        );
      }),
      RUNS,
    );
  });
});
