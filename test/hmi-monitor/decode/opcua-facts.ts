import { securityPolicyName } from "#wire/opcua/security-policy.ts";
import { SERVICE_FAULT_ID, serviceOfRequest, serviceOfResponse } from "#wire/opcua/services/service-table.ts";
import type { Line } from "./decoded.ts";
import { type Facts, withoutHoles } from "./modbus-facts.ts";
import { everyField, numberOf, type PdmlField, type PdmlFrame, shown } from "./pdml.ts";

/** Facts of our lines that tshark has fields for. */
const HELD = [
  "frame",
  "time",
  "src",
  "dst",
  "messageType",
  "secureChannelId",
  "tokenId",
  "sequenceNumber",
  "requestId",
  "service",
  "statusCode",
  "securityPolicy",
  "securityMode",
  "endpointUrl",
  "receiveBufferSize",
  "sendBufferSize",
  "maxMessageSize",
  "maxChunkCount",
  "protocolVersion",
  "sessionName",
  "applicationUri",
  "subscriptionId",
  "clientHandles",
  "nodeIds",
  "numbers",
] as const;

export function uaFactsOfLine(line: Line): Facts {
  const { values } = line;
  const numbers = Array.isArray(values) ? values.flat(4).filter((value) => typeof value === "number") : undefined;
  const all = { ...line, numbers: numbers === undefined || numbers.length === 0 ? undefined : numbers };
  return withoutHoles(Object.fromEntries(HELD.map((name) => [name, Reflect.get(all, name)])));
}

/** One for each message: of those in several chunks, the last, as with us. */
export function uaFactsOfTshark(frames: readonly PdmlFrame[]): readonly Facts[] {
  return frames.flatMap((frame) => {
    const [ip, tcp] = ["ip", "tcp"].map((name) => frame.protocols.find((protocol) => protocol.name === name));
    return frame.protocols
      .filter(({ name, fields }) => name === "opcua" && fields.length > 0)
      .filter((message) => shown(message, "opcua.transport.chunk") !== "C")
      .map((message) => {
        if (ip === undefined || tcp === undefined) throw new Error(`frame ${frame.number} is odd`);
        return withoutHoles({
          frame: frame.number,
          time: Number(frame.time),
          src: `${shown(ip, "ip.src")}:${shown(tcp, "tcp.srcport")}`,
          dst: `${shown(ip, "ip.dst")}:${shown(tcp, "tcp.dstport")}`,
          ...transportFacts(message),
          ...bodyFacts(message),
        });
      });
  });
}

function transportFacts(message: PdmlField): Facts {
  const policy = shown(message, "opcua.security.spu");
  const type = shown(message, "opcua.transport.type");
  return {
    messageType: type,
    secureChannelId: numberOf(message, "opcua.transport.scid"),
    tokenId: type === "OPN" ? undefined : numberOf(message, "opcua.security.tokenid"),
    sequenceNumber: numberOf(message, "opcua.security.seq"),
    requestId: numberOf(message, "opcua.security.rqid"),
    securityPolicy: policy === undefined ? undefined : securityPolicyName(policy),
    protocolVersion: numberOf(message, "opcua.transport.ver"),
    receiveBufferSize: numberOf(message, "opcua.transport.rbs"),
    sendBufferSize: numberOf(message, "opcua.transport.sbs"),
    maxMessageSize: numberOf(message, "opcua.transport.mms"),
    maxChunkCount: numberOf(message, "opcua.transport.mcc"),
    endpointUrl: shown(message, "opcua.transport.endpoint"),
  };
}

const SECURITY_MODES = ["Invalid", "None", "Sign", "SignAndEncrypt"];

