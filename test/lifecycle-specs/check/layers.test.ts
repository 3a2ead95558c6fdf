import { describe, expect, test } from "vitest";
import { LAYER_CODES } from "#specs/check/codes-layers.ts";
import { checkSpec } from "#specs/check.ts";
import { loaded } from "../specs.ts";
import { LAYER_MISTAKES } from "./mistakes-layers.ts";
import { reportOf } from "./support.ts";
import { expectLayerMistake, layerFindings, works } from "./works.ts";

/** Shown below, with two zones, and in `layers-nested.test.ts`, where the lifecycle is made in code. */
const ELSEWHERE = ["LAYER_STRICTER", "RULE_OTHER_ZONE"];

describe("what can be wrong with what the layers allow", () => {
  test("nothing is wrong with the works", () => {
    expect(layerFindings(checkSpec(works()))).toEqual([]);
  });

  test.each(["water-treatment", "boiler"])("nothing is wrong with %s", (plant) => {
    expect(layerFindings(checkSpec(loaded(plant)))).toEqual([]);
  });

  test.each(LAYER_MISTAKES)("$code: $what", (mistake) => expectLayerMistake(mistake));

  test("RULE_OTHER_ZONE: a rule about a server of another zone", () => {
    const rule = "far: { says: The mill may be watched., from: [hmi-1], may: read, tags: { device: plc-m } }";
    const says = "        says: The furnace is cold.\n";
    const { findings } = reportOf("line", [[says, `${says}        rules:\n          ${rule}\n`]]);
    expect(findings).toContainEqual(
      expect.objectContaining({
        ...{ code: "RULE_OTHER_ZONE", guarantee: "language", severity: "error", line: 21, column: 11 },
        message: expect.stringContaining(
          "rule `far` stands in phase `furnace.cold` of zone `furnace` and is about `plc-m`",
        ),
      }),
    );
  });

  test("every code has a mistake", () => {
    const shown = new Set<string>([...LAYER_MISTAKES.map(({ code }) => code), ...ELSEWHERE]);
    expect(Object.keys(LAYER_CODES).filter((code) => !shown.has(code))).toEqual([]);
  });
});
