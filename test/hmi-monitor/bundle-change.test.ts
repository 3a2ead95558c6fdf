import { beforeEach, expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import type { PlantClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { PhaseId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import { ok } from "#specs/result.ts";
import { waterTreatment } from "../support/plant.ts";
import { Capture } from "./capture.ts";

/** A mirrored Modbus connection that goes on while the monitor's bundle changes. */
const { plant, lifecycle } = waterTreatment();
const PLC = { ip: "127.10.2.1", port: 1502 };
const clock: PlantClock = { now: () => 1_000_000, on: () => undefined, close: () => undefined };
let version = 1;
let judged: Judged[];
let says: string[];
let point: Point;
let monitor: Monitor;
let capture: Capture;
let shown = 0;

beforeEach(async () => {
  version = 1;
  point = new Point({
    ...{ point: "hmi-monitor", layer: "hmi", mode: "enforce", passive: true, clock },
    ...{ bundle: bundle((of) => of), standalonePhase: PhaseId("normal") },
  });
  await point.start();
  judged = [];
  says = [];
  shown = 0;
  vi.spyOn(point, "report").mockImplementation((j) => void judged.push(j));
  vi.spyOn(point, "notice").mockImplementation((notice) => void says.push(notice.says));
  monitor = new Monitor(point, plant, new Map([[PLC.port, "modbus"]]));
  point.setFollower((next) => ok(() => monitor.take(next.plant)));
  capture = new Capture(PLC, 40_001);
});

function bundle(change: (plant: Plant) => Plant) {
  version += 1;
  return buildBundle(change(plant), { ...lifecycle, version });
}

function take(change: (plant: Plant) => Plant): void {
  expect(point.takeBundle(() => bundle(change))).toMatchObject({ taken: true });
}

/** A write of the raw-water level set-point, 1.5 m, at this register. */
function write(register: number): Judged | undefined {
  capture.up(Buffer.from(`00010000000601060${register.toString(16).padStart(3, "0")}05dc`, "hex"));
  for (const record of capture.records.slice(shown)) monitor.frame(record);
  shown = capture.records.length;
  return judged.at(-1);
}

const at = (id: string, addresses: readonly string[]) => (of: Plant) => ({
  ...of,
  devices: of.devices.map((device) => (device.id === id ? { ...device, addresses } : device)),
});

test("the next command is told by the tags and devices of the bundle that was taken", () => {
  expect(write(2)?.observation).toMatchObject({ source: "hmi-1", link: "hmi-plc1", items: [{ tag: "LIT101.SP" }] });
  take((of) => ({ ...of, tags: of.tags.filter(({ id }) => id !== "LIT101.SP") }));
  expect(write(2)?.observation.items).toMatchObject([{ tag: undefined }]);
  take(at("hmi-1", ["127.10.1.99"]));
  expect(write(2)).toMatchObject({ observation: { source: undefined, link: undefined }, verdict: { verdict: "deny" } });
  take((of) => of);
  expect(write(2)?.observation).toMatchObject({ source: "hmi-1", link: "hmi-plc1", items: [{ tag: "LIT101.SP" }] });
  expect(judged).toHaveLength(4);
});

test("a connection whose server is another device now is not judged any more, which is said", () => {
  write(2);
  take(at("plc-1", ["127.10.2.77"]));
  expect(says.join()).toContain("its server is another device in the present bundle");
  write(2);
  expect(judged).toHaveLength(1);
});

test("a connection that was a stranger's is judged, from where its content fits, when the bundle names its server", () => {
  take(at("plc-1", ["127.10.2.77"]));
  write(2);
  expect([judged.length, monitor.unread.strangerBytes]).toEqual([0, 12]);
  take((of) => of);
  write(2);
  capture.down(Buffer.from("0001000000060106000205dc", "hex"));
  expect(write(2)?.observation).toMatchObject({ source: "hmi-1", link: "hmi-plc1", items: [{ tag: "LIT101.SP" }] });
  expect(says.join()).toContain("joined late: blind until a request and its answer fit");
  expect([judged.length, monitor.unread.strangerBytes]).toEqual([2, 12]);
});
