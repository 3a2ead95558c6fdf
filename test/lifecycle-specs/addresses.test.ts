import { describe, expect, test } from "vitest";
import { deviceAt, linkOf, parseAddress } from "#specs/addresses.ts";
import { DeviceId } from "#specs/ids.ts";
import { small } from "./specs.ts";

const { plant } = small();

describe("the device behind an address", () => {
  test.each([
    { ip: "127.10.1.11", port: 40_112, want: "hmi-1" },
    { ip: "::ffff:127.10.1.11", port: 1, want: "hmi-1" },
    { ip: "127.10.1.12", port: 40_112, want: undefined },
    { ip: "127.0.0.1", port: 20_999, want: undefined },
    { ip: "127.0.0.1", port: 21_000, want: "plc-2" },
    { ip: "127.0.0.1", port: 21_099, want: "plc-2" },
    { ip: "127.0.0.1", port: 21_100, want: undefined },
    { ip: "", port: 0, want: undefined },
  ])("$ip:$port is $want", ({ ip, port, want }) => {
    expect(deviceAt(plant, ip, port)?.id).toBe(want);
  });

  test.each([
    { declared: "2001:DB8:0:0:1:0:0:1", seen: "2001:db8::1:0:0:1", port: 9 },
    { declared: "[2001:db8::0011]:21000-21099", seen: "2001:db8::11", port: 21_050 },
    { declared: "fe80::1", seen: "fe80::1%eth0", port: 9 },
  ])("$declared is seen as $seen", ({ declared, seen, port }) => {
    const devices = plant.devices.map((device) =>
      device.id === "hmi-1" ? { ...device, addresses: [declared] } : device,
    );
    expect(deviceAt({ ...plant, devices }, seen, port)?.id).toBe("hmi-1");
    expect(deviceAt({ ...plant, devices }, "2001:db8::12", port)).toBeUndefined();
  });

  test("a range of ports goes before a bare address", () => {
    const devices = plant.devices.map((device) =>
      device.id === "hmi-1" ? { ...device, addresses: ["127.0.0.1"] } : device,
    );
    expect(deviceAt({ ...plant, devices }, "127.0.0.1", 21_050)?.id).toBe("plc-2");
    expect(deviceAt({ ...plant, devices }, "127.0.0.1", 40_000)?.id).toBe("hmi-1");
  });
});

test.each([
  ...["127.0.0.1:5-4", "127.0.0.1:1-65536", "127.0.0.1:80", "256.0.0.1", "127.0.1", "host", ""],
  ...[
    "[::1]",
    "[::1]:80",
    "[::1]:5-4",
    "::1:5-9-7",
    "1:2:3:4:5:6:7",
    "1::2::3",
    "fe80::1%eth0",
    "::ffff:1.2.3.4",
    "::ffff:102:304",
    "12345::",
  ],
])("`%s` is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

describe("links", () => {
  const [hmi, ews, plc1, plc2] = ["hmi-1", "ews-1", "plc-1", "plc-2"].map(DeviceId);
  test.each([
    { source: hmi, target: plc1, protocol: "modbus", want: "hmi-plc1" },
    { source: hmi, target: plc2, protocol: "opcua", want: "hmi-plc2" },
    { source: hmi, target: plc2, protocol: "modbus", want: undefined },
    { source: ews, target: plc2, protocol: "opcua", want: undefined },
  ] as const)("$source to $target over $protocol: $want", ({ source, target, protocol, want }) => {
    if (source === undefined || target === undefined) throw new Error("unreachable: four devices");
    expect(linkOf(plant, source, target, protocol)?.id).toBe(want);
  });
});
