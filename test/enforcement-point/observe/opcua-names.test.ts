import { describe, expect, test } from "vitest";
import { observeUa, operationOfItem } from "#point/observe/opcua.ts";
import { MAX_ALIASES, MAX_NAME_LENGTH } from "#point/observe/opcua-aliases.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { MAX_MONITORED_ITEMS, MAX_SUBSCRIPTIONS } from "#point/observe/opcua-subscriptions.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import { DeviceId, LinkId, PlantId, TagId, ZoneId } from "#specs/ids.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { type NodeId, NULL_NODE_ID, numericNodeId, parseNodeId } from "#wire/opcua/node-id.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";
import type { DataValue } from "#wire/opcua/variant.ts";

const PLC = DeviceId("plc");
const PARTY = { source: DeviceId("hmi"), sourceAddress: "127.0.0.1:1", target: PLC, link: LinkId("link") };
const variable = (id: string, type: "Double" | "Int16"): Tag => ({
  ...{ id: TagId(id), title: id, kind: "set-point", device: PLC, unit: "", range: [0, 100] },
  opcua: { nodeId: `ns=1;s=${id}`, type },
});
const PLANT: Plant = {
  id: PlantId("plant"),
  title: "",
  zones: [{ id: ZoneId("z"), title: "" }],
  devices: [],
  links: [],
  tags: [variable("A", "Double"), variable("B", "Int16")],
  essential: [],
  raw: [],
};
const made = (): UaNames => new UaNames(new UaTags(PLANT, PLC));