function bodyFacts(message: PdmlField): Facts {
  const id = numberOf(message, "opcua.servicenodeid.numeric");
  if (id === undefined) return {};
  const asked = serviceOfRequest(id);
  const service = asked ?? (id === SERVICE_FAULT_ID ? "ServiceFault" : serviceOfResponse(id));
  const isRequest = asked !== undefined;
  const mode = numberOf(message, "opcua.MessageSecurityMode");
  return {
    service,
    statusCode: numberOf(message, "opcua.ServiceResult"),
    securityMode: service === "OpenSecureChannel" && mode !== undefined ? SECURITY_MODES[mode] : undefined,
    endpointUrl: isRequest ? shown(message, "opcua.EndpointUrl") : undefined,
    sessionName: shown(message, "opcua.SessionName"),
    applicationUri: service === "CreateSession" && isRequest ? shown(message, "opcua.ApplicationUri") : undefined,
    subscriptionId: subscriptionOf(message, service, isRequest),
    clientHandles: handlesOf(message, service, isRequest),
    nodeIds: nodeIdsOf(message, service, isRequest),
    numbers: numbersOf(message, service, isRequest),
  };
}

const OF_SUBSCRIPTION = new Set(["CreateMonitoredItems", "ModifySubscription", "DeleteMonitoredItems", "Republish"]);

function subscriptionOf(message: PdmlField, service: string | undefined, isRequest: boolean): number | undefined {
  const told = isRequest
    ? OF_SUBSCRIPTION.has(service ?? "")
    : service === "Publish" || service === "CreateSubscription";
  return told ? numberOf(message, "opcua.SubscriptionId") : undefined;
}

function handlesOf(message: PdmlField, service: string | undefined, isRequest: boolean): number[] | undefined {
  const told = isRequest ? service === "CreateMonitoredItems" : service === "Publish";
  if (!told || (numberOf(message, "opcua.ServiceResult") === undefined) !== isRequest) return undefined;
  return everyField(message, "opcua.ClientHandle").map(({ show }) => Number(show));
}

/** How tshark labels the nodes that our lines name. */
const NODE_LABELS: Readonly<Record<string, string>> = {
  "Read request": "NodeId: NodeId",
  "Write request": "NodeId: NodeId",
  "Browse request": "NodeId: NodeId",
  "CreateMonitoredItems request": "NodeId: NodeId",
  "Call request": "MethodId: NodeId",
  "Browse response": "NodeId: ExpandedNodeId",
};

function nodeIdsOf(message: PdmlField, service: string | undefined, isRequest: boolean): string[] | undefined {
  const label = NODE_LABELS[`${service} ${isRequest ? "request" : "response"}`];
  return label === undefined ? undefined : labelled(message, label).map(nodeIdText);
}

/** Fields without a name of their own, by their label. */
function labelled(field: PdmlField, label: string): readonly PdmlField[] {
  return field.fields.flatMap((inner) => [...(inner.show === label ? [inner] : []), ...labelled(inner, label)]);
}

function nodeIdText(id: PdmlField): string {
  const namespace = numberOf(id, "opcua.nodeid.nsindex") ?? 0;
  const prefix = namespace === 0 ? "" : `ns=${namespace};`;
  const text = shown(id, "opcua.nodeid.string");
  return text === undefined ? `${prefix}i=${shown(id, "opcua.nodeid.numeric")}` : `${prefix}s=${text}`;
}

const NUMBER_FIELDS = /^opcua\.(Double|Float|S?Byte|U?Int(16|32|64))$/;

/** Numbers within values, in order. */
function numbersOf(message: PdmlField, service: string | undefined, isRequest: boolean): number[] | undefined {
  const told = isRequest ? service === "Write" : service === "Read" || service === "Publish";
  if (!told) return undefined;
  const found = variants(message).flatMap((variant) => numbersIn(variant));
  return found.length === 0 ? undefined : found;
}

function variants(field: PdmlField): readonly PdmlField[] {
  return field.fields.flatMap((inner) => (inner.show === "Value: Variant" ? [inner] : variants(inner)));
}

function numbersIn(field: PdmlField): readonly number[] {
  return field.fields.flatMap((inner) => [
    ...(NUMBER_FIELDS.test(inner.name) ? [Number(inner.show)] : []),
    ...numbersIn(inner),
  ]);
}
