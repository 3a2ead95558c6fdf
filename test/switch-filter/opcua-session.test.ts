import {
  ActivateSessionRequest,
  AddNodesRequest,
  AddReferencesRequest,
  BrowseRequest,
  CallRequest,
  CloseSecureChannelRequest,
  DataType,
  DeleteNodesRequest,
  DeleteReferencesRequest,
  HistoryReadRequest,
  HistoryUpdateRequest,
  NumericRange,
  QueryFirstRequest,
  ReadRequest,
  RegisterServer2Request,
  RegisterServerRequest,
  StatusCodes,
  WriteResponse,
} from "node-opcua";
import { describe, expect, test } from "vitest";
import { SERVICE_NAMES, SERVICES } from "#wire/opcua/services/service-table.ts";
import { encodeAcknowledge } from "#wire/opcua/uacp-messages.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { answered, OPENED } from "./ua-answers.ts";
import {
  CHANNEL,
  HELLO,
  HMI,
  item,
  openBody,
  opened,
  opn,
  publish,
  rawBody,
  read,
  readAnswer,
  SIZES,
  SP,
  UaBench,
  write,
} from "./ua-bench.ts";

/** The OPC UA session without sockets: chunks made by hand, and a server that keeps what reaches it. Phase normal. */

test("what is allowed comes through: the stub is not deaf", async () => {
  const bench = await opened();
  bench.ask(2, write(item(33)));
  bench.answer(2, bodyOf(new WriteResponse({ results: [StatusCodes.Good] })));
  expect(bench.reached).toEqual([...OPENED, "Read", "Write"]);
  expect(answered(bench)).toEqual(["ACK", "OPN", "Read", "Write"]);
});

