import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DataType, ReadRequest, Variant, WriteRequest } from "node-opcua";
import { expect, test } from "vitest";
import { readNotice, readReceipt, readStatus } from "#coordinator/bus-schema.ts";
import { MAX_LINKS } from "#point/bus-limits.ts";
import { systemClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { receiptOf } from "#point/receipt.ts";
import { LinkId, PhaseId } from "#specs/ids.ts";
import { waterTreatment } from "../support/plant.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { opened } from "./ua-bench.ts";

const value = { value: new Variant({ dataType: DataType.Double, value: 99 }) };
const named = (length: number) => `ns=1;s=${"n".repeat(length)}`;

/** Whoever is denied must not keep the coordinator from hearing of it by the size of what is asked. */
test.each([
  {
    name: "a name of 4000 letters",
    body: new WriteRequest({ nodesToWrite: [{ nodeId: named(4000), attributeId: 13, value }] }),
  },
  {
    name: "a name of 240 letters",
    body: new WriteRequest({ nodesToWrite: [{ nodeId: named(240), attributeId: 13, value }] }),
  },
  {
    name: "2001 nodes",
    body: new WriteRequest({
      nodesToWrite: Array.from({ length: 2001 }, () => ({ nodeId: "ns=1;s=NONE", attributeId: 13, value })),
    }),
  },
  {
    name: "2001 reads",
    body: new ReadRequest({
      nodesToRead: Array.from({ length: 2001 }, () => ({ nodeId: "ns=1;s=NONE", attributeId: 13 })),
    }),
  },
])("a denied message with $name is told so that the coordinator can read it", async ({ body }) => {
  const bench = await opened();
  bench.recorded.settled.length = 0;
  bench.ask(2, bodyOf(body));
  const from = { point: "switch-filter", layer: "switch", seq: 1 } as const;
  const receipts = bench.recorded.settled.map(({ judged, outcome }) => receiptOf(judged, outcome, undefined, from));
  expect(receipts.length).toBeGreaterThan(0);
  for (const receipt of receipts) {
    expect(readReceipt(JSON.parse(JSON.stringify(receipt)))).toBeDefined();
  }
});

test("what a stranger's certificate says is cut where it would make a notice, or the status, unreadable", async () => {
  const { bundle } = waterTreatment();
  const file = join(mkdtempSync(join(tmpdir(), "sekisho-limits-")), "log.jsonl");
  const clock = systemClock();
  const options = { point: "switch-filter", layer: "switch", mode: "enforce", logFile: file } as const;
  const point = new Point({ ...options, clock, bundle, standalonePhase: PhaseId("normal") });
  await point.start();
  const long = "CN=".padEnd(5000, "x");
  point.notice({
    code: "SECURITY_POLICY",
    severity: "detection",
    locus: [],
    source: long,
    target: "plc-2",
    says: long,
  });
  point.setBlind(long);
  for (let n = 0; n <= MAX_LINKS; n += 1) point.opened(LinkId(`link-${n}`), "clear");
  expect(readStatus(point.status())).toBeDefined();
  await point.close();
  clock.close();
  const notices = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.includes("SECURITY_POLICY"));
  rmSync(dirname(file), { recursive: true });
  expect(notices.map((line) => readNotice(JSON.parse(line)) !== undefined)).toEqual([true]);
});
