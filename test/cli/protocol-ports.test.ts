import { expect, test } from "vitest";
import { UsageError } from "#cli/part.ts";
import { portLists } from "#cli/protocol-ports.ts";

test.each([
  { name: "none", flags: {}, modbus: [502], opcua: [4840] },
  { name: "another one for Modbus", flags: { modbusPort: [1502, 502] }, modbus: [1502, 502], opcua: [4840] },
  { name: "that of OPC UA for Modbus", flags: { modbusPort: [4840] }, modbus: [4840], opcua: [] },
  { name: "that of Modbus for OPC UA", flags: { opcuaPort: [502] }, modbus: [], opcua: [502] },
  { name: "each other's", flags: { modbusPort: [4840], opcuaPort: [502] }, modbus: [4840], opcua: [502] },
])("ports given: $name", ({ flags, modbus, opcua }) => {
  expect(portLists(flags)).toEqual({ modbus, opcua });
});

test("one port cannot be given to both", () => {
  expect(() => portLists({ modbusPort: [1, 2], opcuaPort: [2] })).toThrow(
    new UsageError("port 2 cannot be of both protocols; give it to one of them"),
  );
});
