/** Services on subscriptions (OPC 10000-4 v1.05 §5.14). */
import type { BinaryReader } from "../binary-reader.ts";
import { type ExtensionObject, readDiagnosticInfo, readExtensionObject } from "../builtin-types.ts";
import { type RequestHeader, type ResponseHeader, readRequestHeader, readResponseHeader } from "../headers.ts";
import { type DataValue, readDataValue } from "../variant.ts";
import { readIds } from "./monitored-items.ts";

const SPEC_DATA_CHANGE = "OPC 10000-4 v1.05 §7.25.2";

/** Encoding id of DataChangeNotification. */
const DATA_CHANGE_ID = "i=811";
const MIN_EXTENSION_OBJECT_BYTES = 3;
/** Client handle and the mask of the value. */
const MIN_ITEM_NOTIFICATION_BYTES = 5;

interface SubscriptionParameters {
  readonly requestedPublishingIntervalMs: number;
  readonly requestedLifetimeCount: number;
  readonly requestedMaxKeepAliveCount: number;
  readonly maxNotificationsPerPublish: number;
  readonly priority: number;
}

export interface CreateSubscriptionRequest extends SubscriptionParameters {
  readonly service: "CreateSubscription";
  readonly header: RequestHeader;
  readonly publishingEnabled: boolean;
}

export interface ModifySubscriptionRequest extends SubscriptionParameters {
  readonly service: "ModifySubscription";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
}

export interface SetPublishingModeRequest {
  readonly service: "SetPublishingMode";
  readonly header: RequestHeader;
  readonly publishingEnabled: boolean;
  readonly subscriptionIds: readonly number[];
}

export interface PublishRequest {
  readonly service: "Publish";
  readonly header: RequestHeader;
  readonly acknowledgements: readonly { readonly subscriptionId: number; readonly sequenceNumber: number }[];
}

export interface RepublishRequest {
  readonly service: "Republish";
  readonly header: RequestHeader;
  readonly subscriptionId: number;
  readonly retransmitSequenceNumber: number;
}

export interface TransferSubscriptionsRequest {
  readonly service: "TransferSubscriptions";
  readonly header: RequestHeader;
  readonly subscriptionIds: readonly number[];
  readonly sendInitialValues: boolean;
}

export interface DeleteSubscriptionsRequest {
  readonly service: "DeleteSubscriptions";
  readonly header: RequestHeader;
  readonly subscriptionIds: readonly number[];
}

export interface CreateSubscriptionResponse {
  readonly service: "CreateSubscription";
  readonly header: ResponseHeader;
  readonly subscriptionId: number;
  readonly revisedPublishingIntervalMs: number;
  readonly revisedLifetimeCount: number;
  readonly revisedMaxKeepAliveCount: number;
}

/** A new value of a monitored item; the handle is the one of `MonitoringParameters.clientHandle`. */
interface DataChange {
  readonly clientHandle: number;
  readonly value: DataValue;
}

export interface PublishResponse {
  readonly service: "Publish";
  readonly header: ResponseHeader;
  readonly subscriptionId: number;
  readonly moreNotifications: boolean;
  readonly sequenceNumber: number;
  readonly publishTimeMs: number;
  readonly dataChanges: readonly DataChange[];
  /** Events, status changes and what else was notified, undecoded. */
  readonly otherNotifications: readonly ExtensionObject[];
}

export function readCreateSubscriptionRequest(reader: BinaryReader): CreateSubscriptionRequest {
  return {
    service: "CreateSubscription",
    header: readRequestHeader(reader),
    requestedPublishingIntervalMs: reader.f64(),
    requestedLifetimeCount: reader.u32(),
    requestedMaxKeepAliveCount: reader.u32(),
    maxNotificationsPerPublish: reader.u32(),
    publishingEnabled: reader.bool(),
    priority: reader.u8(),
  };
}

export function readModifySubscriptionRequest(reader: BinaryReader): ModifySubscriptionRequest {
  return {
    service: "ModifySubscription",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    requestedPublishingIntervalMs: reader.f64(),
    requestedLifetimeCount: reader.u32(),
    requestedMaxKeepAliveCount: reader.u32(),
    maxNotificationsPerPublish: reader.u32(),
    priority: reader.u8(),
  };
}

export function readSetPublishingModeRequest(reader: BinaryReader): SetPublishingModeRequest {
  return {
    service: "SetPublishingMode",
    header: readRequestHeader(reader),
    publishingEnabled: reader.bool(),
    subscriptionIds: readIds(reader),
  };
}

export function readPublishRequest(reader: BinaryReader): PublishRequest {
  return {
    service: "Publish",
    header: readRequestHeader(reader),
    acknowledgements: reader.array(8, (r) => ({ subscriptionId: r.u32(), sequenceNumber: r.u32() })),
  };
}

export function readRepublishRequest(reader: BinaryReader): RepublishRequest {
  return {
    service: "Republish",
    header: readRequestHeader(reader),
    subscriptionId: reader.u32(),
    retransmitSequenceNumber: reader.u32(),
  };
}

export function readTransferSubscriptionsRequest(reader: BinaryReader): TransferSubscriptionsRequest {
  return {
    service: "TransferSubscriptions",
    header: readRequestHeader(reader),
    subscriptionIds: readIds(reader),
    sendInitialValues: reader.bool(),
  };
}

export function readDeleteSubscriptionsRequest(reader: BinaryReader): DeleteSubscriptionsRequest {
  return { service: "DeleteSubscriptions", header: readRequestHeader(reader), subscriptionIds: readIds(reader) };
}

export function readCreateSubscriptionResponse(reader: BinaryReader): CreateSubscriptionResponse {
  return {
    service: "CreateSubscription",
    header: readResponseHeader(reader),
    subscriptionId: reader.u32(),
    revisedPublishingIntervalMs: reader.f64(),
    revisedLifetimeCount: reader.u32(),
    revisedMaxKeepAliveCount: reader.u32(),
  };
}

/** The items of a DataChangeNotification (§7.25.2). */
function readDataChanges(reader: BinaryReader, notification: ExtensionObject, at: number): readonly DataChange[] {
  const inner = reader.inner(notification.body ?? Buffer.alloc(0));
  const items = inner.array(MIN_ITEM_NOTIFICATION_BYTES, (r) => ({ clientHandle: r.u32(), value: readDataValue(r) }));
  inner.array(1, readDiagnosticInfo);
  if (!inner.finish(items).ok) reader.fail("UA_ENCODING", at, SPEC_DATA_CHANGE);
  return items;
}

export function readPublishResponse(reader: BinaryReader): PublishResponse {
  const header = readResponseHeader(reader);
  const subscriptionId = reader.u32();
  readIds(reader); // sequence numbers still held for Republish
  const moreNotifications = reader.bool();
  const sequenceNumber = reader.u32();
  const publishTimeMs = reader.dateTimeMs();
  const dataChanges: DataChange[] = [];
  const otherNotifications: ExtensionObject[] = [];
  reader.array(MIN_EXTENSION_OBJECT_BYTES, (r) => {
    const at = r.offset;
    const notification = readExtensionObject(r);
    const isDataChange = notification.typeId.text === DATA_CHANGE_ID && notification.encoding === "binary";
    if (isDataChange) dataChanges.push(...readDataChanges(r, notification, at));
    else otherNotifications.push(notification);
  });
  readIds(reader); // results of the acknowledgements
  reader.array(1, readDiagnosticInfo);
  return {
    service: "Publish",
    header,
    subscriptionId,
    moreNotifications,
    sequenceNumber,
    publishTimeMs,
    dataChanges,
    otherNotifications,
  };
}
