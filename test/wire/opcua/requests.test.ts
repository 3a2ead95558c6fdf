/** Differential: requests encoded by node-opcua, decoded by us, compared field by field. */
import {
  ActivateSessionRequest,
  AddNodesRequest,
  AnonymousIdentityToken,
  BrowseNextRequest,
  BrowseRequest,
  CallRequest,
  CancelRequest,
  CloseSessionRequest,
  CreateMonitoredItemsRequest,
  CreateSessionRequest,
  CreateSubscriptionRequest,
  coerceExpandedNodeId,
  DataChangeFilter,
  DataType,
  DeleteMonitoredItemsRequest,
  DeleteNodesRequest,
  DeleteSubscriptionsRequest,
  FindServersOnNetworkRequest,
  FindServersRequest,
  GetEndpointsRequest,
  HistoryReadRequest,
  ModifyMonitoredItemsRequest,
  ModifySubscriptionRequest,
  NumericRange,
  ObjectIds,
  OpenSecureChannelRequest,
  PublishRequest,
  QueryFirstRequest,
  ReadRawModifiedDetails,
  ReadRequest,
  RegisterNodesRequest,
  RegisterServer2Request,
  RepublishRequest,
  SetMonitoringModeRequest,
  SetPublishingModeRequest,
  SetTriggeringRequest,
  StatusCodes,
  TransferSubscriptionsRequest,
  TranslateBrowsePathsToNodeIdsRequest,
  UnregisterNodesRequest,
  UserNameIdentityToken,
  VariantArrayType,
  WriteRequest,
  X509IdentityToken,
} from "node-opcua";
import { describe, expect, test } from "vitest";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { numericNodeId, writeNodeId } from "#wire/opcua/node-id.ts";
import { decodeRequest, peekRequestHeader } from "#wire/opcua/request.ts";
import { SERVICE_NAMES, SERVICES, serviceOfRequest, serviceOfResponse } from "#wire/opcua/services/service-table.ts";
import { scalarOf } from "#wire/opcua/variant.ts";
import { bodyOf } from "./node-opcua-bytes.ts";

const timestamp = new Date("2024-05-06T07:08:09.123Z");
const requestHeader = {
  authenticationToken: "ns=1;g=4EBDA9F6-79E2-4B0F-8A77-1D1C2E3F4A5B",
  timestamp,
  requestHandle: 77,
  returnDiagnostics: 3,
  auditEntryId: "shift 2",
  timeoutHint: 5_000,
};
const header = {
  authenticationToken: { text: "ns=1;g=4ebda9f6-79e2-4b0f-8a77-1d1c2e3f4a5b" },
  timestampMs: timestamp.getTime(),
  requestHandle: 77,
  returnDiagnostics: 3,
  auditEntryId: "shift 2",
  timeoutHintMs: 5_000,
};
const text = (value: string): object => ({ text: value });

describe("service table", () => {
  test.each(SERVICE_NAMES)("%s has the encoding ids of the node set", (name) => {
    const ids = new Map(Object.entries(ObjectIds));
    expect(ids.get(`${name}Request_Encoding_DefaultBinary`)).toBe(SERVICES[name].request);
    expect(ids.get(`${name}Response_Encoding_DefaultBinary`)).toBe(SERVICES[name].response);
    expect(serviceOfRequest(SERVICES[name].request)).toBe(name);
    expect(serviceOfResponse(SERVICES[name].response)).toBe(name);
    expect(serviceOfRequest(SERVICES[name].response)).toBeUndefined();
  });
});

