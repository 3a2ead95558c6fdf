import { describe, expect, test } from "vitest";
import { follow, MONITOR_SAYS, type Suspect } from "#coordinator/containment.ts";
import { covered, explained, GRACE_MS } from "#coordinator/explained.ts";
import { Proposals } from "#coordinator/proposals.ts";
import { DeviceId, PhaseId, StepId, TagId } from "#specs/ids.ts";
import type { Locus } from "#specs/lifecycle.ts";
import { aReceipt } from "./fake-point.ts";
import { BUNDLE, ISOLATED, LIFECYCLE } from "./plant.ts";

const AUTO = { mode: "enforce", severityPolicy: "auto" } as const;
const suspect = (
  locus: readonly Locus[],
  tags: readonly string[] = [],
  severity: Suspect["severity"] = "alarm",
): Suspect => ({
  severity,
  locus,
  tags: tags.map(TagId),
});

describe("what follows from a detection", () => {
  test.each([
    ["hmi in normal", "normal", suspect(["hmi"], ["DOS201.SP"]), "degraded.hmi-quarantined"],
    ["unknown device at the dosing", "normal", suspect(["unknown-device"], ["DOS201.SP"]), "degraded.dosing-held"],
    ["unknown device elsewhere", "normal", suspect(["unknown-device"], ["FIC101.SP"]), "degraded.local-control"],
    ["a path", "normal", suspect(["path-hmi-switch"], ["FIC101.SP"]), "degraded.local-control"],
    [
      "a set of causes: the containment must hold for each",
      "normal",
      suspect(["hmi", "path-hmi-switch"]),
      "degraded.local-control",
    ],
    [
      "a second attack from elsewhere",
      "degraded.hmi-quarantined",
      suspect(["path-switch-plc"]),
      "degraded.local-control",
    ],
    ["hmi during probation", "recovery.probation", suspect(["hmi"]), "degraded.hmi-quarantined"],
  ])("%s is contained", (_name, phase, what, to) => {
    expect(follow(LIFECYCLE, PhaseId(phase), what, AUTO)).toMatchObject({ follow: "take", choice: { to } });
  });

  test.each([
    ["the station goes on in quarantine", "degraded.hmi-quarantined", suspect(["hmi"])],
    ["the dosing is tried again while it is held", "degraded.dosing-held", suspect(["unknown-device"], ["P201.CMD"])],
    ["anything in local control", "degraded.local-control", suspect(["path-switch-plc", "plc-logic"])],
    ["the plant stands still", "stopped", suspect(["hmi"])],
    ["a mere notice", "normal", suspect(["hmi"], [], "notice")],
    ["no locus", "normal", suspect([])],
  ])("only evidence is added: %s", (_name, phase, what) => {
    expect(follow(LIFECYCLE, PhaseId(phase), what, AUTO).follow).toBe("nothing");
  });

  test("in monitor mode it is proposed and says that it is never taken", () => {
    const then = follow(LIFECYCLE, PhaseId("normal"), suspect(["hmi"]), { mode: "monitor", severityPolicy: "auto" });
    expect(then).toMatchObject({ follow: "propose", takable: false, whyNot: MONITOR_SAYS });
  });

  test("by policy, or for a mere warning, a person decides", () => {
    const propose = follow(LIFECYCLE, PhaseId("normal"), suspect(["hmi"]), {
      mode: "enforce",
      severityPolicy: "propose",
    });
    const warning = follow(LIFECYCLE, PhaseId("normal"), suspect(["hmi"], [], "warning"), AUTO);
    expect([propose, warning]).toMatchObject([
      { follow: "propose", takable: true },
      { follow: "propose", takable: true },
    ]);
  });
});

