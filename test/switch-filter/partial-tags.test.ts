import { expect, test } from "vitest";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { IN_FORCE, LINK_OF, openPlant, WRITER } from "./modbus-open-plant.ts";
import { adu } from "./raw-client.ts";
import { RecordingOutput, recordingPoint } from "./recording-point.ts";

/** The tag at holding register 0 takes two registers here; that of register 1 has gone. */
const { plant: open, bundle } = openPlant();
const wide: Plant = {
  ...open,
  tags: open.tags.flatMap((tag) => {
    if (tag.id === "H1") return [];
    return tag.id === "H0" && tag.modbus !== undefined
      ? [{ ...tag, modbus: { ...tag.modbus, type: "uint32" } }]
      : [tag];
  }),
};
const rules = bundle.lifecycle.rules.map((rule) => ({ ...rule, tags: rule.tags.filter((tag) => tag !== "H1") }));

test.each([
  { name: "its first register is written", pdu: "06 0000 0001", reason: "TAG_PARTIAL" },
  { name: "its second register is written", pdu: "06 0001 0001", reason: "TAG_PARTIAL" },
  { name: "a block begins in it", pdu: "10 0001 0002 04 0001 0002", reason: "TAG_PARTIAL" },
  { name: "a block ends in it", pdu: "03 0000 0001", reason: "TAG_PARTIAL" },
  { name: "a mask is written into it", pdu: "16 0001 0000 0001", reason: "TAG_PARTIAL" },
  { name: "all of it is written", pdu: "10 0000 0002 04 0000 0002", reason: undefined },
  { name: "no tag is there", pdu: "06 0FFF 0001", reason: "TAG_UNKNOWN" },
])("$name: $reason", async ({ pdu, reason }) => {
  const recorded = await recordingPoint(buildBundle(wide, { ...bundle.lifecycle, rules }), "enforce", IN_FORCE);
  const output = new RecordingOutput();
  const target = DeviceId("plc-1");
  const party = { source: WRITER, sourceAddress: "127.0.0.2:40000", target, link: LINK_OF[WRITER] };
  const session = new ModbusSession(recorded.point, new ModbusTags(wide, target), party, output);
  session.fromClient(adu(1, pdu), 0);
  const verdict = recorded.judged.at(-1)?.verdict;
  expect(verdict?.verdict === "deny" ? verdict.reason : undefined).toBe(reason);
  expect(output.up.length).toBe(reason === undefined ? 1 : 0);
  // Illegal data address: the answer of `actions.ts` to either.
  if (reason !== undefined) expect(output.down.at(-1)?.at(-1)).toBe(2);
  if (reason === "TAG_PARTIAL" && verdict?.verdict === "deny")
    expect(verdict.says).toMatch(/only a part of a tag \(H0\)$/);
});