const CASES = [
  {
    name: "Read",
    message: new ReadRequest({
      requestHeader,
      maxAge: 250,
      timestampsToReturn: 2,
      nodesToRead: [
        { nodeId: "ns=1;s=FIC201.SP", attributeId: 13 },
        {
          nodeId: "ns=1;s=FIC201.Trend",
          attributeId: 13,
          indexRange: new NumericRange("2:5"),
          dataEncoding: { name: "Default Binary" },
        },
        { nodeId: "i=2258", attributeId: 3 },
        { nodeId: "ns=300;i=70000", attributeId: 13 },
        { nodeId: "ns=2;b=AQID", attributeId: 13 },
      ],
    }),
    want: {
      service: "Read",
      maxAgeMs: 250,
      timestampsToReturn: 2,
      nodesToRead: [
        { nodeId: text("ns=1;s=FIC201.SP"), attributeId: 13, indexRange: null },
        {
          nodeId: text("ns=1;s=FIC201.Trend"),
          indexRange: "2:5",
          dataEncoding: { namespace: 0, name: "Default Binary" },
        },
        { nodeId: text("i=2258"), attributeId: 3 },
        { nodeId: text("ns=300;i=70000") },
        { nodeId: text("ns=2;b=AQID") },
      ],
    },
  },
  {
    name: "Write",
    message: new WriteRequest({
      requestHeader,
      nodesToWrite: [
        { nodeId: "ns=1;s=FIC201.SP", attributeId: 13, value: { value: { dataType: DataType.Double, value: 42.5 } } },
        {
          nodeId: "ns=1;s=P101.Run",
          attributeId: 13,
          value: {
            value: { dataType: DataType.Boolean, value: true },
            statusCode: StatusCodes.UncertainLastUsableValue,
            sourceTimestamp: timestamp,
            serverTimestamp: timestamp,
          },
        },
        {
          nodeId: "ns=1;s=Recipe",
          attributeId: 13,
          indexRange: new NumericRange("0:1"),
          value: { value: { dataType: DataType.Int16, arrayType: VariantArrayType.Array, value: [-7, 8] } },
        },
      ],
    }),
    want: {
      service: "Write",
      nodesToWrite: [
        {
          nodeId: text("ns=1;s=FIC201.SP"),
          attributeId: 13,
          indexRange: null,
          value: { value: { type: "Double", value: 42.5 } },
        },
        {
          nodeId: text("ns=1;s=P101.Run"),
          value: {
            value: { type: "Boolean", value: true },
            statusCode: 0x4090_0000,
            sourceTimestampMs: timestamp.getTime(),
            serverTimestampMs: timestamp.getTime(),
          },
        },
        { indexRange: "0:1", value: { value: { type: "Int16", isArray: true, value: [-7, 8], dimensions: [] } } },
      ],
    },
  },
  {
    name: "Call",
    message: new CallRequest({
      requestHeader,
      methodsToCall: [
        {
          objectId: "ns=1;s=Batch",
          methodId: "ns=1;s=Batch.Start",
          inputArguments: [
            { dataType: DataType.UInt32, value: 9 },
            { dataType: DataType.String, value: "Röhre 3" },
          ],
        },
      ],
    }),
    want: {
      service: "Call",
      methodsToCall: [
        {
          objectId: text("ns=1;s=Batch"),
          methodId: text("ns=1;s=Batch.Start"),
          inputArguments: [
            { type: "UInt32", value: 9 },
            { type: "String", value: "Röhre 3" },
          ],
        },
      ],
    },
  },
  {
    name: "Browse",
    message: new BrowseRequest({
      requestHeader,
      requestedMaxReferencesPerNode: 10,
      nodesToBrowse: [
        {
          nodeId: "i=85",
          browseDirection: 2,
          referenceTypeId: "i=33",
          includeSubtypes: true,
          nodeClassMask: 0,
          resultMask: 63,
        },
      ],
    }),
    want: {
      service: "Browse",
      viewId: text("i=0"),
      requestedMaxReferencesPerNode: 10,
      nodesToBrowse: [
        {
          nodeId: text("i=85"),
          browseDirection: 2,
          referenceTypeId: text("i=33"),
          includeSubtypes: true,
          resultMask: 63,
        },
      ],
    },
  },
  {
    name: "BrowseNext",
    message: new BrowseNextRequest({
      requestHeader,
      releaseContinuationPoints: true,
      continuationPoints: [Buffer.from("cp")],
    }),
    want: { service: "BrowseNext", releaseContinuationPoints: true, continuationPoints: [Buffer.from("cp")] },
  },
  {
    name: "TranslateBrowsePathsToNodeIds",
    message: new TranslateBrowsePathsToNodeIdsRequest({
      requestHeader,
      browsePaths: [
        {
          startingNode: "i=84",
          relativePath: {
            elements: [
              {
                referenceTypeId: "i=35",
                isInverse: false,
                includeSubtypes: true,
                targetName: { namespaceIndex: 1, name: "Tank" },
              },
            ],
          },
        },
      ],
    }),
    want: {
      service: "TranslateBrowsePathsToNodeIds",
      browsePaths: [
        {
          startingNode: text("i=84"),
          elements: [
            {
              referenceTypeId: text("i=35"),
              isInverse: false,
              includeSubtypes: true,
              targetName: { namespace: 1, name: "Tank" },
            },
          ],
        },
      ],
    },
  },
  {
    name: "CreateMonitoredItems",
    message: new CreateMonitoredItemsRequest({
      requestHeader,
      subscriptionId: 4,
      timestampsToReturn: 3,
      itemsToCreate: [
        {
          itemToMonitor: { nodeId: "ns=1;s=LI101.PV", attributeId: 13 },
          monitoringMode: 2,
          requestedParameters: {
            clientHandle: 5,
            samplingInterval: 100,
            filter: new DataChangeFilter({ trigger: 1 }),
            queueSize: 10,
            discardOldest: true,
          },
        },
      ],
    }),
    want: {
      service: "CreateMonitoredItems",
      subscriptionId: 4,
      timestampsToReturn: 3,
      itemsToCreate: [
        {
          itemToMonitor: { nodeId: text("ns=1;s=LI101.PV"), attributeId: 13 },
          monitoringMode: 2,
          parameters: {
            clientHandle: 5,
            samplingIntervalMs: 100,
            filter: { typeId: text("i=724"), encoding: "binary" },
            queueSize: 10,
            discardOldest: true,
          },
        },
      ],
    },
  },
  {
    name: "ModifyMonitoredItems",
    message: new ModifyMonitoredItemsRequest({
      requestHeader,
      subscriptionId: 4,
      itemsToModify: [
        { monitoredItemId: 6, requestedParameters: { clientHandle: 5, samplingInterval: -1, queueSize: 1 } },
      ],
    }),
    want: {
      service: "ModifyMonitoredItems",
      itemsToModify: [{ monitoredItemId: 6, parameters: { samplingIntervalMs: -1, filter: { encoding: "none" } } }],
    },
  },
  {
    name: "SetMonitoringMode",
    message: new SetMonitoringModeRequest({
      requestHeader,
      subscriptionId: 4,
      monitoringMode: 1,
      monitoredItemIds: [1, 2],
    }),
    want: { service: "SetMonitoringMode", subscriptionId: 4, monitoringMode: 1, monitoredItemIds: [1, 2] },
  },
  {
    name: "SetTriggering",
    message: new SetTriggeringRequest({
      requestHeader,
      subscriptionId: 4,
      triggeringItemId: 3,
      linksToAdd: [1],
      linksToRemove: [2],
    }),
    want: { service: "SetTriggering", subscriptionId: 4, triggeringItemId: 3, linksToAdd: [1], linksToRemove: [2] },
  },
  {
    name: "DeleteMonitoredItems",
    message: new DeleteMonitoredItemsRequest({ requestHeader, subscriptionId: 4, monitoredItemIds: [9] }),
    want: { service: "DeleteMonitoredItems", subscriptionId: 4, monitoredItemIds: [9] },
  },
  {
    name: "CreateSubscription",
    message: new CreateSubscriptionRequest({
      requestHeader,
      requestedPublishingInterval: 500,
      requestedLifetimeCount: 60,
      requestedMaxKeepAliveCount: 20,
      maxNotificationsPerPublish: 8,
      publishingEnabled: true,
      priority: 2,
    }),
    want: {
      service: "CreateSubscription",
      requestedPublishingIntervalMs: 500,
      requestedLifetimeCount: 60,
      requestedMaxKeepAliveCount: 20,
      maxNotificationsPerPublish: 8,
      publishingEnabled: true,
      priority: 2,
    },
  },
  {
    name: "ModifySubscription",
    message: new ModifySubscriptionRequest({
      requestHeader,
      subscriptionId: 4,
      requestedPublishingInterval: 500,
      priority: 3,
    }),
    want: { service: "ModifySubscription", subscriptionId: 4, requestedPublishingIntervalMs: 500, priority: 3 },
  },
  {
    name: "SetPublishingMode",
    message: new SetPublishingModeRequest({ requestHeader, publishingEnabled: false, subscriptionIds: [4] }),
    want: { service: "SetPublishingMode", publishingEnabled: false, subscriptionIds: [4] },
  },
  {
    name: "Publish",
    message: new PublishRequest({
      requestHeader,
      subscriptionAcknowledgements: [{ subscriptionId: 4, sequenceNumber: 11 }],
    }),
    want: { service: "Publish", acknowledgements: [{ subscriptionId: 4, sequenceNumber: 11 }] },
  },
  {
    name: "Republish",
    message: new RepublishRequest({ requestHeader, subscriptionId: 4, retransmitSequenceNumber: 11 }),
    want: { service: "Republish", subscriptionId: 4, retransmitSequenceNumber: 11 },
  },
  {
    name: "TransferSubscriptions",
    message: new TransferSubscriptionsRequest({ requestHeader, subscriptionIds: [4, 5], sendInitialValues: true }),
    want: { service: "TransferSubscriptions", subscriptionIds: [4, 5], sendInitialValues: true },
  },
  {
    name: "DeleteSubscriptions",
    message: new DeleteSubscriptionsRequest({ requestHeader, subscriptionIds: [4] }),
    want: { service: "DeleteSubscriptions", subscriptionIds: [4] },
  },
  {
    name: "RegisterNodes",
    message: new RegisterNodesRequest({ requestHeader, nodesToRegister: ["ns=1;s=FIC201.SP"] }),
    want: { service: "RegisterNodes", nodeIds: [text("ns=1;s=FIC201.SP")] },
  },
  {
    name: "UnregisterNodes",
    message: new UnregisterNodesRequest({ requestHeader, nodesToUnregister: ["ns=1;i=9"] }),
    want: { service: "UnregisterNodes", nodeIds: [text("ns=1;i=9")] },
  },
  {
    name: "AddNodes",
    message: new AddNodesRequest({
      requestHeader,
      nodesToAdd: [
        {
          parentNodeId: coerceExpandedNodeId("i=85"),
          referenceTypeId: "i=35",
          requestedNewNodeId: coerceExpandedNodeId("ns=1;s=Rogue"),
          browseName: { namespaceIndex: 1, name: "Rogue" },
          nodeClass: 2,
          typeDefinition: coerceExpandedNodeId("i=63"),
        },
      ],
    }),
    want: {
      service: "AddNodes",
      nodesToAdd: [
        {
          parentNodeId: text("i=85"),
          referenceTypeId: text("i=35"),
          requestedNewNodeId: text("ns=1;s=Rogue"),
          browseName: { namespace: 1, name: "Rogue" },
          nodeClass: 2,
          typeDefinition: text("i=63"),
        },
      ],
    },
  },
  {
    name: "DeleteNodes",
    message: new DeleteNodesRequest({
      requestHeader,
      nodesToDelete: [{ nodeId: "ns=1;s=Alarm", deleteTargetReferences: true }],
    }),
    want: { service: "DeleteNodes", nodesToDelete: [{ nodeId: text("ns=1;s=Alarm"), deleteTargetReferences: true }] },
  },
  {
    name: "HistoryRead",
    message: new HistoryReadRequest({
      requestHeader,
      historyReadDetails: new ReadRawModifiedDetails({ numValuesPerNode: 5 }),
      timestampsToReturn: 2,
      nodesToRead: [{ nodeId: "ns=1;s=LI101.PV" }],
    }),
    want: {
      service: "HistoryRead",
      details: { typeId: text("i=649") },
      timestampsToReturn: 2,
      nodesToRead: [{ nodeId: text("ns=1;s=LI101.PV") }],
    },
  },
  {
    name: "GetEndpoints",
    message: new GetEndpointsRequest({
      requestHeader,
      endpointUrl: "opc.tcp://filter:4840",
      localeIds: ["de"],
      profileUris: ["p"],
    }),
    want: { service: "GetEndpoints", endpointUrl: "opc.tcp://filter:4840", localeIds: ["de"], profileUris: ["p"] },
  },
  {
    name: "FindServers",
    message: new FindServersRequest({ requestHeader, endpointUrl: "opc.tcp://filter:4840", serverUris: ["urn:plc2"] }),
    want: { service: "FindServers", endpointUrl: "opc.tcp://filter:4840", serverUris: ["urn:plc2"] },
  },
  {
    name: "FindServersOnNetwork",
    message: new FindServersOnNetworkRequest({
      requestHeader,
      startingRecordId: 1,
      maxRecordsToReturn: 2,
      serverCapabilityFilter: ["DA"],
    }),
    want: {
      service: "FindServersOnNetwork",
      startingRecordId: 1,
      maxRecordsToReturn: 2,
      serverCapabilityFilter: ["DA"],
    },
  },
  {
    name: "OpenSecureChannel",
    message: new OpenSecureChannelRequest({
      requestHeader,
      clientProtocolVersion: 0,
      requestType: 1,
      securityMode: 1,
      requestedLifetime: 60_000,
    }),
    want: { service: "OpenSecureChannel", requestType: "renew", securityMode: "None", requestedLifetimeMs: 60_000 },
  },
  {
    name: "CreateSession",
    message: new CreateSessionRequest({
      requestHeader,
      clientDescription: { applicationUri: "urn:hmi", applicationName: { text: "HMI" }, applicationType: 1 },
      endpointUrl: "opc.tcp://filter:4840",
      sessionName: "operator station 1",
      requestedSessionTimeout: 30_000,
      maxResponseMessageSize: 65_536,
    }),
    want: {
      service: "CreateSession",
      clientDescription: {
        applicationUri: "urn:hmi",
        applicationName: { text: "HMI" },
        applicationType: 1,
        discoveryUrls: [],
      },
      endpointUrl: "opc.tcp://filter:4840",
      sessionName: "operator station 1",
      requestedSessionTimeoutMs: 30_000,
      maxResponseMessageSize: 65_536,
    },
  },
  {
    name: "ActivateSession, anonymous",
    message: new ActivateSessionRequest({
      requestHeader,
      localeIds: ["en"],
      userIdentityToken: new AnonymousIdentityToken({ policyId: "anon" }),
    }),
    want: { service: "ActivateSession", localeIds: ["en"], identity: { kind: "anonymous", policyId: "anon" } },
  },
  {
    name: "ActivateSession, user name",
    message: new ActivateSessionRequest({
      requestHeader,
      userIdentityToken: new UserNameIdentityToken({
        policyId: "user",
        userName: "operator",
        password: Buffer.from("secret"),
      }),
    }),
    want: { service: "ActivateSession", identity: { kind: "user-name", policyId: "user", userName: "operator" } },
  },
  {
    name: "ActivateSession, certificate",
    message: new ActivateSessionRequest({
      requestHeader,
      userIdentityToken: new X509IdentityToken({ policyId: "cert", certificateData: Buffer.from([1, 2]) }),
    }),
    want: { service: "ActivateSession", identity: { kind: "certificate", certificate: Buffer.from([1, 2]) } },
  },
  {
    name: "ActivateSession, no token",
    message: new ActivateSessionRequest({ requestHeader }),
    want: { service: "ActivateSession", identity: { kind: "anonymous", policyId: null } },
  },
  {
    name: "CloseSession",
    message: new CloseSessionRequest({ requestHeader, deleteSubscriptions: true }),
    want: { service: "CloseSession", deleteSubscriptions: true },
  },
  {
    name: "Cancel",
    message: new CancelRequest({ requestHeader, requestHandle: 76 }),
    want: { service: "Cancel", requestHandle: 76 },
  },
  {
    name: "QueryFirst, header only",
    message: new QueryFirstRequest({ requestHeader }),
    want: { service: "QueryFirst" },
  },
  {
    name: "RegisterServer2, header only",
    message: new RegisterServer2Request({ requestHeader }),
    want: { service: "RegisterServer2" },
  },
];

