import { describe, expect, test } from "vitest";
import { commit, judge } from "#specs/decide/decide.ts";
import { createHistory, observeTag } from "#specs/decide/history.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { TagId } from "#specs/ids.ts";
import { at, writes } from "./examples/examples.ts";
import { EXAMPLE } from "./examples/lifecycle.ts";

const SKEW_MS = 100;
const RAMP_PER_S = 5;
const SPEED = TagId("SPEED.SP");
const skewed = { ...EXAMPLE, lifecycle: { ...EXAMPLE.lifecycle, skewMs: SKEW_MS } };
const FILLING = at("running", "fill");

/** Drives the set-point up as fast as the layer lets it, a write each `everyMs`; where it stands after `forMs`. */
function drivenUp(layer: Layer, everyMs: number, forMs: number): number {
  const tables = compile(skewed, layer);
  const history = createHistory(tables);
  let value = 20;
  observeTag(history, SPEED, value, 0);
  for (let nowMs = everyMs; nowMs <= forMs; nowMs += everyMs) {
    // The largest of these that passes.
    for (const step of [20, 5, 2, 1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01]) {
      const observation = writes("SPEED.SP", value + step);
      const verdict = judge(tables, FILLING, observation, history, nowMs);
      if (verdict.verdict === "deny") continue;
      commit(history, observation, verdict, "forwarded", nowMs);
      commit(history, observation, verdict, "answered-ok", nowMs);
      value += step;
      break;
    }
  }
  return value - 20;
}

describe("a ramp of 5 % per second, pushed for 6 s by a stream of small changes", () => {
  test.each([
    ["hmi", 0],
    ["switch", SKEW_MS],
    ["plc", 2 * SKEW_MS],
  ] as const)("%s: the slack is there once, not once for each change", (layer, slackMs) => {
    for (const everyMs of [10, 50, 100, 500]) {
      const gained = drivenUp(layer, everyMs, 6000);
      expect(gained, `a write each ${everyMs} ms`).toBeLessThanOrEqual(RAMP_PER_S * (6 + slackMs / 1000) + 1e-6);
      expect(gained, `a write each ${everyMs} ms`).toBeGreaterThan(RAMP_PER_S * 4);
    }
  });
});

test("what a fast change has used of the slack comes back with a slower one", () => {
  const tables = compile(skewed, "switch");
  const history = createHistory(tables);
  observeTag(history, SPEED, 20, 0);
  const change = (value: number, nowMs: number) => {
    const observation = writes("SPEED.SP", value);
    const verdict = judge(tables, FILLING, observation, history, nowMs);
    if (verdict.verdict === "allow") commit(history, observation, verdict, "answered-ok", nowMs);
    return verdict.verdict;
  };
  expect(change(23, 500)).toBe("allow"); // 600 ms' worth in 500 ms
  expect(change(25.51, 1000)).toBe("deny"); // the 100 ms are gone
  expect(change(25.5, 1000)).toBe("allow");
  expect(change(25.6, 2000)).toBe("allow"); // slower: they are back
  expect(change(28.6, 2500)).toBe("allow");
});