test("proposals: one per way out, grown by further detections, obsolete when the phase is left", () => {
  const proposals = new Proposals(LIFECYCLE);
  const choice = LIFECYCLE.containments[0];
  if (choice === undefined) throw new Error("no containment");
  const normal = PhaseId("normal");
  const first = proposals.propose(choice, normal, "d-1", 1000, true, "");
  proposals.propose(choice, normal, "d-2", 1100, true, "");
  expect(proposals.views(5)).toMatchObject([{ id: first.id, detections: ["d-1", "d-2"], state: "proposed" }]);
  proposals.leave(normal);
  expect(proposals.views(5)).toMatchObject([{ state: "obsolete" }]);
});

describe("a deny that is no sign of an attack", () => {
  const normal = { phase: PhaseId("normal"), steps: [StepId("produce")] };
  const ramp = { phase: PhaseId("startup"), steps: [StepId("ramp")] };
  const auto = aReceipt({
    items: [{ tag: TagId("AUTO101"), address: "coil 4", value: 1 }],
    verdict: "deny",
    reason: "PHASE_FORBIDS",
    action: "blocked",
    phase: normal.phase,
    atMs: 5000,
  });

  test("a command of the phase that has just ended, and only for a moment", () => {
    const earlier = (untilMs: number) => [{ position: ramp, untilMs }];
    expect(explained(BUNDLE, auto, normal, earlier(5000 - GRACE_MS))).toContain("had just ended");
    expect(explained(BUNDLE, auto, normal, earlier(5000 - GRACE_MS - 1))).toBeUndefined();
    expect(explained(BUNDLE, { ...auto, reason: "TOO_OFTEN" }, normal, earlier(5000))).toBeUndefined();
  });

  test("a value that the step which has just ended allowed, where the present one has another range", () => {
    expect(
      explained(BUNDLE, { ...auto, reason: "VALUE_NOT_LISTED" }, normal, [{ position: ramp, untilMs: 5000 }]),
    ).toContain("had just ended");
  });

  test("a value that the old phase would not have allowed stays an attack", () => {
    const high = aReceipt({ ...auto, items: [{ tag: TagId("FIC101.SP"), address: "x", value: 55 }] });
    expect(explained(BUNDLE, high, normal, [{ position: ramp, untilMs: 5000 }])).toBeUndefined();
  });

  test("a point that fell back to the isolated phase denies what the phase allows", () => {
    const isolated = aReceipt({ verdict: "deny", reason: "PHASE_FORBIDS", phase: ISOLATED });
    expect(explained(BUNDLE, isolated, normal, [])).toContain("`normal` allows it");
    expect(explained(BUNDLE, { ...isolated, source: DeviceId("ews-1") }, normal, [])).toBeUndefined();
  });

  test("what the switch let through and the PLC denied because a containment came in between", () => {
    const items = [{ tag: TagId("FIC401.SP"), address: "variable", value: 30.2, before: 30.1 }];
    const inPlc = { layer: "plc", source: null, link: null, target: DeviceId("plc-2"), items } as const;
    const cut = aReceipt({ ...inPlc, verdict: "deny", reason: "PHASE_FORBIDS", phase: ISOLATED, atMs: 5000 });
    const contained = { phase: ISOLATED, steps: [] };
    expect(explained(BUNDLE, cut, contained, [{ position: normal, untilMs: 5000 }])).toContain("had just ended");
    expect(explained(BUNDLE, cut, contained, [])).toBeUndefined();
  });

  test.each(["PHASE_UNKNOWN", "INTERNAL", "OVERLOADED"] as const)(
    "%s says something about the point alone",
    (reason) => {
      const denied = aReceipt({ verdict: "deny", reason, action: "blocked", rule: null });
      expect(explained(BUNDLE, denied, normal, [])).toBeDefined();
      expect(explained(BUNDLE, { ...denied, reason: "TAG_UNKNOWN" }, normal, [])).toBeUndefined();
    },
  );

  test("a rule covers by who, what and value", () => {
    const sp = (value: number) => aReceipt({ items: [{ tag: TagId("FIC101.SP"), address: "x", value }] });
    expect([19, 20, 40, 41].map((value) => covered(BUNDLE, normal, sp(value)))).toEqual([false, true, true, false]);
    expect(covered(BUNDLE, normal, aReceipt({ source: null }))).toBe(false);
  });
});
