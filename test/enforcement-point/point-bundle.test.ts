import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PREFIX, topic } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import { Point } from "#point/point.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, LinkId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import { err, ok } from "#specs/result.ts";
import { waterTreatment } from "../support/plant.ts";

const clock: PlantClock = { now: () => 1_000_000, on: () => undefined, close: () => undefined };
const { plant, lifecycle } = waterTreatment();
const inlet: Observation = {
  ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:1", target: DeviceId("plc-1"), link: LinkId("hmi-plc1") },
  ...{ operation: "write", message: "Write Single Coil (05)" },
  items: [{ tag: TagId("MV101.CMD"), address: "unit 1 coil 0", value: 1 }],
};

/** A version in which the operator station may, or may not, command the inlet in every phase. */
function version(n: number, open: boolean, change: (of: Lifecycle) => Lifecycle = (of) => of): Bundle {
  const added = open ? [rule("t-inlet", "MV101.CMD")] : [];
  return buildBundle(plant, change({ ...lifecycle, version: n, rules: [...lifecycle.rules, ...added] }));
}

function rule(id: string, tag: string, more: Partial<Rule> = {}): Rule {
  const about = { from: [DeviceId("hmi-1")], targets: [DeviceId("plc-1")], tags: [TagId(tag)] } as const;
  const fixed = { says: "It may.", operation: "write", raw: [], mode: "enforce", safety: false } as const;
  return { id: RuleId(id), ...fixed, ...about, ...more };
}

/** `normal` has another name. */
const renamed = (of: Lifecycle): Lifecycle =>
  JSON.parse(JSON.stringify(of).replaceAll('"normal"', '"production"')) as Lifecycle;

