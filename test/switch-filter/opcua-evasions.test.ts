import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AddNodesRequest,
  CallRequest,
  CreateMonitoredItemsRequest,
  CreateSubscriptionRequest,
  DataType,
  DeleteNodesRequest,
  HistoryUpdateRequest,
  PublishRequest,
  ReadRequest,
  ReadValueId,
  RegisterNodesRequest,
  TransferSubscriptionsRequest,
  UnregisterNodesRequest,
  WriteRequest,
} from "node-opcua";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { IN_FORCE, LINK, MOST_TOLD, uaPlant } from "./opcua-plant.ts";
import { type RunningServer, startUaServer } from "./opcua-server.ts";
import { rawBody } from "./ua-bench.ts";
import { UaRawClient } from "./ua-raw-client.ts";

/**
 * The OPC UA evasions: a client that may only read the set-point, by hand-made bytes, in front of a real server (node-opcua). Success would
 * be that the server has done something; it says so itself.
 */
const FILTER = { host: "127.252.6.2", port: 48431 };
const PLC = { host: "127.252.6.3", port: 48432 };
const WRITER = "127.252.6.4";
const READER = "127.252.6.5";
const pki = mkdtempSync(join(tmpdir(), "sekisho-ua-evasions-"));
const clock = systemClock();
let running: RunningServer;
let filter: RunningFilter;

beforeAll(async () => {
  running = await startUaServer(PLC, pki);
  filter = await runSwitchFilter({
    bundle: uaPlant({ writer: [WRITER], reader: [READER], plc: [FILTER.host] }).bundle,
    listeners: [{ link: LINK, listen: FILTER, upstream: PLC }],
    mode: "enforce",
    clock,
    standalonePhase: IN_FORCE,
  });
}, 60_000);

beforeEach(() => {
  Object.assign(running.executed, { sp: 30, count: 3, level: 40 });
  running.executed.calls.length = 0;
});

afterAll(async () => {
  await filter.close();
  await running.stop();
  clock.close();
  rmSync(pki, { recursive: true, force: true });
});

const double = (value: number) => ({ value: { dataType: DataType.Double, value } });
const write = (nodeId: string, value: number, dataType = DataType.Double): WriteRequest =>
  new WriteRequest({ nodesToWrite: [{ nodeId, attributeId: 13, value: { value: { dataType, value } } }] });
const WRITE = (value = 11): WriteRequest => write("ns=1;s=SP", value);
const READ = (nodeId = "ns=1;s=SP"): ReadRequest => new ReadRequest({ nodesToRead: [{ nodeId, attributeId: 13 }] });
const register = (...nodesToRegister: readonly string[]): RegisterNodesRequest =>
  new RegisterNodesRequest({ nodesToRegister: [...nodesToRegister] });

/** The alias that the server gave, after a look that it is one. */
async function aliasOf(client: UaRawClient, nodeId: string): Promise<string> {
  const answer = await client.ask(register(nodeId));
  const alias = answer?.service === "RegisterNodes" ? answer.registeredNodeIds[0]?.text : undefined;
  if (alias === undefined || alias === nodeId) throw new Error("the server gave no alias");
  return alias;
}

type Evasion = {
  readonly name: string;
  readonly does: (client: UaRawClient) => Promise<unknown>;
  readonly ends?: boolean;
};

