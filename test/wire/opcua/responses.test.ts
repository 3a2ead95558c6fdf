/** Differential: responses encoded by node-opcua, decoded by us; and our answers, decoded by node-opcua. */
import {
  BinaryStream,
  BrowseResponse,
  CallResponse,
  CreateMonitoredItemsResponse,
  CreateSessionResponse,
  CreateSubscriptionResponse,
  coerceExpandedNodeId,
  DataChangeNotification,
  DataType,
  DiagnosticInfo,
  decodeExpandedNodeId,
  FindServersOnNetworkResponse,
  FindServersResponse,
  GetEndpointsResponse,
  HistoryReadResponse,
  OpenSecureChannelResponse,
  PublishResponse,
  ReadResponse,
  RegisterNodesResponse,
  ServiceFault,
  StatusCodes,
  TranslateBrowsePathsToNodeIdsResponse,
  WriteResponse,
} from "node-opcua";
import { describe, expect, test } from "vitest";
import { rewriteRequestUrls, rewriteResponseUrls } from "#wire/opcua/endpoint-rewrite.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { encodeCallResponse } from "#wire/opcua/services/call.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { encodeWriteResponse } from "#wire/opcua/services/write.ts";
import { isBad, STATUS_CODES, statusCodeName } from "#wire/opcua/status-code.ts";
import { bodyOf } from "./node-opcua-bytes.ts";

const timestamp = new Date("2024-05-06T07:08:09.123Z");
const responseHeader = { timestamp, requestHandle: 77, serviceResult: StatusCodes.Good, stringTable: ["a", "b"] };
const header = { timestampMs: timestamp.getTime(), requestHandle: 77, serviceResult: 0, stringTable: ["a", "b"] };
const text = (value: string): object => ({ text: value });

const UPSTREAM = "opc.tcp://10.0.0.2:4841/UA";
const FILTER = "opc.tcp://filter.plant.example:4840/UA/plc2";
const server = {
  applicationUri: "urn:plc2",
  applicationName: { text: "PLC 2" },
  discoveryUrls: [UPSTREAM, `${UPSTREAM}/other`],
};
const endpoint = {
  endpointUrl: UPSTREAM,
  server,
  serverCertificate: Buffer.from("certificate"),
  securityMode: 1,
  securityPolicyUri: "http://opcfoundation.org/UA/SecurityPolicy#None",
  userIdentityTokens: [{ policyId: "anon", tokenType: 0, issuerEndpointUrl: "https://issuer.example" }],
  transportProfileUri: "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary",
  securityLevel: 3,
};
const endpointWant = (url: string, discovery: readonly string[]): object => ({
  endpointUrl: url,
  server: { applicationUri: "urn:plc2", applicationName: { text: "PLC 2" }, discoveryUrls: discovery },
  serverCertificate: Buffer.from("certificate"),
  securityMode: 1,
  userIdentityTokens: [{ policyId: "anon", tokenType: 0, issuerEndpointUrl: "https://issuer.example" }],
  securityLevel: 3,
});
const getEndpoints = bodyOf(
  new GetEndpointsResponse({ responseHeader, endpoints: [endpoint, { ...endpoint, securityMode: 1 }] }),
);
const createSession = bodyOf(
  new CreateSessionResponse({
    responseHeader,
    sessionId: "ns=1;i=4",
    authenticationToken: "ns=1;i=5",
    revisedSessionTimeout: 9_000,
    serverNonce: Buffer.alloc(32, 7),
    serverEndpoints: [endpoint],
    maxRequestMessageSize: 65_536,
  }),
);
const findServers = bodyOf(new FindServersResponse({ responseHeader, servers: [server] }));
const onNetwork = bodyOf(
  new FindServersOnNetworkResponse({
    responseHeader,
    servers: [{ recordId: 1, serverName: "plc2", discoveryUrl: UPSTREAM, serverCapabilities: ["DA"] }],
  }),
);

