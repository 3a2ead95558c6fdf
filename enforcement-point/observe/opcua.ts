import type { Observation, ObservedItem } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Operation } from "#specs/lifecycle.ts";
import { OPCUA_TYPES } from "#specs/plant.ts";
import { attributeName, VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import type { NodeId } from "#wire/opcua/node-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";
import { SERVICES, serviceGroup } from "#wire/opcua/services/service-table.ts";
import type { DataValue, Variant } from "#wire/opcua/variant.ts";
import type { UaTags } from "./opcua-tags.ts";
import type { Party } from "./party.ts";

/** Namespace 0 holds the standard's own nodes: server status, namespace table, types. Reading them is looking around, not process data. */
const STANDARD_NAMESPACE = 0;

/** What the monitored items of a subscription show: its tags, undefined where nobody knows the subscription here. */
export type SubscribedTags = (subscriptionId: number) => readonly (TagId | undefined)[] | undefined;

/**
 * Says what an OPC UA request would do, in the form that all layers judge. A Read of process values and of the address space is
 * two observations; a request is allowed when each of them is. Aliases are resolved before; see `opcua-names.ts`.
 */
export function observeUa(
  party: Party,
  tags: UaTags,
  request: UaRequest,
  subscribed?: SubscribedTags,
): readonly Observation[] {
  const message = request.service === "unknown" ? `service ${request.typeId}` : `${request.service}Request`;
  const about: About = (operation, items = [], quantity = 0) => ({
    ...party,
    operation,
    message,
    items,
    quantity,
  });
  switch (request.service) {
    // Nothing but the header of these is decoded, and a query hands out values: no rule for reading or sessions covers them.
    case "unknown":
      return [unreadable(tags, request.typeId, request.bodyBytes, about)];
    case "RegisterServer":
    case "RegisterServer2":
    case "QueryFirst":
    case "QueryNext":
      return [unreadable(tags, `i=${SERVICES[request.service].request}`, request.bodyBytes, about)];
    case "Read":
      return observeRead(request.nodesToRead, tags, about);
    case "Write":
      return [
        about(
          "write",
          request.nodesToWrite.map((w) => writtenItem(tags, w)),
          request.nodesToWrite.length,
        ),
      ];
    case "Call":
      return [
        about(
          "call",
          request.methodsToCall.flatMap((call) => calledItems(tags, call)),
          request.methodsToCall.length,
        ),
      ];
    case "CreateMonitoredItems":
      return [
        about(
          "subscribe",
          request.itemsToCreate.map((create) => attributeItem(tags, create.itemToMonitor)),
          request.itemsToCreate.length,
        ),
      ];
    // Whoever takes over a subscription is told what it shows, as if it had asked for each item itself.
    case "TransferSubscriptions": {
      const items = subscribed === undefined ? [] : transferredItems(request.subscriptionIds, subscribed);
      return [about("subscribe", items, items.length)];
    }
    default:
      return [about(operationOf(request.service))];
  }
}

/**
 * Which operation of the request an observed item is about, as an index into `nodesToRead`, `nodesToWrite` and so on; undefined where
 * the service answers as a whole, or the item is -1.
 */
export function operationOfItem(request: UaRequest, observation: Observation, item: number): number | undefined {
  if (item < 0) return undefined;
  switch (request.service) {
    case "Write":
    case "CreateMonitoredItems":
      return item;
    case "Read": {
      if (observation.operation !== "read") return undefined;
      const values = request.nodesToRead.flatMap((node, index) => (isProcessValue(node) ? [index] : []));
      return values[item];
    }
    case "Call":
      // Each method is followed by its arguments.
      return observation.items.slice(0, item + 1).filter(({ address }) => !address.startsWith(ARGUMENT)).length - 1;
    default:
      return undefined;
  }
}

/** The tag values that a successful answer shows. */
export function valuesInUaAnswer(
  tags: UaTags,
  request: UaRequest,
  response: UaResponse,
): readonly { readonly tag: TagId; readonly value: number }[] {
  if (request.service !== "Read" || response.service !== "Read") return [];
  const found: { tag: TagId; value: number }[] = [];
  request.nodesToRead.forEach((read, i) => {
    const tag = read.attributeId === VALUE_ATTRIBUTE_ID ? tags.get(read.nodeId.text) : undefined;
    const value = toldNumber(response.results[i]);
    if (tag !== undefined && value !== undefined) found.push({ tag, value });
  });
  return found;
}

/** The number that a value tells a client; undefined where its quality says that it is none (OPC 10000-8 v1.05 §6.3). */
export function toldNumber(data: DataValue | undefined): number | undefined {
  return isBad(data?.statusCode ?? 0) ? undefined : numberIn(data?.value);
}

/** False: the server refused the request, or a part of it. */
export function isGoodUaAnswer(response: UaResponse): boolean {
  if (response.service === "unknown" || response.service === "ServiceFault") return false;
  if (response.service === "Write") return response.results.every(isGood);
  if (response.service === "Call") return response.results.every((result) => isGood(result.statusCode));
  return isGood(response.header.serviceResult);
}

/** Severity is the top two bits of a status code. @see OPC 10000-4 v1.05 §7.39.1 */
function isGood(statusCode: number): boolean {
  return statusCode >>> 30 === 0;
}

function isBad(statusCode: number): boolean {
  return statusCode >>> 31 === 1;
}

type About = (operation: Operation, items?: readonly ObservedItem[], quantity?: number) => Observation;
type NodeAttribute = { readonly nodeId: NodeId; readonly attributeId: number; readonly indexRange: string | null };

function observeRead(nodes: readonly NodeAttribute[], tags: UaTags, about: About): readonly Observation[] {
  const values = nodes.filter(isProcessValue);
  const observations: Observation[] = [];
  if (values.length < nodes.length || nodes.length === 0) observations.push(about("browse"));
  if (values.length > 0)
    observations.push(
      about(
        "read",
        values.map((node) => attributeItem(tags, node)),
        values.length,
      ),
    );
  return observations;
}

function isProcessValue({ nodeId, attributeId }: NodeAttribute): boolean {
  return nodeId.namespace !== STANDARD_NAMESPACE && attributeId === VALUE_ATTRIBUTE_ID;
}

function transferredItems(subscriptionIds: readonly number[], subscribed: SubscribedTags): readonly ObservedItem[] {
  return subscriptionIds.flatMap((id) => {
    const address = `subscription ${id}`;
    const shown = subscribed(id) ?? [undefined];
    return shown.map((tag) => ({
      tag,
      address: tag === undefined ? address : `${tag} in ${address}`,
      value: undefined,
    }));
  });
}

function item(tags: UaTags, nodeId: NodeId): ObservedItem {
  return { tag: tags.get(nodeId.text), address: nodeId.text, value: undefined };
}

/** Only the whole Value attribute is the tag; another attribute, or a part of an array, is not. */
function attributeItem(tags: UaTags, node: NodeAttribute): ObservedItem {
  if (node.attributeId === VALUE_ATTRIBUTE_ID && node.indexRange === null) return item(tags, node.nodeId);
  const what = node.indexRange === null ? attributeName(node.attributeId) : `[${node.indexRange}]`;
  const none = { tag: undefined, address: `${node.nodeId.text} ${what}`, value: undefined };
  const partOf = node.attributeId === VALUE_ATTRIBUTE_ID ? tags.get(node.nodeId.text) : undefined;
  return partOf === undefined ? none : { ...none, partOf };
}

/**
 * The number, where it is of the built-in type that the plant declares: servers differ in what they make of another one. A quality other
 * than Good would make the value bad for whoever reads it next, so it is no plain value either.
 */
function writtenItem(tags: UaTags, write: NodeAttribute & { readonly value: DataValue }): ObservedItem {
  const { value, statusCode = 0 } = write.value;
  const declared = tags.typeOf(write.nodeId.text);
  const fits = (declared === undefined || value?.type === declared) && statusCode === 0;
  return { ...attributeItem(tags, write), value: fits ? numberIn(value) : undefined };
}

/** By the name that the plant gives the service; without one it counts as programming. */
function unreadable(tags: UaTags, typeId: string, bytes: number, about: About): Observation {
  const raw = tags.rawService(typeId);
  return raw === undefined ? about("program") : { ...about("raw"), raw, bytes };
}

/** How the address of an argument begins; that of a method is a NodeId. */
const ARGUMENT = "argument ";

type Call = Extract<UaRequest, { service: "Call" }>["methodsToCall"][number];

/** The method, and one item for each input argument: given and declared, given beyond those declared, or left out. */
function calledItems(tags: UaTags, call: Call): readonly ObservedItem[] {
  const { objectId, methodId, inputArguments } = call;
  const method = tags.method(objectId.text, methodId.text);
  const address = `${methodId.text} of ${objectId.text}`;
  const count = Math.max(method?.args.length ?? 0, inputArguments.length);
  const args = Array.from({ length: count }, (_, index) => ({
    tag: method?.args[index],
    address: `${ARGUMENT}${index + 1} of ${address}`,
    value: numberIn(inputArguments[index]),
  }));
  return [{ tag: method?.tag, address, value: undefined }, ...args];
}

const NUMBERS: ReadonlySet<string> = new Set(OPCUA_TYPES);

/** A truth value or a number: a point in time and a status code, which are numbers in the decoder, are not. */
function numberIn(variant: Variant | undefined): number | undefined {
  if (variant === undefined || variant.isArray || !NUMBERS.has(variant.type)) return undefined;
  if (typeof variant.value === "boolean") return variant.value ? 1 : 0;
  return typeof variant.value === "number" && Number.isFinite(variant.value) ? variant.value : undefined;
}

type NamedService = Exclude<UaRequest["service"], "unknown">;

function operationOf(service: NamedService): Operation {
  const group = serviceGroup(service);
  switch (group) {
    case "discovery":
    case "channel":
    case "session":
      return "session";
    case "browse":
    case "register":
    case "query":
      return "browse";
    case "subscribe":
      return "subscribe";
    case "read":
    case "write":
    case "call":
      return group;
    case "node-management":
    case "history":
      return "program";
    default: {
      const never: never = group;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
