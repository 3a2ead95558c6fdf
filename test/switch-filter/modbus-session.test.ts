import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Party } from "#point/observe/modbus.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId, LinkId } from "#specs/ids.ts";
import {
  ANSWER_TIMEOUT_MS,
  MAX_LATE,
  MAX_PENDING,
  MAX_WITHHELD,
  PARTIAL_FRAME_TIMEOUT_MS,
} from "#switch-filter/modbus-limits.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import {
  decodeRequest,
  encodeException,
  encodeFrame,
  encodeRequest,
  encodeResponse,
  type MbapFrame,
  MbapFramer,
} from "#wire/modbus/index.ts";
import { waterTreatment } from "../support/plant.ts";
import { exchanges } from "../wire/modbus/arbitraries.ts";
import { adu, adus, hex } from "./raw-client.ts";
import { type Recorded, RecordingOutput, recordingPoint } from "./recording-point.ts";

/** The Modbus session without sockets: bytes and real time go in. The source is the read-only test device. */
const { bundle, plant } = waterTreatment();
const tags = new ModbusTags(plant, DeviceId("plc-1"));
const READER: Party = {
  source: DeviceId("test-1"),
  sourceAddress: "127.0.0.1:40000",
  target: DeviceId("plc-1"),
  link: LinkId("test-plc1"),
};
const OPERATOR: Party = { ...READER, source: DeviceId("hmi-1"), link: LinkId("hmi-plc1") };
const READ = "04 0000 0002";
const ANSWER = "04 04 0001 0002";
const WRITE = "06 0000 0140";

interface Bench extends Recorded {
  readonly session: ModbusSession;
  readonly output: RecordingOutput;
}

async function bench(): Promise<Bench> {
  const recorded = await recordingPoint(bundle);
  const output = new RecordingOutput();
  return { ...recorded, output, session: new ModbusSession(recorded.point, tags, READER, output) };
}

function cut(bytes: Buffer, at: readonly number[]): readonly Buffer[] {
  const places = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

/** What a true server would answer; asked bits and registers are zero. */
function answerOf(frame: MbapFrame): Buffer {
  const request = decodeRequest(frame.pdu);
  if (!request.ok) throw new Error("a malformed request was forwarded");
  switch (request.value.kind) {
    case "read-coils":
    case "read-discrete-inputs":
      return encodeFrame(
        frame,
        encodeResponse({ ...request.value, values: Array(request.value.quantity).fill(false) }),
      );
    case "read-holding-registers":
    case "read-input-registers":
      return encodeFrame(frame, encodeResponse({ ...request.value, values: Array(request.value.quantity).fill(0) }));
    default:
      return encodeFrame(frame, encodeException(request.value.functionCode, "illegal-function"));
  }
}

/** Lets the stream through a session in pieces; the server answers what came so far after each, itself in pieces. */
function run({ session, output, judged }: Bench, pieces: readonly Buffer[], serverCuts: readonly number[]) {
  const server = new MbapFramer();
  let seen = 0;
  const serve = (): void => {
    while (seen < output.up.length) {
      const fresh = output.up.slice(seen);
      seen = output.up.length;
      const answers = Buffer.concat(server.push(Buffer.concat(fresh)).map(answerOf));
      for (const piece of cut(answers, serverCuts)) session.fromServer(piece, 0);
    }
  };
  for (const piece of pieces) {
    session.fromClient(piece, 0);
    serve();
  }
  return {
    up: Buffer.concat(output.up).toString("hex"),
    down: Buffer.concat(output.down).toString("hex"),
    verdicts: judged.map((j) => `${j.observation.message} ${j.verdict.verdict} ${j.action}`),
    ended: output.ended,
  };
}

/** The shorter, where it is the beginning of the longer; else the first. */
function common(a: string, b: string): string {
  return a.startsWith(b) ? b : a;
}

/** Reads of tags that there are, and anything else that a request can be. */
const asked = fc.oneof(
  fc.constantFrom("04 0000 0002", "03 0000 0003", "01 0000 0005", "02 0000 0001", WRITE, "05 0001 ff00").map(hex),
  exchanges.map(({ request }) => encodeRequest(request)),
);
const requests = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), asked), { minLength: 1, maxLength: 40 });
const stream = (list: readonly (readonly [number, Buffer])[]): Buffer =>
  Buffer.concat(list.map(([transaction, pdu]) => adu(transaction, pdu.toString("hex"))));