const CASES = [
  {
    name: "Read",
    body: bodyOf(
      new ReadResponse({
        responseHeader,
        results: [
          { value: { dataType: DataType.Float, value: 0.5 }, serverTimestamp: timestamp, serverPicoseconds: 30 },
          { statusCode: StatusCodes.BadNodeIdUnknown },
        ],
        diagnosticInfos: [
          new DiagnosticInfo({
            symbolicId: 1,
            locale: 2,
            localizedText: 3,
            additionalInfo: "more",
            innerDiagnosticInfo: new DiagnosticInfo({ namespaceURI: 4 }),
          }),
        ],
      }),
    ),
    want: {
      service: "Read",
      results: [
        { value: { type: "Float", value: 0.5 }, serverTimestampMs: timestamp.getTime() },
        { statusCode: 0x8034_0000 },
      ],
    },
  },
  {
    name: "Write",
    body: bodyOf(new WriteResponse({ responseHeader, results: [StatusCodes.Good, StatusCodes.BadNotWritable] })),
    want: { service: "Write", results: [0, STATUS_CODES.BadNotWritable] },
  },
  {
    name: "Call",
    body: bodyOf(
      new CallResponse({
        responseHeader,
        results: [
          {
            statusCode: StatusCodes.Good,
            inputArgumentResults: [StatusCodes.Good],
            outputArguments: [{ dataType: DataType.Int32, value: -4 }],
          },
        ],
      }),
    ),
    want: {
      service: "Call",
      results: [{ statusCode: 0, inputArgumentResults: [0], outputArguments: [{ type: "Int32", value: -4 }] }],
    },
  },
  {
    name: "Browse",
    body: bodyOf(
      new BrowseResponse({
        responseHeader,
        results: [
          {
            references: [
              {
                referenceTypeId: "i=35",
                isForward: true,
                nodeId: coerceExpandedNodeId("ns=1;s=Tank"),
                browseName: { namespaceIndex: 1, name: "Tank" },
                displayName: { text: "Tank" },
                nodeClass: 1,
                typeDefinition: coerceExpandedNodeId("i=58"),
              },
            ],
          },
        ],
      }),
    ),
    want: {
      service: "Browse",
      results: [
        {
          continuationPoint: null,
          references: [
            { nodeId: text("ns=1;s=Tank"), browseName: { namespace: 1, name: "Tank" }, typeDefinition: text("i=58") },
          ],
        },
      ],
    },
  },
  {
    name: "TranslateBrowsePathsToNodeIds",
    body: bodyOf(
      new TranslateBrowsePathsToNodeIdsResponse({
        responseHeader,
        results: [{ targets: [{ targetId: coerceExpandedNodeId("ns=1;i=3"), remainingPathIndex: 0xffff_ffff }] }],
      }),
    ),
    want: {
      service: "TranslateBrowsePathsToNodeIds",
      results: [{ statusCode: 0, targets: [{ targetId: text("ns=1;i=3"), remainingPathIndex: 0xffff_ffff }] }],
    },
  },
  {
    name: "RegisterNodes",
    body: bodyOf(new RegisterNodesResponse({ responseHeader, registeredNodeIds: ["ns=1;i=900"] })),
    want: { service: "RegisterNodes", registeredNodeIds: [text("ns=1;i=900")] },
  },
  {
    name: "CreateMonitoredItems",
    body: bodyOf(
      new CreateMonitoredItemsResponse({
        responseHeader,
        results: [{ monitoredItemId: 8, revisedSamplingInterval: 100, revisedQueueSize: 3 }],
      }),
    ),
    want: {
      service: "CreateMonitoredItems",
      results: [{ statusCode: 0, monitoredItemId: 8, revisedSamplingIntervalMs: 100, revisedQueueSize: 3 }],
    },
  },
  {
    name: "CreateSubscription",
    body: bodyOf(new CreateSubscriptionResponse({ responseHeader, subscriptionId: 4, revisedPublishingInterval: 500 })),
    want: { service: "CreateSubscription", subscriptionId: 4, revisedPublishingIntervalMs: 500 },
  },
  {
    name: "Publish",
    body: bodyOf(
      new PublishResponse({
        responseHeader,
        subscriptionId: 4,
        availableSequenceNumbers: [1, 2],
        notificationMessage: {
          sequenceNumber: 2,
          publishTime: timestamp,
          notificationData: [
            new DataChangeNotification({
              monitoredItems: [{ clientHandle: 5, value: { value: { dataType: DataType.Double, value: 3.25 } } }],
            }),
          ],
        },
        results: [StatusCodes.Good],
      }),
    ),
    want: {
      service: "Publish",
      subscriptionId: 4,
      sequenceNumber: 2,
      publishTimeMs: timestamp.getTime(),
      dataChanges: [{ clientHandle: 5, value: { value: { value: 3.25 } } }],
      otherNotifications: [],
    },
  },
  {
    name: "OpenSecureChannel",
    body: bodyOf(
      new OpenSecureChannelResponse({
        responseHeader,
        securityToken: { channelId: 6, tokenId: 7, createdAt: timestamp, revisedLifetime: 60_000 },
      }),
    ),
    want: {
      service: "OpenSecureChannel",
      channelId: 6,
      tokenId: 7,
      createdAtMs: timestamp.getTime(),
      revisedLifetimeMs: 60_000,
    },
  },
  {
    name: "GetEndpoints",
    body: getEndpoints,
    want: {
      service: "GetEndpoints",
      endpoints: [endpointWant(UPSTREAM, server.discoveryUrls), endpointWant(UPSTREAM, server.discoveryUrls)],
    },
  },
  {
    name: "CreateSession",
    body: createSession,
    want: {
      service: "CreateSession",
      sessionId: text("ns=1;i=4"),
      authenticationToken: text("ns=1;i=5"),
      revisedSessionTimeoutMs: 9_000,
      serverEndpoints: [endpointWant(UPSTREAM, server.discoveryUrls)],
      maxRequestMessageSize: 65_536,
    },
  },
  {
    name: "FindServers",
    body: findServers,
    want: { service: "FindServers", servers: [{ discoveryUrls: server.discoveryUrls }] },
  },
  {
    name: "FindServersOnNetwork",
    body: onNetwork,
    want: {
      service: "FindServersOnNetwork",
      servers: [{ recordId: 1, serverName: "plc2", discoveryUrl: UPSTREAM, serverCapabilities: ["DA"] }],
    },
  },
  {
    name: "HistoryRead, header only",
    body: bodyOf(new HistoryReadResponse({ responseHeader })),
    want: { service: "HistoryRead" },
  },
];

