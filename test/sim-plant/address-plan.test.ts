import { describe, expect, test } from "vitest";
import { addressPlan, type Endpoint } from "#sim/address-plan.ts";

function endpoints(value: unknown): readonly Endpoint[] {
  if (typeof value !== "object" || value === null) return [];
  if ("host" in value && "port" in value) return [{ host: String(value.host), port: Number(value.port) }];
  return Object.values(value).flatMap(endpoints);
}

describe("address plan", () => {
  test("the default run stands where the plant's inventory says", () => {
    const plan = addressPlan(10, false);
    expect(plan.hmi).toBe("127.10.1.11");
    expect(plan.filter).toEqual({
      plc1: { host: "127.10.2.1", port: 1502 },
      plc2: { host: "127.10.2.2", port: 1502 },
      plc2Ua: { host: "127.10.2.2", port: 4840 },
    });
    expect(plan.page).toEqual({ host: "127.0.0.1", port: 8080 });
  });

  test.each([false, true])("no two listeners of any two instances share an address (single: %s)", (single) => {
    const all = [10, 11, 50, 99]
      .flatMap((instance) => endpoints(addressPlan(instance, single)))
      .map(({ host, port }) => `${host}:${port}`);
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((text) => Number(text.split(":")[1]) >= 1024 && Number(text.split(":")[1]) <= 65_535)).toBe(true);
  });

  test("with one address, source ports tell client devices apart and stay clear of the listeners", () => {
    const plan = addressPlan(10, true);
    const ranges = Object.values(plan.sourcePorts ?? {});
    expect(ranges).toHaveLength(4);
    const ports = ranges.flatMap(({ low, high }) => Array.from({ length: high - low + 1 }, (_, i) => low + i));
    expect(new Set(ports).size).toBe(ports.length);
    expect(endpoints(plan).filter(({ port }) => ports.includes(port))).toEqual([]);
  });

  test.each([0, 100, 1.5])("instance %s is refused", (instance) =>
    expect(() => addressPlan(instance, false)).toThrow("outside 1..99"),
  );
});
