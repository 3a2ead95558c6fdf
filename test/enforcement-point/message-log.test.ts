import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MessageLog, type MessageLogOptions } from "#point/message-log.ts";

let folder: string;
let path: string;
let faults: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sekisho-log-"));
  path = join(folder, "point.log");
  faults = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(file = path, options: Partial<MessageLogOptions> = {}): MessageLog {
  return new MessageLog(file, { onFault: (says) => faults.push(says), ...options });
}

function lines(file = path): readonly unknown[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it did not come to be in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("messages come to the file in their order, by themselves, and what waits is written at the end", async () => {
  const log = open();
  log.add("notice", { says: "流量 12 m³/h" });
  await until(() => statSync(path).size > 0);
  log.add("receipt", { seq: 1 });
  await log.close();
  expect(lines()).toEqual([
    { kind: "notice", says: "流量 12 m³/h" },
    { kind: "receipt", seq: 1 },
  ]);
});

test("an earlier file is continued, never emptied", async () => {
  writeFileSync(path, '{"kind":"status","seq":0}\n');
  const log = open();
  log.add("receipt", { seq: 1 });
  await log.close();
  expect(lines()).toHaveLength(2);
});

test("many blocks come whole and in their order", async () => {
  const log = open();
  const count = 20_000;
  for (let seq = 0; seq < count; seq += 1) {
    log.add("receipt", { seq });
    if (seq % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => statSync(path).size > 64 * 1024);
  await log.close();
  expect(lines()).toEqual(Array.from({ length: count }, (_, seq) => ({ kind: "receipt", seq })));
  expect(log.lost).toBe(0);
});

test("what waits is bounded, and what finds no place is counted", async () => {
  const maxWaitingBytes = 2 * 64 * 1024;
  const log = open(path, { maxWaitingBytes });
  const message = { says: "x".repeat(1000) };
  for (let n = 0; n < 1000; n += 1) log.add("notice", message);
  await log.close();
  const written = lines().length;
  expect(statSync(path).size).toBeLessThanOrEqual(maxWaitingBytes);
  expect(written).toBeGreaterThan(100);
  expect(log.lost).toBe(1000 - written);
});

test("a message that no block can hold is lost alone", async () => {
  const log = open();
  log.add("notice", { says: "x".repeat(64 * 1024) });
  log.add("notice", { says: "short" });
  await log.close();
  expect(lines()).toEqual([{ kind: "notice", says: "short" }]);
  expect(log.lost).toBe(1);
});

test("a file that has its size makes room, and one earlier file stays", async () => {
  writeFileSync(path, `${"x".repeat(2000)}\n`);
  const log = open(path, { maxBytes: 1000 });
  log.add("notice", { says: "next" });
  await until(() => existsSync(`${path}.1`) && statSync(path).size > 0);
  await log.close();
  expect(lines()).toEqual([{ kind: "notice", says: "next" }]);
  expect(statSync(`${path}.1`).size).toBe(2001);
});

test("a full disk stops nothing, is said once, and counted", async () => {
  const log = open("/dev/full");
  log.add("notice", { says: "one" });
  await until(() => faults.length > 0);
  log.add("notice", { says: "two" });
  await log.close();
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(/^log `\/dev\/full` cannot be written \(ENOSPC.*enforcement goes on$/);
  expect(log.lost).toBe(2);
});

test("a file that cannot be made is one sentence", () => {
  expect(() => open(join(folder, "no", "folder"))).toThrow(/^log `.*` cannot be written \(ENOENT/);
});
