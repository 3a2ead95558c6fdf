import { describe, expect, test } from "vitest";
import { nextStep } from "#sim/operator/hands.ts";
import { decideCommands, type OperatorPlan } from "#sim/operator/policy.ts";
import { FIRST_STATE, type OperatorView } from "#sim/operator/view.ts";
import { random } from "#sim/random.ts";
import { runTwin } from "#sim/twin.ts";
import { commit, judge } from "#specs/decide/decide.ts";
import { createHistory, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, TagId } from "#specs/ids.ts";
import { waterBundle } from "../water-bundle.ts";

const bundle = waterBundle();
const { plant, lifecycle } = bundle;
const HALF_HOUR_MS = 1_800_000;

describe("a quiet day", () => {
  test("passes through every phase that the lifecycle's file spells out", () => {
    const run = runTwin({ plant, lifecycle, seed: 1, untilMs: HALF_HOUR_MS, script: "quiet-day" });
    const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
    const seen = new Set(run.positions.map(({ position }) => position.phase));
    expect([...seen].sort()).toEqual(written.map((phase) => phase.id).sort());
    expect(run.harm).toEqual([]);
    expect(run.reports).toEqual([]);
  });

  test.each([
    { seed: 1, layer: "hmi" },
    { seed: 2, layer: "switch" },
    { seed: 3, layer: "switch" },
  ] as const)("seed $seed: every command is allowed by the $layer layer's whitelist", ({ seed, layer }) => {
    const denied = judgeDay(seed, layer);
    expect(denied.commands).toBeGreaterThan(300);
    expect(denied.says).toEqual([]);
  });
});

function judgeDay(seed: number, layer: Layer): { readonly commands: number; readonly says: readonly string[] } {
  const tables = compile(bundle, layer);
  const history = createHistory(tables);
  const views = new Map<number, OperatorView>();
  const run = runTwin({
    plant,
    lifecycle,
    seed,
    untilMs: HALF_HOUR_MS,
    script: "quiet-day",
    watch: (atMs, view) => void views.set(atMs, view),
  });
  const says: string[] = [];
  let next = 0;
  for (const [atMs, view] of views) {
    for (const [tag, value] of view.tags) observeTag(history, tag, value, atMs);
    for (; run.commands[next]?.atMs === atMs; next += 1) {
      const command = run.commands[next];
      if (command === undefined) break;
      const device = plant.tags.find((tag) => tag.id === command.tag)?.device ?? DeviceId("none");
      const link = plant.links.find((l) => l.client === command.from && l.server === device && l.protocol === "modbus");
      const observation: Observation = {
        source: DeviceId(command.from),
        sourceAddress: "",
        target: device,
        link: link?.id,
        operation: "write",
        message: "",
        items: [{ tag: command.tag, address: "", value: command.value }],
      };
      const verdict = judge(tables, { kind: "phase", position: command.position }, observation, history, atMs);
      if (verdict.verdict === "deny") says.push(`${atMs} ${command.position.phase}: ${verdict.says}`);
      commit(history, observation, verdict, "forwarded", atMs);
      commit(history, observation, verdict, "answered-ok", atMs);
    }
  }
  return { commands: run.commands.length, says };
}

describe("the next step towards a target", () => {
  const limits = { min: 20, max: 40, step: 5, gapMs: 0 };
  test.each([
    { name: "reaches a near target", shown: 30, target: 32, want: 32 },
    { name: "goes no further than the largest step", shown: 30, target: 40, want: 34.9 },
    { name: "comes back into the range when one step does it", shown: 43, target: 30, want: 38.1 },
    { name: "is none when the range is out of reach", shown: 55, target: 30, want: undefined },
    { name: "is none from far below", shown: 10, target: 30, want: undefined },
    { name: "never leaves the range", shown: 39, target: 60, want: 40 },
  ])("$name", ({ shown, target, want }) => {
    const next = nextStep(shown, target, limits, 0.1);
    if (want === undefined) expect(next).toBeUndefined();
    else expect(next).toBeCloseTo(want, 6);
  });
});

describe("he acts only on what he sees", () => {
  const plan: OperatorPlan = { script: "none", demand: () => 30, returnAfterMs: undefined };
  const view = (phase: string, steps: readonly string[], tags: Readonly<Record<string, number>>): OperatorView => ({
    console: { phase, steps, epoch: 3 },
    tags: new Map(Object.entries(tags).map(([tag, value]) => [TagId(tag), value] as const)),
  });
  const disturbed = {
    "FIC101.SP": 55,
    "FIC401.SP": 30,
    "DOS201.SP": 7,
    LIT401: 1.7,
    PDT301: 10,
    "V301.CMD": 0,
    FIT101: 55,
  };

  function watch(shown: OperatorView, rounds: number) {
    let state = FIRST_STATE;
    const rng = random(1, "test");
    const commands: string[] = [];
    const reports: string[] = [];
    for (let i = 1; i <= rounds; i += 1) {
      const decision = decideCommands(plan, state, shown, i * 500, rng);
      state = decision.state;
      commands.push(...decision.commands.map(({ tag }) => `${i * 500} ${tag}`));
      reports.push(...decision.reports);
    }
    return { commands, reports };
  }

  test.each(["stopped", "degraded.local-control", "degraded.hmi-quarantined", "recovery.verify", "unheard-of"])(
    "hands off in `%s`",
    (phase) => {
      expect(watch(view(phase, [], disturbed), 60).commands).toEqual([]);
    },
  );

  test("a start that is broken off is switched off in the order that harms nothing", () => {
    const running = { "MV101.CMD": 1, "MV101.POS": 100, AUTO101: 1, "P201.CMD": 1, "P101.CMD": 1, "P401.CMD": 0 };
    const asked = (tags: Readonly<Record<string, number>>) => watch(view("degraded.start-held", [], tags), 6).commands;
    expect(asked(running)[0]).toContain("MV101.CMD");
    expect(asked({ ...running, "MV101.CMD": 0 })[0]).toContain("AUTO101");
    const inletMoves = { ...running, "MV101.CMD": 0, AUTO101: 0, "P201.CMD": 0 };
    expect(asked(inletMoves), "the feed pump goes on until the inlet is closed").toEqual([]);
    expect(asked({ ...inletMoves, "MV101.POS": 0 })[0]).toContain("P101.CMD");
  });

  test("set-points out of reach are reported, not written", () => {
    const { commands, reports } = watch(view("normal", ["produce"], disturbed), 60);
    expect(commands.filter((c) => c.includes("FIC101.SP") || c.includes("DOS201.SP"))).toEqual([]);
    expect(commands.some((c) => c.includes("FIC401.SP"))).toBe(true);
    expect(reports).toEqual(
      expect.arrayContaining([
        expect.stringContaining("FIC101.SP shows 55"),
        expect.stringContaining("DOS201.SP shows 7"),
      ]),
    );
  });

  test("nothing is written for a second after a change on the console, nor without a console, nor without readings", () => {
    const first = watch(view("normal", ["produce"], { ...disturbed, "FIC101.SP": 30 }), 60).commands[0];
    expect(Number(first?.split(" ")[0])).toBeGreaterThanOrEqual(1500);
    expect(watch({ ...view("normal", ["produce"], disturbed), console: undefined }, 20).commands).toEqual([]);
    expect(watch(view("normal", ["produce"], {}), 20).commands).toEqual([]);
  });
});
