import { describe, expect, test } from "vitest";
import type { StateView } from "#coordinator/page-messages.ts";
import {
  changeWords,
  modeWarning,
  otherRequests,
  requestQuestion,
  returnRequest,
} from "#coordinator/ui/state/actions.ts";
import { degraded, limits } from "#coordinator/ui/state/limits.ts";
import { lifecycleStrip, stepViews, waysOn } from "#coordinator/ui/state/phases.ts";
import { NORMAL, PLANT } from "./water-treatment-view.ts";

describe("the lifecycle strip", () => {
  const strip = lifecycleStrip(PLANT, NORMAL);
  test("has one box a group, in the order of the lifecycle file", () => {
    expect(strip.map((b) => b.label)).toEqual([
      "stopped",
      "startup",
      "normal",
      "degraded",
      "recovery",
      "shutdown",
      "maintenance",
    ]);
  });
  test("marks where the plant stands and where it can go", () => {
    expect(strip.filter((b) => b.current).map((b) => b.group)).toEqual(["normal"]);
    expect(strip.filter((b) => b.reachable).map((b) => b.group)).toEqual(["degraded", "shutdown"]);
  });
  test("joins two boxes only where the lifecycle leads from one to the other", () => {
    expect(strip.filter((b) => !b.follows).map((b) => b.group)).toEqual(["stopped", "maintenance"]);
  });
});

test.each([
  { steps: ["dose-check"], want: ["passed", "passed", "active", "ahead"] },
  { steps: ["prime", "dose-check"], want: ["passed", "possible", "possible", "ahead"] },
  { steps: [], want: ["ahead", "ahead", "ahead", "ahead"] },
])("steps $steps are marked $want", ({ steps, want }) => {
  expect(stepViews(PLANT, { phase: "startup", steps }).map((s) => s.mark)).toEqual(want);
});

test("what leads on by itself is said, requests are not", () => {
  const onward = [{ to: "normal", missing: ["4 s of 10 s in this phase remain", "2 s more without a new detection"] }];
  expect(waysOn(PLANT, { phase: "recovery.probation", onward })).toEqual([
    {
      to: "normal",
      rule: "after 10 s",
      waitsFor: "4 s of 10 s in this phase remain; 2 s more without a new detection",
    },
  ]);
  expect(waysOn(PLANT, { phase: null, onward: [] })).toEqual([]);
});

describe("limits", () => {
  test("a quarantined operator station keeps the emergency stops and nothing else", () => {
    const { lost, kept, essential } = limits(PLANT, "normal", "degraded.hmi-quarantined");
    expect(lost).toEqual([
      {
        device: "Operator station",
        titles: [
          "feed flow set-point",
          "chlorine dose set-point",
          "raw-water level set-point",
          "distribution flow set-point",
          "backwash start",
        ],
      },
    ]);
    expect(kept).toEqual([
      { device: "Operator station", titles: ["emergency stop of PLC 1", "emergency stop of PLC 2"] },
    ]);
    expect(essential).toEqual(["Clean water is delivered to the network"]);
  });

  test("with the dose held the flows stay", () => {
    expect(limits(PLANT, "normal", "degraded.dosing-held").lost[0]?.titles).toEqual([
      "chlorine dose set-point",
      "raw-water level set-point",
      "backwash start",
    ]);
  });

  const record = (atMs: number, from: string, to: string, cause: string): StateView["history"][number] => ({
    atMs,
    from,
    to,
    epoch: 3,
    emergency: true,
    cause,
    outcome: "done",
    says: "",
  });

  test("a second containment counts from the first, and says why the last was taken", () => {
    const history = [
      record(9000, "degraded.hmi-quarantined", "degraded.local-control", "detection d-2"),
      record(5000, "normal", "degraded.hmi-quarantined", "detection d-1"),
      record(1000, "startup", "normal", "condition"),
    ];
    const state = { ...NORMAL, phase: "degraded.local-control", history, sinceMs: 9000 };
    expect(degraded(PLANT, state)).toMatchObject({ from: "normal", sinceMs: 5000, cause: "detection d-2" });
  });

  test("without a record the lifecycle says where the phase comes from", () => {
    expect(degraded(PLANT, { ...NORMAL, phase: "degraded.dosing-held", history: [], sinceMs: 7 })).toMatchObject({
      from: "normal",
      sinceMs: 7,
      cause: "",
    });
  });

  test("a phase that is no containment limits nothing", () => expect(degraded(PLANT, NORMAL)).toBeUndefined());
});

describe("what a person may ask", () => {
  const back = {
    request: "return-to-normal",
    to: "recovery.verify",
    toSays: "Readings are checked.",
    roles: ["operator"],
    persons: 1,
    missing: ["No new detection for 5 s."],
  } as const;
  const state = { ...NORMAL, phase: "degraded.dosing-held", requests: [back, ...NORMAL.requests] };

  test("the way back stands apart from the other requests", () => {
    expect(returnRequest(state)).toBe(back);
    expect(otherRequests(state)).toEqual(NORMAL.requests);
  });

  test("the question says from where to where, and what is missing", () => {
    expect(requestQuestion(state, back)).toMatchObject({
      title: "Return to normal?",
      says: [
        "The plant goes from degraded · dosing held to recovery · verify.",
        "Readings are checked.",
        "Not yet: No new detection for 5 s.",
      ],
      roles: ["operator"],
    });
  });
});

test("monitor is loud, and so is a link that is not enforced", () => {
  expect(modeWarning(PLANT, NORMAL)).toBe("");
  expect(modeWarning(PLANT, { ...NORMAL, mode: "monitor" })).toMatch(/^Monitor: /);
  const links = PLANT.links.map((l, i) => ({ ...l, mode: (["off", "monitor"] as const)[i] ?? l.mode }));
  expect(modeWarning({ ...PLANT, links }, NORMAL)).toBe(
    "Not judged at all: link hmi-plc1. Recorded and let through: link hmi-plc2.",
  );
});

test("each stage of a phase change has its sentence", () => {
  const change = {
    change: "c",
    from: "normal",
    to: "shutdown",
    epoch: 3,
    emergency: false,
    waitingFor: ["guard-plc-1"],
  };
  const says = (stage: "prepare" | "window" | "take" | "abort") =>
    changeWords({ ...NORMAL, changing: { ...change, stage, layer: "switch" } });
  const all = (["prepare", "window", "take", "abort"] as const).map(says);
  expect(new Set(all).size).toBe(4);
  for (const sentence of all) expect(sentence).toMatch(/shutdown.*Waiting for guard-plc-1\.$/);
  expect(changeWords(NORMAL)).toBe("");
});
