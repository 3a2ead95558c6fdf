/** Services on monitored items (OPC 10000-4 v1.05 §5.13). */
import type { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { type ExtensionObject, readDiagnosticInfo, readExtensionObject } from "../builtin-types.ts";
import {
  type AnswerHeader,
  type RequestHeader,
  type ResponseHeader,
  readRequestHeader,
  readResponseHeader,
  writeResponseHeader,
} from "../headers.ts";
import { NULL_NODE_ID, numericNodeId, writeNodeId } from "../node-id.ts";
import { MIN_READ_VALUE_ID_BYTES, type ReadValueId, readReadValueId } from "./read.ts";
import { SERVICES } from "./service-table.ts";

/** Handle, interval, filter, queue size, discard flag. */
const MIN_PARAMETERS_BYTES = 20;
const MIN_CREATE_ITEM_BYTES = MIN_READ_VALUE_ID_BYTES + 4 + MIN_PARAMETERS_BYTES;
const MIN_MODIFY_ITEM_BYTES = 4 + MIN_PARAMETERS_BYTES;
const MIN_CREATE_RESULT_BYTES = 23;

interface MonitoringParameters {
  /** Chosen by the client; notifications carry it instead of the node. */
  readonly clientHandle: number;
  /** Milliseconds; negative for the publishing interval. */
  readonly samplingIntervalMs: number;
  readonly filter: ExtensionObject;
  readonly queueSize: number;
  readonly discardOldest: boolean;
}

interface MonitoredItemCreate {
  readonly itemToMonitor: ReadValueId;
  /** 0 disabled, 1 sampling, 2 reporting. */
  readonly monitoringMode: number;
  readonly parameters: MonitoringParameters;
}

export interface CreateMonitoredItemsRequest {
  readonly service: "CreateMonitoredItems";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
  readonly timestampsToReturn: number;
  readonly itemsToCreate: readonly MonitoredItemCreate[];
}

export interface ModifyMonitoredItemsRequest {
  readonly service: "ModifyMonitoredItems";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
  readonly timestampsToReturn: number;
  readonly itemsToModify: readonly { readonly monitoredItemId: number; readonly parameters: MonitoringParameters }[];
}

export interface SetMonitoringModeRequest {
  readonly service: "SetMonitoringMode";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
  readonly monitoringMode: number;
  readonly monitoredItemIds: readonly number[];
}

export interface SetTriggeringRequest {
  readonly service: "SetTriggering";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
  readonly triggeringItemId: number;
  readonly linksToAdd: readonly number[];
  readonly linksToRemove: readonly number[];
}

export interface DeleteMonitoredItemsRequest {
  readonly service: "DeleteMonitoredItems";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
  readonly monitoredItemIds: readonly number[];
}

/** Results in the order of the request's `itemsToCreate`. */
export interface CreateMonitoredItemsResponse {
  readonly service: "CreateMonitoredItems";
  readonly header: ResponseHeader;
  readonly results: readonly {
    readonly statusCode: number;
    readonly monitoredItemId: number;
    readonly revisedSamplingIntervalMs: number;
    readonly revisedQueueSize: number;
    readonly filterResult: ExtensionObject;
  }[];
}

export const readIds = (reader: BinaryReader): readonly number[] => reader.array(4, (r) => r.u32());

function readParameters(reader: BinaryReader): MonitoringParameters {
  return {
    clientHandle: reader.u32(),
    samplingIntervalMs: reader.f64(),
    filter: readExtensionObject(reader),
    queueSize: reader.u32(),
    discardOldest: reader.bool(),
  };
}

export function readCreateMonitoredItemsRequest(reader: BinaryReader): CreateMonitoredItemsRequest {
  return {
    service: "CreateMonitoredItems",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    timestampsToReturn: reader.u32(),
    itemsToCreate: reader.array(MIN_CREATE_ITEM_BYTES, (r) => ({
      itemToMonitor: readReadValueId(r),
      monitoringMode: r.u32(),
      parameters: readParameters(r),
    })),
  };
}

export function readModifyMonitoredItemsRequest(reader: BinaryReader): ModifyMonitoredItemsRequest {
  return {
    service: "ModifyMonitoredItems",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    timestampsToReturn: reader.u32(),
    itemsToModify: reader.array(MIN_MODIFY_ITEM_BYTES, (r) => ({
      monitoredItemId: r.u32(),
      parameters: readParameters(r),
    })),
  };
}

export function readSetMonitoringModeRequest(reader: BinaryReader): SetMonitoringModeRequest {
  return {
    service: "SetMonitoringMode",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    monitoringMode: reader.u32(),
    monitoredItemIds: readIds(reader),
  };
}

export function readSetTriggeringRequest(reader: BinaryReader): SetTriggeringRequest {
  return {
    service: "SetTriggering",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    triggeringItemId: reader.u32(),
    linksToAdd: readIds(reader),
    linksToRemove: readIds(reader),
  };
}

export function readDeleteMonitoredItemsRequest(reader: BinaryReader): DeleteMonitoredItemsRequest {
  return {
    service: "DeleteMonitoredItems",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    monitoredItemIds: readIds(reader),
  };
}

export function readCreateMonitoredItemsResponse(reader: BinaryReader): CreateMonitoredItemsResponse {
  const header = readResponseHeader(reader);
  const results = reader.array(MIN_CREATE_RESULT_BYTES, (r) => ({
    statusCode: r.u32(),
    monitoredItemId: r.u32(),
    revisedSamplingIntervalMs: r.f64(),
    revisedQueueSize: r.u32(),
    filterResult: readExtensionObject(r),
  }));
  reader.array(1, readDiagnosticInfo);
  return { service: "CreateMonitoredItems", header, results };
}

/** One status code for each id of the request. */
export interface StatusCodesResponse<Service extends string> {
  readonly service: Service;
  readonly header: ResponseHeader;
  readonly results: readonly number[];
}

/** The answer of services that say nothing but how each id fared. */
export function readStatusCodesResponse<Service extends string>(
  reader: BinaryReader,
  service: Service,
): StatusCodesResponse<Service> {
  const header = readResponseHeader(reader);
  const results = readIds(reader);
  reader.array(1, readDiagnosticInfo);
  return { service, header, results };
}

export interface CreateMonitoredItemsAnswer extends AnswerHeader {
  /** One status code for each item of the request. */
  readonly results: readonly number[];
}

const NO_BODY = 0x00;

/** Body of a CreateMonitoredItemsResponse of our own that creates none: for refusals. */
export function encodeCreateMonitoredItemsResponse(answer: CreateMonitoredItemsAnswer): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, numericNodeId(SERVICES.CreateMonitoredItems.response));
  writeResponseHeader(writer, answer);
  writer.array(answer.results, (w, statusCode) => {
    w.u32(statusCode).u32(0).f64(0).u32(0);
    writeNodeId(w, NULL_NODE_ID);
    w.u8(NO_BODY);
  });
  return writer.array([], () => undefined).toBuffer();
}
