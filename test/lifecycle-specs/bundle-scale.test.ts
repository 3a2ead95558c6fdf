import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { createHistory } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { openBundle, signBundle } from "#specs/sign.ts";
import { LARGE, largePlant } from "../../bench/bundle/large-plant.ts";
import { newKey } from "./keys.ts";

// The figures that the language promises are 5 s, 200 ms and 50 MB; the bench measures them. Here the machine is shared with other
// suites: what counts is the processor time of this thread, the best of a few runs, and the bounds for loading are wider. They
// find what grows faster than the plant.
const BUILD_MS = 5000;
const LOAD_MS = 400;
const TABLES_MB = 50;
const TRIES = 5;

const MB = 1024 * 1024;

function bestOf<T>(tries: number, run: () => T): { readonly ms: number; readonly last: T } {
  let ms = Number.POSITIVE_INFINITY;
  for (let n = 0; ; n += 1) {
    const began = process.threadCpuUsage();
    const last = run();
    const { user, system } = process.threadCpuUsage(began);
    ms = Math.min(ms, (user + system) / 1000);
    if (n === tries - 1) return { ms, last };
  }
}

/** What is in use after a collection, in bytes. */
function used(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test("12 phases of 10,000 rules are built and signed, loaded and compiled, and held in little memory", () => {
  const { plant, lifecycle } = largePlant(LARGE);
  const key = newKey();
  const built = bestOf(1, () => signBundle(buildBundle(plant, lifecycle), key.secret));
  const file = Buffer.from(built.last);
  const opened = bestOf(TRIES, () => openBundle(file, { trusted: [key.open] }));
  if (!opened.last.ok) throw new Error(opened.last.error);
  const bundle = opened.last.value;
  expect(bundle.lifecycle.phases).toHaveLength(12 + 12 * 2 * LARGE.containedClients);
  const loaded = bestOf(TRIES, () => {
    const again = openBundle(file, { trusted: [key.open] });
    return again.ok ? compile(again.value, "switch") : undefined;
  });
  const before = used();
  const held = (["hmi", "switch", "plc"] as const).map((layer) => {
    const tables = compile(bundle, layer);
    return { tables, history: createHistory(tables) };
  });
  const tablesMb = (used() - before) / MB;
  expect(held).toHaveLength(3);
  console.info(
    `10,000 rules: file ${(file.length / MB).toFixed(1)} MB, built and signed in ${built.ms.toFixed(0)} ms, opened in ` +
      `${opened.ms.toFixed(0)} ms, opened and compiled in ${loaded.ms.toFixed(0)} ms, tables of three layers ${tablesMb.toFixed(1)} MB`,
  );
  expect(built.ms).toBeLessThan(BUILD_MS);
  expect(loaded.ms).toBeLessThan(LOAD_MS);
  expect(tablesMb).toBeLessThan(TABLES_MB);
}, 60_000);

test("a file is read in time that grows with its length, not faster", () => {
  const key = newKey();
  const sizes = [2500, 10_000].map((rules) => {
    const { plant, lifecycle } = largePlant({ ...LARGE, rules });
    const file = Buffer.from(signBundle(buildBundle(plant, lifecycle), key.secret));
    return { length: file.length, ms: bestOf(TRIES, () => openBundle(file, { trusted: [key.open] })).ms };
  });
  const [small, large] = sizes;
  if (small === undefined || large === undefined) throw new Error("there are two sizes");
  expect(large.ms / small.ms).toBeLessThan((3 * large.length) / small.length);
}, 60_000);
