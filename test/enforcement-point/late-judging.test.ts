import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OrderMessage } from "#point/bus.ts";
import { FormerPhases, MAX_FORMER } from "#point/former-phases.ts";
import { HeldPhase } from "#point/held-phase.ts";
import { Judge } from "#point/judge.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, Epoch, LinkId, PhaseId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import { MIRROR_DELAY_MS } from "#specs/lifecycle.ts";
import { StepTracker } from "#specs/steps.ts";
import { waterTreatment } from "../support/plant.ts";

/**
 * A layer that judges a copy hears of a phase at once, and sees a command up to `mirrorDelay` later. It judges as one that sees
 * everything at once; that one has no former phases to look up.
 */
const { bundle } = waterTreatment();
const zone = ZoneId("works");
const SKEW_MS = bundle.lifecycle.skewMs;
const PHASES = ["stopped", "startup", "normal", "shutdown", "degraded.local-control"].map(PhaseId);

type Word =
  | {
      readonly kind: "prepare" | "window" | "take" | "abort" | "emergency";
      readonly epoch: number;
      readonly to: PhaseId;
    }
  | { readonly kind: "steps"; readonly steps: readonly string[] }
  | { readonly kind: "silence" };
type Shown =
  | { readonly kind: "write"; readonly tag: string; readonly value: number }
  | { readonly kind: "read"; readonly tag: string; readonly value: number };

class Layer {
  readonly judge: Judge;
  /** By capture time. */
  readonly verdicts = new Map<number, string>();

  constructor() {
    this.judge = new Judge({ layer: "hmi", bundle, mode: "enforce", passive: true });
    this.judge.holder.adopt({ zone, phase: PhaseId("startup"), steps: [], epoch: Epoch(1), atMs: 0 }, 0);
  }

  hears(word: Word, atMs: number): void {
    const { holder } = this.judge;
    holder.forget(atMs);
    if (word.kind === "steps") {
      const { epoch, position } = holder;
      if (epoch === undefined || position === undefined) return;
      holder.adopt({ zone, phase: position.phase, steps: word.steps.map(StepId), epoch, atMs }, atMs);
    } else if (word.kind === "silence") holder.checkLease(Number.MAX_VALUE, atMs);
    else holder.order(orderOf(word, holder.position?.phase ?? PhaseId("stopped")), atMs);
  }

  sees(shown: Shown, atMs: number): void {
    const { tag, value } = shown;
    if (shown.kind === "read") {
      this.judge.sawTag(TagId(tag), value, atMs);
      this.judge.sawTags(atMs);
      return;
    }
    const judged = this.judge.judge(writeOf(tag, value), atMs);
    this.judge.became(judged, "forwarded", atMs);
    this.judge.became(judged, "answered-ok", atMs);
    const { verdict } = judged;
    const why = verdict.verdict === "deny" ? `${verdict.reason} ${verdict.says}` : verdict.rule;
    this.verdicts.set(atMs, `${judged.epoch} ${judged.phase} ${verdict.verdict} ${why}`);
  }
}

function orderOf({ kind, epoch, to }: Extract<Word, { epoch: number }>, from: PhaseId): OrderMessage {
  const base = { zone, change: `c${epoch}`, epoch: Epoch(epoch), to, steps: [], atMs: 0 };
  switch (kind) {
    case "prepare":
      return { ...base, order: "prepare", from, window: ["nm-dose-sp"] };
    case "window":
      return { ...base, order: "window", layer: "hmi" };
    case "abort":
      return { ...base, order: "abort", from };
    default:
      return { ...base, order: "take", layer: kind === "take" ? "hmi" : "all" };
  }
}

function writeOf(tag: string, value: number): Observation {
  return {
    ...{ source: DeviceId("hmi-1"), sourceAddress: "", target: DeviceId("plc-1"), link: LinkId("hmi-plc1") },
    ...{
      operation: "write",
      message: "",
      items: [{ tag: TagId(tag), address: tag, value }],
      quantity: 1,
      functionCode: 6,
    },
  };
}

