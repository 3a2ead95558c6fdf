import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { OrderMessage, PositionMessage } from "#point/bus.ts";
import { PhaseHolder } from "#point/phase-holder.ts";
import { permit } from "#specs/decide/permit.ts";
import { compile } from "#specs/decide/tables.ts";
import { Epoch, PhaseId, RuleId, StepId, ZoneId } from "#specs/ids.ts";
import type { Phase } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";

const { bundle } = waterTreatment();
const tables = compile(bundle, "switch");
const zone = ZoneId("works");
const normal = PhaseId("normal");
const degraded = PhaseId("degraded.local-control");

function position(epoch: number, phase = normal, steps: string[] = []): PositionMessage {
  return { zone, phase, steps: steps.map(StepId), epoch: Epoch(epoch), atMs: 0 };
}

function base(epoch: number, to = degraded) {
  return { zone, change: `c${epoch}`, epoch: Epoch(epoch), to, steps: [], atMs: 0 };
}
const prepare = (epoch: number, from = normal, to = degraded): OrderMessage => ({
  ...base(epoch, to),
  order: "prepare",
  from,
  window: ["estop"],
});
const window = (epoch: number, layer: "hmi" | "switch" | "plc" = "switch"): OrderMessage => ({
  ...base(epoch),
  order: "window",
  layer,
});
const take = (epoch: number, layer: "switch" | "all" = "switch"): OrderMessage => ({
  ...base(epoch),
  order: "take",
  layer,
});
const abort = (epoch: number): OrderMessage => ({ ...base(epoch), order: "abort", from: normal });

let holder: PhaseHolder;
beforeEach(() => {
  holder = new PhaseHolder(tables, zone, "switch");
});

describe("joining", () => {
  test("holds nothing and permits nothing until told where the zone stands", () => {
    expect(holder.state).toBe("joining");
    expect(holder.permitted).toEqual({ kind: "none" });
    expect(holder.adopt(position(3), 0)).toBe(true);
    expect(holder.state).toBe("in-force");
    expect(holder.epoch).toBe(3);
  });

  test("a position of another zone, of an unknown phase or of an older epoch is refused", () => {
    holder.adopt(position(3), 0);
    expect(holder.adopt({ ...position(4), zone: ZoneId("elsewhere") }, 0)).toBe(false);
    expect(holder.adopt(position(4, PhaseId("startpu")), 0)).toBe(false);
    expect(holder.adopt(position(2, degraded), 0)).toBe(false);
    expect(holder.position?.phase).toBe(normal);
  });

  test("another phase under the held epoch is refused: an epoch names one phase", () => {
    holder.adopt(position(3), 0);
    expect(holder.adopt(position(3, degraded), 0)).toBe(false);
  });
});

