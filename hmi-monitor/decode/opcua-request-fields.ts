import { attributeName, VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";
import { uaDataValue, uaList, uaText, uaVariant } from "./opcua-values.ts";

const KEY = {
  nodeIds: ascii(',"nodeIds":'),
  attributes: ascii(',"attributes":'),
  values: ascii(',"values":'),
  indexRanges: ascii(',"indexRanges":'),
  methods: ascii(',"methods":['),
  objectId: ascii('{"objectId":'),
  methodId: ascii(',"methodId":'),
  argumentsOf: ascii(',"arguments":'),
  clientHandles: ascii(',"clientHandles":'),
  subscriptionId: ascii(',"subscriptionId":'),
  subscriptionIds: ascii(',"subscriptionIds":'),
  monitoredItemIds: ascii(',"monitoredItemIds":'),
  publishingIntervalMs: ascii(',"publishingIntervalMs":'),
  endpointUrl: ascii(',"endpointUrl":'),
  applicationUri: ascii(',"applicationUri":'),
  sessionName: ascii(',"sessionName":'),
  identity: ascii(',"identity":'),
  userName: ascii(',"userName":'),
  securityMode: ascii(',"securityMode":'),
  requestType: ascii(',"requestType":'),
  lifetimeMs: ascii(',"lifetimeMs":'),
  requestHandle: ascii(',"requestHandle":'),
  typeId: ascii(',"typeId":'),
  comma: ascii(","),
  closeList: ascii("]"),
  close: ascii("}"),
} as const;

interface Named {
  readonly text: string;
}
const idText = (json: JsonBytes, id: Named): unknown => json.text(id.text);

/** The fields of a request after its service, `,"key":value` each; docs/decode.md names them. */
export function uaRequestFields(json: JsonBytes, request: UaRequest): void {
  switch (request.service) {
    case "Read":
      uaList(json.raw(KEY.nodeIds), request.nodesToRead, (to, { nodeId }) => to.text(nodeId.text));
      attributes(json, request.nodesToRead);
      return;
    case "Write":
      uaList(json.raw(KEY.nodeIds), request.nodesToWrite, (to, { nodeId }) => to.text(nodeId.text));
      attributes(json, request.nodesToWrite);
      uaList(json.raw(KEY.values), request.nodesToWrite, (to, { value }) => uaDataValue(to, value));
      return;
    case "CreateMonitoredItems": {
      const items = request.itemsToCreate;
      json.raw(KEY.subscriptionId).int(request.subscriptionId);
      uaList(json.raw(KEY.nodeIds), items, (to, { itemToMonitor }) => to.text(itemToMonitor.nodeId.text));
      attributes(
        json,
        items.map(({ itemToMonitor }) => itemToMonitor),
      );
      json.raw(KEY.clientHandles).ints(items.map(({ parameters }) => parameters.clientHandle));
      return;
    }
    case "Call":
      uaList(json.raw(KEY.nodeIds), request.methodsToCall, (to, { methodId }) => to.text(methodId.text));
      json.raw(KEY.methods);
      request.methodsToCall.forEach(({ objectId, methodId, inputArguments }, i) => {
        if (i > 0) json.raw(KEY.comma);
        json.raw(KEY.objectId).text(objectId.text).raw(KEY.methodId).text(methodId.text).raw(KEY.argumentsOf);
        uaList(json, inputArguments, uaVariant);
        json.raw(KEY.close);
      });
      json.raw(KEY.closeList);
      return;
    case "Browse":
      uaList(json.raw(KEY.nodeIds), request.nodesToBrowse, (to, { nodeId }) => to.text(nodeId.text));
      return;
    case "TranslateBrowsePathsToNodeIds":
      uaList(json.raw(KEY.nodeIds), request.browsePaths, (to, { startingNode }) => to.text(startingNode.text));
      return;
    case "RegisterNodes":
    case "UnregisterNodes":
      uaList(json.raw(KEY.nodeIds), request.nodeIds, idText);
      return;
    case "HistoryRead":
      uaList(json.raw(KEY.nodeIds), request.nodesToRead, (to, { nodeId }) => to.text(nodeId.text));
      return;
    case "HistoryUpdate":
      uaList(json.raw(KEY.nodeIds), request.updates, (to, { nodeId }) => to.text(nodeId.text));
      return;
    case "AddNodes":
      uaList(json.raw(KEY.nodeIds), request.nodesToAdd, (to, { requestedNewNodeId }) =>
        to.text(requestedNewNodeId.text),
      );
      return;
    case "AddReferences":
      uaList(json.raw(KEY.nodeIds), request.referencesToAdd, (to, { sourceNodeId }) => to.text(sourceNodeId.text));
      return;
    case "DeleteNodes":
      uaList(json.raw(KEY.nodeIds), request.nodesToDelete, (to, { nodeId }) => to.text(nodeId.text));
      return;
    case "DeleteReferences":
      uaList(json.raw(KEY.nodeIds), request.referencesToDelete, (to, { sourceNodeId }) => to.text(sourceNodeId.text));
      return;
    case "FindServers":
    case "GetEndpoints":
      uaText(json.raw(KEY.endpointUrl), request.endpointUrl);
      return;
    case "OpenSecureChannel":
      json.raw(KEY.securityMode).text(request.securityMode).raw(KEY.requestType).text(request.requestType);
      json.raw(KEY.lifetimeMs).int(request.requestedLifetimeMs);
      return;
    case "CreateSession":
      uaText(json.raw(KEY.endpointUrl), request.endpointUrl);
      uaText(json.raw(KEY.applicationUri), request.clientDescription.applicationUri);
      uaText(json.raw(KEY.sessionName), request.sessionName);
      return;
    case "ActivateSession":
      json.raw(KEY.identity).text(request.identity.kind);
      if (request.identity.kind === "user-name") uaText(json.raw(KEY.userName), request.identity.userName);
      return;
    case "Cancel":
      json.raw(KEY.requestHandle).int(request.requestHandle);
      return;
    case "CreateSubscription":
      json.raw(KEY.publishingIntervalMs).float(request.requestedPublishingIntervalMs);
      return;
    case "ModifySubscription":
      json.raw(KEY.subscriptionId).int(request.subscriptionId);
      json.raw(KEY.publishingIntervalMs).float(request.requestedPublishingIntervalMs);
      return;
    case "SetPublishingMode":
    case "TransferSubscriptions":
    case "DeleteSubscriptions":
      json.raw(KEY.subscriptionIds).ints(request.subscriptionIds);
      return;
    case "Publish":
      if (request.acknowledgements.length > 0)
        json.raw(KEY.subscriptionIds).ints(request.acknowledgements.map(({ subscriptionId }) => subscriptionId));
      return;
    case "Republish":
    case "SetTriggering":
      json.raw(KEY.subscriptionId).int(request.subscriptionId);
      return;
    case "ModifyMonitoredItems":
      json.raw(KEY.subscriptionId).int(request.subscriptionId);
      json.raw(KEY.monitoredItemIds).ints(request.itemsToModify.map(({ monitoredItemId }) => monitoredItemId));
      return;
    case "SetMonitoringMode":
    case "DeleteMonitoredItems":
      json.raw(KEY.subscriptionId).int(request.subscriptionId);
      json.raw(KEY.monitoredItemIds).ints(request.monitoredItemIds);
      return;
    case "unknown":
      json.raw(KEY.typeId).text(request.typeId);
      return;
    case "FindServersOnNetwork":
    case "RegisterServer":
    case "RegisterServer2":
    case "CloseSecureChannel":
    case "CloseSession":
    case "BrowseNext":
    case "QueryFirst":
    case "QueryNext":
      return;
  }
}

interface Attribute {
  readonly attributeId: number;
  readonly indexRange: string | null;
}

/** Names of the attributes, unless all are values; index ranges, unless all are whole. */
function attributes(json: JsonBytes, items: readonly Attribute[]): void {
  if (items.some(({ attributeId }) => attributeId !== VALUE_ATTRIBUTE_ID))
    uaList(json.raw(KEY.attributes), items, (to, { attributeId }) => to.text(attributeName(attributeId)));
  if (items.some(({ indexRange }) => indexRange !== null))
    uaList(json.raw(KEY.indexRanges), items, (to, { indexRange }) => uaText(to, indexRange));
}