/** `told`: the answer in the server's place; a ServiceFault where the service has no status for each item, or none is to blame. */
const FORBIDDEN: readonly { readonly name: string; readonly body: Buffer; readonly told?: string }[] = [
  { name: "a Write outside the rule's range", told: "Write BadOutOfRange", body: write(item(0)) },
  {
    name: "a forbidden item beside an allowed one",
    told: "Write BadOperationAbandoned BadUserAccessDenied",
    body: write(item(31), { ...item(1), nodeId: "ns=1;s=LIT401" }),
  },
  {
    name: "a forbidden item before an allowed one",
    told: "Write BadUserAccessDenied BadOperationAbandoned",
    body: write({ ...item(1), nodeId: "ns=1;s=LIT401" }, item(31)),
  },
  {
    name: "the same item twice, once forbidden",
    told: "Write BadOperationAbandoned BadOutOfRange",
    body: write(item(31), item(99)),
  },
  { name: "a Write of no items", body: write() },
  {
    name: "a Write of another attribute",
    told: "Write BadUserAccessDenied",
    body: write(item(31, { attributeId: 17 })),
  },
  {
    name: "a Write of a part of the value",
    told: "Write BadUserAccessDenied",
    body: write(item(31, { indexRange: new NumericRange("0") })),
  },
  {
    name: "a Write through an alias of RegisterNodes",
    told: "Write BadUserAccessDenied",
    body: write(item(31, { nodeId: "ns=1;i=4711" })),
  },
  {
    name: "a Write of the same name in another namespace",
    told: "Write BadUserAccessDenied",
    body: write(item(31, { nodeId: "ns=2;s=FIC401.SP" })),
  },
  {
    name: "a Write of the name with a space",
    told: "Write BadUserAccessDenied",
    body: write(item(31, { nodeId: "ns=1;s=FIC401.SP " })),
  },
  {
    name: "a Write of a float, where the tag is a double",
    told: "Write BadTypeMismatch",
    body: write({ ...SP, value: { value: { dataType: DataType.Float, value: 31 } } }),
  },
  {
    name: "a Write of an integer, where the tag is a double",
    told: "Write BadTypeMismatch",
    body: write({ ...SP, value: { value: { dataType: DataType.Int16, value: 31 } } }),
  },
  {
    name: "a Write of a value with a bad status",
    told: "Write BadTypeMismatch",
    body: write(item(31, { value: { value: { dataType: DataType.Double, value: 31 }, statusCode: StatusCodes.Bad } })),
  },
  {
    name: "a Write of an array",
    told: "Write BadTypeMismatch",
    body: write({
      ...SP,
      value: { value: { dataType: DataType.Double, arrayType: 1, value: new Float64Array([31]) } },
    }),
  },
  {
    name: "a Write of a text",
    told: "Write BadTypeMismatch",
    body: write({ ...SP, value: { value: { dataType: DataType.String, value: "31" } } }),
  },
  { name: "a Write of not a number", told: "Write BadTypeMismatch", body: write(item(Number.NaN)) },
  { name: "a Write of infinity", told: "Write BadTypeMismatch", body: write(item(Number.POSITIVE_INFINITY)) },
  {
    name: "a Write of a status without a value",
    told: "Write BadTypeMismatch",
    body: write({ ...SP, value: { statusCode: StatusCodes.BadDeviceFailure } }),
  },
  {
    name: "Call",
    told: "Call BadUserAccessDenied",
    body: bodyOf(new CallRequest({ methodsToCall: [{ objectId: "i=85", methodId: "ns=1;s=Reset" }] })),
  },
  { name: "Call of no methods", body: bodyOf(new CallRequest({ methodsToCall: [] })) },
  { name: "AddNodes", body: bodyOf(new AddNodesRequest({ nodesToAdd: [] })) },
  { name: "AddReferences", body: bodyOf(new AddReferencesRequest({ referencesToAdd: [] })) },
  { name: "DeleteNodes", body: bodyOf(new DeleteNodesRequest({ nodesToDelete: [{ nodeId: "ns=1;s=FIC401.SP" }] })) },
  { name: "DeleteReferences", body: bodyOf(new DeleteReferencesRequest({ referencesToDelete: [] })) },
  { name: "HistoryUpdate", body: bodyOf(new HistoryUpdateRequest({ historyUpdateDetails: [] })) },
  { name: "HistoryRead", body: bodyOf(new HistoryReadRequest({ nodesToRead: [] })) },
  { name: "RegisterServer", body: bodyOf(new RegisterServerRequest({})) },
  { name: "RegisterServer2", body: bodyOf(new RegisterServer2Request({})) },
  { name: "QueryFirst, which hands out values", body: bodyOf(new QueryFirstRequest({})) },
  { name: "a Read with a request behind it", body: Buffer.concat([read, write(item(0))]) },
  { name: "a Read that ends early", body: read.subarray(0, -1) },
  { name: "SessionlessInvoke, which carries a service inside", body: rawBody(15_903, write(item(0))) },
  { name: "the Write id in another namespace", body: rawBody(SERVICES.Write.request, Buffer.alloc(4), 1) },
  { name: "a response in the place of a request", body: bodyOf(new WriteResponse({ results: [] })) },
  { name: "no type id", body: Buffer.alloc(0) },
];

