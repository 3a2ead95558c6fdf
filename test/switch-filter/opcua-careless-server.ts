import * as ua from "node-opcua";
import { bodyOf } from "../../bench/switch-filter/opcua-peer.ts";
import { aliasText, METHOD, NODES, readByNodeOpcua, UNIT } from "./opcua-golden.ts";
import { LIMIT } from "./opcua-plant.ts";

/** What node-opcua would have done at a request, in words that a judgement can be held against. */
export interface Deed {
  readonly service: string;
  /** `address = value` of each write, `argument = value` of each call, the address of each reading. */
  readonly items: readonly string[];
  /** False: nobody with these rights may have it done. */
  readonly allowed: boolean;
}

type Requested = { readonly requestHeader: ua.RequestHeader };

const VALUE = 13;
const FORBIDDEN: readonly (new () => ua.ExtensionObject)[] = [
  ua.AddNodesRequest,
  ua.AddReferencesRequest,
  ua.DeleteNodesRequest,
  ua.DeleteReferencesRequest,
  ua.HistoryReadRequest,
  ua.HistoryUpdateRequest,
  ua.QueryFirstRequest,
  ua.QueryNextRequest,
  ua.RegisterServerRequest,
  ua.RegisterServer2Request,
  ua.OpenSecureChannelRequest,
  ua.CloseSecureChannelRequest,
];
/** Bounds are held to this share of the tag's range: a scaled register is seldom exactly at one. */
const ROUNDING = 1e-6;
const isWithin = (value: number): boolean => value >= -ROUNDING && value <= LIMIT + ROUNDING;
const [SP, COUNT, LEVEL] = NODES;
const TYPE_OF: ReadonlyMap<string, ua.DataType> = new Map([
  [SP, ua.DataType.Double],
  [COUNT, ua.DataType.Int16],
]);

/**
 * A server that reads by node-opcua's decoders and does whatever it is told. It knows the rules of `opcua-plant.ts` by heart, and says of
 * each deed whether they have it: they are written down here a second time, and nothing of the filter's is asked.
 */
export class CarelessUaServer {
  readonly #isWriter: boolean;
  /** As a session of its own sees them. */
  readonly #aliases = new Map<string, Map<string, string>>();
  #given = 0;

  constructor(isWriter: boolean) {
    this.#isWriter = isWriter;
  }

