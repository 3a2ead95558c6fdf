import { describe, expect, test } from "vitest";
import { stepsOf } from "#specs/check/phase-lists.ts";
import { excessOf, permissionsOf } from "#specs/check/whitelist.ts";
import { commit, judge } from "#specs/decide/decide.ts";
import { allRules } from "#specs/positions.ts";
import { pick, seededDraw } from "../../support/random-plant-draw.ts";
import { randomWorld, type World } from "../decide/twin-world.ts";
import { askFor, sightedHistory, valueFor } from "./asks.ts";

const SEEDS = Array.from({ length: 120 }, (_, n) => n + 1);

/** The values at which conditions change. */
function boundsIn({ lifecycle }: World): readonly number[] {
  return allRules(lifecycle).flatMap(({ causality }) =>
    [...(causality?.after?.all ?? []), ...(causality?.notWhile?.all ?? [])].map(({ value }) => value),
  );
}

function positionIn(draw: ReturnType<typeof seededDraw>, { lifecycle }: World, zone?: string) {
  const phase = pick(
    draw,
    lifecycle.phases.filter((candidate) => zone === undefined || candidate.zone === zone),
  );
  return { phase, step: pick(draw, stepsOf(phase)) };
}

const standing = ({ phase, step }: ReturnType<typeof positionIn>) =>
  ({ kind: "phase", position: { phase: phase.id, steps: step === undefined ? [] : [step.id] } }) as const;

describe("what the whitelists say, the decision core does", () => {
  test("where one whitelist covers another, nothing is allowed by the one and denied by the other", () => {
    let covered = 0;
    for (const seed of SEEDS) {
      const draw = seededDraw(seed);
      const world = randomWorld(draw);
      const { plant, lifecycle, tables } = world;
      const bounds = boundsIn(world);
      for (let pairs = 0; pairs < 6; pairs += 1) {
        const narrow = positionIn(draw, world);
        const wide = positionIn(draw, world, narrow.phase.zone);
        const [some, others] = [narrow, wide].map(({ phase, step }) =>
          permissionsOf(plant, lifecycle, phase.id, step?.id, "hmi"),
        );
        const history = sightedHistory(draw, tables.hmi, plant, bounds, 1000);
        for (const permission of some?.values() ?? []) {
          const observation = askFor(plant, permission, valueFor(draw, permission));
          if (
            observation === undefined ||
            excessOf(plant, lifecycle, permission, others?.get(permission.key)).length > 0
          )
            continue;
          const [first, second] = [narrow, wide].map((position) =>
            judge(tables.hmi, standing(position), observation, history, 100_000),
          );
          if (first?.verdict !== "allow") continue;
          covered += 1;
          expect(second, `seed ${seed}: ${permission.key} from ${narrow.phase.id} in ${wide.phase.id}`).toMatchObject({
            verdict: "allow",
          });
        }
      }
    }
    expect(covered).toBeGreaterThan(1000);
  });

  test("what is in no whitelist is denied, and what is in one is allowed once its conditions hold", () => {
    let [absent, present] = [0, 0];
    for (const seed of SEEDS) {
      const draw = seededDraw(seed);
      const world = randomWorld(draw);
      const { plant, lifecycle, tables } = world;
      const history = sightedHistory(draw, tables.hmi, plant, boundsIn(world), 1000);
      const everywhere = lifecycle.phases.flatMap(({ id, zone, steps }) =>
        (steps.length === 0 ? [undefined] : steps).flatMap((step) =>
          [...permissionsOf(plant, lifecycle, id, step?.id, "hmi").values()].map((permission) => ({
            permission,
            zone,
          })),
        ),
      );
      const position = positionIn(draw, world);
      const held = permissionsOf(plant, lifecycle, position.phase.id, position.step?.id, "hmi");
      for (const { permission, zone } of everywhere.filter((entry) => entry.zone === position.phase.zone)) {
        const observation = askFor(plant, permission, valueFor(draw, permission));
        if (observation === undefined || zone !== position.phase.zone) continue;
        const verdict = judge(tables.hmi, standing(position), observation, history, 100_000);
        const grants = held.get(permission.key)?.grants;
        if (grants === undefined) {
          absent += 1;
          expect(verdict, `seed ${seed}: ${permission.key}`).toMatchObject({ verdict: "deny" });
        } else if (verdict.verdict === "allow") {
          present += 1;
          expect(grants.map(({ rule }) => rule.id)).toContain(verdict.rule);
        }
      }
    }
    expect(absent).toBeGreaterThan(400);
    expect(present).toBeGreaterThan(400);
  });

  test("a command that one layer lets through in time is in time one layer down, though it is seen later there", () => {
    let passed = 0;
    for (const seed of SEEDS) {
      const draw = seededDraw(seed);
      const world = randomWorld(draw);
      const { plant, lifecycle, tables } = world;
      const { skewMs } = lifecycle;
      const position = positionIn(draw, world);
      const permitted = standing(position);
      const bounds = boundsIn(world);
      const state = draw.below(1_000_000);
      const seen = (["hmi", "switch", "plc"] as const).map((layer) =>
        sightedHistory(seededDraw(state), tables[layer], plant, bounds, 1000),
      );
      const permissions = [...permissionsOf(plant, lifecycle, position.phase.id, position.step?.id, "hmi").values()];
      if (permissions.length === 0) continue;
      let nowMs = 2000;
      for (let n = 0; n < 60; n += 1) {
        nowMs += pick(draw, [1, 50, 400, 1000, 5000]) + 2 * skewMs;
        const permission = pick(draw, permissions);
        const observation = askFor(plant, permission, valueFor(draw, permission));
        // Roles are judged at the switch alone: of several rules another may allow there.
        const isByRole = permission.grants.length > 1 && permission.grants.some(({ rule }) => rule.roles !== undefined);
        if (observation === undefined || isByRole) continue;
        const later = [0, draw.below(skewMs + 1), 0];
        later[2] = (later[1] ?? 0) + draw.below(skewMs + 1);
        const verdicts = (["hmi", "switch", "plc"] as const).map((layer, index) => {
          const history = seen[index];
          if (history === undefined) throw new Error("unreachable");
          const atMs = nowMs + (later[index] ?? 0);
          const verdict = judge(tables[layer], permitted, observation, history, atMs);
          const enter = () => {
            commit(history, observation, verdict, "forwarded", atMs);
            if (layer !== "plc") commit(history, observation, verdict, "answered-ok", atMs);
          };
          return { layer, verdict, enter };
        });
        const [hmi, ...below] = verdicts;
        if (hmi?.verdict.verdict !== "allow") continue;
        const guarded = plant.devices.find(({ id }) => id === observation.target)?.guard === true;
        for (const { layer, verdict } of below) {
          if (layer === "plc" && (observation.operation !== "write" || !guarded)) continue;
          passed += 1;
          expect(verdict, `seed ${seed}, ${layer}: ${permission.key}`).toMatchObject({ verdict: "allow" });
        }
        for (const { enter } of verdicts) enter();
      }
    }
    expect(passed).toBeGreaterThan(1000);
  });
});
