import { expect, test } from "vitest";
import { Drain } from "#point/drain.ts";

/** An answer to the change, and what was said so far. */
function waiting() {
  const drain = new Drain();
  const answers: string[] = [];
  const begin = (change: string, upToMs: number, untilMs: number) =>
    drain.begin({ change, upToMs, untilMs, answer: () => void answers.push(change) });
  return { drain, answers, begin };
}

test("it is answered when everything up to then has been judged, and once", () => {
  const { drain, answers, begin } = waiting();
  begin("c1", 1000, 99_000);
  drain.look(999, 0);
  expect(answers).toEqual([]);
  drain.look(1000, 0);
  drain.look(2000, 0);
  expect(answers).toEqual(["c1"]);
});

test("it is answered when nothing from before can come any more, at the limit and not before", () => {
  const { drain, answers, begin } = waiting();
  begin("c1", 1000, 1500);
  drain.look(0, 1499);
  expect(answers).toEqual([]);
  drain.look(0, 1500);
  expect(answers).toEqual(["c1"]);
});

test("an order that is repeated waits no longer than the first, and is answered at once when that was", () => {
  const { drain, answers, begin } = waiting();
  begin("c1", 1000, 1500);
  begin("c1", 1400, 1900);
  drain.look(1000, 0);
  expect(answers).toEqual(["c1"]);
  begin("c1", 9000, 9000);
  expect(answers).toEqual(["c1", "c1"]);
});

test("another change takes the place of one that was never over", () => {
  const { drain, answers, begin } = waiting();
  begin("c1", 1000, 99_000);
  begin("c2", 2000, 99_000);
  drain.look(1000, 0);
  expect(answers).toEqual([]);
  drain.look(2000, 0);
  expect(answers).toEqual(["c2"]);
});