let runDir: string;
const stops: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), "sekisho-point-"));
  stops.push(() => rmSync(runDir, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const common = { point: "p", layer: "switch", mode: "enforce", clock } as const;

async function alone(bundle: Bundle, phase = "normal"): Promise<Point> {
  const point = new Point({ ...common, bundle, runDir, standalonePhase: PhaseId(phase) });
  await point.start();
  return point;
}

describe("alone", () => {
  test("a good bundle is in force with the next message; what is under way settles under the one before", async () => {
    const point = await alone(version(1, true));
    const judged = point.judge(inlet);
    point.forwarded(judged);
    expect(point.takeBundle(() => version(2, false))).toMatchObject({ taken: true });
    expect(point.judge(inlet).action).toBe("blocked");
    expect([judged.action, judged.verdict.verdict, judged.tables === point.tables]).toEqual([
      "forwarded",
      "allow",
      false,
    ]);
    point.settle(judged, "answered-ok");
    expect(point.takeBundle(() => version(3, true))).toMatchObject({ taken: true });
    expect(point.judge(inlet).action).toBe("forwarded");
    expect(point.phase).toBe("normal");
  });

  test.each([
    { name: "the same", values: [0, 1], allows: true },
    { name: "another", values: [1], allows: false },
  ])(
    "an answer to a message that was judged before counts for the rule as it was: $name, $allows",
    async ({ values, allows }) => {
      const rules = (oneOf: readonly number[]) => (of: Lifecycle) => ({
        ...of,
        rules: [
          ...of.rules,
          rule("t-inlet", "MV101.CMD", { value: { oneOf } }),
          rule("t-pump", "P101.CMD", { causality }),
        ],
      });
      const causality = { follows: { rule: RuleId("t-inlet"), withinMs: 10_000, once: true } };
      const point = await alone(version(1, false, rules([0, 1])));
      const judged = point.judge(inlet);
      point.forwarded(judged);
      point.takeBundle(() => version(2, false, rules(values)));
      point.settle(judged, "answered-ok");
      const pump = { ...inlet, items: [{ tag: TagId("P101.CMD"), address: "unit 1 coil 1", value: 1 }] };
      expect(point.judge(pump).verdict.verdict).toBe(allows ? "allow" : "deny");
    },
  );

  test("its version is remembered over a restart", async () => {
    const point = await alone(version(1, true));
    const third = version(3, true);
    point.takeBundle(() => third);
    expect(JSON.parse(readFileSync(join(runDir, "p.bundle.json"), "utf8"))).toMatchObject({ version: 3, id: third.id });
    await expect(alone(version(2, true))).rejects.toThrow("has version 2, but version 3 was loaded here before");
  });

  test("what cannot be opened, is older, or has not the phase is refused, and is not remembered", async () => {
    const point = await alone(version(2, true));
    const before = readFileSync(join(runDir, "p.bundle.json"), "utf8");
    const offers: readonly (() => Bundle)[] = [
      () => {
        throw new Error("the file cannot be read");
      },
      () => version(1, false),
      () => version(2, false),
      () => version(3, false, renamed),
    ];
    const answers = offers.map((open) => point.takeBundle(open));
    expect(answers.map(({ taken }) => taken)).toEqual([false, false, false, false]);
    for (const { says } of answers)
      expect(says).toMatch(/; bundle [0-9a-f]{12} \(water-treatment, version 2\) stays in force$/);
    expect(answers.at(-1)?.says).toContain("phase `normal`, in which this point stands alone, is not in the bundle");
    expect(point.judge(inlet).action).toBe("forwarded");
    expect(readFileSync(join(runDir, "p.bundle.json"), "utf8")).toBe(before);
  });

  test("a part that cannot follow keeps it out; one that can changes in the same breath", async () => {
    const point = await alone(version(1, true));
    point.setFollower(() => err("this part cannot"));
    expect(point.takeBundle(() => version(2, false))).toMatchObject({
      taken: false,
      says: expect.stringMatching(/^this part cannot; /),
    });
    expect(point.judge(inlet).action).toBe("forwarded");
    const seen: string[] = [];
    point.setFollower((bundle) =>
      ok(() => void seen.push(`${bundle.lifecycle.version} ${point.bundle.lifecycle.version}`)),
    );
    point.takeBundle(() => version(2, false));
    expect(seen).toEqual(["2 2"]);
  });

  test("the same once more changes nothing, and is not refused", async () => {
    const point = await alone(version(1, true));
    const { tables } = point;
    expect(point.takeBundle(() => version(1, true))).toMatchObject({
      taken: true,
      says: expect.stringMatching(/already$/),
    });
    expect(point.tables).toBe(tables);
  });
});

describe("led by a coordinator", () => {
  const PORT = 18_955;
  let aedes: Aedes;
  let server: Server;
  const heard: { readonly topic: string; readonly payload: Readonly<Record<string, unknown>> }[] = [];

  beforeEach(async () => {
    heard.length = 0;
    aedes = await Aedes.createBroker();
    aedes.on("publish", ({ topic: where, payload }) => {
      if (where.startsWith(PREFIX)) heard.push({ topic: where, payload: JSON.parse(payload.toString()) });
    });
    server = createServer(aedes.handle);
    await new Promise<void>((resolve) => server.listen(PORT, "127.0.0.1", resolve));
    stops.push(async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    });
  });

  function say(what: "position" | "order", message: object): void {
    const payload = JSON.stringify({ zone: "works", atMs: 1_000_000, steps: [], ...message });
    const packet = { cmd: "publish", qos: 0, dup: false, retain: what === "position" } as const;
    aedes.publish({ ...packet, topic: topic[what]("works"), payload }, () => undefined);
  }

  async function led(bundle: Bundle): Promise<Point> {
    say("position", { phase: "normal", steps: ["produce"], epoch: 3 });
    const point = new Point({ ...common, bundle, runDir, bus: { url: `mqtt://127.0.0.1:${PORT}` } });
    await point.start();
    stops.push(() => point.close());
    return point;
  }

  const saved = () => JSON.parse(readFileSync(join(runDir, "p.phase.json"), "utf8"));
  const last = (where: string) => heard.filter((message) => message.topic === where).at(-1)?.payload;

  test("phase, epoch and steps are kept; a notice and the status tell of the bundle, taken or not", async () => {
    const point = await led(version(1, true));
    const second = version(2, false);
    point.takeBundle(() => second);
    expect([point.phase, point.epoch, point.state]).toEqual(["normal", 3, "in-force"]);
    expect(saved()).toEqual({ epoch: 3, phase: "normal", steps: ["produce"] });
    await expect
      .poll(() => last(topic.status("p")))
      .toMatchObject({ bundle: second.id, phase: "normal", steps: ["produce"] });
    await expect
      .poll(() => last(topic.notice("p")))
      .toMatchObject({
        code: "BUNDLE_TAKEN",
        severity: "info",
        says: `bundle ${second.id.slice(0, 12)} (water-treatment, version 2) is in force`,
      });
    point.takeBundle(() => version(1, true));
    await expect.poll(() => last(topic.notice("p"))).toMatchObject({ code: "BUNDLE_REFUSED" });
    expect(last(topic.status("p"))).toMatchObject({ bundle: second.id });
  });

  test("without the held phase in it, the zone's isolated phase is in force, until a bundle has it again and the coordinator says so", async () => {
    const point = await led(version(1, true));
    const answer = point.takeBundle(() => version(2, true, renamed));
    expect(answer).toMatchObject({
      taken: true,
      says: expect.stringContaining("`degraded.local-control` is in force here"),
    });
    expect([point.phase, point.epoch, point.state]).toEqual(["degraded.local-control", 3, "isolated"]);
    await expect
      .poll(() => last(topic.status("p")))
      .toMatchObject({
        state: "isolated",
        says: "phase `normal`, which is held, is not in this point's bundle",
      });
    say("position", { phase: "normal", steps: ["produce"], epoch: 3 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(point.state).toBe("isolated");
    expect(saved().phase).toBeNull();
    point.takeBundle(() => version(3, true));
    expect(point.state).toBe("isolated");
    say("position", { phase: "normal", steps: ["produce"], epoch: 3 });
    await expect.poll(() => point.state).toBe("in-force");
    expect(saved()).toEqual({ epoch: 3, phase: "normal", steps: ["produce"] });
  });

  test("not while a change of phase is under way; and a change is not prepared for another bundle than the coordinator's", async () => {
    const point = await led(version(1, true));
    const change = { change: "c-1", epoch: 4, to: "degraded.local-control", from: "normal", window: [] };
    const prepare = async (bundle?: string) => {
      heard.length = 0;
      say("order", { ...change, order: "prepare", ...(bundle === undefined ? {} : { bundle }) });
      await expect.poll(() => last(topic.answer("p"))).toBeDefined();
      return last(topic.answer("p"));
    };
    expect(await prepare("f".repeat(64))).toMatchObject({
      agreed: false,
      says: expect.stringMatching(/^this point holds bundle [0-9a-f]{12}, and the coordinator leads by bundle f{12}$/),
    });
    expect(point.takeBundle(() => version(2, true)).taken).toBe(true);
    expect(await prepare(version(2, true).id)).toMatchObject({ agreed: true });
    expect(point.takeBundle(() => version(3, true))).toMatchObject({
      taken: false,
      says: expect.stringMatching(/^a change of phase is under way/),
    });
    say("order", { ...change, order: "take", layer: "all" });
    await expect.poll(() => point.phase).toBe("degraded.local-control");
    expect(point.takeBundle(() => version(3, true)).taken).toBe(true);
    expect([point.phase, point.epoch]).toEqual(["degraded.local-control", 4]);
  });
});
