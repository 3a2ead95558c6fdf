import { describe, expect, test } from "vitest";
import { type TakesTurns, TURNS_MS, Turns } from "#switch-filter/turns.ts";

/** Work in pieces: in a circle, and never long without a look at the sockets. */
function worker(turns: Turns, name: string, pieces: number, log: string[], eachMs = 0): TakesTurns {
  let left = pieces;
  const one: TakesTurns = {
    turn: () => {
      const until = performance.now() + eachMs;
      while (performance.now() < until);
      log.push(name);
      left -= 1;
      if (left > 0) turns.ask(one);
    },
  };
  return one;
}

const loopsOnce = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function done(turns: Turns): Promise<void> {
  while (turns.waiting > 0) await loopsOnce();
}

describe("turns", () => {
  test("go round, whoever has how much to do", async () => {
    const turns = new Turns();
    const log: string[] = [];
    for (const [name, pieces] of [
      ["a", 4],
      ["b", 1],
      ["c", 2],
    ] as const)
      turns.ask(worker(turns, name, pieces, log));
    await done(turns);
    expect(log.join("")).toBe("abcacaa");
  });

  test("nothing is done at once, and who asks twice has one turn", async () => {
    const turns = new Turns();
    const log: string[] = [];
    const one = worker(turns, "a", 1, log);
    turns.ask(one);
    turns.ask(one);
    expect([log.length, turns.waiting]).toEqual([0, 1]);
    await done(turns);
    expect(log).toEqual(["a"]);
  });

  test("who has left has no turn", async () => {
    const turns = new Turns();
    const log: string[] = [];
    const one = worker(turns, "a", 5, log);
    turns.ask(one);
    turns.leave(one);
    await loopsOnce();
    expect(log).toEqual([]);
  });

  test("after the time of a round, everything else has its turn, however many wait", async () => {
    const turns = new Turns();
    const log: string[] = [];
    const pieceMs = TURNS_MS / 2;
    for (let n = 0; n < 20; n += 1) turns.ask(worker(turns, `${n}`, 3, log, pieceMs));
    let most = 0;
    while (turns.waiting > 0) {
      const before = log.length;
      await loopsOnce();
      most = Math.max(most, log.length - before);
    }
    expect(log.length).toBe(60);
    expect(most).toBeLessThanOrEqual(Math.ceil(TURNS_MS / pieceMs));
  });
});
