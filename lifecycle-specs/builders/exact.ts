/** Every key of any member of a union. */
type Keys<S> = S extends unknown ? keyof S : never;

/** What the members of a union have at a key. */
type At<S, K> = S extends unknown ? (K extends keyof S ? S[K] : never) : never;

/**
 * `T`, with `never` at every key that its shape does not have. TypeScript refuses unknown keys of a value whose type it is told, but not
 * of one whose type it infers.
 */
export type Exact<T, Shape> = T extends readonly unknown[]
  ? { readonly [I in keyof T]: Exact<T[I], Extract<Shape, readonly unknown[]>[number]> }
  : T extends object
    ? { readonly [K in keyof T]: K extends Keys<Extract<Shape, object>> ? Exact<T[K], At<Shape, K>> : never }
    : T;
