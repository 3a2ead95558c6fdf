import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";

/** Reads what came from elsewhere by a schema, compiled once; undefined: it is something else. */
export function checked<S extends TSchema>(schema: S): (payload: unknown) => Static<S> | undefined {
  const validator = Compile(schema);
  return (payload) => (validator.Check(payload) ? (payload as Static<S>) : undefined);
}
