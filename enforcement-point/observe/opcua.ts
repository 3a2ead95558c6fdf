import type { Observation, ObservedItem } from "#specs/decide/observation.ts";
import type { DeviceId, RawId, TagId } from "#specs/ids.ts";
import type { Operation } from "#specs/lifecycle.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { attributeName, VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import type { NodeId } from "#wire/opcua/node-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";
import { SERVICES, serviceGroup } from "#wire/opcua/services/service-table.ts";
import type { DataValue, Variant } from "#wire/opcua/variant.ts";
import type { Party } from "./modbus.ts";

/** The tags of one OPC UA server, by the canonical text of their NodeId. */
export class UaTags {
  readonly #tags = new Map<string, Tag>();
  readonly #raw = new Map<string, RawId>();

  constructor(plant: Plant, server: DeviceId) {
    for (const raw of plant.raw) if (raw.protocol === "opcua") this.#raw.set(`i=${raw.service}`, raw.id);
    for (const tag of plant.tags)
      if (tag.device === server && tag.opcua !== undefined) this.#tags.set(tag.opcua.nodeId, tag);
  }

  /** The tag of a variable node. A method is no variable. */
  get(nodeId: string): TagId | undefined {
    const tag = this.#tags.get(nodeId);
    return tag?.kind === "method" ? undefined : tag?.id;
  }

  /** A method, where it is called on the object that the plant names, with the tags of its arguments in their order. */
  method(objectId: string, methodId: string): { readonly tag: TagId; readonly args: readonly TagId[] } | undefined {
    const tag = this.#tags.get(methodId);
    if (tag?.kind !== "method" || tag.opcua?.objectId !== objectId) return undefined;
    return { tag: tag.id, args: tag.opcua.arguments ?? [] };
  }

  /** The name that the plant gives a service of which only the header is decoded. */
  rawService(typeId: string): RawId | undefined {
    return this.#raw.get(typeId);
  }
}

/** Namespace 0 holds the standard's own nodes: server status, namespace table, types. Reading them is looking around, not process data. */
const STANDARD_NAMESPACE = 0;

/**
 * Says what an OPC UA request would do, in the form that all layers judge. A Read of process values and of the address space is
 * two observations; a request is allowed when each of them is.
 */
export function observeUa(party: Party, tags: UaTags, request: UaRequest): readonly Observation[] {
  const message = request.service === "unknown" ? `service ${request.typeId}` : `${request.service}Request`;
  const about = (operation: Operation, items: readonly ObservedItem[] = []): Observation => ({
    ...party,
    operation,
    message,
    items,
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
        ),
      ];
    case "Call":
      return [
        about(
          "call",
          request.methodsToCall.flatMap((call) => calledItems(tags, call)),
        ),
      ];
    case "CreateMonitoredItems":
      return [
        about(
          "subscribe",
          request.itemsToCreate.map((create) => attributeItem(tags, create.itemToMonitor)),
        ),
      ];
    default:
      return [about(operationOf(request.service))];
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
    const value = numberOf(response.results[i]);
    if (tag !== undefined && value !== undefined) found.push({ tag, value });
  });
  return found;
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

type About = (operation: Operation, items?: readonly ObservedItem[]) => Observation;
type NodeAttribute = { readonly nodeId: NodeId; readonly attributeId: number; readonly indexRange: string | null };

function observeRead(nodes: readonly NodeAttribute[], tags: UaTags, about: About): readonly Observation[] {
  const values = nodes.filter(
    (node) => node.nodeId.namespace !== STANDARD_NAMESPACE && node.attributeId === VALUE_ATTRIBUTE_ID,
  );
  const observations: Observation[] = [];
  if (values.length < nodes.length || nodes.length === 0) observations.push(about("browse"));
  if (values.length > 0)
    observations.push(
      about(
        "read",
        values.map((node) => attributeItem(tags, node)),
      ),
    );
  return observations;
}

function item(tags: UaTags, nodeId: NodeId): ObservedItem {
  return { tag: tags.get(nodeId.text), address: nodeId.text, value: undefined };
}

/** Only the whole Value attribute is the tag; another attribute, or a part of an array, is not. */
function attributeItem(tags: UaTags, node: NodeAttribute): ObservedItem {
  if (node.attributeId === VALUE_ATTRIBUTE_ID && node.indexRange === null) return item(tags, node.nodeId);
  const what = node.indexRange === null ? attributeName(node.attributeId) : `[${node.indexRange}]`;
  return { tag: undefined, address: `${node.nodeId.text} ${what}`, value: undefined };
}

function writtenItem(tags: UaTags, write: NodeAttribute & { readonly value: DataValue }): ObservedItem {
  return { ...attributeItem(tags, write), value: numberOf(write.value) };
}

/** By the name that the plant gives the service; without one it counts as programming. */
function unreadable(tags: UaTags, typeId: string, bytes: number, about: About): Observation {
  const raw = tags.rawService(typeId);
  return raw === undefined ? about("program") : { ...about("raw"), raw, bytes };
}

type Call = Extract<UaRequest, { service: "Call" }>["methodsToCall"][number];

/** The method, and one item for each input argument: given and declared, given beyond those declared, or left out. */
function calledItems(tags: UaTags, { objectId, methodId, inputArguments }: Call): readonly ObservedItem[] {
  const method = tags.method(objectId.text, methodId.text);
  const address = `${methodId.text} of ${objectId.text}`;
  const count = Math.max(method?.args.length ?? 0, inputArguments.length);
  const args = Array.from({ length: count }, (_, index) => ({
    tag: method?.args[index],
    address: `argument ${index + 1} of ${address}`,
    value: numberIn(inputArguments[index]),
  }));
  return [{ tag: method?.tag, address, value: undefined }, ...args];
}

function numberOf(data: DataValue | undefined): number | undefined {
  return numberIn(data?.value ?? undefined);
}

function numberIn(variant: Variant | undefined): number | undefined {
  if (variant === undefined || variant.isArray) return undefined;
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
