/**
 * Array lengths are checked against the smallest encoding of an element before anything is read. A wrong minimum would
 * refuse valid messages, so each is held against an element of zero bytes, which is the smallest of every type.
 */
import { describe, expect, test } from "vitest";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { numericNodeId, writeNodeId } from "#wire/opcua/node-id.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SERVICES, type ServiceName } from "#wire/opcua/services/service-table.ts";

/** Zero bytes of the smallest headers. */
const REQUEST_HEADER_BYTES = 2 + 8 + 4 + 4 + 4 + 4 + 3;
const RESPONSE_HEADER_BYTES = 8 + 4 + 4 + 1 + 4 + 3;

/** Bytes between header and array, of one element, and after the array. */
interface Shape {
  readonly service: ServiceName;
  readonly before: number;
  readonly element: number;
  readonly after: number;
}

const REQUESTS: readonly Shape[] = [
  { service: "Read", before: 12, element: 16, after: 0 },
  { service: "Write", before: 0, element: 11, after: 0 },
  { service: "Call", before: 0, element: 8, after: 0 },
  { service: "Browse", before: 18, element: 17, after: 0 },
  { service: "BrowseNext", before: 1, element: 4, after: 0 },
  { service: "TranslateBrowsePathsToNodeIds", before: 0, element: 6, after: 0 },
  { service: "CreateMonitoredItems", before: 8, element: 40, after: 0 },
  { service: "ModifyMonitoredItems", before: 8, element: 24, after: 0 },
  { service: "DeleteMonitoredItems", before: 4, element: 4, after: 0 },
  { service: "Publish", before: 0, element: 8, after: 0 },
  { service: "RegisterNodes", before: 0, element: 2, after: 0 },
  { service: "AddNodes", before: 0, element: 21, after: 0 },
  { service: "AddReferences", before: 0, element: 15, after: 0 },
  { service: "DeleteNodes", before: 0, element: 3, after: 0 },
  { service: "DeleteReferences", before: 0, element: 8, after: 0 },
  { service: "HistoryRead", before: 8, element: 16, after: 0 },
];

const RESPONSES: readonly Shape[] = [
  { service: "Read", before: 0, element: 1, after: 4 },
  { service: "Write", before: 0, element: 4, after: 4 },
  { service: "Call", before: 0, element: 16, after: 4 },
  { service: "Browse", before: 0, element: 12, after: 4 },
  { service: "TranslateBrowsePathsToNodeIds", before: 0, element: 8, after: 4 },
  { service: "CreateMonitoredItems", before: 0, element: 23, after: 4 },
  { service: "RegisterNodes", before: 0, element: 2, after: 0 },
  { service: "GetEndpoints", before: 0, element: 50, after: 0 },
  { service: "FindServers", before: 0, element: 25, after: 0 },
  { service: "FindServersOnNetwork", before: 8, element: 16, after: 0 },
];

function body(encodingId: number, headerBytes: number, shape: Shape, count: number): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, numericNodeId(encodingId));
  writer.raw(Buffer.alloc(headerBytes + shape.before)).i32(count);
  return writer.raw(Buffer.alloc(count * shape.element + shape.after)).toBuffer();
}

describe("three smallest elements are read, and one byte less is refused", () => {
  test.each(REQUESTS)("$service request", (shape) => {
    const bytes = body(SERVICES[shape.service].request, REQUEST_HEADER_BYTES, shape, 3);
    expect(decodeRequest(bytes)).toMatchObject({ ok: true, value: { service: shape.service } });
    expect(decodeRequest(bytes.subarray(0, -1))).toMatchObject({ ok: false, error: { code: "UA_SHORT" } });
  });

  test.each(RESPONSES)("$service response", (shape) => {
    const bytes = body(SERVICES[shape.service].response, RESPONSE_HEADER_BYTES, shape, 3);
    expect(decodeResponse(bytes)).toMatchObject({ ok: true, value: { service: shape.service } });
    expect(decodeResponse(bytes.subarray(0, -1))).toMatchObject({ ok: false, error: { code: "UA_SHORT" } });
  });
});
