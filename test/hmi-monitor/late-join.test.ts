import { ReadRequest, ReadResponse, StatusCodes, WriteRequest, WriteResponse } from "node-opcua";
import { describe, expect, test } from "vitest";
import type { Segment } from "#hmi-monitor/conversation.ts";
import { JOIN_VISIBLE_MS, LEAST_VISIBLE_MS } from "#hmi-monitor/half-seen.ts";
import { LateConversation, MAX_JOIN_BYTES, MAX_JOIN_SEGMENTS, MAX_JOIN_TRIES } from "#hmi-monitor/late-join.ts";
import { modbusPlace } from "#hmi-monitor/modbus-place.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { Capture, type Watching, watching } from "./capture.ts";

/** Connections that were there before the monitor. */
const PLC1 = { ip: "127.10.2.1", port: 1502 };
const PLC2_UA = { ip: "127.10.2.2", port: 4840 };
const HANDSHAKE = 3;

async function joined(capture: Capture): Promise<Watching> {
  const watched = await watching();
  for (const record of capture.records.slice(HANDSHAKE)) watched.monitor.frame(record);
  return watched;
}

describe("Modbus", () => {
  const write = adu(2, "06 0001 00c8");

  test("a request is judged once its answer fits, with nothing before it lost", async () => {
    const { writes, says, monitor } = await joined(
      new Capture(PLC1, 40_001).up(write).down(write).up(adu(3, "06 0001 0320")),
    );
    expect(writes()).toEqual(["DOS201.SP 2 deny", "DOS201.SP 8 deny"]);
    expect(says.map((line) => line.split(": ").slice(1).join(": "))).toEqual([
      "joined late: blind until a request and its answer fit",
      "judged from now on; 0 bytes before that were not",
    ]);
    expect(monitor.unread).toMatchObject({ joinedLate: 1, resynchronised: 1, bytes: 0 });
  });

  test("without an answer nothing is judged, and the layer is blind until one comes, but not for good", async () => {
    const capture = new Capture(PLC1, 40_001).up(write);
    const { writes, monitor } = await joined(capture);
    const atMs = capture.records.at(-1)?.timeMs ?? 0;
    expect(writes()).toEqual([]);
    expect(monitor.blindUntil(atMs)).toBe(
      "blind until a request and its answer fit in a connection of which a part was not seen",
    );
    expect(monitor.blindUntil(atMs + JOIN_VISIBLE_MS + 1)).toBeUndefined();
    monitor.frame({ ...(capture.down(write).records.at(-1) ?? raise()) });
    expect(writes()).toEqual(["DOS201.SP 2 deny"]);
    expect(monitor.blindUntil(atMs + LEAST_VISIBLE_MS - 1)).toBe("a part of a connection was not seen a moment ago");
    expect(monitor.blindUntil(atMs + LEAST_VISIBLE_MS)).toBeUndefined();
  });

  test("the end of a message that began before is passed over, and its bytes are counted", async () => {
    const long = adu(1, `10 0000 0003 06 0140 00c8 05dc`);
    const capture = new Capture(PLC1, 40_001).up(long.subarray(9)).down(adu(1, "10 0000 0003")).up(write).down(write);
    const { writes, says, monitor } = await joined(capture);
    expect(writes()).toEqual(["DOS201.SP 2 deny"]);
    expect(says.at(-1)).toContain(`${long.length - 9 + 12} bytes before that were not`);
    expect(monitor.unread.bytes).toBe(long.length - 9 + 12);
  });

  test.each([
    { name: "another transaction", answer: adu(9, "06 0001 00c8") },
    { name: "another unit", answer: adu(2, "06 0001 00c8").fill(7, 6, 7) },
    { name: "another function", answer: adu(2, "05 0001 ff00") },
    { name: "another value than was written", answer: adu(2, "06 0001 00c9") },
  ])("an answer with $name confirms nothing", async ({ answer }) => {
    const { writes, monitor } = await joined(new Capture(PLC1, 40_001).up(write).down(answer));
    expect(writes()).toEqual([]);
    expect(monitor.unread.resynchronised).toBe(0);
  });

  test("a write within a longer one, at the beginning of a segment, is none: nobody answers it", async () => {
    const long = adu(1, "10 0000 0006 0c 7001 0000 0006 0106 0001 0320");
    const capture = new Capture(PLC1, 40_001).up(long.subarray(13)).down(adu(1, "10 0000 0006")).up(write).down(write);
    expect((await joined(capture)).writes()).toEqual(["DOS201.SP 2 deny"]);
  });

  test("requests of one identifier are told apart by what their answers say", async () => {
    const [poll, level] = [adu(0, "04 0000 0001"), adu(0, "04 02 03e8")];
    const capture = new Capture(PLC1, 40_001).down(level).up(poll).down(level).up(adu(0, "06 0001 00c8"));
    expect((await joined(capture)).writes()).toEqual(["DOS201.SP 2 deny"]);
  });

  test("an answer before its request confirms nothing", async () => {
    expect((await joined(new Capture(PLC1, 40_001).down(write).up(write))).writes()).toEqual([]);
  });

  test("what never fits is given up, said, and counted", async () => {
    const capture = new Capture(PLC1, 40_001);
    for (let i = 0; i <= MAX_JOIN_TRIES; i += 1) capture.up(Buffer.from("not Modbus at all"));
    const { says, monitor } = await joined(capture.up(write).down(write));
    expect(says.at(-1)).toContain("nothing in it shows where a message begins");
    expect(monitor.unread).toMatchObject({ joinedLate: 1, resynchronised: 0, blind: 1 });
    expect(monitor.unread.bytes).toBeGreaterThan(MAX_JOIN_TRIES * 17);
  });

  test("what is held is bounded, in segments and in bytes", () => {
    const nothing = () => undefined;
    const never = {
      ...{ blind: undefined, data: () => expect.unreachable(), lost: nothing, passed: nothing },
      ...{ look: nothing, closed: nothing },
    };
    let most = { segments: 0, bytes: 0 };
    const late = new LateConversation(never, (held) => {
      const bytes = held.reduce((sum, segment) => sum + segment.bytes.length, 0);
      most = { segments: Math.max(most.segments, held.length), bytes: Math.max(most.bytes, bytes) };
      return undefined;
    });
    for (let i = 0; i < MAX_JOIN_SEGMENTS + 5; i += 1) late.data("client-to-server", Buffer.alloc(10), i);
    expect(most.segments).toBe(MAX_JOIN_SEGMENTS);
    for (let i = 0; i < 9; i += 1) late.data("client-to-server", Buffer.alloc(20_000), i);
    expect(most.bytes).toBeLessThanOrEqual(MAX_JOIN_BYTES);
    expect(late.state).toEqual({ kind: "looking", unparsedBytes: (MAX_JOIN_SEGMENTS + 5) * 10 + 9 * 20_000 });
  });

  test("whoever has thousands of requests answered that fit almost keeps the monitor busy for a moment only", () => {
    const many = (bytes: Buffer, count: number) => Buffer.concat(Array.from({ length: count }, () => bytes));
    const [one, two] = [adu(0, "03 0000 0001"), adu(0, "03 0000 0002")];
    const held = Array.from({ length: MAX_JOIN_SEGMENTS }, (_, n): Segment => {
      const isUp = n < MAX_JOIN_SEGMENTS / 2;
      const bytes = isUp ? many(n % 16 < 8 ? two : one, 330) : many(adu(0, "03 02 0001"), n % 16 < 15 ? 165 : 330);
      return { direction: isUp ? "client-to-server" : "server-to-client", bytes, timeMs: 0 };
    });
    const before = process.cpuUsage();
    expect(modbusPlace(held)).toBeUndefined();
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(2000);
  });

  test("a whole window of requests under way at once is no reason not to find the place", () => {
    const frames = (pdu: string) => Array.from({ length: 1200 }, (_, n) => adu(n, pdu));
    const segments = (pdu: string, direction: Segment["direction"]): readonly Segment[] => {
      const all = frames(pdu);
      return Array.from({ length: 10 }, (_, n) => ({
        ...{ direction, timeMs: 0 },
        bytes: Buffer.concat(all.slice(120 * n, 120 * (n + 1))),
      }));
    };
    const held = [...segments("03 0000 0001", "client-to-server"), ...segments("03 02 0001", "server-to-client")];
    expect(modbusPlace(held)).toHaveLength(20);
  });

  test("a place is looked for only when the server has answered", () => {
    const segment = { direction: "client-to-server", bytes: write, timeMs: 0 } as const;
    expect(modbusPlace([segment])).toBeUndefined();
    expect(modbusPlace([segment, { ...segment, direction: "server-to-client" }])).toHaveLength(2);
  });
});

