/**
 * Every service of OPC UA by name: encoding ids of request and response (DefaultBinary NodeIds in namespace 0,
 * OPC 10000-6 v1.05 §A.3), group for rules, clause of OPC 10000-4 v1.05.
 * SessionlessInvoke (i=15903) is left out on purpose: it carries another service inside and is refused as unknown.
 */

export type ServiceGroup =
  | "discovery"
  | "channel"
  | "session"
  | "read"
  | "write"
  | "call"
  | "browse"
  | "subscribe"
  | "register"
  | "node-management"
  | "history"
  | "query";

export interface ServiceInfo {
  /** Encoding id of the request, `i=…`. */
  readonly request: number;
  readonly response: number;
  readonly group: ServiceGroup;
  /** Clause of OPC 10000-4 v1.05. */
  readonly clause: string;
}

export const SERVICES = {
  FindServers: { request: 422, response: 425, group: "discovery", clause: "§5.5.2" },
  FindServersOnNetwork: { request: 12208, response: 12209, group: "discovery", clause: "§5.5.3" },
  GetEndpoints: { request: 428, response: 431, group: "discovery", clause: "§5.5.4" },
  RegisterServer: { request: 437, response: 440, group: "discovery", clause: "§5.5.5" },
  RegisterServer2: { request: 12211, response: 12212, group: "discovery", clause: "§5.5.6" },
  OpenSecureChannel: { request: 446, response: 449, group: "channel", clause: "§5.6.2" },
  CloseSecureChannel: { request: 452, response: 455, group: "channel", clause: "§5.6.3" },
  CreateSession: { request: 461, response: 464, group: "session", clause: "§5.7.2" },
  ActivateSession: { request: 467, response: 470, group: "session", clause: "§5.7.3" },
  CloseSession: { request: 473, response: 476, group: "session", clause: "§5.7.4" },
  Cancel: { request: 479, response: 482, group: "session", clause: "§5.7.5" },
  AddNodes: { request: 488, response: 491, group: "node-management", clause: "§5.8.2" },
  AddReferences: { request: 494, response: 497, group: "node-management", clause: "§5.8.3" },
  DeleteNodes: { request: 500, response: 503, group: "node-management", clause: "§5.8.4" },
  DeleteReferences: { request: 506, response: 509, group: "node-management", clause: "§5.8.5" },
  Browse: { request: 527, response: 530, group: "browse", clause: "§5.9.2" },
  BrowseNext: { request: 533, response: 536, group: "browse", clause: "§5.9.3" },
  TranslateBrowsePathsToNodeIds: { request: 554, response: 557, group: "browse", clause: "§5.9.4" },
  RegisterNodes: { request: 560, response: 563, group: "register", clause: "§5.9.5" },
  UnregisterNodes: { request: 566, response: 569, group: "register", clause: "§5.9.6" },
  QueryFirst: { request: 615, response: 618, group: "query", clause: "§5.10.3" },
  QueryNext: { request: 621, response: 624, group: "query", clause: "§5.10.4" },
  Read: { request: 631, response: 634, group: "read", clause: "§5.11.2" },
  HistoryRead: { request: 664, response: 667, group: "history", clause: "§5.11.3" },
  Write: { request: 673, response: 676, group: "write", clause: "§5.11.4" },
  HistoryUpdate: { request: 700, response: 703, group: "history", clause: "§5.11.5" },
  Call: { request: 712, response: 715, group: "call", clause: "§5.12.2" },
  CreateMonitoredItems: { request: 751, response: 754, group: "subscribe", clause: "§5.13.2" },
  ModifyMonitoredItems: { request: 763, response: 766, group: "subscribe", clause: "§5.13.3" },
  SetMonitoringMode: { request: 769, response: 772, group: "subscribe", clause: "§5.13.4" },
  SetTriggering: { request: 775, response: 778, group: "subscribe", clause: "§5.13.5" },
  DeleteMonitoredItems: { request: 781, response: 784, group: "subscribe", clause: "§5.13.6" },
  CreateSubscription: { request: 787, response: 790, group: "subscribe", clause: "§5.14.2" },
  ModifySubscription: { request: 793, response: 796, group: "subscribe", clause: "§5.14.3" },
  SetPublishingMode: { request: 799, response: 802, group: "subscribe", clause: "§5.14.4" },
  Publish: { request: 826, response: 829, group: "subscribe", clause: "§5.14.5" },
  Republish: { request: 832, response: 835, group: "subscribe", clause: "§5.14.6" },
  TransferSubscriptions: { request: 841, response: 844, group: "subscribe", clause: "§5.14.7" },
  DeleteSubscriptions: { request: 847, response: 850, group: "subscribe", clause: "§5.14.8" },
} as const satisfies Readonly<Record<string, ServiceInfo>>;

export type ServiceName = keyof typeof SERVICES;

/** Encoding id of ServiceFault, the answer that may stand for every response (OPC 10000-4 v1.05 §7.34). */
export const SERVICE_FAULT_ID = 397;

/** Names of all services, in the order of the standard. */
export const SERVICE_NAMES: readonly ServiceName[] = Object.keys(SERVICES).filter(isServiceName);

function isServiceName(text: string): text is ServiceName {
  return Object.hasOwn(SERVICES, text);
}

const BY_REQUEST: ReadonlyMap<number, ServiceName> = new Map(
  SERVICE_NAMES.map((name) => [SERVICES[name].request, name]),
);
const BY_RESPONSE: ReadonlyMap<number, ServiceName> = new Map(
  SERVICE_NAMES.map((name) => [SERVICES[name].response, name]),
);

/** Service of a request by its encoding id. */
export function serviceOfRequest(encodingId: number): ServiceName | undefined {
  return BY_REQUEST.get(encodingId);
}

/** Service of a response by its encoding id; ServiceFault belongs to none. */
export function serviceOfResponse(encodingId: number): ServiceName | undefined {
  return BY_RESPONSE.get(encodingId);
}

export function serviceGroup(name: ServiceName): ServiceGroup {
  return SERVICES[name].group;
}
