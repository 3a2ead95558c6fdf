import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { shapeProblem } from "./bundle-schema.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Plant } from "./plant.ts";
import {
  type HmiEntry,
  type PlcEntry,
  type Projection,
  projectHmi,
  projectPlc,
  projectSwitch,
  type SwitchEntry,
} from "./project.ts";
import { declaredTwice, unresolved } from "./references.ts";
import { err, ok, type Result } from "./result.ts";

export { relocatePlant } from "./addresses.ts";

/** The compiled form of plant and lifecycle that the enforcement points load: one source, and what each layer makes of it. */
export interface Bundle {
  readonly schema: "sekisho-bundle/1";
  /** SHA-256 of the canonical content without this id, in hex. */
  readonly id: string;
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly projections: {
    readonly hmi: Projection<HmiEntry>;
    readonly switch: Projection<SwitchEntry>;
    readonly plc: Projection<PlcEntry>;
  };
}

/** Largest bundle that is read, in bytes. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

export function buildBundle(plant: Plant, lifecycle: Lifecycle): Bundle {
  const projections = {
    hmi: projectHmi(plant, lifecycle),
    switch: projectSwitch(plant, lifecycle),
    plc: projectPlc(plant, lifecycle),
  };
  const content = { schema: "sekisho-bundle/1", plant, lifecycle, projections } as const;
  return { ...content, id: createHash("sha256").update(canonical(content)).digest("hex") };
}

/** The bundle as it is stored and sent: RFC 8785, so that one content has one sequence of bytes. */
export function canonicalBundle(bundle: Bundle): string {
  return canonical(bundle);
}

/**
 * Reads a bundle and trusts nothing in it: the shape must fit, every name must be declared, and the projections and the id must
 * be those that follow from its plant and lifecycle. Errors are one sentence.
 */
export function readBundle(text: string): Result<Bundle, string> {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BUNDLE_BYTES)
    return err(`the bundle has ${bytes} bytes, more than ${MAX_BUNDLE_BYTES}; split the plant`);
  const value = parse(text);
  if (value === undefined) return err("the bundle is not JSON; build it again with `sekisho spec build`");
  const { schema } = { schema: undefined, ...(typeof value === "object" ? value : {}) };
  if (schema !== "sekisho-bundle/1") {
    return err(
      `the bundle's schema is \`${String(schema).slice(0, 40)}\`, not \`sekisho-bundle/1\`; build it again with this version`,
    );
  }
  const problem = shapeProblem(value);
  if (problem !== undefined) return err(`the bundle does not fit its schema: ${problem}; build it again`);
  const bundle = value as Bundle; // the schema has been checked
  const missing = unresolved(bundle.plant, bundle.lifecycle);
  if (missing !== undefined) return err(`the bundle names ${missing}, which it does not declare; build it again`);
  const double = declaredTwice(bundle.plant, bundle.lifecycle);
  if (double !== undefined) return err(`the bundle declares ${double} twice; build it again`);
  const rebuilt = buildBundle(bundle.plant, bundle.lifecycle);
  if (rebuilt.id !== bundle.id)
    return err(
      `the bundle's id is ${bundle.id.slice(0, 12)}…, but its content is ${rebuilt.id.slice(0, 12)}…; it was changed, build it again`,
    );
  if (canonical(bundle) !== canonical(rebuilt))
    return err("the bundle's projections do not follow from its lifecycle; it was changed, build it again");
  return ok(bundle);
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error("unreachable: an object has a canonical form");
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
