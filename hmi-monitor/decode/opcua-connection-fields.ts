import type { UacpFrame } from "#wire/opcua/framer.ts";
import { statusCodeName } from "#wire/opcua/status-code.ts";
import {
  type Acknowledge,
  decodeAcknowledge,
  decodeErrorMessage,
  decodeHello,
  decodeReverseHello,
} from "#wire/opcua/uacp-messages.ts";
import type { WireError } from "#wire/wire-error.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";
import { uaText } from "./opcua-values.ts";

const KEY = {
  endpointUrl: ascii(',"endpointUrl":'),
  serverUri: ascii(',"serverUri":'),
  protocolVersion: ascii(',"protocolVersion":'),
  receiveBufferSize: ascii(',"receiveBufferSize":'),
  sendBufferSize: ascii(',"sendBufferSize":'),
  maxMessageSize: ascii(',"maxMessageSize":'),
  maxChunkCount: ascii(',"maxChunkCount":'),
  statusCode: ascii(',"statusCode":'),
  status: ascii(',"status":'),
  reason: ascii(',"reason":'),
} as const;

/** Fields of HEL, ACK, ERR and RHE. */
export function connectionFields(json: JsonBytes, { type, bytes }: UacpFrame): WireError | undefined {
  switch (type) {
    case "HEL": {
      const hello = decodeHello(bytes);
      if (!hello.ok) return hello.error;
      sizes(json, hello.value);
      uaText(json.raw(KEY.endpointUrl), hello.value.endpointUrl);
      return undefined;
    }
    case "ACK": {
      const acknowledge = decodeAcknowledge(bytes);
      if (!acknowledge.ok) return acknowledge.error;
      sizes(json, acknowledge.value);
      return undefined;
    }
    case "ERR": {
      const error = decodeErrorMessage(bytes);
      if (!error.ok) return error.error;
      statusFields(json, error.value.error);
      uaText(json.raw(KEY.reason), error.value.reason);
      return undefined;
    }
    case "RHE": {
      const hello = decodeReverseHello(bytes);
      if (!hello.ok) return hello.error;
      uaText(json.raw(KEY.serverUri), hello.value.serverUri);
      uaText(json.raw(KEY.endpointUrl), hello.value.endpointUrl);
      return undefined;
    }
    default:
      return undefined;
  }
}

function sizes(json: JsonBytes, of: Acknowledge): void {
  json.raw(KEY.protocolVersion).int(of.protocolVersion);
  json.raw(KEY.receiveBufferSize).int(of.receiveBufferSize).raw(KEY.sendBufferSize).int(of.sendBufferSize);
  json.raw(KEY.maxMessageSize).int(of.maxMessageSize).raw(KEY.maxChunkCount).int(of.maxChunkCount);
}

/** A status code, and its name. */
export function statusFields(json: JsonBytes, statusCode: number): void {
  json.raw(KEY.statusCode).int(statusCode).raw(KEY.status).text(statusCodeName(statusCode));
}
