import { describe, expect, test } from "vitest";
import { containmentFor } from "#specs/containment.ts";
import { PhaseId, TagId } from "#specs/ids.ts";
import type { Locus } from "#specs/lifecycle.ts";
import { loaded } from "./specs.ts";

const { lifecycle } = loaded("water-treatment");

interface Case {
  readonly phase: string;
  readonly loci: readonly Locus[];
  readonly tags: readonly string[];
  readonly to: string | undefined;
  readonly why: string;
}

const CASES: readonly Case[] = [
  {
    phase: "normal",
    loci: ["hmi"],
    tags: ["DOS201.SP"],
    to: "degraded.hmi-quarantined",
    why: "the first entry that fits",
  },
  {
    phase: "normal",
    loci: ["unknown-device"],
    tags: ["DOS201.SP"],
    to: "degraded.dosing-held",
    why: "the entry for these tags",
  },
  {
    phase: "normal",
    loci: ["unknown-device"],
    tags: ["DOS201.SP", "P201.CMD"],
    to: "degraded.dosing-held",
    why: "all its tags",
  },
  {
    phase: "normal",
    loci: ["unknown-device"],
    tags: ["DOS201.SP", "FIC101.SP"],
    to: "degraded.local-control",
    why: "a tag beyond the entry",
  },
  { phase: "normal", loci: ["unknown-device"], tags: [], to: "degraded.local-control", why: "no tag is known" },
  {
    phase: "normal",
    loci: ["hmi", "path-hmi-switch"],
    tags: [],
    to: "degraded.local-control",
    why: "a set that only the last entry covers",
  },
  {
    phase: "degraded.hmi-quarantined",
    loci: ["hmi"],
    tags: [],
    to: "degraded.local-control",
    why: "further from a degraded phase",
  },
  { phase: "degraded.local-control", loci: ["hmi"], tags: [], to: undefined, why: "nothing is left to take away" },
  { phase: "stopped", loci: ["hmi"], tags: [], to: undefined, why: "no entry starts here" },
  { phase: "normal", loci: [], tags: [], to: undefined, why: "nowhere is not a place" },
];

describe("the containment for an attack", () => {
  test.each(CASES)("in $phase at $loci: $why", ({ phase, loci, tags, to }) => {
    expect(containmentFor(lifecycle, PhaseId(phase), loci, tags.map(TagId))?.to).toBe(to);
  });
});
