import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeviceId } from "#specs/ids.ts";
import {
  type Claimant,
  ConnectionPlaces,
  DEFAULT_PLACE_LIMITS,
  MAX_PER_UNDECLARED,
  MAX_UNDECLARED,
  type PlaceLimits,
  readPlaceLimits,
} from "#switch-filter/connection-places.ts";

/** Who may connect once more, at each bound, and that places come back. */
const device = (id: string): Claimant => ({ device: DeviceId(id), address: "127.0.0.1" });
const stranger = (n: number): Claimant => ({ device: undefined, address: `127.0.1.${n}` });

function takenBy(places: ConnectionPlaces, who: Claimant, most = 10_000): number {
  let count = 0;
  while (count < most && places.take(who).ok) count += 1;
  return count;
}

describe("as delivered", () => {
  const { maxConnections, maxPerDevice } = DEFAULT_PLACE_LIMITS;

  test("4,096 in all, 2,048 of a declared device", () => {
    const places = new ConnectionPlaces();
    expect(takenBy(places, device("hmi-1"))).toBe(2048);
    expect(places.take(device("hmi-1"))).toEqual({ ok: false, error: "hmi-1 has 2048 connections here" });
    expect(takenBy(places, device("hmi-2"))).toBe(maxConnections - maxPerDevice);
    expect(places.take(device("hmi-3"))).toEqual({ ok: false, error: "all 4096 connections here are taken" });
    places.leave(device("hmi-1"));
    expect(takenBy(places, device("hmi-3"))).toBe(1);
  });

  test("32 of an undeclared address, 64 of all together, whatever their number; the declared have all the others", () => {
    const places = new ConnectionPlaces();
    expect(takenBy(places, stranger(1))).toBe(MAX_PER_UNDECLARED);
    expect(takenBy(places, stranger(2), 1)).toBe(1);
    for (let n = 3; n < 250; n += 1) takenBy(places, stranger(n));
    expect(places.taken).toBe(MAX_UNDECLARED);
    expect(places.take(stranger(3))).toMatchObject({ ok: false, error: expect.stringContaining("no device declares") });
    expect(takenBy(places, device("hmi-1"))).toBe(maxPerDevice);
    expect(takenBy(places, device("hmi-2"))).toBe(maxConnections - maxPerDevice - MAX_UNDECLARED);
  });

  test("a refused flood leaves nothing behind", () => {
    const places = new ConnectionPlaces();
    for (let n = 0; n < MAX_UNDECLARED; n += 1) places.take(stranger(n));
    for (let n = 0; n < 100_000; n += 1) expect(places.take({ device: undefined, address: `10.${n}` }).ok).toBe(false);
    expect([places.taken, places.holders]).toEqual([MAX_UNDECLARED, MAX_UNDECLARED]);
  });
});

test.each([
  { maxConnections: 1, of: 0 },
  { maxConnections: 4, of: 1 },
  { maxConnections: 255, of: 63 },
  { maxConnections: 256, of: 64 },
])("of $maxConnections places in all, undeclared addresses get $of", ({ maxConnections, of }) => {
  const places = new ConnectionPlaces({ maxConnections, maxPerDevice: maxConnections });
  expect([1, 2, 3].reduce((sum, n) => sum + takenBy(places, stranger(n)), 0)).toBe(of);
  expect(takenBy(places, device("hmi-1"))).toBe(maxConnections - of);
});

test("a place that nobody holds cannot be left", () => {
  expect(() => new ConnectionPlaces().leave(stranger(1))).toThrow("unreachable");
});

/** The same said slowly: a list of those who hold places. */
function mayTake(held: readonly Claimant[], who: Claimant, limits: PlaceLimits): boolean {
  const undeclared = held.filter((at) => at.device === undefined);
  if (held.length >= limits.maxConnections) return false;
  if (who.device !== undefined) return held.filter((at) => at.device === who.device).length < limits.maxPerDevice;
  const ofAddress = undeclared.filter((at) => at.address === who.address).length;
  const most = Math.min(MAX_UNDECLARED, Math.floor(limits.maxConnections / 4));
  return ofAddress < MAX_PER_UNDECLARED && undeclared.length < most;
}

test("property: any order of takes and leaves goes as by a list of the holders", () => {
  const anyone = fc.constantFrom(device("a"), device("b"), stranger(1), stranger(2), stranger(3));
  const limits = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }))
    .map(([a, b]) => ({ maxConnections: Math.max(a, b), maxPerDevice: Math.min(a, b) }));
  fc.assert(
    fc.property(limits, fc.array(fc.tuple(anyone, fc.nat()), { maxLength: 200 }), (within, steps) => {
      const places = new ConnectionPlaces(within);
      const held: Claimant[] = [];
      for (const [who, draw] of steps) {
        if (draw % 3 === 0 && held.length > 0) {
          const [gone] = held.splice(draw % held.length, 1);
          if (gone !== undefined) places.leave(gone);
          continue;
        }
        const may = mayTake(held, who, within);
        expect(places.take(who).ok).toBe(may);
        if (may) held.push(who);
      }
      expect(places.taken).toBe(held.length);
      expect(places.holders).toBe(new Set(held.map((at) => at.device ?? at.address)).size);
    }),
  );
});

describe("on the command line", () => {
  test.each([
    { inAll: undefined, ofDevice: undefined, want: { maxConnections: 4096, maxPerDevice: 2048 } },
    { inAll: "100", ofDevice: undefined, want: { maxConnections: 100, maxPerDevice: 100 } },
    { inAll: "65535", ofDevice: "65535", want: { maxConnections: 65_535, maxPerDevice: 65_535 } },
    { inAll: undefined, ofDevice: "1", want: { maxConnections: 4096, maxPerDevice: 1 } },
  ])("$inAll, $ofDevice", ({ inAll, ofDevice, want }) => expect(readPlaceLimits(inAll, ofDevice)).toEqual(want));

  test.each([
    { inAll: "0", ofDevice: undefined, says: "--max-connections `0` is not a number from 1 to 65535" },
    { inAll: "65536", ofDevice: undefined, says: "--max-connections `65536` is not" },
    { inAll: "1e3", ofDevice: undefined, says: "--max-connections `1e3` is not" },
    { inAll: undefined, ofDevice: "-1", says: "--max-connections-per-source `-1` is not" },
    { inAll: "10", ofDevice: "11", says: "--max-connections-per-source 11 is more than the 10 of --max-connections" },
    { inAll: undefined, ofDevice: "4097", says: "--max-connections-per-source 4097 is more than the 4096" },
  ])("$inAll, $ofDevice: refused", ({ inAll, ofDevice, says }) =>
    expect(() => readPlaceLimits(inAll, ofDevice)).toThrow(says),
  );
});
