import { describe, expect, test } from "vitest";
import { PendingRequests } from "#coordinator/pending-requests.ts";
import { PhaseId } from "#specs/ids.ts";
import type { Transition } from "#specs/lifecycle.ts";
import type { Exit } from "#specs/positions.ts";

type Operator = Extract<Transition, { event: "operator" }>;

function exit(given: Partial<Operator>): Exit {
  const transition: Operator = {
    to: PhaseId("off"),
    with: [],
    window: [],
    event: "operator",
    request: "reset",
    roles: ["operator"],
    persons: 1,
    ...given,
  };
  return { index: 0, event: `request.${transition.request}`, transition };
}

const TWO = exit({ persons: 2, ttlMs: 10_000 });
const PATIENT = exit({ ttlMs: 10_000 });

describe("two people", () => {
  test("one person waits, however often asking; a second one carries it out, once", () => {
    const pending = new PendingRequests();
    expect(pending.ask(TWO, [], "anna", 0)).toMatchObject({
      answer: "wait",
      says: expect.stringContaining("second person"),
    });
    expect(pending.ask(TWO, [], "anna", 1000)).toMatchObject({ answer: "wait" });
    expect(pending.due([{ exit: TWO, missing: [] }], 1000)).toBeUndefined();
    expect(pending.ask(TWO, [], "ben", 10_000)).toEqual({ answer: "go", people: ["anna", "ben"] });
    expect(pending.of(TWO.event, 10_000)).toBeUndefined();
    expect(pending.ask(TWO, [], "ben", 10_001)).toMatchObject({ answer: "wait" });
  });

  test("the time to live counts from the first: at its end it still stands, a millisecond later it is forgotten", () => {
    const pending = new PendingRequests();
    pending.ask(TWO, [], "anna", 0);
    pending.ask(TWO, [], "anna", 9000);
    expect(pending.of(TWO.event, 10_000)?.people).toEqual(["anna"]);
    expect(pending.of(TWO.event, 10_001)).toBeUndefined();
    expect(pending.ask(TWO, [], "ben", 10_001)).toMatchObject({ answer: "wait" });
  });

  test("both have asked, and what is missing comes to hold in time", () => {
    const pending = new PendingRequests();
    pending.ask(TWO, ["flame is 1"], "anna", 0);
    expect(pending.ask(TWO, ["flame is 1"], "ben", 100)).toMatchObject({
      answer: "wait",
      says: expect.stringContaining("flame is 1"),
    });
    expect(pending.due([{ exit: TWO, missing: ["flame is 1"] }], 200)).toBeUndefined();
    expect(pending.due([{ exit: TWO, missing: [] }], 300)?.people).toEqual(["anna", "ben"]);
    expect(pending.due([{ exit: TWO, missing: [] }], 300)).toBeUndefined();
  });
});

describe("time to live", () => {
  test("a request that may wait is carried out when its condition holds", () => {
    const pending = new PendingRequests();
    expect(pending.ask(PATIENT, ["level is 3"], "anna", 0)).toMatchObject({ answer: "wait" });
    expect(pending.due([{ exit: PATIENT, missing: [] }], 10_000)?.people).toEqual(["anna"]);
  });

  test("one that may not wait is refused, and leaves nothing behind", () => {
    const pending = new PendingRequests();
    const hasty = exit({});
    expect(pending.ask(hasty, ["level is 3"], "anna", 0)).toEqual({ answer: "refuse" });
    expect(pending.due([{ exit: hasty, missing: [] }], 1)).toBeUndefined();
  });

  test("leaving the phase forgets every request", () => {
    const pending = new PendingRequests();
    pending.ask(TWO, [], "anna", 0);
    pending.clear();
    expect(pending.of(TWO.event, 0)).toBeUndefined();
  });
});