function node(text: string): NodeId {
  const parsed = parseNodeId(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}
const [A, B] = [node("ns=1;s=A"), node("ns=1;s=B")];
const ALIAS = numericNodeId(7, 9);
const CHANNEL = {};

const headerOf = (session: number) => ({
  authenticationToken: numericNodeId(session),
  timestampMs: 0,
  requestHandle: 1,
  returnDiagnostics: 0,
  auditEntryId: null,
  timeoutHintMs: 0,
  additionalHeader: { typeId: NULL_NODE_ID, encoding: "none", body: null } as const,
});
const answerHeader = {
  timestampMs: 0,
  requestHandle: 1,
  serviceResult: 0,
  serviceDiagnostics: {},
  stringTable: [],
  additionalHeader: { typeId: NULL_NODE_ID, encoding: "none", body: null } as const,
};

type Request<S extends UaRequest["service"]> = Extract<UaRequest, { service: S }>;
const register = (nodeIds: readonly NodeId[], session = 1): UaRequest => ({
  service: "RegisterNodes",
  header: headerOf(session),
  nodeIds,
});
const registered = (registeredNodeIds: readonly NodeId[]): UaResponse => ({
  service: "RegisterNodes",
  header: answerHeader,
  registeredNodeIds,
});
const read = (nodeId: NodeId, session = 1, ...more: readonly NodeId[]): Request<"Read"> => ({
  service: "Read",
  header: headerOf(session),
  maxAgeMs: 0,
  timestampsToReturn: 0,
  nodesToRead: [nodeId, ...more].map((each) => ({
    ...{ nodeId: each, attributeId: 13, indexRange: null },
    dataEncoding: { namespace: 0, name: null },
  })),
});

/** A request and its answer. */
function told(names: UaNames, request: UaRequest, response: UaResponse, owner: object = CHANNEL): void {
  const resolved = names.resolved(request);
  names.asked(resolved, owner);
  names.answered(resolved, response, owner);
}

function readsAs(names: UaNames, nodeId: NodeId, session = 1): string | undefined {
  const request = names.resolved(read(nodeId, session));
  return request.service === "Read" ? request.nodesToRead[0]?.nodeId.text : undefined;
}

describe("aliases", () => {
  test("mean their node within their session, until they are given back", () => {
    const names = made();
    told(names, register([A]), registered([ALIAS]));
    expect(readsAs(names, ALIAS)).toBe(A.text);
    expect(readsAs(names, ALIAS, 2)).toBe(ALIAS.text);
    names.asked({ service: "UnregisterNodes", header: headerOf(1), nodeIds: [ALIAS] }, CHANNEL);
    expect(readsAs(names, ALIAS)).toBe(ALIAS.text);
    expect(names.aliases.size).toBe(0);
  });

  test("of aliases mean the node itself", () => {
    const names = made();
    told(names, register([A]), registered([ALIAS]));
    told(names, register([ALIAS]), registered([numericNodeId(8, 9)]));
    expect(readsAs(names, numericNodeId(8, 9))).toBe(A.text);
  });

  test("that a server gives to two nodes mean neither, and a node of the plant is no alias", () => {
    const names = made();
    told(names, register([A]), registered([ALIAS]));
    told(names, register([B]), registered([ALIAS]));
    expect(readsAs(names, ALIAS)).toBe(ALIAS.text);
    told(names, register([A]), registered([B]));
    expect(readsAs(names, B)).toBe(B.text);
  });

  test("go with their session", () => {
    const names = made();
    told(names, register([A]), registered([ALIAS]));
    const close: UaRequest = { service: "CloseSession", header: headerOf(1), deleteSubscriptions: true };
    told(names, close, { service: "CloseSession", header: answerHeader });
    expect(readsAs(names, ALIAS)).toBe(ALIAS.text);
    expect(names.aliases.size).toBe(0);
  });

  test(`at ${MAX_ALIASES} no more pass, until a connection leaves its sessions behind`, () => {
    const names = made();
    const nodes = Array.from({ length: MAX_ALIASES }, (_, i) => numericNodeId(i, 1));
    expect(names.takes(register(nodes))).toBe(true);
    told(names, register(nodes), registered(nodes.map((_, i) => numericNodeId(i, 9))));
    expect(names.aliases.size).toBe(MAX_ALIASES);
    expect(names.takes(register([A], 2))).toBe(false);
    names.left(CHANNEL);
    expect(names.takes(register([A], 2))).toBe(true);
    expect(names.aliases.size).toBe(0);
  });

  test(`names of more than ${MAX_NAME_LENGTH} characters do not pass`, () => {
    const names = made();
    const long = (length: number) => node(`s=${"x".repeat(length - 2)}`);
    expect(names.takes(register([long(MAX_NAME_LENGTH)]))).toBe(true);
    expect(names.takes(register([long(MAX_NAME_LENGTH + 1)]))).toBe(false);
  });
});

const parameters = (clientHandle: number) => ({
  clientHandle,
  samplingIntervalMs: 0,
  filter: { typeId: NULL_NODE_ID, encoding: "none", body: null } as const,
  queueSize: 1,
  discardOldest: true,
});
const create = (subscriptionId: number, items: readonly (readonly [node: NodeId, handle: number])[]): UaRequest => ({
  service: "CreateMonitoredItems",
  header: headerOf(1),
  subscriptionId,
  timestampsToReturn: 0,
  itemsToCreate: items.map(([nodeId, handle]) => ({
    itemToMonitor: { nodeId, attributeId: 13, indexRange: null, dataEncoding: { namespace: 0, name: null } },
    monitoringMode: 2,
    parameters: parameters(handle),
  })),
});
const created = (...ids: readonly (number | undefined)[]): UaResponse => ({
  service: "CreateMonitoredItems",
  header: answerHeader,
  results: ids.map((id) => ({
    statusCode: id === undefined ? 0x8000_0000 : 0,
    monitoredItemId: id ?? 0,
    revisedSamplingIntervalMs: 0,
    revisedQueueSize: 1,
    filterResult: { typeId: NULL_NODE_ID, encoding: "none", body: null },
  })),
});

function subscription(names: UaNames, subscriptionId: number, owner: object = CHANNEL): void {
  const request: UaRequest = {
    service: "CreateSubscription",
    header: headerOf(1),
    requestedPublishingIntervalMs: 0,
    requestedLifetimeCount: 0,
    requestedMaxKeepAliveCount: 0,
    maxNotificationsPerPublish: 0,
    publishingEnabled: true,
    priority: 0,
  };
  const revised = { revisedPublishingIntervalMs: 0, revisedLifetimeCount: 0, revisedMaxKeepAliveCount: 0 };
  told(names, request, { service: "CreateSubscription", header: answerHeader, subscriptionId, ...revised }, owner);
}

const double = (value: number): DataValue => ({ value: { type: "Double", isArray: false, value } });
function published(names: UaNames, clientHandle: number, value = double(5)) {
  const request: UaRequest = { service: "Publish", header: headerOf(1), acknowledgements: [] };
  return names.values(request, {
    service: "Publish",
    header: answerHeader,
    subscriptionId: 3,
    moreNotifications: false,
    sequenceNumber: 1,
    publishTimeMs: 0,
    dataChanges: [{ clientHandle, value }],
    otherNotifications: [],
  });
}

describe("handles of monitored items", () => {
  test("say which tag a notification is about, even before the items are answered", () => {
    const names = made();
    subscription(names, 3);
    names.asked(create(3, [[A, 5]]), CHANNEL);
    expect(published(names, 5)).toEqual([{ tag: "A", value: 5 }]);
    names.answered(create(3, [[A, 5]]), created(undefined), CHANNEL);
    expect(published(names, 5)).toEqual([]);
    expect(names.subscriptions.size).toBe(0);
  });

  test("given to two tags say nothing, until one of the items is gone", () => {
    const names = made();
    subscription(names, 3);
    told(
      names,
      create(3, [
        [A, 5],
        [B, 5],
      ]),
      created(1, 2),
    );
    expect(published(names, 5)).toEqual([]);
    const gone = { header: headerOf(1), subscriptionId: 3, monitoredItemIds: [2] };
    const done = { service: "DeleteMonitoredItems", header: answerHeader, results: [0] } as const;
    told(names, { service: "DeleteMonitoredItems", ...gone }, done);
    expect(published(names, 5)).toEqual([{ tag: "A", value: 5 }]);
  });

  test("that are changed count beside the old ones", () => {
    const names = made();
    subscription(names, 3);
    told(names, create(3, [[A, 5]]), created(1));
    const itemsToModify = [{ monitoredItemId: 1, parameters: parameters(6) }];
    const modify = {
      service: "ModifyMonitoredItems",
      header: headerOf(1),
      subscriptionId: 3,
      timestampsToReturn: 0,
    } as const;
    told(names, { ...modify, itemsToModify }, { service: "ModifyMonitoredItems", header: answerHeader });
    for (const handle of [5, 6]) expect(published(names, handle)).toEqual([{ tag: "A", value: 5 }]);
  });

  test("of a value that is bad by its own quality tell none", () => {
    const names = made();
    subscription(names, 3);
    told(names, create(3, [[A, 5]]), created(1));
    expect(published(names, 5, { ...double(5), statusCode: 0x8000_0000 })).toEqual([]);
    expect(published(names, 5, { ...double(5), statusCode: 0x4000_0000 })).toEqual([{ tag: "A", value: 5 }]);
  });

  test("go with their subscription, once the server says so", () => {
    const names = made();
    subscription(names, 3);
    told(names, create(3, [[A, 5]]), created(1));
    const remove: UaRequest = { service: "DeleteSubscriptions", header: headerOf(2), subscriptionIds: [3] };
    told(names, remove, { service: "DeleteSubscriptions", header: answerHeader, results: [0x8028_0000] });
    expect(published(names, 5)).toHaveLength(1);
    told(names, remove, { service: "DeleteSubscriptions", header: answerHeader, results: [0] });
    expect(published(names, 5)).toEqual([]);
    expect(names.subscriptions.size).toBe(0);
  });

  test(`at ${MAX_MONITORED_ITEMS} no more pass, until a connection leaves its subscriptions behind`, () => {
    const names = made();
    subscription(names, 3);
    for (let from = 0; from < MAX_MONITORED_ITEMS; from += 10_000) {
      const items = Array.from({ length: 10_000 }, (_, i) => [A, from + i] as const);
      expect(names.takes(create(3, items))).toBe(true);
      told(names, create(3, items), created(...items.map(([, handle]) => handle)));
    }
    expect(names.subscriptions.size).toBe(MAX_MONITORED_ITEMS);
    expect(names.takes(create(3, [[A, 1]]))).toBe(false);
    names.left(CHANNEL);
    expect(names.takes(create(4, [[A, 1]]))).toBe(true);
    expect(names.subscriptions.size).toBe(0);
  });

  test(`at ${MAX_SUBSCRIPTIONS} subscriptions no more pass`, () => {
    const names = made();
    for (let id = 0; id < MAX_SUBSCRIPTIONS; id += 1) subscription(names, id);
    subscription(names, MAX_SUBSCRIPTIONS);
    expect(names.subscriptions.shown(MAX_SUBSCRIPTIONS)).toBeUndefined();
    expect(names.subscriptions.shown(0)).toEqual([]);
  });
});

test("who takes over a subscription asks for what it shows; one that is not known here shows something unknown", () => {
  const names = made();
  subscription(names, 3);
  told(
    names,
    create(3, [
      [A, 5],
      [B, 6],
    ]),
    created(1, 2),
  );
  const transfer: UaRequest = {
    service: "TransferSubscriptions",
    header: headerOf(2),
    subscriptionIds: [3, 4],
    sendInitialValues: true,
  };
  const [observation] = names.observe(PARTY, transfer);
  expect(observation?.operation).toBe("subscribe");
  expect(observation?.items.map(({ tag }) => tag)).toEqual(["A", "B", undefined]);
});

describe("the operation that an item is about", () => {
  const tags = new UaTags(PLANT, PLC);

  test("of a Read, where looking around comes between", () => {
    const around = numericNodeId(2256);
    const request = read(around, 1, A, around, B);
    const [browse, values] = observeUa(PARTY, tags, request);
    if (browse === undefined || values === undefined) throw new Error("two observations");
    expect([0, 1].map((item) => operationOfItem(request, values, item))).toEqual([1, 3]);
    expect(operationOfItem(request, browse, 0)).toBeUndefined();
    expect(operationOfItem(request, values, -1)).toBeUndefined();
  });

  test("of a Call, where each method has its arguments behind it", () => {
    const inputArguments = [{ type: "Double", isArray: false, value: 1 } as const];
    const call = { objectId: A, methodId: B, inputArguments };
    const request: UaRequest = { service: "Call", header: headerOf(1), methodsToCall: [call, call] };
    const [observation] = observeUa(PARTY, tags, request);
    if (observation === undefined) throw new Error("one observation");
    expect([0, 1, 2, 3].map((item) => operationOfItem(request, observation, item))).toEqual([0, 0, 1, 1]);
  });
});

test.each([
  { type: "DateTime" as const, value: 1 },
  { type: "StatusCode" as const, value: 0 },
])("an argument of type $type is no number", ({ type, value }) => {
  const call = { objectId: A, methodId: B, inputArguments: [{ type, isArray: false, value } as const] };
  const [observation] = observeUa(PARTY, new UaTags(PLANT, PLC), {
    service: "Call",
    header: headerOf(1),
    methodsToCall: [call],
  });
  expect(observation?.items[1]?.value).toBeUndefined();
});

describe("another plant", () => {
  const withTags = (...tags: readonly Tag[]): Plant => ({ ...PLANT, tags });
  const at = (id: string, nodeId: string): Tag => ({ ...variable(id, "Double"), opcua: { nodeId, type: "Double" } });

  test("a monitored item shows the tag that its node belongs to now", () => {
    const names = made();
    subscription(names, 3);
    told(names, create(3, [[A, 5]]), created(1));
    names.take(withTags(at("C", A.text), at("A", "ns=1;s=elsewhere")));
    expect(published(names, 5)).toEqual([{ tag: "C", value: 5 }]);
    expect(names.subscriptions.shown(3)).toEqual(["C"]);
    names.take(withTags(at("B", B.text)));
    expect(published(names, 5)).toEqual([]);
    names.take(PLANT);
    expect(published(names, 5)).toEqual([{ tag: "A", value: 5 }]);
  });

  test("an alias stands for its node as before, unless the plant names it itself now", () => {
    const names = made();
    told(names, register([A]), registered([ALIAS]));
    names.take(withTags(at("C", A.text)));
    expect(names.observe(PARTY, names.resolved(read(ALIAS)))[0]?.items).toMatchObject([{ tag: "C" }]);
    names.take(withTags(at("C", A.text), at("D", ALIAS.text)));
    expect(names.observe(PARTY, names.resolved(read(ALIAS)))[0]?.items).toMatchObject([{ tag: "D" }]);
    expect(names.aliases.size).toBe(0);
  });
});