const EVASIONS: readonly Evasion[] = [
  { name: "a write first of all", does: (client) => client.ask(WRITE()) },
  { name: "a read, then a write", does: async (client) => [await client.ask(READ()), await client.ask(WRITE())] },
  {
    name: "read and write in one segment",
    does: async (client) => {
      const ids = [client.newRequest(), client.newRequest()] as const;
      client.say(
        Buffer.concat([
          client.chunk(client.body(READ()), { requestId: ids[0] }),
          client.chunk(client.body(WRITE()), { requestId: ids[1] }),
        ]),
      );
      await client.answer(ids[1]);
    },
  },
  {
    name: "a write in segments of one byte",
    does: async (client) => {
      const requestId = client.newRequest();
      for (const byte of client.chunk(client.body(WRITE()), { requestId })) {
        client.say(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.answer(requestId);
    },
  },
  {
    name: "a write in chunks of one byte",
    does: async (client) => {
      const requestId = client.newRequest();
      const body = client.body(WRITE());
      const parts = Math.min(60, body.length);
      const size = Math.ceil(body.length / parts);
      for (let at = 0; at < body.length; at += size) {
        const chunkType = at + size < body.length ? "C" : "F";
        client.say(client.chunk(body.subarray(at, at + size), { requestId, chunkType }));
      }
      await client.answer(requestId);
    },
  },
  {
    name: "a write in the second chunk, behind a first that is a whole read",
    does: async (client) => {
      const requestId = client.newRequest();
      client.say(client.chunk(client.body(READ()), { requestId, chunkType: "C" }));
      client.say(client.chunk(client.body(WRITE()), { requestId }));
      await client.answer(requestId);
    },
  },
  {
    name: "chunks of a read and a write that alternate",
    ends: true,
    does: async (client) => {
      const ids = [client.newRequest(), client.newRequest()] as const;
      client.say(client.chunk(client.body(READ()), { requestId: ids[0], chunkType: "C" }));
      client.say(client.chunk(client.body(WRITE()), { requestId: ids[1] }));
      await client.answer(ids[1]);
    },
  },
  {
    name: "a write inside a renewed channel",
    does: async (client) => {
      await client.openChannel(1);
      await client.ask(WRITE());
    },
  },
  {
    name: "a sequence number used again",
    ends: true,
    does: async (client) => {
      const requestId = client.newRequest();
      client.say(client.chunk(client.body(WRITE()), { requestId, sequenceNumber: 2 }));
      await client.answer(requestId);
    },
  },
  {
    name: "a write under the token of nobody's channel",
    ends: true,
    does: async (client) => {
      const requestId = client.newRequest();
      client.say(client.chunk(client.body(WRITE()), { requestId, channelId: client.channelId + 1 }));
      await client.answer(requestId);
    },
  },
  {
    name: "a write to an alias",
    does: async (client) => {
      const alias = await aliasOf(client, "ns=1;s=SP");
      expect(await client.ask(write(alias, 11))).toMatchObject({ results: [STATUS_CODES.BadUserAccessDenied] });
    },
  },
  {
    name: "a read of what may not be read, through an alias",
    does: async (client) => {
      const alias = await aliasOf(client, "ns=1;s=LEVEL");
      const [result] = await resultsOf(client, READ(alias));
      expect(result?.value).toBeUndefined();
    },
  },
  {
    name: "an alias that meant something else a moment ago",
    does: async (client) => {
      const alias = await aliasOf(client, "ns=1;s=SP");
      await client.ask(new UnregisterNodesRequest({ nodesToUnregister: [alias] }));
      await client.ask(register("ns=1;s=LEVEL"));
      const [result] = await resultsOf(client, READ(alias));
      expect(result?.value).toBeUndefined();
    },
  },
  {
    name: "a method with effects",
    does: (client) =>
      client.ask(
        new CallRequest({
          methodsToCall: [{ objectId: "ns=1;s=UNIT", methodId: "ns=1;s=RESET", inputArguments: [double(7).value] }],
        }),
      ),
  },
  {
    name: "HistoryUpdate",
    does: (client) =>
      client.ask(
        new HistoryUpdateRequest({ historyUpdateDetails: [new ReadValueId({ nodeId: "ns=1;s=SP", attributeId: 13 })] }),
      ),
  },
  { name: "AddNodes", does: (client) => client.ask(new AddNodesRequest({ nodesToAdd: [{}] })) },
  {
    name: "DeleteNodes",
    does: (client) => client.ask(new DeleteNodesRequest({ nodesToDelete: [{ nodeId: "ns=1;s=SP" }] })),
  },
  {
    name: "service ids that nobody knows",
    does: async (client) => {
      for (const id of [1, 674, 15_903, 65_535]) await client.ask(rawBody(id, client.body(WRITE())));
    },
  },
  {
    name: "an array of four thousand million writes",
    does: (client) => client.ask(rawBody(673, Buffer.from("ffffff7f", "hex"))),
  },
  {
    name: "a reverse hello in the middle",
    ends: true,
    does: async (client) => {
      client.say(Buffer.from("5248454610000000ffffffffffffffff", "hex"));
      await client.ask(WRITE());
    },
  },
  {
    name: "another channel without security policy by name",
    ends: true,
    does: async (client) => {
      client.say(Buffer.from("4f504e4620000000", "hex"));
      await client.ask(WRITE());
    },
  },
];

async function resultsOf(client: UaRawClient, request: ReadRequest) {
  const answer = await client.ask(request);
  return answer?.service === "Read" ? answer.results : [];
}

describe("does nothing to the server, and tells no more than it may", () => {
  test.each(EVASIONS)("$name", async ({ does, ends = false }) => {
    const client = await UaRawClient.open(FILTER, READER);
    await does(client);
    if (ends) expect(client.ended).toBe(true);
    else expect((await resultsOf(client, READ()))[0]?.value?.value).toBe(30);
    expect(running.executed).toEqual({ sp: 30, count: 3, level: 40, calls: [] });
    client.close();
  });

  test.each([
    { name: "a write before the channel", bytes: (client: UaRawClient) => client.chunk(client.body(WRITE())) },
    { name: "a reverse hello", bytes: () => Buffer.from("5248454610000000ffffffffffffffff", "hex") },
    { name: "a chunk of 2 GiB before any limit is agreed", bytes: () => Buffer.from("4d534746ffffff7f", "hex") },
    { name: "a hello of 2 GiB", bytes: () => Buffer.from("48454c46ffffff7f", "hex") },
  ])("$name ends the connection at once", async ({ bytes }) => {
    const client = await UaRawClient.connect(FILTER, READER);
    client.say(bytes(client));
    await client.answer(0);
    expect(client.ended).toBe(true);
  });
});

describe("who may write", () => {
  test("writes through an alias within the bounds, and not beyond them", async () => {
    const client = await UaRawClient.open(FILTER, WRITER);
    const alias = await aliasOf(client, "ns=1;s=SP");
    expect(await client.ask(write(alias, 12))).toMatchObject({ results: [STATUS_CODES.Good] });
    expect(running.executed.sp).toBe(12);
    expect(await client.ask(write(alias, 99))).toMatchObject({ results: [STATUS_CODES.BadOutOfRange] });
    expect(running.executed.sp).toBe(12);
    await client.ask(new UnregisterNodesRequest({ nodesToUnregister: [alias] }));
    expect(await client.ask(write(alias, 13))).toMatchObject({ results: [STATUS_CODES.BadUserAccessDenied] });
    client.close();
  });

  test("writes the declared type alone", async () => {
    const client = await UaRawClient.open(FILTER, WRITER);
    const count = async (dataType: DataType) => (await client.ask(write("ns=1;s=COUNT", 9, dataType)))?.service;
    expect(await client.ask(write("ns=1;s=COUNT", 9, DataType.Double))).toMatchObject({
      results: [STATUS_CODES.BadTypeMismatch],
    });
    expect(running.executed.count).toBe(3);
    expect(await count(DataType.Int16)).toBe("Write");
    expect(running.executed.count).toBe(9);
    client.close();
  });

  test("has an alias for each session: another's means nothing", async () => {
    const [one, other] = [await UaRawClient.open(FILTER, WRITER), await UaRawClient.open(FILTER, WRITER)];
    const alias = await aliasOf(one, "ns=1;s=SP");
    expect(await other.ask(write(alias, 12))).toMatchObject({ results: [STATUS_CODES.BadUserAccessDenied] });
    expect(running.executed.sp).toBe(30);
    for (const client of [one, other]) client.close();
  });
});

describe("subscriptions", () => {
  async function subscribed(client: UaRawClient, nodeId: string) {
    const made = await client.ask(
      new CreateSubscriptionRequest({
        requestedPublishingInterval: 50,
        requestedLifetimeCount: 1000,
        requestedMaxKeepAliveCount: 100,
        publishingEnabled: true,
      }),
    );
    if (made?.service !== "CreateSubscription") throw new Error("no subscription");
    const { subscriptionId } = made;
    const itemsToCreate = [
      {
        itemToMonitor: { nodeId, attributeId: 13 },
        monitoringMode: 2,
        requestedParameters: { clientHandle: 5, samplingInterval: 20, queueSize: 1 },
      },
    ];
    const items = await client.ask(
      new CreateMonitoredItemsRequest({ subscriptionId, timestampsToReturn: 0, itemsToCreate }),
    );
    return { subscriptionId, created: items };
  }

  test("what a subscription tells is judged: a level above the most that may be told is withheld", async () => {
    const client = await UaRawClient.open(FILTER, WRITER);
    await subscribed(client, "ns=1;s=LEVEL");
    const first = await client.ask(new PublishRequest({}));
    expect(first).toMatchObject({
      service: "Publish",
      dataChanges: [{ clientHandle: 5, value: { value: { value: 40 } } }],
    });
    running.executed.level = MOST_TOLD + 1;
    expect(await client.ask(new PublishRequest({}))).toMatchObject({ service: "ServiceFault" });
    client.close();
  });

  test("nobody subscribes to what he may not read, nor takes over who does", async () => {
    const [writer, reader] = [await UaRawClient.open(FILTER, WRITER), await UaRawClient.open(FILTER, READER)];
    const forbidden = await subscribed(reader, "ns=1;s=LEVEL");
    expect(forbidden.created).toMatchObject({ results: [{ statusCode: STATUS_CODES.BadUserAccessDenied }] });
    const { subscriptionId } = await subscribed(writer, "ns=1;s=LEVEL");
    const taken = await reader.ask(
      new TransferSubscriptionsRequest({ subscriptionIds: [subscriptionId], sendInitialValues: true }),
    );
    expect(taken?.service).toBe("ServiceFault");
    const own = await subscribed(writer, "ns=1;s=SP");
    const shared = await reader.ask(
      new TransferSubscriptionsRequest({ subscriptionIds: [own.subscriptionId], sendInitialValues: true }),
    );
    expect(shared?.service).toBe("TransferSubscriptions");
    for (const client of [writer, reader]) client.close();
  });
});