describe("never reaches the server", () => {
  test.each(FORBIDDEN)(
    "$name: refused, in one chunk and in many, and the session goes on",
    async ({ body, told = "ServiceFault" }) => {
      const bench = await opened();
      bench.ask(2, body);
      const middle = Math.floor(body.length / 2);
      bench.ask(3, body.subarray(0, middle), { chunkType: "C" });
      bench.ask(3, body.subarray(middle));
      bench.ask(4, read);
      bench.answer(4, readAnswer(30));
      expect(bench.reached).toEqual([...OPENED, "Read", "Read"]);
      expect(answered(bench)).toEqual(["ACK", "OPN", "Read", told, told, "Read"]);
      expect(bench.ended).toBeUndefined();
    },
  );

  test("what is allowed of a request that is denied for its other part was not forwarded either, and is reported so", async () => {
    const bench = await opened();
    const { settled } = bench.recorded;
    settled.length = 0;
    const lookedAt = { nodeId: "ns=1;s=FIC401.SP", attributeId: 4 };
    bench.ask(2, bodyOf(new ReadRequest({ nodesToRead: [lookedAt, { nodeId: "ns=1;s=NONE", attributeId: 13 }] })));
    expect(settled.map(({ judged, outcome }) => [judged.verdict.verdict, judged.action, outcome])).toEqual([
      ["allow", "blocked", "denied"],
      ["deny", "blocked", "denied"],
    ]);
  });

  test("any service id that the standard does not have", async () => {
    const known = new Set<number>(SERVICE_NAMES.map((name) => SERVICES[name].request));
    const bench = await opened();
    let requestId = 10;
    for (let id = 0; id < 1000; id += 1) {
      if (known.has(id)) continue;
      requestId += 1;
      bench.ask(requestId, rawBody(id));
    }
    expect(bench.reached).toEqual([...OPENED, "Read"]);
    expect(bench.ended).toBeUndefined();
  });

  test("a forbidden service in the second chunk, behind a first that looks like another", async () => {
    const bench = await opened();
    bench.ask(2, read, { chunkType: "C" });
    bench.ask(2, write(item(0)));
    expect(bench.reached).toEqual([...OPENED, "Read"]);
  });

  test("the chunks of two messages that alternate", async () => {
    const bench = await opened();
    bench.ask(2, read.subarray(0, 5), { chunkType: "C" });
    bench.ask(3, write(item(0)));
    expect(bench.reached).toEqual([...OPENED, "Read"]);
    expect(bench.ended).toBeDefined();
  });

  test("a message that its sender gave up", async () => {
    const bench = await opened();
    bench.ask(2, write(item(31)).subarray(0, 20), { chunkType: "C" });
    bench.ask(2, Buffer.from("00008080ffffffff", "hex"), { chunkType: "A" });
    bench.ask(3, read);
    expect(bench.reached).toEqual([...OPENED, "Read", "Read"]);
  });

  test("a forbidden service inside a renewed channel", async () => {
    const bench = await opened();
    bench.say(opn(bench.next(), openBody(1), CHANNEL));
    bench.ask(2, write(item(0)), { tokenId: 6 });
    bench.ask(3, read, { tokenId: 6 });
    expect(bench.reached).toEqual([...OPENED, "Read", "OPN", "Read"]);
    expect(answered(bench)).toEqual(["ACK", "OPN", "Read", "OPN", "Write BadOutOfRange"]);
  });

  test("a service between a renewal and its answer is judged like any other", async () => {
    const bench = await opened();
    const renewal = opn(bench.next(), openBody(1), CHANNEL);
    bench.say(Buffer.concat([renewal, bench.chunk(2, write(item(0))), bench.chunk(3, read)]));
    expect(bench.reached.filter((name) => name === "Write")).toEqual([]);
    expect(bench.ended).toBeUndefined();
  });

  test("a Write in the chunk of an OPN, of a renewal, of a CLO", async () => {
    const first = await UaBench.make();
    first.say(HELLO);
    first.say(opn(first.next(), write(item(31))));
    const renewed = await opened();
    renewed.say(opn(renewed.next(), write(item(31)), CHANNEL));
    const closing = await opened();
    closing.ask(2, write(item(31)), { type: "CLO" });
    expect(first.reached).toEqual(["HEL"]);
    for (const bench of [renewed, closing]) expect(bench.reached).toEqual([...OPENED, "Read"]);
    for (const bench of [first, renewed, closing]) expect(bench.ended).toBeDefined();
  });

  test.each([
    { name: "a sequence number used again", fields: { sequenceNumber: 2 } },
    { name: "a sequence number left out", fields: { sequenceNumber: 9 } },
    { name: "another channel", fields: { channelId: CHANNEL + 1 } },
    { name: "no channel", fields: { channelId: 0 } },
  ])("$name: the connection ends with an error message", async ({ fields }) => {
    const bench = await opened();
    bench.ask(2, read, fields);
    expect(bench.reached).toEqual([...OPENED, "Read"]);
    expect(answered(bench).at(-1)).toBe("ERR");
    bench.ask(3, read);
    expect(bench.reached).toEqual([...OPENED, "Read"]);
  });

  test.each([
    { name: "a message before HEL", says: (bench: UaBench) => [bench.chunk(1, read, { channelId: 0 })] },
    { name: "an OPN before HEL", says: (bench: UaBench) => [opn(bench.next(), openBody(0))] },
    { name: "a message before OPN", says: (bench: UaBench) => [HELLO, bench.chunk(1, read, { channelId: 0 })] },
    { name: "a second HEL", says: () => [HELLO, HELLO] },
    { name: "an ACK", says: () => [encodeAcknowledge(SIZES)] },
    { name: "a reverse hello", says: () => [Buffer.from("5248454610000000ffffffffffffffff", "hex")] },
    { name: "another protocol", says: () => [Buffer.from("GET / HTTP/1.1\r\n\r\n")] },
    { name: "a chunk of 65537 bytes", says: (bench: UaBench) => [HELLO, bench.chunk(1, Buffer.alloc(65_513))] },
  ])("$name: the connection ends", async ({ says }) => {
    const bench = await UaBench.make();
    const all = says(bench);
    for (const bytes of all) bench.say(bytes);
    expect(bench.reached).toEqual(all.length > 1 ? ["HEL"] : []);
    expect(bench.ended).toBeDefined();
  });

  test("a message after the channel was closed", async () => {
    const bench = await opened();
    bench.ask(2, bodyOf(new CloseSecureChannelRequest({})), { type: "CLO" });
    bench.ask(3, read);
    expect(bench.reached).toEqual([...OPENED, "Read", "CLO"]);
    expect(bench.ended).toBeDefined();
  });

  test("a renewal under another policy", async () => {
    const policy = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256";
    const renewed = await opened();
    renewed.say(opn(renewed.next(), openBody(1), CHANNEL, policy));
    expect(renewed.reached).toEqual([...OPENED, "Read"]);
    expect(renewed.ended).toContain("Basic256Sha256 instead of None");
  });

  test("a message of more than 1 MiB, in chunks that each are legal", async () => {
    const bench = await opened();
    for (let i = 0; i < 70 && bench.ended === undefined; i += 1) {
      bench.ask(2, Buffer.alloc(60_000), { chunkType: "C" });
    }
    expect(bench.ended).toBeDefined();
    expect(bench.reached).toEqual([...OPENED, "Read"]);
  });

  test("more than 64 chunks", async () => {
    const bench = await opened();
    for (let i = 0; i < 64; i += 1) bench.ask(2, Buffer.alloc(1), { chunkType: "C" });
    expect(bench.ended).toBeUndefined();
    bench.ask(2, Buffer.alloc(1), { chunkType: "C" });
    expect(bench.ended).toBeDefined();
  });

  test("an array that says it has four thousand million items", async () => {
    const bench = await opened();
    bench.ask(2, rawBody(SERVICES.Write.request, Buffer.from("ffffff7f", "hex")));
    expect(bench.reached).toEqual([...OPENED, "Read"]);
    expect(answered(bench).at(-1)).toBe("ServiceFault");
  });
});

test("a stranger may not even look", async () => {
  const stranger = await UaBench.open({ party: { ...HMI, source: undefined, link: undefined } });
  for (const body of [read, publish, bodyOf(new BrowseRequest({})), bodyOf(new ActivateSessionRequest({}))]) {
    stranger.ask(stranger.reached.length, body);
  }
  expect(stranger.reached).toEqual(OPENED);
});
