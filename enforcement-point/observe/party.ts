import type { Observation } from "#specs/decide/observation.ts";

/** Who speaks to whom: the part of an observation that a connection fixes. */
export type Party = Pick<Observation, "source" | "sourceAddress" | "target" | "link" | "role">;