describe("requests of node-opcua", () => {
  test.each(CASES)("$name", ({ message, want }) => {
    const body = bodyOf(message);
    expect(decodeRequest(body)).toMatchObject({ ok: true, value: { header, ...want } });
    expect(peekRequestHeader(body)).toMatchObject(header);
  });

  test.each(CASES.filter(({ name }) => !name.includes("header only")))(
    "$name: cut or prolonged by a byte",
    ({ message }) => {
      const body = bodyOf(message);
      expect(decodeRequest(Buffer.concat([body, Buffer.from([0])]))).toMatchObject({
        ok: false,
        error: { code: "UA_TRAILING", offset: body.length },
      });
      expect(decodeRequest(body.subarray(0, -1)).ok).toBe(false);
    },
  );
});

describe("request bodies that no encoder of the tests makes", () => {
  const start = (encodingId: number): BinaryWriter => {
    const writer = new BinaryWriter();
    writeNodeId(writer, numericNodeId(encodingId));
    writeNodeId(writer, numericNodeId(0));
    return writer
      .dateTimeMs(0)
      .u32(7)
      .u32(0)
      .string(null)
      .u32(0)
      .raw(Buffer.from([0, 0, 0]));
  };

  test("HistoryUpdate names the node of each update", () => {
    const details = new BinaryWriter();
    writeNodeId(details, { ...numericNodeId(5, 1) });
    const body = start(SERVICES.HistoryUpdate.request).array([682], (w, id) => {
      writeNodeId(w, numericNodeId(id));
      w.u8(1).byteString(details.raw(Buffer.from("rest")).toBuffer());
    });
    expect(decodeRequest(body.toBuffer())).toMatchObject({
      ok: true,
      value: { service: "HistoryUpdate", updates: [{ typeId: text("i=682"), nodeId: text("ns=1;i=5") }] },
    });
  });

  test("AddReferences and DeleteReferences", () => {
    const add = start(SERVICES.AddReferences.request).array([1], (w) => {
      for (const id of [10, 35]) writeNodeId(w, numericNodeId(id, 1));
      w.bool(true).string("urn:other");
      writeNodeId(w, numericNodeId(11));
      w.u32(1);
    });
    expect(decodeRequest(add.toBuffer())).toMatchObject({
      ok: true,
      value: {
        service: "AddReferences",
        referencesToAdd: [
          { sourceNodeId: text("ns=1;i=10"), targetServerUri: "urn:other", targetNodeId: text("i=11") },
        ],
      },
    });
    const remove = start(SERVICES.DeleteReferences.request).array([1], (w) => {
      for (const id of [10, 35]) writeNodeId(w, numericNodeId(id, 1));
      w.bool(false);
      writeNodeId(w, numericNodeId(11));
      w.bool(true);
    });
    expect(decodeRequest(remove.toBuffer())).toMatchObject({
      ok: true,
      value: {
        service: "DeleteReferences",
        referencesToDelete: [{ isForward: false, targetNodeId: text("i=11"), deleteBidirectional: true }],
      },
    });
  });

  test("an unknown type is a value with its id and header", () => {
    expect(decodeRequest(start(15_903).toBuffer())).toMatchObject({
      ok: true,
      value: { service: "unknown", typeId: "i=15903", header: { requestHandle: 7 } },
    });
    expect(decodeRequest(Buffer.from([0, 99]))).toEqual({
      ok: true,
      value: { service: "unknown", typeId: "i=99", header: undefined, bodyBytes: 0 },
    });
  });

  test("a response in the direction of requests is unknown", () => {
    expect(decodeRequest(start(SERVICES.Write.response).toBuffer())).toMatchObject({
      ok: true,
      value: { service: "unknown" },
    });
  });

  test("an array longer than its bytes is refused before it is read", () => {
    const body = start(SERVICES.Write.request).i32(9_999).toBuffer();
    expect(decodeRequest(body)).toMatchObject({ ok: false, error: { code: "UA_SHORT", offset: body.length - 4 } });
    const over = start(SERVICES.Write.request).i32(10_001).toBuffer();
    expect(decodeRequest(over)).toMatchObject({ ok: false, error: { code: "UA_ARRAY", offset: body.length - 4 } });
  });
});

describe("scalarOf", () => {
  test.each([
    { type: "Double", value: 1.5, want: 1.5 },
    { type: "Double", value: Number.NaN, want: undefined },
    { type: "Float", value: Number.POSITIVE_INFINITY, want: undefined },
    { type: "Int64", value: 9_007_199_254_740_991n, want: 9_007_199_254_740_991 },
    { type: "Int64", value: 9_007_199_254_740_992n, want: undefined },
    { type: "Boolean", value: false, want: false },
    { type: "String", value: "auto", want: "auto" },
    { type: "String", value: null, want: undefined },
    { type: "Guid", value: "72962b91-fa75-4ae6-8d28-b404dc7daf63", want: undefined },
    { type: "DateTime", value: 0, want: undefined },
    { type: "StatusCode", value: 0, want: undefined },
  ] as const)("$type $value is $want", ({ type, value, want }) => {
    expect(scalarOf({ type, isArray: false, value })).toBe(want);
  });

  test("an array and an absent value are none", () => {
    expect(scalarOf({ type: "Byte", isArray: true, value: [1], dimensions: [] })).toBeUndefined();
    expect(scalarOf(undefined)).toBeUndefined();
  });
});
