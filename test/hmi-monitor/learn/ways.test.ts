import { describe, expect, test } from "vitest";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { newPlant, watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { random } from "#sim/random.ts";
import { checkSpec } from "#specs/check.ts";
import { loadPlant } from "#specs/load.ts";
import { waterTreatment } from "../../support/plant.ts";

const plant = watchedPlant(waterTreatment().plant);
const PLANT_TEXT = newPlant(plant, { ofLink: () => undefined, ofTag: () => undefined });

function draftOf(learner: Learner, safe?: string) {
  const tagOf = () => undefined;
  const draft = draftLifecycle(learner.evidence(), { sightings: 1, tagOf, ...(safe === undefined ? {} : { safe }) });
  if (draft === undefined) throw new Error("no phase");
  return draft;
}

const ways = (learner: Learner) => draftOf(learner).phases.map(({ phase, next }) => [phase, next.map(({ to }) => to)]);

describe("ways between phases", () => {
  test("are those that were seen, also where in between nobody knew the phase", () => {
    const learner = new Learner(() => undefined);
    learner.enterPhase("a", 0);
    learner.noPhase(1);
    learner.enterPhase("b", 2);
    learner.enterPhase("a", 3);
    expect(ways(learner)).toEqual([
      ["a", ["b"]],
      ["b", ["a"]],
      ["isolated", ["a"]],
    ]);
  });

  test("do not cross a time that no capture covers; what nothing leads to is asked for in the safe phase", () => {
    const learner = new Learner(() => undefined);
    learner.enterPhase("a", 0);
    learner.gap(1);
    learner.enterPhase("b", 2);
    expect(draftOf(learner).phases.map(({ phase, next }) => [phase, next])).toEqual([
      [
        "a",
        [
          { to: "isolated", count: 0 },
          { to: "b", count: 0 },
        ],
      ],
      ["b", [{ to: "a", count: 0 }]],
      ["isolated", [{ to: "a", count: 0 }]],
    ]);
  });

  test("pass the check, for 100 random histories of phases", () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const rng = random(seed, "phases");
      const learner = new Learner(() => undefined);
      const names = ["a", "b.one", "b.two", "c", "isolated"].slice(0, 1 + Math.floor(5 * rng()));
      for (let atMs = 0; atMs < 12; atMs += 1) {
        const draw = rng();
        if (draw < 0.15) learner.gap(atMs);
        else if (draw < 0.3) learner.noPhase(atMs);
        else learner.enterPhase(names[Math.floor(names.length * rng())] ?? "a", atMs);
      }
      learner.enterPhase("a", 20);
      const safe = rng() < 0.5 ? "a" : undefined;
      const text = newLifecycle(plant.id, draftOf(learner, safe));
      const loaded = loadPlant({ file: "plant.yaml", text: PLANT_TEXT }, { file: "lifecycle.yaml", text });
      if (!loaded.ok) throw new Error(`seed ${seed}: ${loaded.error.map(({ message }) => message).join("; ")}`);
      const errors = checkSpec(loaded.value).findings.filter(({ severity }) => severity === "error");
      expect(
        errors.map(({ message }) => message),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });
});