describe("responses of node-opcua", () => {
  test.each(CASES)("$name", ({ body, want }) => {
    expect(decodeResponse(body)).toMatchObject({ ok: true, value: { header, ...want } });
  });

  test("ServiceFault", () => {
    const body = bodyOf(
      new ServiceFault({ responseHeader: { ...responseHeader, serviceResult: StatusCodes.BadSessionIdInvalid } }),
    );
    expect(decodeResponse(body)).toMatchObject({
      ok: true,
      value: { service: "ServiceFault", header: { serviceResult: STATUS_CODES.BadSessionIdInvalid } },
    });
  });
});

describe("rewriting URLs", () => {
  const urls = [FILTER, FILTER];
  test.each([
    {
      name: "GetEndpoints",
      body: getEndpoints,
      replaced: 6,
      want: { endpoints: [endpointWant(FILTER, urls), endpointWant(FILTER, urls)] },
    },
    {
      name: "CreateSession",
      body: createSession,
      replaced: 3,
      want: {
        serverNonce: Buffer.alloc(32, 7),
        serverEndpoints: [endpointWant(FILTER, urls)],
        maxRequestMessageSize: 65_536,
      },
    },
    {
      name: "FindServers",
      body: findServers,
      replaced: 2,
      want: { servers: [{ applicationUri: "urn:plc2", discoveryUrls: urls }] },
    },
    {
      name: "FindServersOnNetwork",
      body: onNetwork,
      replaced: 1,
      want: { servers: [{ discoveryUrl: FILTER, serverCapabilities: ["DA"] }] },
    },
  ])("$name: every URL of the server is the filter's, and nothing else changed", ({ body, replaced, want }) => {
    const rewritten = rewriteResponseUrls(body, FILTER);
    expect(rewritten).toMatchObject({ ok: true, value: { replaced } });
    if (!rewritten.ok) return;
    expect(rewritten.value.body.includes(UPSTREAM)).toBe(false);
    expect(decodeResponse(rewritten.value.body)).toMatchObject({ ok: true, value: { header, ...want } });
    expect(rewriteResponseUrls(rewritten.value.body, FILTER)).toEqual({
      ok: true,
      value: { body: rewritten.value.body, replaced: 0 },
    });
  });

  test("null URLs and other responses stay as they are", () => {
    const write = bodyOf(new WriteResponse({ responseHeader, results: [] }));
    expect(rewriteResponseUrls(write, FILTER)).toEqual({ ok: true, value: { body: write, replaced: 0 } });
    const empty = bodyOf(new GetEndpointsResponse({ responseHeader, endpoints: [{ server: {} }] }));
    expect(rewriteResponseUrls(empty, FILTER)).toMatchObject({ ok: true, value: { replaced: 0 } });
  });

  test("a malformed response and a URL above 4095 bytes are refused", () => {
    expect(rewriteResponseUrls(getEndpoints.subarray(0, -1), FILTER)).toMatchObject({
      ok: false,
      error: { code: "UA_SHORT" },
    });
    expect(rewriteResponseUrls(getEndpoints, "x".repeat(4_096))).toMatchObject({
      ok: false,
      error: { code: "UA_STRING" },
    });
    expect(rewriteResponseUrls(getEndpoints, "x".repeat(4_095)).ok).toBe(true);
    expect(rewriteRequestUrls(Buffer.alloc(0), FILTER)).toMatchObject({ ok: false, error: { code: "UA_SHORT" } });
  });
});

