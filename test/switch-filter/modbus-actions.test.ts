import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Party } from "#point/observe/modbus.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { REASONS, type ReasonCode } from "#specs/decide/reasons.ts";
import { DeviceId, LinkId } from "#specs/ids.ts";
import { actionFor, DEFAULT_DENY_ACTIONS, DENY_CLASSES, denyClassOf, readDenyActions } from "#switch-filter/actions.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu } from "./raw-client.ts";
import { RecordingOutput, recordingPoint } from "./recording-point.ts";

const { bundle, plant } = waterTreatment();
const HMI: Party = {
  ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:40000", target: DeviceId("plc-1") },
  link: LinkId("hmi-plc1"),
};
const READ = "04 0000 0002";
const ANSWER = "04 04 0001 0002";
/** One request for each class, by which it is denied in phase normal. */
const NO_TAG = "06 0064 0001";
const TOO_HIGH = "06 0001 0fff";
const NO_RULE = "08 0000 0000";

async function bench(deny?: string) {
  const recorded = await recordingPoint(bundle);
  const output = new RecordingOutput();
  const how = deny === undefined ? {} : { actions: readDenyActions(deny) };
  const session = new ModbusSession(recorded.point, new ModbusTags(plant, DeviceId("plc-1")), HMI, output, how);
  return { ...recorded, output, session };
}

test("every reason has a class and an action; the defaults are 01, 02 and 03, and 04 where the filter itself failed", () => {
  const codes = new Map<number, ReasonCode[]>();
  for (const reason of Object.keys(REASONS).filter((key): key is ReasonCode => key in REASONS)) {
    expect(DENY_CLASSES).toContain(denyClassOf(reason));
    const action = actionFor(DEFAULT_DENY_ACTIONS, reason);
    if (action.kind !== "exception") expect.fail(`${reason} is not answered`);
    codes.set(action.code, [...(codes.get(action.code) ?? []), reason]);
  }
  expect([...codes.keys()].sort()).toEqual([1, 2, 3, 4]);
  expect(codes.get(2)?.sort()).toEqual(["FILE_NOT_ALLOWED", "OBJECT_NOT_ALLOWED", "TAG_PARTIAL", "TAG_UNKNOWN"]);
  expect(codes.get(1)).toEqual(expect.arrayContaining(["NO_RULE", "PHASE_FORBIDS", "SOURCE_FORBIDS", "ORDER_MISSING"]));
  expect(codes.get(3)).toEqual(expect.arrayContaining(["VALUE_ABOVE", "STEP_TOO_LARGE", "TYPE_MISMATCH"]));
});

test("the README has the table", () => {
  const readme = readFileSync(join(import.meta.dirname, "../../docs/switch-filter.md"), "utf8");
  for (const name of DENY_CLASSES) {
    const action = DEFAULT_DENY_ACTIONS[name];
    const code = action.kind === "exception" ? `0${action.code}` : action.kind;
    expect(readme).toMatch(new RegExp(`^\\| \`${name}\` \\| .* \\| ${code} \\|$`, "m"));
  }
});

describe("the option --deny", () => {
  test("changes what it names and nothing else", () => {
    expect(readDenyActions("value=close,address=exception:4, order=drop")).toEqual({
      ...DEFAULT_DENY_ACTIONS,
      value: { kind: "close" },
      address: { kind: "exception", code: 4 },
      order: { kind: "drop" },
    });
  });

  test.each([
    { text: "", says: "`` is none of function, phase, role" },
    { text: "colour=close", says: "`colour` is none of" },
    { text: "value=forward", says: "`value=forward` does not end in" },
    { text: "value=exception:0", says: "does not end in" },
    { text: "value=exception:256", says: "does not end in" },
    { text: "value=exception:1=2", says: "does not end in" },
    { text: "value=close,value=drop", says: "`value` is given twice" },
    { text: "value=close,", says: "`` is none of" },
    { text: "toString=close", says: "`toString` is none of" },
  ])("`$text` is refused", ({ text, says }) => expect(() => readDenyActions(text)).toThrow(says));
});

describe("what a denied request leads to", () => {
  test.each([
    { name: "no tag there", pdu: NO_TAG, answer: "86 02" },
    { name: "a value out of range", pdu: TOO_HIGH, answer: "86 03" },
    { name: "a function that no rule allows", pdu: NO_RULE, answer: "88 01" },
    { name: "an undeclared function code", pdu: "41 00 01 02", answer: "c1 01" },
    { name: "an undeclared MEI type", pdu: "2b 63 00", answer: "ab 01" },
  ])("by default, $name: $answer", async ({ pdu, answer }) => {
    const { session, output } = await bench();
    session.fromClient(adu(1, pdu), 0);
    expect([output.up, output.down]).toEqual([[], [adu(1, answer)]]);
  });

  test("exception: another code, for its class alone", async () => {
    const { session, output } = await bench("address=exception:10");
    session.fromClient(Buffer.concat([adu(1, NO_TAG), adu(2, TOO_HIGH)]), 0);
    expect(output.down).toEqual([adu(1, "86 0a"), adu(2, "86 03")]);
  });

  test("close: both sides, at once, and nothing behind it is looked at", async () => {
    const { session, output, settled } = await bench("value=close");
    session.fromClient(Buffer.concat([adu(1, TOO_HIGH), adu(2, READ)]), 0);
    expect(output.ended).toContain("DOS201.SP");
    expect([output.up, output.down]).toEqual([[], []]);
    expect(settled.map(({ outcome }) => outcome)).toEqual(["denied"]);
  });

  test("drop: never forwarded, never answered, and the answers around it keep their order", async () => {
    const { session, output, settled } = await bench("value=drop");
    session.fromClient(Buffer.concat([adu(1, READ), adu(2, TOO_HIGH), adu(3, READ)]), 0);
    expect(output.up).toEqual([adu(1, READ), adu(3, READ)]);
    session.fromServer(Buffer.concat([adu(3, ANSWER), adu(1, ANSWER)]), 0);
    expect(output.down).toEqual([adu(1, ANSWER), adu(3, ANSWER)]);
    expect(settled[0]?.outcome).toBe("denied");
    expect(output.ended).toBeUndefined();
    // Nothing is kept that could be sent when the rules have changed.
    session.expire(60_000);
    session.closed();
    expect([output.up.length, output.down.length]).toEqual([2, 2]);
  });

  test("a thousand dropped requests are not held", async () => {
    const { session, output } = await bench("value=drop");
    for (let i = 0; i < 1000; i += 1) session.fromClient(adu(i, TOO_HIGH), 0);
    expect([output.up.length, output.down.length, session.wantsMore]).toEqual([0, 0, true]);
    session.fromClient(adu(1, READ), 0);
    session.fromServer(adu(1, ANSWER), 0);
    expect(output.down).toEqual([adu(1, ANSWER)]);
  });
});