  /** undefined: node-opcua makes nothing of it, so nothing is done. */
  take(body: Buffer): { readonly deed: Deed; readonly answer: Buffer } | undefined {
    const request = readByNodeOpcua(body);
    if (request === undefined) return undefined;
    const service = request.schema.name.replace(/Request$/, "");
    return { deed: { service, ...this.#deed(request) }, answer: bodyOf(this.#answer(request)) };
  }

  #deed(request: ua.ExtensionObject): Pick<Deed, "items" | "allowed"> {
    if (request instanceof ua.WriteRequest) return this.#writes(request);
    if (request instanceof ua.CallRequest) return this.#calls(request);
    if (request instanceof ua.ReadRequest) {
      const nodes = (request.nodesToRead ?? []).map((node) => this.#looked(request, node));
      // The standard's own nodes, and attributes that are no values, are looking around.
      const values = nodes.filter(({ node, isValue }) => isValue && node.startsWith("ns="));
      return { items: values.map(({ node }) => node), allowed: values.every(({ allowed }) => allowed) };
    }
    if (request instanceof ua.CreateMonitoredItemsRequest) {
      const shown = (request.itemsToCreate ?? []).map(({ itemToMonitor }) => this.#looked(request, itemToMonitor));
      return { items: shown.map(({ node }) => node), allowed: shown.every(({ allowed }) => allowed) };
    }
    return { items: [], allowed: !FORBIDDEN.some((made) => request instanceof made) };
  }

  #looked(request: Requested, { nodeId, attributeId, indexRange }: ua.ReadValueId) {
    const node = this.#resolved(request, nodeId);
    const isValue = attributeId === VALUE;
    const readable: readonly string[] = this.#isWriter ? [SP, COUNT, LEVEL] : [SP];
    return { node, isValue, allowed: isValue && indexRange?.isEmpty() !== false && readable.includes(node) };
  }

  #writes(request: ua.WriteRequest): Pick<Deed, "items" | "allowed"> {
    const writes = (request.nodesToWrite ?? []).map(({ nodeId, attributeId, indexRange, value }) => {
      const node = this.#resolved(request, nodeId);
      const { dataType, arrayType, value: told }: ua.Variant = value.value ?? new ua.Variant();
      const isPlain =
        attributeId === VALUE &&
        indexRange?.isEmpty() !== false &&
        value.statusCode.value === 0 &&
        arrayType === ua.VariantArrayType.Scalar &&
        dataType === TYPE_OF.get(node);
      return { says: `${node} = ${told}`, allowed: isPlain && isWithin(told) };
    });
    const items = writes.map(({ says }) => says);
    return { items, allowed: this.#isWriter && writes.length > 0 && writes.every(({ allowed }) => allowed) };
  }

  #calls(request: ua.CallRequest): Pick<Deed, "items" | "allowed"> {
    const calls = (request.methodsToCall ?? []).map(({ objectId, methodId, inputArguments }) => {
      const [argument, ...more] = inputArguments ?? [];
      const told = argument?.arrayType === ua.VariantArrayType.Scalar ? Number(argument.value) : Number.NaN;
      const isMethod =
        this.#resolved(request, objectId) === UNIT && this.#resolved(request, methodId) === METHOD && more.length === 0;
      return { says: `argument = ${told}`, allowed: isMethod && isWithin(told) };
    });
    const items = calls.map(({ says }) => says);
    return { items, allowed: this.#isWriter && calls.length > 0 && calls.every(({ allowed }) => allowed) };
  }

  #resolved({ requestHeader }: Requested, nodeId: ua.NodeId): string {
    // As ours writes it: the namespace of the standard is not named.
    const text = nodeId.toString().replace(/^ns=0;/, "");
    return this.#aliases.get(requestHeader.authenticationToken.toString())?.get(text) ?? text;
  }

  #answer(request: ua.ExtensionObject): ua.ExtensionObject {
    const responseHeader = { requestHandle: 77 };
    const good = ua.StatusCodes.Good;
    if (request instanceof ua.ReadRequest) {
      const value = { value: { dataType: ua.DataType.Double, value: 30 } };
      return new ua.ReadResponse({ responseHeader, results: (request.nodesToRead ?? []).map(() => value) });
    }
    if (request instanceof ua.WriteRequest)
      return new ua.WriteResponse({ responseHeader, results: (request.nodesToWrite ?? []).map(() => good) });
    if (request instanceof ua.CallRequest)
      return new ua.CallResponse({ responseHeader, results: (request.methodsToCall ?? []).map(() => ({})) });
    if (request instanceof ua.RegisterNodesRequest)
      return new ua.RegisterNodesResponse({ responseHeader, registeredNodeIds: this.#register(request) });
    if (request instanceof ua.CreateSubscriptionRequest)
      return new ua.CreateSubscriptionResponse({ responseHeader, subscriptionId: 1 });
    if (request instanceof ua.CreateMonitoredItemsRequest)
      return new ua.CreateMonitoredItemsResponse({
        responseHeader,
        results: (request.itemsToCreate ?? []).map((_, i) => ({ monitoredItemId: i + 1 })),
      });
    if (request instanceof ua.UnregisterNodesRequest) {
      const aliases = this.#aliases.get(request.requestHeader.authenticationToken.toString());
      for (const nodeId of request.nodesToUnregister ?? []) aliases?.delete(nodeId.toString());
    }
    if (request instanceof ua.CloseSessionRequest) {
      this.#aliases.delete(request.requestHeader.authenticationToken.toString());
      return new ua.CloseSessionResponse({ responseHeader });
    }
    return new ua.ServiceFault({ responseHeader: { ...responseHeader, serviceResult: ua.StatusCodes.BadNothingToDo } });
  }

  #register(request: ua.RegisterNodesRequest): ua.NodeId[] {
    const token = request.requestHeader.authenticationToken.toString();
    const aliases = this.#aliases.get(token) ?? new Map<string, string>();
    this.#aliases.set(token, aliases);
    return (request.nodesToRegister ?? []).map((nodeId) => {
      const alias = aliasText(this.#given);
      this.#given += 1;
      aliases.set(alias, this.#resolved(request, nodeId));
      return ua.resolveNodeId(alias);
    });
  }
}

/**
 * Joins chunks in the clear by the id of their request, as a server may that reads no sequence numbers, no channel and no token; what is
 * given up is forgotten.
 */
export class CarelessAssembler {
  readonly #parts = new Map<number, Buffer[]>();

  /** One whole chunk; a message where it was the last. */
  take(chunk: Buffer): { readonly requestId: number; readonly body: Buffer } | undefined {
    if (chunk.readUInt32LE(4) !== chunk.length) throw new Error("what was forwarded is not one chunk");
    const requestId = chunk.readUInt32LE(20);
    const parts = [...(this.#parts.get(requestId) ?? []), chunk.subarray(24)];
    this.#parts.delete(requestId);
    const chunkType = chunk.toString("latin1", 3, 4);
    if (chunkType === "F") return { requestId, body: Buffer.concat(parts) };
    if (chunkType === "C") this.#parts.set(requestId, parts);
    return undefined;
  }
}
