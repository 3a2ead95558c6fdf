import { expect, test } from "vitest";
import { MissedPeriods, missedInWords } from "#point/missed-periods.ts";
import { buildBundle } from "#specs/bundle.ts";
import { commit, createHistory } from "#specs/decide/history.ts";
import type { Observation, Position } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";

const BEAT: Rule = {
  id: RuleId("hmi-beats"),
  says: "The operator station shows that it is alive.",
  from: [DeviceId("hmi-1")],
  operation: "write",
  targets: [DeviceId("plc-1")],
  tags: [TagId("LIT101.SP")],
  raw: [],
  cadence: { period: { everyMs: 1000, jitterMs: 200 } },
  mode: "enforce",
  safety: false,
};
const MESSAGE: Observation = {
  source: DeviceId("hmi-1"),
  sourceAddress: "",
  target: DeviceId("plc-1"),
  link: LinkId("hmi-plc1"),
  operation: "write",
  message: "",
  items: [{ tag: TagId("LIT101.SP"), address: "", value: 1 }],
};

function watched() {
  const { plant, lifecycle } = waterTreatment();
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const phases = written.map((phase) =>
    phase.id === PhaseId("normal") ? { ...phase, rules: [...phase.rules, BEAT] } : phase,
  );
  const history = createHistory(compile(buildBundle(plant, { ...lifecycle, phases }), "hmi"));
  const missed = new MissedPeriods();
  const here = { phase: PhaseId("normal"), steps: [] };
  const spec = { ...lifecycle, phases };
  const beat = (nowMs: number) =>
    commit(history, MESSAGE, { verdict: "allow", rule: BEAT.id, safety: false }, "forwarded", nowMs);
  const look = (nowMs: number, position: Position | undefined = here) =>
    missed.look(history, spec, position, nowMs).map(({ id }) => id);

  const stopped = { phase: PhaseId("stopped"), steps: [] };
  return { beat, look, stopped, blind: (nowMs: number) => missed.look(history, spec, undefined, nowMs) };
}

test("a missed period is told once, and again only after a message has come in between", () => {
  const { beat, look } = watched();
  expect(look(50_000)).toEqual([]); // nothing has come yet, so nothing is missed
  beat(60_000);
  expect(look(61_200)).toEqual([]);
  expect(look(61_201)).toEqual(["hmi-beats"]);
  expect(look(62_000)).toEqual([]);
  beat(62_500);
  expect(look(62_600)).toEqual([]);
  expect(look(63_900)).toEqual(["hmi-beats"]);
  expect(missedInWords(BEAT)).toBe(
    "no message of `hmi-beats` for more than 1.2 s: The operator station shows that it is alive.",
  );
});

test("a rule that comes into force is waited for from then on", () => {
  const { beat, look, stopped } = watched();
  look(50_000);
  beat(60_000);
  expect(look(70_000, stopped)).toEqual([]);
  expect(look(80_000)).toEqual([]);
  expect(look(81_200)).toEqual([]);
  expect(look(81_201)).toEqual(["hmi-beats"]);
});

test("as long as nothing can be seen nothing is missed, and what did not come meanwhile is not either", () => {
  const { beat, look, blind } = watched();
  look(59_000);
  beat(60_000);
  expect(blind(60_500)).toEqual([]);
  expect(blind(70_000)).toEqual([]);
  expect(look(70_500)).toEqual([]);
  beat(71_000);
  expect(look(71_500)).toEqual([]);
  expect(look(72_201)).toEqual(["hmi-beats"]);
});
