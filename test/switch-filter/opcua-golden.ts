import * as ua from "node-opcua";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";

/** Requests as node-opcua's clients put them on the wire, one or more of every service that it has. */
export const SESSION_TOKEN = "ns=1;g=4ebda9f6-79e2-4b0f-8a77-1d1c2e3f4a5b";
export const UNIT = "ns=1;s=UNIT";
export const METHOD = "ns=1;s=RESET";
export const NODES = ["ns=1;s=SP", "ns=1;s=COUNT", "ns=1;s=LEVEL"] as const;
/** The server gives these, one after the other, to nodes that are registered. */
export const FIRST_ALIAS = 100_000;
export const aliasText = (n: number): string => `ns=1;i=${FIRST_ALIAS + n}`;

const requestHeader = {
  authenticationToken: SESSION_TOKEN,
  timestamp: new Date(0),
  requestHandle: 77,
  timeoutHint: 10,
};
const attributeId = 13;
const [SP, COUNT, LEVEL] = NODES;
const { DataType, VariantArrayType } = ua;

const written = (nodeId: string, dataType: ua.DataType, value: unknown, more: object = {}) => ({
  nodeId,
  attributeId,
  value: { value: { dataType, value }, ...more },
});
const double = (nodeId: string, value: number) => written(nodeId, DataType.Double, value);
const write = (...nodesToWrite: object[]) => new ua.WriteRequest({ requestHeader, nodesToWrite });
const call = (...methodsToCall: object[]) => new ua.CallRequest({ requestHeader, methodsToCall });
const argument = (value: number) => ({ dataType: DataType.Double, value });
const nested = (depth: number): object =>
  depth === 0
    ? { dataType: DataType.Double, value: 1 }
    : { dataType: DataType.Variant, arrayType: VariantArrayType.Array, value: [new ua.Variant(nested(depth - 1))] };

/** Where process values are read and written, several of each: they are what may and may not pass. */
const COMMANDS: readonly ua.ExtensionObject[] = [
  write(double(SP, 33)),
  write(double(SP, 7), written(COUNT, DataType.Int16, 9)),
  write(written(COUNT, DataType.Int16, 50)),
  write(double(SP, 99)),
  write(double(LEVEL, 3)),
  write(double(aliasText(0), 12)),
  write(double(aliasText(1), 12), double(SP, 1)),
  write({ ...double(SP, 3), indexRange: new ua.NumericRange("0:1") }),
  write(written(SP, DataType.Float, 3)),
  write(written(SP, DataType.Double, 3, { statusCode: ua.StatusCodes.Bad })),
  write(written(SP, DataType.Double, 3, { sourceTimestamp: new Date(0), serverTimestamp: new Date(0) })),
  write({
    nodeId: SP,
    attributeId,
    value: { value: { dataType: DataType.Double, arrayType: VariantArrayType.Array, value: [1, 2] } },
  }),
  write({ nodeId: SP, attributeId, value: { value: nested(4) } }),
  write({
    nodeId: SP,
    attributeId,
    value: { value: { dataType: DataType.ExtensionObject, value: new ua.DataChangeFilter({ trigger: 1 }) } },
  }),
  call({ objectId: UNIT, methodId: METHOD, inputArguments: [argument(5)] }),
  call({ objectId: UNIT, methodId: METHOD, inputArguments: [argument(77)] }),
  call(
    { objectId: UNIT, methodId: METHOD, inputArguments: [argument(5)] },
    { objectId: UNIT, methodId: METHOD, inputArguments: [argument(6)] },
  ),
  call({ objectId: "ns=1;s=OTHER", methodId: METHOD, inputArguments: [argument(5)] }),
  new ua.ReadRequest({ requestHeader, nodesToRead: [{ nodeId: SP, attributeId }] }),
  new ua.ReadRequest({ requestHeader, nodesToRead: NODES.map((nodeId) => ({ nodeId, attributeId })) }),
  new ua.ReadRequest({
    requestHeader,
    nodesToRead: [
      { nodeId: "i=2258", attributeId },
      { nodeId: aliasText(0), attributeId },
    ],
  }),
  new ua.ReadRequest({
    requestHeader,
    nodesToRead: [{ nodeId: SP, attributeId, indexRange: new ua.NumericRange("1") }],
  }),
  new ua.RegisterNodesRequest({ requestHeader, nodesToRegister: [SP, LEVEL] }),
  new ua.RegisterNodesRequest({ requestHeader, nodesToRegister: ["ns=1;s=SECRET"] }),
  new ua.UnregisterNodesRequest({ requestHeader, nodesToUnregister: [aliasText(0)] }),
];

