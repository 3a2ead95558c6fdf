import { operationOfItem } from "#point/observe/opcua.ts";
import type { Judged } from "#point/point.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import { peekRequestHeader, type UaRequest } from "#wire/opcua/request.ts";
import { encodeCallResponse } from "#wire/opcua/services/call.ts";
import { encodeCreateMonitoredItemsResponse } from "#wire/opcua/services/monitored-items.ts";
import { encodeReadResponse } from "#wire/opcua/services/read.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { encodeWriteResponse } from "#wire/opcua/services/write.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { denyClassOf } from "./actions.ts";

type Status = keyof typeof STATUS_CODES;

/** What the other items of a refused request are told: nothing of it was carried out. */
const NOT_CARRIED_OUT: Status = "BadOperationAbandoned";

/**
 * The answer to a denied request. A service that answers each of its operations by itself says which one was denied; any other, and a
 * request that is denied as a whole, gets a ServiceFault (OPC 10000-4 v1.05 §7.34). Nothing of the request reaches the server.
 */
export function encodeRefusal(request: UaRequest, denied: Judged, timestamp: number): Buffer {
  const requestHandle = request.header?.requestHandle ?? 0;
  const { verdict, observation } = denied;
  const item = verdict.verdict === "deny" ? verdict.item : -1;
  const status = verdict.verdict === "deny" ? statusOf(request, verdict.reason) : "BadUserAccessDenied";
  const at = operationOfItem(request, observation, item);
  const results = (operations: readonly unknown[]): readonly number[] =>
    operations.map((_, i) => STATUS_CODES[i === at ? status : NOT_CARRIED_OUT]);
  const answer = { requestHandle, statusCode: STATUS_CODES.Good, timestamp };
  if (at !== undefined) {
    switch (request.service) {
      case "Write":
        return encodeWriteResponse({ ...answer, results: results(request.nodesToWrite) });
      case "Read":
        return encodeReadResponse({ ...answer, results: results(request.nodesToRead) });
      case "Call":
        return encodeCallResponse({ ...answer, results: results(request.methodsToCall) });
      case "CreateMonitoredItems":
        return encodeCreateMonitoredItemsResponse({ ...answer, results: results(request.itemsToCreate) });
    }
  }
  return encodeServiceFault({ ...answer, statusCode: STATUS_CODES.BadUserAccessDenied });
}

/** The answer to a request that is refused as a whole, decoded or not. */
export function refusedBody(request: Buffer, status: Status): Buffer {
  const requestHandle = peekRequestHeader(request)?.requestHandle ?? 0;
  return encodeServiceFault({ requestHandle, statusCode: STATUS_CODES[status], timestamp: Date.now() });
}

/** By class of the reason, in the words that OPC 10000-4 v1.05 §5.11.4, §5.12.2 have for an item. */
function statusOf(request: UaRequest, reason: ReasonCode): Status {
  if (reason === "TYPE_MISMATCH") return "BadTypeMismatch";
  switch (denyClassOf(reason)) {
    case "value":
      return "BadOutOfRange";
    case "phase":
    case "order":
      if (request.service === "Write") return "BadNotWritable";
      return request.service === "Call" ? "BadNotExecutable" : "BadUserAccessDenied";
    default:
      return "BadUserAccessDenied";
  }
}
