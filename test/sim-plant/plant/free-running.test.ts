import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { addressPlan } from "#sim/address-plan.ts";
import { runPlant } from "#sim/plant/main.ts";
import { readRecords } from "#sim/plant/plant-log.ts";
import { runSoftPlc } from "#sim/plc/main.ts";
import { waterBundle } from "../water-bundle.ts";

const runDir = mkdtempSync(join(tmpdir(), "sekisho-free-"));
afterAll(() => rmSync(runDir, { recursive: true }));

test("on the system clock nobody is waited for; a PLC that is gone leaves its outputs without power", async () => {
  const plan = addressPlan(64, false);
  const said: string[] = [];
  const log = (says: string) => void said.push(says);
  const startedMs = Date.now();
  const plant = await runPlant({
    seed: 1,
    field: plan.field,
    clock: plan.clock,
    time: "system",
    expect: [],
    untilMs: 2500,
    runDir,
    log,
  });
  const plc = await runSoftPlc({
    bundle: waterBundle(),
    device: "plc-1",
    guardMode: "off",
    field: plan.field,
    modbus: plan.plc.plc1,
    admission: { addresses: [] },
    agentLink: plan.agentLink.plc1,
    engineeringPort: plan.engineeringPort.plc1,
    runDir,
    log,
  });
  const { connect } = await import("node:net");
  const port = connect({ host: plan.engineeringPort.plc1.host, port: plan.engineeringPort.plc1.port });
  port.write(`${JSON.stringify({ force: { "MV101.OUT": 1 } })}\n`);
  const lastEntry = () =>
    readFileSync(join(runDir, "plant.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .at(-1);
  await expect.poll(() => lastEntry()?.outputs["MV101.OUT"], { timeout: 4000 }).toBe(1);
  port.destroy();
  await plc.close();
  await plant.done;
  expect(lastEntry().outputs["MV101.OUT"]).toBe(0);
  expect(said).toContainEqual(expect.stringContaining("plc-1 has left the field wiring"));
  const records = readRecords(readFileSync(join(runDir, "plant.jsonl"), "utf8"));
  expect(records).toHaveLength(5);
  expect(records.every(({ atMs }) => atMs >= startedMs)).toBe(true);
  await plant.close();
});
