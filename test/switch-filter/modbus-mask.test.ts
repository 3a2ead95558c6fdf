import { describe, expect, test } from "vitest";
import { ModbusImage } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { ANSWER_TIMEOUT_MS } from "#switch-filter/modbus-limits.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { LINK_OF, openPlant, WRITER } from "./modbus-open-plant.ts";
import { adu } from "./raw-client.ts";
import { RecordingOutput, recordingPoint } from "./recording-point.ts";

/** Register 16 takes 0 to 1000. Two connections before one server share what is known of its registers. */
const { plant, bundle } = openPlant();
const tags = new ModbusTags(plant, DeviceId("plc-1"));
const READ = "03 0010 0001";
const MASK_TO_1001 = "16 0010 fff0 0009";

async function bench() {
  const recorded = await recordingPoint(bundle, "enforce", "run");
  const image = new ModbusImage(tags);
  const party = { source: WRITER, sourceAddress: "", target: DeviceId("plc-1"), link: LINK_OF[WRITER] };
  const connection = () => {
    const output = new RecordingOutput();
    return { output, session: new ModbusSession(recorded.point, tags, party, output, { image }) };
  };
  return { ...recorded, connection };
}

describe("mask write register", () => {
  test("of a value that is known: judged by what it comes to, allowed within the bounds and denied beyond them", async () => {
    const { connection, judged } = await bench();
    const { session, output } = connection();
    session.fromClient(adu(1, READ), 0);
    session.fromServer(adu(1, "03 02 03e0"), 0);
    session.fromClient(adu(2, "16 0010 fff0 0008"), 0);
    expect(output.up.at(-1)).toEqual(adu(2, "16 0010 fff0 0008"));
    session.fromServer(adu(2, "16 0010 fff0 0008"), 0);
    // 1000 is there now, by the answer to the mask itself.
    session.fromClient(adu(3, MASK_TO_1001), 0);
    expect(output.up.length).toBe(2);
    expect(output.down.at(-1)).toEqual(adu(3, "96 03"));
    expect(judged.at(-1)).toMatchObject({
      observation: { items: [{ value: 1001 }] },
      verdict: { reason: "VALUE_ABOVE" },
    });
  });

  test("of a value that is not known: denied, unless it keeps nothing of it", async () => {
    const { connection, settled } = await bench();
    const { session, output } = connection();
    session.fromClient(adu(1, "16 0010 fff0 0008"), 0);
    expect(output.down).toEqual([adu(1, "96 03")]);
    expect(settled[0]).toMatchObject({
      outcome: "denied",
      judged: {
        verdict: { reason: "MASK_REFERENCE_UNKNOWN", says: expect.stringContaining("H16: the present value") },
      },
    });
    session.fromClient(adu(2, "16 0010 0000 0008"), 0);
    expect(output.up).toEqual([adu(2, "16 0010 0000 0008")]);
  });

  test("a write of another connection waits until the mask is answered, and is then sent by itself", async () => {
    const { connection } = await bench();
    const [masking, writing] = [connection(), connection()];
    masking.session.fromClient(adu(1, READ), 0);
    masking.session.fromServer(adu(1, "03 02 0000"), 0);
    masking.session.fromClient(adu(2, "16 0010 fff0 0008"), 0);
    writing.session.fromClient(Buffer.concat([adu(1, "06 0010 03e8"), adu(2, "06 0011 0001")]), 0);
    expect([writing.output.up, writing.session.wantsMore]).toEqual([[], false]);
    masking.session.fromServer(adu(2, "16 0010 fff0 0008"), 0);
    expect(writing.output.up).toEqual([adu(1, "06 0010 03e8")]);
  });

  test("a mask waits for a write of another connection, and is judged by what that has left", async () => {
    const { connection, judged } = await bench();
    const [masking, writing] = [connection(), connection()];
    masking.session.fromClient(adu(1, READ), 0);
    masking.session.fromServer(adu(1, "03 02 0000"), 0);
    writing.session.fromClient(adu(1, "06 0010 03e0"), 0);
    masking.session.fromClient(adu(2, MASK_TO_1001), 0);
    expect(masking.output.up.length).toBe(1);
    writing.session.fromServer(adu(1, "06 0010 03e0"), 0);
    expect(judged.at(-1)?.observation.items).toMatchObject([{ value: 0x3e9 }]);
    expect(masking.output.down.at(-1)).toEqual(adu(2, "96 03"));
  });

  test.each([
    { name: "never answered", end: "expire" },
    { name: "lost with its server", end: "closed" },
  ] as const)("behind a write that is $name, what is there is not known", async ({ end }) => {
    const { connection } = await bench();
    const [masking, writing] = [connection(), connection()];
    masking.session.fromClient(adu(1, READ), 0);
    masking.session.fromServer(adu(1, "03 02 0000"), 0);
    writing.session.fromClient(adu(1, "06 0010 03e0"), 0);
    masking.session.fromClient(adu(2, "16 0010 fff0 0008"), 0);
    if (end === "expire") writing.session.expire(1 + ANSWER_TIMEOUT_MS);
    else writing.session.closed();
    expect(masking.output.down.at(-1)).toEqual(adu(2, "96 03"));
    expect(masking.output.up.length).toBe(1);
  });
});

describe("a named function code", () => {
  test.each([
    { name: "of its length", pdu: "41 0102", up: 1 },
    { name: "one byte short", pdu: "41 01", up: 0 },
    { name: "one byte over", pdu: "41 010203", up: 0 },
    { name: "at the end of its range", pdu: `42 ${"00".repeat(10)}`, up: 1 },
    { name: "beyond the end of its range", pdu: `42 ${"00".repeat(11)}`, up: 0 },
    { name: "that nobody declared", pdu: "43 0102", up: 0 },
  ])("$name: $up forwarded", async ({ pdu, up }) => {
    const { connection } = await bench();
    const { session, output } = connection();
    session.fromClient(adu(1, pdu), 0);
    expect([output.up.length, output.ended]).toEqual([up, undefined]);
  });

  test("answers pass in their declared length; others are withheld, and answered in their place", async () => {
    const { connection, says } = await bench();
    const { session, output } = connection();
    session.fromClient(adu(1, "41 0102"), 0);
    session.fromServer(adu(1, "41 0304"), 0);
    session.fromClient(adu(2, "41 0102"), 0);
    session.fromServer(adu(2, "41 030405"), 0);
    session.fromClient(adu(3, "41 0102"), 0);
    session.fromServer(adu(3, "c1 01"), 0);
    expect(output.down).toEqual([adu(1, "41 0304"), adu(2, "c1 04"), adu(3, "c1 01")]);
    expect(says).toEqual([expect.stringContaining("is answered with 3 bytes, and 2 to 2 are declared")]);
  });
});

test("a session goes on for days without a word", async () => {
  const { connection } = await bench();
  const { session, output } = connection();
  for (let hour = 0; hour < 100; hour += 1) session.expire(hour * 3_600_000);
  session.fromClient(adu(1, "06 0010 03e9"), 360_000_000);
  expect([output.ended, output.down]).toEqual([undefined, [adu(1, "86 03")]]);
});