const OTHERS: readonly ua.ExtensionObject[] = [
  new ua.BrowseRequest({ requestHeader, nodesToBrowse: [{ nodeId: "i=85", resultMask: 63 }] }),
  new ua.BrowseNextRequest({ requestHeader, continuationPoints: [Buffer.from("cp")] }),
  new ua.TranslateBrowsePathsToNodeIdsRequest({
    requestHeader,
    browsePaths: [{ startingNode: "i=85", relativePath: { elements: [{ targetName: { name: "UNIT" } }] } }],
  }),
  new ua.CreateSubscriptionRequest({ requestHeader, requestedPublishingInterval: 100 }),
  new ua.ModifySubscriptionRequest({ requestHeader, subscriptionId: 1 }),
  new ua.SetPublishingModeRequest({ requestHeader, publishingEnabled: true, subscriptionIds: [1] }),
  new ua.CreateMonitoredItemsRequest({
    requestHeader,
    subscriptionId: 1,
    itemsToCreate: [
      { itemToMonitor: { nodeId: SP, attributeId }, monitoringMode: 2, requestedParameters: { clientHandle: 4 } },
    ],
  }),
  new ua.CreateMonitoredItemsRequest({
    requestHeader,
    subscriptionId: 1,
    itemsToCreate: [
      {
        itemToMonitor: { nodeId: LEVEL, attributeId },
        monitoringMode: 2,
        requestedParameters: { clientHandle: 5, filter: new ua.DataChangeFilter({ trigger: 1 }) },
      },
    ],
  }),
  new ua.ModifyMonitoredItemsRequest({ requestHeader, subscriptionId: 1, itemsToModify: [{ monitoredItemId: 1 }] }),
  new ua.SetMonitoringModeRequest({ requestHeader, subscriptionId: 1, monitoredItemIds: [1] }),
  new ua.SetTriggeringRequest({ requestHeader, subscriptionId: 1, triggeringItemId: 1, linksToAdd: [2] }),
  new ua.DeleteMonitoredItemsRequest({ requestHeader, subscriptionId: 1, monitoredItemIds: [1] }),
  new ua.PublishRequest({ requestHeader, subscriptionAcknowledgements: [{ subscriptionId: 1, sequenceNumber: 1 }] }),
  new ua.RepublishRequest({ requestHeader, subscriptionId: 1, retransmitSequenceNumber: 1 }),
  new ua.TransferSubscriptionsRequest({ requestHeader, subscriptionIds: [1], sendInitialValues: true }),
  new ua.DeleteSubscriptionsRequest({ requestHeader, subscriptionIds: [1] }),
  new ua.HistoryReadRequest({
    requestHeader,
    historyReadDetails: new ua.ReadRawModifiedDetails({}),
    nodesToRead: [{ nodeId: SP }],
  }),
  new ua.HistoryUpdateRequest({
    requestHeader,
    historyUpdateDetails: [new ua.ReadRawModifiedDetails({})],
  }),
  new ua.AddNodesRequest({ requestHeader, nodesToAdd: [{ browseName: { name: "X" } }] }),
  new ua.AddReferencesRequest({ requestHeader, referencesToAdd: [{}] }),
  new ua.DeleteNodesRequest({ requestHeader, nodesToDelete: [{ nodeId: SP }] }),
  new ua.DeleteReferencesRequest({ requestHeader, referencesToDelete: [{}] }),
  new ua.QueryFirstRequest({ requestHeader }),
  new ua.QueryNextRequest({ requestHeader }),
  new ua.GetEndpointsRequest({ requestHeader, endpointUrl: "opc.tcp://filter:4840" }),
  new ua.FindServersRequest({ requestHeader, endpointUrl: "opc.tcp://filter:4840" }),
  new ua.FindServersOnNetworkRequest({ requestHeader }),
  new ua.RegisterServerRequest({ requestHeader }),
  new ua.RegisterServer2Request({ requestHeader }),
  new ua.CreateSessionRequest({ requestHeader, sessionName: "fuzz", endpointUrl: "opc.tcp://filter:4840" }),
  new ua.ActivateSessionRequest({ requestHeader, userIdentityToken: new ua.AnonymousIdentityToken({ policyId: "a" }) }),
  new ua.ActivateSessionRequest({
    requestHeader,
    userIdentityToken: new ua.UserNameIdentityToken({ userName: "u", password: Buffer.from("p") }),
  }),
  new ua.CloseSessionRequest({ requestHeader }),
  new ua.CancelRequest({ requestHeader, requestHandle: 77 }),
  new ua.OpenSecureChannelRequest({ requestHeader }),
  new ua.CloseSecureChannelRequest({ requestHeader }),
];

/** Bodies; whoever changes one changes a copy. */
export const COMMAND_BODIES: readonly Buffer[] = COMMANDS.map(bodyOf);
export const OTHER_BODIES: readonly Buffer[] = OTHERS.map(bodyOf);

const CLASSES = new Map(
  [...COMMANDS, ...OTHERS].map((message) => [
    message.schema.encodingDefaultBinary?.toString() ?? "",
    message.constructor,
  ]),
);

/** What node-opcua makes of a body, as its servers do: type id, then the fields, and what is behind them does not matter. */
export function readByNodeOpcua(body: Buffer): ua.ExtensionObject | undefined {
  try {
    const stream = new ua.BinaryStream(body);
    const made = CLASSES.get(ua.decodeExpandedNodeId(stream).toString());
    if (made === undefined) return undefined;
    const message: unknown = Reflect.construct(made, []);
    if (!(message instanceof ua.ExtensionObject)) return undefined;
    message.decode(stream);
    return message;
  } catch {
    return undefined;
  }
}