describe("OPC UA", () => {
  const SP = { nodeId: "ns=1;s=FIC401.SP", attributeId: 13 };
  const chunk = (sequenceNumber: number, requestId: number, body: Buffer, channelId = 7) =>
    encodeMsgChunk({ channelId, tokenId: 1, sequenceNumber, requestId, body });
  const read = bodyOf(new ReadRequest({ nodesToRead: [SP] }));
  const shown = bodyOf(new ReadResponse({ results: [{ value: { dataType: 11, value: 30 } }] }));
  const writing = (value: number) =>
    bodyOf(new WriteRequest({ nodesToWrite: [{ ...SP, value: { value: { dataType: 11, value } } }] }));
  const write = writing(33);
  const written = bodyOf(new WriteResponse({ results: [StatusCodes.Good] }));

  const talk = (second = { sequence: 51, channel: 7 }) =>
    new Capture(PLC2_UA, 40_002)
      .up(chunk(50, 9, read))
      .down(chunk(80, 9, shown))
      .up(chunk(second.sequence, 10, write, second.channel))
      .down(chunk(81, 10, written));

  test("chunks whose sequence numbers follow each other in both directions are judged", async () => {
    const { writes, monitor } = await joined(talk());
    expect(writes()).toEqual(["FIC401.SP 33 allow"]);
    expect(monitor.unread).toMatchObject({ joinedLate: 1, resynchronised: 1, bytes: 0 });
  });

  test.each([
    { name: "a sequence number that does not follow", second: { sequence: 53, channel: 7 } },
    { name: "another channel", second: { sequence: 51, channel: 8 } },
  ])("$name is no place to begin", async ({ second }) => {
    const { writes, monitor } = await joined(talk(second));
    expect(writes()).toEqual([]);
    expect(monitor.unread.resynchronised).toBe(0);
  });

  test("what was held counts from when it came: a heartbeat is not early because the one before was judged late", async () => {
    const { plant, lifecycle } = waterTreatment();
    const heartbeat: Rule = {
      ...{
        id: RuleId("heartbeat"),
        says: "The operator station is alive.",
        operation: "write",
        tags: [TagId("FIC401.SP")],
      },
      ...{ from: [DeviceId("hmi-1")], targets: [DeviceId("plc-2")], raw: [], mode: "enforce", safety: false },
      cadence: { period: { everyMs: 1000, jitterMs: 200 } },
    };
    let nowMs = 0;
    const bundle = buildBundle(plant, { ...lifecycle, rules: [heartbeat, ...lifecycle.rules] });
    const { monitor, writes } = await watching(bundle, () => nowMs);
    const capture = new Capture(PLC2_UA, 40_002);
    for (let n = 0; n < 4; n += 1) {
      // No other rule allows so much.
      capture.up(chunk(50 + n, 9 + n, writing(50))).down(chunk(80 + n, 9 + n, written));
    }
    for (const [n, record] of capture.records.slice(HANDSHAKE).entries()) {
      nowMs = 1_000_000 + (n % 2 === 0 ? 500 * n : 500 * (n - 1) + 10);
      monitor.frame({ ...record, timeMs: nowMs });
    }
    expect(writes()).toEqual(Array.from({ length: 4 }, () => "FIC401.SP 50 allow"));
  });

  test("what is encrypted has no place to begin", async () => {
    const capture = new Capture(PLC2_UA, 40_002);
    for (let i = 0; i < 6; i += 1) {
      const secret = Buffer.alloc(64, 17 * (i + 1));
      capture.up(chunk(0x1111_1111 * (i + 1), 0x2222_2222 * (i + 1), secret)).down(chunk(77 * i, 5, secret));
    }
    const { judged, monitor } = await joined(capture);
    expect(judged).toEqual([]);
    expect(monitor.blindUntil(1_000_000)).toContain("blind until");
  });
});

function raise(): never {
  throw new Error("no frame");
}