/** Frames lie between the words, further from them than the skew. */
const WORD_EVERY_MS = 1000;
const shown: fc.Arbitrary<Shown> = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    tag: fc.constantFrom("MV101.CMD", "FIC101.SP", "DOS201.SP", "LIT101.SP", "AUTO101"),
    value: fc.constantFrom(0, 1, 2, 10, 25, 30),
  }),
  fc.record({
    kind: fc.constant("read" as const),
    tag: fc.constantFrom("LIT101", "MV101.OPEN", "FIT101", "AIT201"),
    value: fc.constantFrom(0, 1, 1.5, 9),
  }),
);
const change = fc.record({
  to: fc.constantFrom(...PHASES),
  ends: fc.constantFrom("take", "abort", "emergency" as const),
});
const words: fc.Arbitrary<readonly Word[]> = fc
  .array(
    fc.oneof(
      change,
      fc.record({ steps: fc.subarray(["fill", "prime", "dose-check", "ramp"]) }),
      fc.constant("silence" as const),
    ),
    { maxLength: 6 },
  )
  .map((deeds) =>
    deeds.flatMap((deed, n): readonly Word[] => {
      if (deed === "silence") return [{ kind: "silence" }];
      if ("steps" in deed) return [{ kind: "steps", steps: deed.steps }];
      const about = { epoch: n + 2, to: deed.to };
      const ends = { kind: deed.ends, ...about } as Word;
      if (deed.ends === "emergency") return [ends];
      return [{ kind: "prepare", ...about }, { kind: "window", ...about }, ends];
    }),
  );
const frames = (count: number) =>
  fc.array(
    fc.record({
      atMs: fc
        .tuple(fc.nat(count), fc.integer({ min: SKEW_MS + 1, max: WORD_EVERY_MS - SKEW_MS - 1 }))
        .map(([n, ms]) => WORD_EVERY_MS * n + ms),
      delayMs: fc.nat(MIRROR_DELAY_MS),
      shown,
    }),
    { maxLength: 40 },
  );

/** What leads a step on is seen late, when a window has begun meanwhile: it holds in that too, and when the change is given up. */
const SEEN_AFTER_A_WINDOW: [Word[], { atMs: number; delayMs: number; shown: Shown }[]] = [
  [
    { kind: "steps", steps: ["prime"] },
    { kind: "prepare", epoch: 3, to: PhaseId("stopped") },
    { kind: "window", epoch: 3, to: PhaseId("stopped") },
    { kind: "abort", epoch: 3, to: PhaseId("stopped") },
  ],
  [
    { atMs: 101, delayMs: 0, shown: { kind: "read", tag: "FIT101", value: 9 } },
    { atMs: 2101, delayMs: 899, shown: { kind: "read", tag: "FIT101", value: 9 } },
  ],
];

test("whatever is late, it is judged as if it had been seen at once", () => {
  let late = 0;
  fc.assert(
    fc.property(
      words.chain((said) => fc.tuple(fc.constant(said), frames(said.length))),
      ([said, captured]) => {
        const told = said.map((word, n) => ({ word, atMs: WORD_EVERY_MS * (n + 1) }));
        const inOrder = captured
          .toSorted((a, b) => a.atMs - b.atMs)
          .filter(({ atMs }, n, all) => atMs !== all[n - 1]?.atMs);
        // To the one that sees all at once no former phase is of any use: what it judges by is what is in force.
        const atOnce = new Layer();
        for (const event of [...told, ...inOrder].toSorted((a, b) => a.atMs - b.atMs)) play(atOnce, event);

        const behind = new Layer();
        let comesMs = 0;
        const coming = inOrder.map((frame) => {
          comesMs = Math.max(comesMs, frame.atMs + frame.delayMs);
          return { comesMs, frame };
        });
        const events = [...told.map((word) => ({ comesMs: word.atMs, frame: word })), ...coming];
        for (const { frame } of events.toSorted((a, b) => a.comesMs - b.comesMs)) play(behind, frame);

        expect([...behind.verdicts]).toEqual([...atOnce.verdicts]);
        expect(behind.judge.holder.position).toEqual(atOnce.judge.holder.position);
        late += coming.filter(({ comesMs: at, frame }) =>
          told.some(({ atMs }) => frame.atMs < atMs && atMs < at),
        ).length;
      },
    ),
    { numRuns: 400, examples: [[SEEN_AFTER_A_WINDOW]] },
  );
  expect(late).toBeGreaterThan(300);
});