describe("a planned change", () => {
  beforeEach(() => holder.adopt(position(3), 0));

  test("goes through prepare, window and take", () => {
    expect(holder.order(prepare(4), 0)).toEqual({ agreed: true, says: "" });
    expect(holder.permitted.kind).toBe("phase");
    expect(holder.order(window(4), 0)?.agreed).toBe(true);
    expect(holder.permitted).toMatchObject({ kind: "window", window: ["estop"] });
    expect(holder.order(take(4), 0)?.agreed).toBe(true);
    expect(holder.position?.phase).toBe(degraded);
    expect(holder.epoch).toBe(4);
  });

  test("a layer that stands in the path lets pass what both phases allow, the HMI layer inline too; one that looks on, what either does", () => {
    const judgedBy = (layer: "hmi" | "switch", isLate: boolean) => {
      const one = new PhaseHolder(tables, zone, layer, isLate);
      one.adopt(position(3), 0);
      one.order(prepare(4), 0);
      one.order(window(4, layer), 0);
      return one.permitted;
    };
    expect(judgedBy("switch", false)).toMatchObject({ kind: "window", judgedBy: "both" });
    expect(judgedBy("hmi", false)).toMatchObject({ kind: "window", judgedBy: "both" });
    expect(judgedBy("hmi", true)).toMatchObject({ kind: "window", judgedBy: "either" });
  });

  test("is refused by a point that holds another phase than the one it leads from", () => {
    const answer = holder.order(prepare(4, PhaseId("startup")), 0);
    expect(answer).toEqual({ agreed: false, says: "this point holds `normal`, not `startup`" });
  });

  test("goes back whole when it is aborted before take", () => {
    holder.order(prepare(4), 0);
    holder.order(window(4), 0);
    holder.order(abort(4), 0);
    expect(holder.permitted).toMatchObject({ kind: "phase", position: { phase: normal } });
    expect(holder.epoch).toBe(3);
  });

  test("one whose abort never came is over when another is prepared; the same, prepared again, goes on", () => {
    holder.order(prepare(4), 0);
    holder.order(window(4), 0);
    holder.order(prepare(4), 0);
    expect(holder.permitted.kind).toBe("window");
    const next = { ...prepare(4, normal, PhaseId("shutdown")), change: "another" };
    expect(holder.order(next, 0)?.agreed).toBe(true);
    expect(holder.permitted).toMatchObject({ kind: "phase", position: { phase: normal } });
  });

  test("orders of other layers are not for it", () => {
    holder.order(prepare(4), 0);
    expect(holder.order(window(4, "hmi"), 0)).toBeUndefined();
    expect(holder.permitted.kind).toBe("phase");
  });

  test("a doubled take is agreed to, a replayed older order is refused", () => {
    holder.order(take(4, "all"), 0);
    expect(holder.order(take(4, "all"), 0)?.agreed).toBe(true);
    expect(holder.order(prepare(4), 0)?.agreed).toBe(false);
    expect(holder.order({ ...base(3, normal), order: "take", layer: "all" }, 0)?.agreed).toBe(false);
    expect(holder.position?.phase).toBe(degraded);
  });
});

describe("the lease", () => {
  beforeEach(() => holder.adopt(position(3), 0));

  test("ends in the isolated phase, at the limit and not before", () => {
    holder.renew(1000, 0);
    expect(holder.checkLease(999)).toBe(false);
    expect(holder.checkLease(1000)).toBe(true);
    expect(holder.state).toBe("isolated");
    expect(holder.position).toEqual({ phase: "degraded.local-control", steps: [] });
  });

  test("runs from the first look even when nobody ever renewed it", () => {
    expect(holder.checkLease(500)).toBe(false);
    expect(holder.checkLease(500 + bundle.lifecycle.leaseMs - 1)).toBe(false);
    expect(holder.checkLease(500 + bundle.lifecycle.leaseMs)).toBe(true);
  });

  test("a renewal alone does not end the isolation; a position that is not older does", () => {
    holder.renew(1000, 0);
    holder.checkLease(1000);
    holder.renew(1000, 1100);
    expect(holder.state).toBe("isolated");
    expect(holder.adopt(position(3), 0)).toBe(true);
    expect(holder.state).toBe("in-force");
  });

  test("an isolated point refuses to prepare a change", () => {
    holder.renew(1000, 0);
    holder.checkLease(1000);
    expect(holder.order(prepare(4), 0)?.agreed).toBe(false);
  });
});

describe("a restart", () => {
  test("comes back on the saved epoch, phase and steps", () => {
    holder.adopt(position(7, PhaseId("startup"), ["prime"]), 0);
    const again = new PhaseHolder(tables, zone, "switch");
    expect(again.restore(holder.save(), 0)).toBe(true);
    expect(again.epoch).toBe(7);
    expect(again.position).toEqual({ phase: "startup", steps: ["prime"] });
  });

  test.each([
    "",
    "{",
    "[]",
    '{"epoch":-1,"phase":"normal","steps":[]}',
    '{"epoch":1,"phase":"nowhere","steps":[]}',
    '{"epoch":1,"phase":5,"steps":[]}',
  ])("a saved state that cannot be read changes nothing: %s", (text) => {
    expect(holder.restore(text, 0)).toBe(false);
    expect(holder.state).toBe("joining");
  });
});

