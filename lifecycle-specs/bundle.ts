import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { shapeProblem } from "./bundle-schema.ts";
import { nameProblem } from "./declared.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type PackedLifecycle, packLifecycle, unpackLifecycle } from "./pack.ts";
import type { Plant } from "./plant.ts";
import { type Projections, project } from "./project.ts";
import { err, ok, type Result } from "./result.ts";
import { printable } from "./words.ts";

export { relocatePlant } from "./addresses.ts";

const SCHEMA = "sekisho-bundle/2";

/** The compiled form of plant and lifecycle that the enforcement points load: one source, and what each layer makes of it. */
export interface Bundle {
  readonly schema: typeof SCHEMA;
  /** SHA-256 of the canonical packed content without this id, in hex. */
  readonly id: string;
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly projections: Projections;
}

/** A bundle as its file holds it: each rule once. */
export interface PackedBundle extends Omit<Bundle, "lifecycle"> {
  readonly lifecycle: PackedLifecycle;
}

/** Largest bundle file that is read, in bytes. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/** @throws Error when the lifecycle is not one that loading makes, see `packLifecycle` */
export function buildBundle(plant: Plant, lifecycle: Lifecycle): Bundle {
  const projections = project(plant, lifecycle);
  const id = sha256(contentText(plant, lifecycle, projections));
  return { schema: SCHEMA, id, plant, lifecycle, projections };
}

/** All of a bundle but its id, in canonical form. */
function contentText(plant: Plant, lifecycle: Lifecycle, projections: Projections): string {
  return canonical({ schema: SCHEMA, plant, lifecycle: packLifecycle(lifecycle), projections });
}

export function packBundle(bundle: Bundle): PackedBundle {
  return { ...bundle, lifecycle: packLifecycle(bundle.lifecycle) };
}

/**
 * The bundle that was packed; every name in it is declared, once. Errors are part of a sentence: `names tag \`X\`, which it does
 * not declare`. The projections are made anew from plant and lifecycle when they are first asked for: nobody who enforces needs them.
 */
export function unpackBundle({
  schema,
  id,
  plant,
  lifecycle: packed,
}: Omit<PackedBundle, "projections">): Result<Bundle, string> {
  const problem = nameProblem(plant, packed);
  if (problem !== undefined) return err(problem);
  const lifecycle = unpackLifecycle(packed);
  let projections: Projections | undefined;
  return ok({
    schema,
    id,
    plant,
    lifecycle,
    get projections() {
      projections ??= project(plant, lifecycle);
      return projections;
    },
  });
}

/** The packed bundle as it is stored and sent: RFC 8785, so that one content has one sequence of bytes. */
export function canonicalBundle(bundle: Bundle): string {
  return canonical(packBundle(bundle));
}

/**
 * In canonical text the projections stand before the schema, which is last, and no other key has this name and a map. So the part
 * that is loaded can be cut out without reading the larger part that is not.
 */
const PROJECTIONS = ',"projections":{"flows":{';
const LAST = `,"schema":"${SCHEMA}"}`;

/**
 * Reads the canonical text of a bundle, all but its projections. The shape must fit and every name must be declared; whether the
 * text is what it should be is for the caller to know, by its signature or by `isFaithful`. Errors are one sentence.
 */
export function parseBundle(text: Buffer): Result<Bundle, string> {
  const schema = /"schema":"([^"]{0,40})"\}$/.exec(text.toString("latin1", text.length - 64))?.[1];
  if (schema === undefined) return err("the bundle does not end with its schema; build it again");
  if (schema !== SCHEMA) return err(wrongSchema(schema));
  const cut = text.indexOf(PROJECTIONS);
  if (cut === -1) return err("the bundle has no projections; build it again");
  const value = parse(text.toString("utf8", 0, cut) + LAST);
  if (value === undefined) return err("the bundle is not JSON; build it again");
  const problem = shapeProblem(value);
  if (problem !== undefined)
    return err(`the bundle does not fit its schema: ${shown(problem.at, 120)} ${problem.says}; build it again`);
  const bundle = unpackBundle(value as PackedBundle); // its shape has been checked
  return bundle.ok ? bundle : err(`the bundle ${bundle.error}; build it again`);
}

/** Text of a file for a sentence: short, and without what could speak to a terminal. */
export function shown(text: string, most = 43): string {
  return printable(text.length > most ? `${text.slice(0, most)}…` : text);
}

export function wrongSchema(schema: string): string {
  return `the bundle's schema is \`${shown(schema)}\`, not \`${SCHEMA}\`; build it again with this version`;
}

/** Whether a text is, byte for byte, what building its own plant and lifecycle gives. The error is one sentence. */
export function isFaithful(bundle: Bundle, text: Buffer): Result<true, string> {
  const { plant, lifecycle } = bundle;
  const content = contentText(plant, lifecycle, project(plant, lifecycle));
  const id = sha256(content);
  if (id !== bundle.id) {
    const [says, is] = [bundle.id.slice(0, 12), id.slice(0, 12)];
    return err(`the bundle's id is ${says}…, but its content is ${is}…; it was changed, build it again`);
  }
  // In canonical form the id stands before all else: what is large is written once.
  if (text.equals(Buffer.from(`{"id":"${id}",${content.slice(1)}`))) return ok(true);
  return err(
    "the bundle is not in canonical form, or its projections do not follow from its lifecycle; build it again",
  );
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error("unreachable: an object has a canonical form");
  return text;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
