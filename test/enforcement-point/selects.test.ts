import { expect, test } from "vitest";
import { type Judged, withheldWhole } from "#point/receipt.ts";
import { Selects } from "#point/selects.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";

const { bundle } = waterTreatment();
const common = { from: [DeviceId("hmi-1")], operation: "write", targets: [DeviceId("plc-1")], raw: [] } as const;
const about = { ...common, says: "", mode: "enforce", safety: false } as const;
const SELECT: Rule = { id: RuleId("select"), ...about, tags: [TagId("AUTO101")] };
const OPERATE: Rule = {
  ...{ id: RuleId("operate"), ...about, tags: [TagId("MV101.CMD")] },
  causality: { follows: { rule: SELECT.id, withinMs: 2000, once: true, select: true } },
};
const lifecycle = { ...bundle.lifecycle, rules: [SELECT, OPERATE] };

const judged = (rule: RuleId, atMs: number): Judged => ({
  ...{ tables: compile(bundle, "switch"), action: "forwarded", atMs, epoch: null, phase: null },
  observation: {
    ...{ source: DeviceId("hmi-1"), sourceAddress: "", target: DeviceId("plc-1"), link: undefined },
    ...{ operation: "write", message: "", items: [{ tag: TagId("AUTO101"), address: "", value: 1 }] },
  },
  verdict: { verdict: "allow", rule, safety: false },
});

test("an operate that was withheld with the rest of its message names its select, and does not use it up", () => {
  const selects = new Selects(lifecycle);
  selects.reported(judged(SELECT.id, 0), "answered-ok", 1);
  const ref = { seq: 1, atMs: 0 };
  const [withheld = judged(OPERATE.id, 100)] = withheldWhole([judged(OPERATE.id, 100)]);
  expect(selects.operatedBy(withheld)).toEqual(ref);
  expect(selects.operatedBy(judged(OPERATE.id, 200))).toEqual(ref);
  expect(selects.operatedBy(judged(OPERATE.id, 300))).toBeUndefined();
});

test("a select that is reported with its answer holds from that on, as it is judged", () => {
  const selects = new Selects(lifecycle);
  selects.reported(judged(SELECT.id, 0), "answered-ok", 1, 5000);
  expect(selects.expired(6900)).toEqual([]);
  expect(selects.operatedBy(judged(OPERATE.id, 6900))).toEqual({ seq: 1, atMs: 0 });
});

test("a select of which only a withheld operate came is one that was not finished", () => {
  const selects = new Selects(lifecycle);
  selects.reported(judged(SELECT.id, 0), "answered-ok", 1);
  for (const part of withheldWhole([judged(OPERATE.id, 100)])) selects.operatedBy(part);
  const holdsMs = 2000 + 2 * lifecycle.skewMs;
  expect(selects.expired(holdsMs)).toEqual([]);
  expect(selects.expired(holdsMs + 1)).toHaveLength(1);
});