function play(layer: Layer, event: { readonly atMs: number; readonly word?: Word; readonly shown?: Shown }): void {
  if (event.word !== undefined) layer.hears(event.word, event.atMs);
  if (event.shown !== undefined) layer.sees(event.shown, event.atMs);
}

describe("around one change, from startup, where the inlet may be opened, to normal, where it may not", () => {
  const OPEN = { kind: "write", tag: "MV101.CMD", value: 1 } as const;
  const about = { epoch: 2, to: PhaseId("normal") };
  const changed = (): Layer => {
    const layer = new Layer();
    layer.hears({ kind: "prepare", ...about }, 8000);
    layer.hears({ kind: "window", ...about }, 9000);
    layer.hears({ kind: "take", ...about }, 10_000);
    return layer;
  };

  test.each([
    { name: "sent before the change", atMs: 8500, want: "1 startup allow fill-open-inlet" },
    { name: "sent while it ran", atMs: 9500, want: "1 startup allow fill-open-inlet" },
    { name: "sent at its last instant", atMs: 10_000, want: "1 startup allow fill-open-inlet" },
    { name: "sent after it, within the skew", atMs: 10_000 + SKEW_MS - 1, want: "1 startup allow fill-open-inlet" },
    { name: "sent after it", atMs: 10_000 + SKEW_MS, want: "2 normal deny PHASE_FORBIDS" },
  ])("a command $name is judged by what held then: $want", ({ atMs, want }) => {
    const layer = changed();
    layer.sees(OPEN, atMs);
    expect(layer.verdicts.get(atMs)).toMatch(new RegExp(`^${want}`));
  });

  test("a command of the new phase just before it began here is within the skew", () => {
    const layer = changed();
    const level = { kind: "write", tag: "LIT101.SP", value: 1.9 } as const;
    layer.sees({ ...level, kind: "read" }, 8000);
    layer.sees(level, 9000 - SKEW_MS);
    layer.sees(level, 9000 - SKEW_MS + 1);
    expect([...layer.verdicts.values()]).toMatchObject(
      [/^1 startup deny/, /^1 startup allow nm-level-sp/].map((want) => expect.stringMatching(want)),
    );
  });

  test("when no frame of its time can come any more, a clock that is behind is judged by what holds", () => {
    const layer = changed();
    layer.judge.holder.forget(10_000 + MIRROR_DELAY_MS + SKEW_MS);
    layer.sees(OPEN, 9990);
    layer.judge.holder.forget(10_001 + MIRROR_DELAY_MS + SKEW_MS);
    layer.sees(OPEN, 9991);
    expect([...layer.verdicts.values()]).toMatchObject(
      [/allow/, /2 normal deny/].map((want) => expect.stringMatching(want)),
    );
  });
});

test("what is captured before the first word is judged by it", () => {
  const judge = new Judge({ layer: "hmi", bundle, mode: "enforce", passive: true });
  judge.holder.adopt({ zone, phase: PhaseId("startup"), steps: [], epoch: Epoch(1), atMs: 5000 }, 5000);
  expect(judge.judge(writeOf("MV101.CMD", 1), 4000)).toMatchObject({ verdict: { verdict: "allow" }, phase: "startup" });
});

test("former phases are bounded: the oldest goes", () => {
  const tables = compile(bundle, "hmi");
  const former = new FormerPhases({ mirrorDelayMs: 1000, skewMs: 0 });
  const held = Array.from({ length: MAX_FORMER + 1 }, (_, n) => {
    const words = { epoch: Epoch(n + 1), window: undefined, isolated: undefined };
    return new HeldPhase(tables, "either", new StepTracker(tables), words);
  });
  for (const [n, one] of held.slice(0, MAX_FORMER).entries()) former.ended(one, n);
  expect([former.size, former.at(0)]).toEqual([MAX_FORMER, held[0]]);
  former.ended(held[MAX_FORMER] as HeldPhase, MAX_FORMER);
  expect([former.size, former.at(0)]).toEqual([MAX_FORMER, held[1]]);
  expect(former.at(MAX_FORMER + 1)).toBeUndefined();
});
