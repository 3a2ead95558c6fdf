import type { UaResponse } from "#wire/opcua/response.ts";
import { securityMode, securityPolicyName } from "#wire/opcua/security-policy.ts";
import { statusCodeName } from "#wire/opcua/status-code.ts";
import type { DataValue } from "#wire/opcua/variant.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";
import { uaDataValue, uaList, uaText, uaVariant } from "./opcua-values.ts";

const KEY = {
  statusCode: ascii(',"statusCode":'),
  status: ascii(',"status":'),
  values: ascii(',"values":'),
  statusCodes: ascii(',"statusCodes":'),
  nodeIds: ascii(',"nodeIds":'),
  clientHandles: ascii(',"clientHandles":'),
  subscriptionId: ascii(',"subscriptionId":'),
  monitoredItemIds: ascii(',"monitoredItemIds":'),
  publishingIntervalMs: ascii(',"publishingIntervalMs":'),
  notifications: ascii(',"otherNotifications":'),
  outputs: ascii(',"outputs":'),
  endpoints: ascii(',"endpoints":['),
  url: ascii('{"endpointUrl":'),
  mode: ascii(',"securityMode":'),
  policy: ascii(',"securityPolicy":'),
  applicationUris: ascii(',"applicationUris":'),
  serverNames: ascii(',"serverNames":'),
  sessionId: ascii(',"sessionId":'),
  channelId: ascii(',"channelId":'),
  tokenId: ascii(',"newTokenId":'),
  lifetimeMs: ascii(',"lifetimeMs":'),
  typeId: ascii(',"typeId":'),
  comma: ascii(","),
  closeList: ascii("]"),
  close: ascii("}"),
} as const;

const GOOD = 0;

interface Result {
  readonly statusCode: number;
}

/** The fields of a response after its service, `,"key":value` each; docs/decode.md names them. */
export function uaResponseFields(json: JsonBytes, response: UaResponse): void {
  if (response.service === "unknown") {
    json.raw(KEY.typeId).text(response.typeId);
    return;
  }
  const { serviceResult } = response.header;
  json.raw(KEY.statusCode).int(serviceResult);
  if (serviceResult !== GOOD) json.raw(KEY.status).text(statusCodeName(serviceResult));
  switch (response.service) {
    case "Read":
      if (!("results" in response)) return;
      uaList(json.raw(KEY.values), response.results, uaDataValue);
      dataStatus(json, response.results);
      return;
    case "Publish": {
      if (!("dataChanges" in response)) return;
      const { subscriptionId, dataChanges, otherNotifications } = response;
      json.raw(KEY.subscriptionId).int(subscriptionId);
      json.raw(KEY.clientHandles).ints(dataChanges.map(({ clientHandle }) => clientHandle));
      uaList(json.raw(KEY.values), dataChanges, (to, { value }) => uaDataValue(to, value));
      dataStatus(
        json,
        dataChanges.map(({ value }) => value),
      );
      if (otherNotifications.length > 0)
        uaList(json.raw(KEY.notifications), otherNotifications, (to, { typeId }) => to.text(typeId.text));
      return;
    }
    case "Write":
    case "DeleteMonitoredItems":
    case "DeleteSubscriptions":
    case "ActivateSession":
      if ("results" in response && response.results.length > 0) json.raw(KEY.statusCodes).ints(response.results);
      return;
    case "Call":
      if (!("results" in response)) return;
      statusCodes(json, response.results);
      uaList(json.raw(KEY.outputs), response.results, (to, { outputArguments }) =>
        uaList(to, outputArguments, uaVariant),
      );
      return;
    case "Browse":
    case "BrowseNext":
      if (!("results" in response)) return;
      statusCodes(json, response.results);
      uaList(
        json.raw(KEY.nodeIds),
        response.results.flatMap(({ references }) => references),
        (to, { nodeId }) => to.text(nodeId.text),
      );
      return;
    case "TranslateBrowsePathsToNodeIds":
      if (!("results" in response)) return;
      statusCodes(json, response.results);
      uaList(
        json.raw(KEY.nodeIds),
        response.results.flatMap(({ targets }) => targets),
        (to, { targetId }) => to.text(targetId.text),
      );
      return;
    case "RegisterNodes":
      if ("registeredNodeIds" in response)
        uaList(json.raw(KEY.nodeIds), response.registeredNodeIds, (to, { text }) => to.text(text));
      return;
    case "CreateMonitoredItems":
      if (!("results" in response)) return;
      statusCodes(json, response.results);
      json.raw(KEY.monitoredItemIds).ints(response.results.map(({ monitoredItemId }) => monitoredItemId));
      return;
    case "CreateSubscription":
      if (!("subscriptionId" in response)) return;
      json.raw(KEY.subscriptionId).int(response.subscriptionId);
      json.raw(KEY.publishingIntervalMs).float(response.revisedPublishingIntervalMs);
      return;
    case "OpenSecureChannel":
      if (!("channelId" in response)) return;
      json.raw(KEY.channelId).int(response.channelId).raw(KEY.tokenId).int(response.tokenId);
      json.raw(KEY.lifetimeMs).int(response.revisedLifetimeMs);
      return;
    case "CreateSession":
      if ("sessionId" in response) json.raw(KEY.sessionId).text(response.sessionId.text);
      return;
    case "GetEndpoints":
      if (!("endpoints" in response)) return;
      json.raw(KEY.endpoints);
      response.endpoints.forEach((endpoint, i) => {
        if (i > 0) json.raw(KEY.comma);
        uaText(json.raw(KEY.url), endpoint.endpointUrl);
        json.raw(KEY.mode).text(securityMode(endpoint.securityMode) ?? String(endpoint.securityMode));
        json
          .raw(KEY.policy)
          .text(securityPolicyName(endpoint.securityPolicyUri ?? ""))
          .raw(KEY.close);
      });
      json.raw(KEY.closeList);
      return;
    case "FindServers":
      if ("servers" in response)
        uaList(json.raw(KEY.applicationUris), response.servers, (to, { applicationUri }) => uaText(to, applicationUri));
      return;
    case "FindServersOnNetwork":
      if ("servers" in response)
        uaList(json.raw(KEY.serverNames), response.servers, (to, { serverName }) => uaText(to, serverName));
      return;
    default:
  }
}

/** Status of each operation. */
function statusCodes(json: JsonBytes, results: readonly Result[]): void {
  if (results.length > 0) json.raw(KEY.statusCodes).ints(results.map(({ statusCode }) => statusCode));
}

/** Status of each value, unless all are good. */
function dataStatus(json: JsonBytes, values: readonly DataValue[]): void {
  if (values.some(({ statusCode }) => statusCode !== undefined && statusCode !== GOOD))
    json.raw(KEY.statusCodes).ints(values.map(({ statusCode }) => statusCode ?? GOOD));
}