describe("answers of the filter, read by node-opcua", () => {
  const answer = { requestHandle: 77, statusCode: STATUS_CODES.BadUserAccessDenied, timestamp: timestamp.getTime() };
  const stream = (body: Buffer): BinaryStream => {
    const bytes = new BinaryStream(body);
    decodeExpandedNodeId(bytes);
    return bytes;
  };

  test("ServiceFault", () => {
    const body = encodeServiceFault(answer);
    const fault = new ServiceFault();
    fault.decode(stream(body));
    expect(fault.responseHeader.requestHandle).toBe(77);
    expect(fault.responseHeader.serviceResult).toBe(StatusCodes.BadUserAccessDenied);
    expect(fault.responseHeader.timestamp).toEqual(timestamp);
    expect(decodeResponse(body)).toMatchObject({
      ok: true,
      value: { service: "ServiceFault", header: { requestHandle: 77 } },
    });
  });

  test("WriteResponse with a status for each item", () => {
    const results = [STATUS_CODES.Good, STATUS_CODES.BadUserAccessDenied, STATUS_CODES.BadOutOfRange];
    const body = encodeWriteResponse({ ...answer, statusCode: 0, results });
    const response = new WriteResponse();
    response.decode(stream(body));
    expect(response.results).toEqual([StatusCodes.Good, StatusCodes.BadUserAccessDenied, StatusCodes.BadOutOfRange]);
    expect(decodeResponse(body)).toMatchObject({ ok: true, value: { service: "Write", results } });
  });

  test("CallResponse with a status for each method", () => {
    const body = encodeCallResponse({ ...answer, statusCode: 0, results: [STATUS_CODES.BadUserAccessDenied] });
    const response = new CallResponse();
    response.decode(stream(body));
    expect(response.results?.[0]?.statusCode).toBe(StatusCodes.BadUserAccessDenied);
    expect(decodeResponse(body)).toMatchObject({ ok: true, value: { service: "Call" } });
  });
});

describe("status codes", () => {
  test("names and numbers are those of the node set", () => {
    const theirs = new Map(Object.entries(StatusCodes).map(([name, code]) => [name, code.value]));
    for (const [name, code] of Object.entries(STATUS_CODES)) expect([name, theirs.get(name)]).toEqual([name, code]);
  });

  test("flags do not change the name, and unknown codes are hexadecimal", () => {
    expect(statusCodeName(0x803b_0480)).toBe("BadNotWritable");
    expect(statusCodeName(0x8fff_0000)).toBe("0x8fff0000");
    expect([isBad(STATUS_CODES.BadTimeout), isBad(STATUS_CODES.UncertainInitialValue), isBad(0)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