test("whatever comes in whatever order: the epoch never decreases, and only old, new or the window is permitted", () => {
  const epochs = fc.integer({ min: 1, max: 6 });
  const message = fc.oneof(
    epochs.map((e) => prepare(e)),
    epochs.map((e) => window(e)),
    epochs.map((e) => take(e)),
    epochs.map((e) => take(e, "all")),
    epochs.map((e) => abort(e)),
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          message,
          epochs.map((e) => position(e)),
        ),
        { maxLength: 40 },
      ),
      (messages) => {
        const point = new PhaseHolder(tables, zone, "switch");
        let epoch = 0;
        for (const m of messages) {
          if ("order" in m) point.order(m, 0);
          else point.adopt(m, 0);
          expect(point.epoch ?? 0).toBeGreaterThanOrEqual(epoch);
          epoch = point.epoch ?? 0;
          if (point.permitted.kind === "window") expect(point.permitted.old.phase).toBe(point.position?.phase);
        }
      },
    ),
  );
});

describe("the compiled permit", () => {
  test("says what `permitted` says, and is one object until that is something else", () => {
    const permits = new Set([holder.permit]);
    const follows = (): void => {
      expect(holder.permit).toEqual(permit(tables, holder.permitted));
      expect(holder.permit).toBe(holder.permit);
      permits.add(holder.permit);
    };
    holder.adopt(position(3, normal, ["produce"]), 0);
    follows();
    holder.adopt(position(3, normal, ["backwash"]), 0);
    follows();
    holder.order(prepare(4), 0);
    expect(permits).toContain(holder.permit);
    holder.order(window(4), 0);
    follows();
    holder.order(take(4), 0);
    follows();
    holder.renew(100, 0);
    expect(permits).toContain(holder.permit);
    holder.checkLease(100);
    expect(holder.permit).toEqual(permit(tables, holder.permitted));
    // joining, two positions, the window, and the phase in which it also ends up when the lease has ended
    expect(permits.size).toBe(5);
  });
});

describe("steps that follow from messages", () => {
  const STEPS = [StepId("a"), StepId("b")] as const;
  const rule = RuleId("estop");
  const allow = { verdict: "allow", rule, safety: true } as const;
  const deny = { verdict: "deny", reason: "NO_RULE", rule, item: 0, mode: "monitor", says: "" } as const;
  const stepped = bundle.lifecycle.phases.map((phase): Phase => {
    if (phase.id !== normal) return phase;
    const [a, b] = STEPS;
    const next = [{ to: b, event: "command", rule, outcome: "answered-ok" }] as const;
    const steps = [
      { id: a, says: "", rules: [], next },
      { id: b, says: "", rules: [], next: [] },
    ];
    return { ...phase, steps, initial: a };
  });

  test("of an allowed message, once it has been answered", () => {
    const lifecycle = { ...bundle.lifecycle, phases: stepped };
    const stepping = new PhaseHolder(compile({ ...bundle, lifecycle }, "switch"), zone, "switch");
    expect(stepping.happened(allow, "answered-ok", 0)).toBe(false);
    stepping.adopt(position(3, normal, ["a"]), 0);
    expect(stepping.happened(allow, "forwarded", 0)).toBe(false);
    expect(stepping.happened(allow, "answered-error", 0)).toBe(false);
    expect(stepping.happened(deny, "answered-ok", 0)).toBe(false);
    expect(stepping.happened({ ...allow, rule: RuleId("other"), also: [rule] }, "answered-ok", 0)).toBe(true);
    expect(stepping.position?.steps).toEqual(STEPS);
  });
});