const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe("however a stream is cut and merged", () => {
  test("the same bytes are forwarded, the same answers come back, the verdicts are the same", async () => {
    await fc.assert(
      fc.asyncProperty(requests, cuts, cuts, async (list, clientCuts, serverCuts) => {
        const bytes = stream(list);
        const whole = run(await bench(), [bytes], []);
        const single = run(
          await bench(),
          [...bytes.keys()].map((i) => bytes.subarray(i, i + 1)),
          [1],
        );
        for (const other of [run(await bench(), cut(bytes, clientCuts), serverCuts), single]) {
          // At a malformed request the connection ends, and answers that are still on their way are not waited for.
          const down = whole.ended === undefined ? whole.down : common(whole.down, other.down);
          expect({ ...other, down: common(other.down, whole.down) }).toEqual({ ...whole, down });
        }
      }),
      { numRuns: 60 },
    );
  });

  test("nothing is forwarded that was not judged and allowed, and replies keep the order of the requests", async () => {
    await fc.assert(
      fc.asyncProperty(requests, cuts, async (list, clientCuts) => {
        const at = await bench();
        const { up, down, ended } = run(at, cut(stream(list), clientCuts), []);
        for (const frame of new MbapFramer().push(Buffer.from(up, "hex"))) expect([1, 2, 3, 4]).toContain(frame.pdu[0]);
        const forwarded = at.settled.filter(({ judged }) => judged.action === "forwarded");
        expect(forwarded.every(({ judged }) => judged.verdict.verdict === "allow")).toBe(true);
        expect(at.output.up.length).toBe(forwarded.length);
        const answered = adus(Buffer.from(down, "hex")).map((answer) => Number.parseInt(answer.slice(0, 4), 16));
        const wanted = list.map(([transaction]) => transaction);
        expect(answered).toEqual(wanted.slice(0, answered.length));
        if (ended === undefined) expect(answered.length).toBe(wanted.length);
      }),
      { numRuns: 100 },
    );
  });

  test("a server that answers in another order: replies keep the order of the requests", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...Array(MAX_PENDING).keys()], { minLength: MAX_PENDING }),
        async (order) => {
          const { session, output } = await bench();
          session.fromClient(Buffer.concat([...Array(MAX_PENDING).keys()].map((i) => adu(i, READ))), 0);
          for (const transaction of order) session.fromServer(adu(transaction, ANSWER), 0);
          expect(output.down.map((bytes) => bytes.readUInt16BE(0))).toEqual([...Array(MAX_PENDING).keys()]);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test("what is allowed of a request that is denied for its other part was not forwarded either, and is reported so", async () => {
  const { session, output, settled } = await bench();
  session.fromClient(adu(1, "17 0000 0003 0000 0001 02 0000"), 0);
  expect([output.up, output.down]).toEqual([[], [adu(1, "97 01")]]);
  expect(settled.map(({ judged, outcome }) => [judged.verdict.verdict, judged.action, outcome])).toEqual([
    ["deny", "blocked", "denied"],
    ["allow", "blocked", "denied"],
  ]);
});

describe("random bytes", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc
      .tuple(fc.nat(30), fc.uint8Array({ minLength: 1, maxLength: 30 }))
      .map(([transaction, pdu]) => adu(transaction, Buffer.from(pdu).toString("hex"))),
    fc.constantFrom(adu(1, READ), adu(2, READ), adu(1, ANSWER), adu(2, ANSWER), adu(3, WRITE)),
  );
  const says = fc.array(fc.tuple(fc.boolean(), noise, fc.nat(20_000)), { maxLength: 30 });

  test("from either side never throw, and never pass unjudged or after the end", async () => {
    await fc.assert(
      fc.asyncProperty(says, async (list) => {
        const { session, output, settled } = await bench();
        let endedAt: readonly number[] | undefined;
        for (const [up, bytes, realMs] of list) {
          if (up) session.fromClient(bytes, realMs);
          else session.fromServer(bytes, realMs);
          session.expire(realMs);
          if (output.ended !== undefined) endedAt ??= [output.up.length, output.down.length];
        }
        if (endedAt !== undefined) expect([output.up.length, output.down.length]).toEqual(endedAt);
        session.closed();
        const forwarded = settled.filter(({ judged }) => judged.action === "forwarded");
        for (const bytes of output.up) expect([1, 2, 3, 4]).toContain(bytes[7]);
        expect(output.up.length).toBe(forwarded.length);
        expect(session.unsettledSinceMs).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe("bounds", () => {
  test(`${MAX_PENDING} requests wait for their answers, the next waits unread, and the client is not read on`, async () => {
    const { session, output } = await bench();
    session.fromClient(Buffer.concat([...Array(MAX_PENDING).keys()].map((i) => adu(i, READ))), 0);
    expect(output.up.length).toBe(MAX_PENDING);
    expect(session.wantsMore).toBe(true);
    session.fromClient(adu(MAX_PENDING, READ), 0);
    expect(output.up.length).toBe(MAX_PENDING);
    expect(session.wantsMore).toBe(false);
    session.fromServer(adu(0, ANSWER), 0);
    expect(output.up.length).toBe(MAX_PENDING + 1);
    expect(session.wantsMore).toBe(true);
  });

  test("denied requests behind one that waits count as well", async () => {
    const { session, output } = await bench();
    session.fromClient(adu(0, READ), 0);
    session.fromClient(Buffer.concat([...Array(100).keys()].map((i) => adu(1 + i, WRITE))), 0);
    expect(output.down.length).toBe(0);
    expect(session.wantsMore).toBe(false);
    session.fromServer(adu(0, ANSWER), 0);
    expect(output.down.length).toBe(101);
    expect(session.wantsMore).toBe(true);
  });

  test("an answer may take its time and not a millisecond more", async () => {
    const { session, output, settled } = await bench();
    session.fromClient(adu(1, READ), 1000);
    session.expire(1000 + ANSWER_TIMEOUT_MS);
    expect(output.ended).toBeUndefined();
    expect(output.down).toEqual([]);
    session.expire(1001 + ANSWER_TIMEOUT_MS);
    expect(output.down).toEqual([adu(1, "84 0b")]);
    expect(output.ended).toBeUndefined();
    expect(settled.map(({ outcome }) => outcome)).toEqual(["forwarded"]);
  });

  test("an answer that comes too late is swallowed, and is not taken for that of a later request", async () => {
    const { session, output, says } = await bench();
    session.fromClient(adu(1, READ), 0);
    session.expire(1 + ANSWER_TIMEOUT_MS);
    session.fromServer(adu(1, ANSWER), 0);
    expect([output.down, says]).toEqual([[adu(1, "84 0b")], []]);
    session.fromClient(adu(1, READ), 0);
    expect(output.up.length).toBe(2);
    session.expire(1 + ANSWER_TIMEOUT_MS);
    session.fromClient(adu(1, READ), 0);
    expect(output.up.length).toBe(2);
    expect(output.ended).toContain("used again");
  });

  test(`${MAX_LATE} answers may be late at once, with one more the connection is closed`, async () => {
    const { session, output } = await bench();
    const late = (transaction: number): void => {
      session.fromClient(adu(transaction, READ), 0);
      session.expire(1 + ANSWER_TIMEOUT_MS);
    };
    for (let i = 0; i < MAX_LATE; i += 1) late(i);
    expect(output.ended).toBeUndefined();
    late(MAX_LATE);
    expect(output.ended).toContain("did not answer");
    expect(output.down.length).toBe(MAX_LATE + 1);
  });

  test("a write that is never answered leaves its tag unknown: no largest step counts from what may have changed", async () => {
    const recorded = await recordingPoint(bundle);
    const output = new RecordingOutput();
    const session = new ModbusSession(recorded.point, tags, OPERATOR, output);
    session.fromClient(adu(1, "03 0000 0003"), 0);
    session.fromServer(adu(1, "03 06 012c 00c8 05dc"), 0);
    session.fromClient(adu(2, "06 0000 015e"), 0);
    session.expire(1 + ANSWER_TIMEOUT_MS);
    expect(output.down.at(-1)).toEqual(adu(2, "86 0b"));
    session.fromClient(adu(3, "06 0000 015e"), 0);
    expect(output.down.at(-1)).toEqual(adu(3, "86 03"));
    const { verdict } = recorded.judged.at(-1) ?? {};
    expect(verdict).toMatchObject({ verdict: "deny", reason: "STEP_REFERENCE_UNKNOWN" });
  });

  test("one byte per second: the frame is given up, and never forwarded", async () => {
    const { session, output } = await bench();
    const bytes = adu(1, "10 0000 0002 04 0140 0064");
    let realMs = 0;
    for (const byte of bytes) {
      session.fromClient(Buffer.from([byte]), realMs);
      session.expire(realMs);
      realMs += 1000;
    }
    expect(realMs).toBeGreaterThan(PARTIAL_FRAME_TIMEOUT_MS);
    expect(output.ended).toContain("incomplete");
    expect([output.up, output.down]).toEqual([[], []]);
  });

  test("a busy client whose segments end within frames is not taken for a slow one", async () => {
    const { session, output } = await bench();
    const bytes = adu(1, READ);
    session.fromClient(bytes.subarray(0, 5), 0);
    for (let realMs = 100; realMs < 3 * PARTIAL_FRAME_TIMEOUT_MS; realMs += 100) {
      session.fromClient(Buffer.concat([bytes.subarray(5), bytes.subarray(0, 5)]), realMs);
      session.fromServer(adu(1, ANSWER), realMs);
      session.expire(realMs);
    }
    expect(output.ended).toBeUndefined();
    session.expire(5 * PARTIAL_FRAME_TIMEOUT_MS);
    expect(output.ended).toContain("incomplete");
  });
});

describe("a malicious server", () => {
  const stood = adu(1, "84 04");
  test.each([
    { name: "a longer answer", answer: adu(1, "04 06 0001 0002 0003") },
    { name: "a shorter answer", answer: adu(1, "04 02 0001") },
    { name: "a byte count that is not that of its bytes", answer: adu(1, "04 04 0001") },
    { name: "another function", answer: adu(1, "03 04 0001 0002") },
    { name: "the exception of another function", answer: adu(1, "83 02") },
    { name: "an exception with more behind it", answer: adu(1, "84 02 00") },
    { name: "a request in the place of an answer", answer: adu(1, WRITE) },
  ])("$name: withheld, said, answered in its place, and the connection goes on", async ({ answer }) => {
    const { session, output, says, settled } = await bench();
    session.fromClient(adu(1, READ), 0);
    session.fromServer(answer, 0);
    expect(output.down).toEqual([stood]);
    expect(says).toEqual([expect.stringContaining("MALFORMED: answer of plc-1")]);
    expect(settled.map(({ outcome }) => outcome)).toEqual(["forwarded"]);
    session.fromClient(adu(2, READ), 0);
    session.fromServer(adu(2, ANSWER), 0);
    expect(output.down).toEqual([stood, adu(2, ANSWER)]);
    expect(output.ended).toBeUndefined();
  });

  test.each([
    { name: "another quantity", request: "10 0000 0001 02 0140", answer: "10 0000 0002" },
    { name: "another address", request: "10 0000 0001 02 0140", answer: "10 0001 0001" },
    { name: "another value", request: "06 0000 0140", answer: "06 0000 0141" },
    { name: "another register", request: "06 0000 0140", answer: "06 0001 0140" },
  ])("a write that is echoed with $name: withheld, and answered in its place", async ({ request, answer }) => {
    const recorded = await recordingPoint(bundle);
    const output = new RecordingOutput();
    const session = new ModbusSession(recorded.point, tags, OPERATOR, output);
    session.fromClient(adu(1, "03 0000 0003"), 0);
    session.fromServer(adu(1, "03 06 012c 00c8 05dc"), 0);
    session.fromClient(adu(2, request), 0);
    expect(output.up.at(-1)).toEqual(adu(2, request));
    session.fromServer(adu(2, answer), 0);
    expect(output.down.at(-1)).toEqual(adu(2, `${(0x80 | (hex(request)[0] ?? 0)).toString(16)} 04`));
    expect(recorded.settled.at(-1)?.outcome).toBe("forwarded");
  });

  test.each([
    { name: "an answer before any request", asks: [], answer: adu(1, ANSWER) },
    { name: "another unit", asks: [READ], answer: adu(1, ANSWER, 2) },
    { name: "another transaction", asks: [READ], answer: adu(2, ANSWER) },
    { name: "an answer to a request that was denied", asks: [WRITE], answer: adu(1, WRITE) },
  ])("$name: withheld and said, and a request that waits goes on waiting", async ({ asks, answer }) => {
    const { session, output, says } = await bench();
    for (const pdu of asks) session.fromClient(adu(1, pdu), 0);
    const before = output.down.length;
    session.fromServer(answer, 0);
    expect(output.down.length).toBe(before);
    expect(says).toEqual([expect.stringContaining("UNSOLICITED")]);
    expect(output.ended).toBeUndefined();
    if (asks[0] !== READ) return;
    session.fromServer(adu(1, ANSWER), 0);
    expect(output.down).toEqual([adu(1, ANSWER)]);
  });

  test(`${MAX_WITHHELD} withheld answers are borne, with one more the connection is closed`, async () => {
    const { session, output, says } = await bench();
    for (let i = 0; i < MAX_WITHHELD; i += 1) session.fromServer(adu(i, ANSWER), 0);
    expect(output.ended).toBeUndefined();
    session.fromServer(adu(1, ANSWER), 0);
    expect(output.ended).toBeDefined();
    expect([output.down.length, says.length]).toEqual([0, MAX_WITHHELD + 1]);
  });

  test("a header that is none: what waits is answered in its place and in order, and the connection is closed", async () => {
    const { session, output, says } = await bench();
    session.fromClient(Buffer.concat([adu(1, READ), adu(2, WRITE), adu(3, READ)]), 0);
    session.fromServer(hex("0001 0000 ffff 01 04 04 0001 0002"), 0);
    expect(output.down).toEqual([adu(1, "84 04"), adu(2, "86 01"), adu(3, "84 04")]);
    expect(output.ended).toBeDefined();
    expect(says.length).toBe(1);
  });

  test("a server that goes: what waits is answered in its place", async () => {
    const { session, output, settled } = await bench();
    session.fromClient(Buffer.concat([adu(1, READ), adu(2, WRITE)]), 0);
    session.closed();
    expect(output.down).toEqual([adu(1, "84 0b"), adu(2, "86 01")]);
    expect(settled.map(({ outcome }) => outcome)).toEqual(["denied", "forwarded"]);
    session.closed();
    expect(output.down.length).toBe(2);
  });

  test("an extra answer behind the true one: the true one arrives, the other is withheld", async () => {
    const { session, output, says } = await bench();
    session.fromClient(adu(1, READ), 0);
    session.fromServer(Buffer.concat([adu(1, ANSWER), adu(1, ANSWER)]), 0);
    expect(output.down).toEqual([adu(1, ANSWER)]);
    expect(says[0]).toContain("UNSOLICITED");
  });
});

test("pipelined writes: each is judged by the value that the one before has left, so that two small steps make no large one", async () => {
  const recorded = await recordingPoint(bundle);
  const output = new RecordingOutput();
  const hmi = { ...READER, source: DeviceId("hmi-1"), link: LinkId("hmi-plc1") };
  const session = new ModbusSession(recorded.point, tags, hmi, output);
  session.fromClient(adu(1, "03 0000 0003"), 0);
  session.fromServer(adu(1, "03 06 012c 00c8 05dc"), 0);
  // From 30 m³/h, 5 at most: up to 35, then down to 25.
  session.fromClient(Buffer.concat([adu(2, "06 0000 015e"), adu(3, "06 0000 00fa"), adu(4, READ)]), 0);
  expect(output.up.length).toBe(2);
  expect(session.wantsMore).toBe(false);
  session.fromServer(adu(2, "06 0000 015e"), 0);
  expect(output.down.at(-1)?.toString("hex")).toBe(adu(3, "86 03").toString("hex"));
  expect(output.up.length).toBe(3);
  expect(session.wantsMore).toBe(true);
});

test("what waits unread is judged by the phase that is in force when its turn comes", async () => {
  const recorded = await recordingPoint(bundle);
  const output = new RecordingOutput();
  const hmi = { ...READER, source: DeviceId("hmi-1"), link: LinkId("hmi-plc1") };
  const session = new ModbusSession(recorded.point, tags, hmi, output);
  session.fromClient(Buffer.concat([...Array(MAX_PENDING).keys()].map((i) => adu(i, "03 0000 0003"))), 0);
  session.fromClient(adu(99, WRITE), 0);
  // The write was sent in phase normal, where it is legal; the phase changes while it waits.
  const verdict = {
    verdict: "deny",
    reason: "PHASE_FORBIDS",
    rule: undefined,
    item: 0,
    mode: "enforce",
    says: "",
  } as const;
  vi.mocked(recorded.point.judge).mockImplementation((observation) => ({
    tables: recorded.point.tables,
    ...{ observation, verdict, action: "blocked", atMs: 0, epoch: null, phase: null },
  }));
  session.fromServer(adu(0, `03 06 ${"012c 00c8 05dc"}`), 0);
  expect(output.up.length).toBe(MAX_PENDING);
  for (let i = 1; i < MAX_PENDING; i += 1) session.fromServer(adu(i, "03 06 012c 00c8 05dc"), 0);
  expect(output.down.at(-1)?.toString("hex")).toBe(adu(99, "86 01").toString("hex"));
});
