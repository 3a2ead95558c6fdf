import { generateKeyPairSync } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { buildBundle } from "#specs/bundle.ts";
import { createHistory } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { openBundle, readTrustedKeys, signBundle } from "#specs/sign.ts";
import { type Figure, withTarget } from "../figure.ts";
import { quantile } from "../statistics.ts";
import { LARGE, largePlant } from "./large-plant.ts";

const LOADS = 15;
const MB = 1024 * 1024;

/** What it costs to build, sign, load and hold a bundle of the size that the language is made for. */
export async function benchBundle(progress: (says: string) => void): Promise<readonly Figure[]> {
  const { plant, lifecycle } = largePlant(LARGE);
  const name = `${LARGE.phases} phases, ${LARGE.rules} rules, ${lifecycle.phases.length - LARGE.phases} containments`;
  const figure = (metric: string, value: number, unit: string): Figure => ({
    ...{ bench: "bundle", case: name, subject: "sekisho", metric, value, unit, errors: 0 },
  });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const secret = privateKey.export({ format: "jwk" });
  const trusted = readTrustedKeys(JSON.stringify(publicKey.export({ format: "jwk" })));
  if (!trusted.ok) throw new Error(trusted.error);
  progress("bundle: building and signing");
  const began = performance.now();
  const text = signBundle(buildBundle(plant, lifecycle), secret);
  const buildMs = performance.now() - began;
  const file = Buffer.from(text);
  progress("bundle: loading");
  const loads = Float64Array.from({ length: LOADS }, () => {
    const start = performance.now();
    const opened = openBundle(file, { trusted: trusted.value });
    if (!opened.ok) throw new Error(opened.error);
    compile(opened.value, "switch");
    return performance.now() - start;
  });
  const [first = Number.NaN] = loads;
  const opened = openBundle(file, { trusted: trusted.value });
  if (!opened.ok) throw new Error(opened.error);
  const before = usedBytes();
  const held = (["hmi", "switch", "plc"] as const).map((layer) => createHistory(compile(opened.value, layer)));
  const heldMb = (usedBytes() - before) / MB;
  return [
    figure("file", file.length / MB, "MB"),
    withTarget(figure("build and sign", buildMs / 1000, "s"), "<=", 5),
    withTarget(figure("first load in a process (verify, read, compile one layer)", first, "ms"), "<=", 200),
    withTarget(figure("load, median", quantile(loads, 0.5), "ms"), "<=", 200),
    withTarget(figure(`tables and histories of ${held.length} layers`, heldMb, "MB"), "<=", 50),
  ];
}

/** What is in use after a collection. */
function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
