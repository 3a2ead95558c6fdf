import {
  ActivateSessionRequest,
  ActivateSessionResponse,
  CreateMonitoredItemsRequest,
  CreateMonitoredItemsResponse,
  CreateSessionRequest,
  CreateSessionResponse,
  CreateSubscriptionRequest,
  CreateSubscriptionResponse,
  DataChangeNotification,
  DataType,
  PublishRequest,
  PublishResponse,
  RegisterNodesRequest,
  RegisterNodesResponse,
  UserNameIdentityToken,
  WriteRequest,
} from "node-opcua";
import { expect, test, vi } from "vitest";
import { MAX_SESSIONS, UaClients } from "#hmi-monitor/opcua-clients.ts";
import { UaSessionUsers } from "#point/observe/opcua-session-users.ts";
import { TagId } from "#specs/ids.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import { openBody, opn, SIZES } from "../switch-filter/ua-bench.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { Capture, type Watching, watching } from "./capture.ts";

/** A session whose messages node-opcua's own encoders write. */
const PLC2_UA = { ip: "127.10.2.2", port: 4840 };
const TOKEN = "ns=0;i=777";
const requestHeader = { authenticationToken: TOKEN };

class Session {
  readonly capture = new Capture(PLC2_UA, 40_002)
    .up(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
    .up(opn(1, openBody(0)));
  #sequence = 1;

  ask(request: Buffer, answer?: Buffer): this {
    this.#sequence += 1;
    const about = { channelId: 7, tokenId: 1, sequenceNumber: this.#sequence, requestId: this.#sequence };
    this.capture.up(encodeMsgChunk({ ...about, body: request }));
    if (answer !== undefined) this.capture.down(encodeMsgChunk({ ...about, body: answer }));
    return this;
  }

  async seen(): Promise<Watching> {
    const watched = await watching();
    for (const record of this.capture.records) watched.monitor.frame(record);
    return watched;
  }
}

const create = (sessionName: string, applicationUri: string): [Buffer, Buffer] => [
  bodyOf(new CreateSessionRequest({ sessionName, clientDescription: { applicationUri } })),
  bodyOf(new CreateSessionResponse({ sessionId: "ns=0;i=5", authenticationToken: TOKEN })),
];
const activate = (userName: string): [Buffer, Buffer] => [
  bodyOf(
    new ActivateSessionRequest({
      requestHeader,
      userIdentityToken: new UserNameIdentityToken({ policyId: "u", userName, password: Buffer.from("secret") }),
    }),
  ),
  bodyOf(new ActivateSessionResponse({})),
];
const write = (nodeId: string, value = 33): Buffer =>
  bodyOf(
    new WriteRequest({
      requestHeader,
      nodesToWrite: [{ nodeId, attributeId: 13, value: { value: { dataType: DataType.Double, value } } }],
    }),
  );

const from = ({ judged }: Watching) =>
  judged
    .filter(({ observation }) => observation.operation === "write")
    .map(({ observation }) => observation.sourceAddress);

test("a command says by which user, in which session, of which application it came", async () => {
  const session = new Session()
    .ask(...create("HMI main", "urn:hmi-1:client"))
    .ask(...activate("operator-1"))
    .ask(write("ns=1;s=FIC401.SP"));
  expect(from(await session.seen())).toEqual(["operator-1 (session HMI main, urn:hmi-1:client)@127.10.1.11:40002"]);
});

test("before the server has let the user in, the user is not known; a session made before us has no name", async () => {
  const early = new Session().ask(...create("s", "urn:c")).ask(write("ns=1;s=FIC401.SP"));
  expect(from(await early.seen())).toEqual(["(session s, urn:c)@127.10.1.11:40002"]);
  expect(from(await new Session().ask(write("ns=1;s=FIC401.SP")).seen())).toEqual(["127.10.1.11:40002"]);
});

test("when the answer to an activation is missing the user is not known, until the next is let in", async () => {
  const session = new Session().ask(...activate("operator-1")).ask(activate("operator-2")[0]);
  const missing = session.capture.records.length;
  session.capture.down(Buffer.from("the answer"));
  const [ask, answer] = create("s", "urn:c");
  for (let n = 0; n < 3; n += 1) session.ask(ask, answer);
  session
    .ask(write("ns=1;s=FIC401.SP"))
    .ask(...activate("operator-3"))
    .ask(write("ns=1;s=FIC401.SP"));
  session.capture.records.splice(missing, 1);
  const watched = await session.seen();
  expect(watched.monitor.unread).toMatchObject({ gaps: 1, resynchronised: 1 });
  expect(from(watched)).toEqual([
    "(session s, urn:c)@127.10.1.11:40002",
    "operator-3 (session s, urn:c)@127.10.1.11:40002",
  ]);
});

test("a connection that the server opened is not read, which is said", async () => {
  const text = (of: string) => Buffer.concat([Buffer.from([of.length, 0, 0, 0]), Buffer.from(of)]);
  const body = Buffer.concat([text("urn:plc-2"), text("opc.tcp://127.10.2.2:4840")]);
  const header = Buffer.from("RHEF\0\0\0\0");
  header.writeUInt32LE(header.length + body.length, 4);
  const watched = await watching();
  const about = { channelId: 7, tokenId: 1, sequenceNumber: 2, requestId: 2 };
  const { records } = new Capture(PLC2_UA, 40_002)
    .up(Buffer.concat([header, body]))
    .down(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
    .down(opn(1, openBody(0)))
    .down(encodeMsgChunk({ ...about, body: write("ns=1;s=FIC401.SP") }));
  for (const record of records) watched.monitor.frame(record);
  expect(watched.says).toEqual([expect.stringContaining("the server opened it (ReverseHello)")]);
  expect(watched.monitor.unread).toMatchObject({ blind: 1 });
});

test("a name cannot be made to look like something else, and what is told of it is short", async () => {
  const session = new Session()
    .ask(...create(`x)@10.0.0.1:1\n${"y".repeat(300)}`, "urn:c"))
    .ask(write("ns=1;s=FIC401.SP"));
  const [address = ""] = from(await session.seen());
  expect(address).toMatch(/^\(session x\?\?10\.0\.0\.1:1\?y+…, urn:c\)@127\.10\.1\.11:40002$/);
  expect(address.length).toBeLessThan(200);
});

test("a node written by the alias that the server gave it is that node", async () => {
  const session = new Session()
    .ask(
      bodyOf(new RegisterNodesRequest({ requestHeader, nodesToRegister: ["ns=1;s=FIC401.SP"] })),
      bodyOf(new RegisterNodesResponse({ registeredNodeIds: ["ns=9;i=4"] })),
    )
    .ask(write("ns=9;i=4", 0));
  expect((await session.seen()).writes()).toEqual(["FIC401.SP 0 deny"]);
});

test("values that a subscription publishes are seen as told", async () => {
  const watched = await watching();
  const told = vi.spyOn(watched.point, "told");
  const { capture } = new Session()
    .ask(
      bodyOf(new CreateSubscriptionRequest({ requestHeader })),
      bodyOf(new CreateSubscriptionResponse({ subscriptionId: 3 })),
    )
    .ask(
      bodyOf(
        new CreateMonitoredItemsRequest({
          requestHeader,
          subscriptionId: 3,
          itemsToCreate: [
            {
              itemToMonitor: { nodeId: "ns=1;s=FIC401.SP", attributeId: 13 },
              requestedParameters: { clientHandle: 12 },
            },
          ],
        }),
      ),
      bodyOf(new CreateMonitoredItemsResponse({ results: [{ monitoredItemId: 1 }] })),
    )
    .ask(
      bodyOf(new PublishRequest({ requestHeader })),
      bodyOf(
        new PublishResponse({
          subscriptionId: 3,
          notificationMessage: {
            notificationData: [
              new DataChangeNotification({
                monitoredItems: [{ clientHandle: 12, value: { value: { dataType: DataType.Double, value: 31.5 } } }],
              }),
            ],
          },
        }),
      ),
    );
  for (const record of capture.records) watched.monitor.frame(record);
  expect(told.mock.calls.at(-1)?.[1]).toEqual([{ tag: TagId("FIC401.SP"), value: 31.5 }]);
});

test("what is remembered of sessions is bounded", () => {
  const clients = new UaClients();
  const request = decodeRequest(create("s", "urn:c")[0]);
  for (let i = 0; i <= MAX_SESSIONS; i += 1) {
    const answer = bodyOf(new CreateSessionResponse({ authenticationToken: `ns=0;i=${i + 1}` }));
    const response = decodeResponse(answer);
    if (!request.ok || !response.ok) throw new Error("not decoded");
    clients.answered(request.value, response.value);
  }
  expect(clients.size).toBe(MAX_SESSIONS);
  const nameOf = (token: number): string => {
    const asked = decodeRequest(
      bodyOf(new WriteRequest({ requestHeader: { authenticationToken: `ns=0;i=${token}` }, nodesToWrite: [] })),
    );
    return asked.ok ? clients.describe(asked.value, new UaSessionUsers(), clients) : "not decoded";
  };
  // Sessions that were never closed must not keep the ones of today from having a name.
  expect([1, 2, MAX_SESSIONS + 1].map(nameOf)).toEqual(["", "(session s, urn:c)", "(session s, urn:c)"]);
});
