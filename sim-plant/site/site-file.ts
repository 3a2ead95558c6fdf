import { readFileSync } from "node:fs";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Mode } from "#specs/plant.ts";

/** What every simulated part of one run has to know; written once by whoever starts the run, as `site.json`. */
export interface Site {
  /** Second number of the loopback addresses: several runs stand beside each other. */
  readonly instance: number;
  /** The platform has one loopback address only: ports tell devices apart. */
  readonly single: boolean;
  readonly seed: number;
  readonly mode: Mode;
  readonly policy: "auto" | "propose";
  /** `free`: real time. `lockstep`: plant time waits for every benign actor. */
  readonly time: "free" | "lockstep";
  /** Lockstep: plant ms per real ms at most; null: as fast as it goes. */
  readonly pace: number | null;
  /** What the scripted operator does: runs the plant, or lives the quiet day through all phases. */
  readonly script: "produce" | "quiet-day";
  /** Whether the operator leads the plant back from a degraded phase; in an exercise its supervisor does. */
  readonly operatorReturns: boolean;
  readonly runDir: string;
  /** Bundle file with this run's addresses. */
  readonly bundle: string;
  /** File with the public key that the bundle is signed with. */
  readonly trust: string;
  /** Where the operator page is served. */
  readonly page: { readonly host: string; readonly port: number };
}

const schema = Compile(
  Type.Object({
    instance: Type.Integer({ minimum: 1, maximum: 99 }),
    single: Type.Boolean(),
    seed: Type.Integer(),
    mode: Type.Union([Type.Literal("off"), Type.Literal("monitor"), Type.Literal("enforce")]),
    policy: Type.Union([Type.Literal("auto"), Type.Literal("propose")]),
    time: Type.Union([Type.Literal("free"), Type.Literal("lockstep")]),
    pace: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()]),
    script: Type.Union([Type.Literal("produce"), Type.Literal("quiet-day")]),
    operatorReturns: Type.Boolean(),
    runDir: Type.String(),
    bundle: Type.String(),
    trust: Type.String(),
    page: Type.Object({ host: Type.String(), port: Type.Integer({ minimum: 1, maximum: 65_535 }) }),
  }),
);

/** @throws Error in one sentence when the file is not a site file */
export function readSite(file: string): Site {
  const value = parse(file);
  if (!schema.Check(value))
    throw new Error(`${file} is not a site file; it is written by \`sekisho up\` and \`sekisho exercise run\``);
  return value;
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
