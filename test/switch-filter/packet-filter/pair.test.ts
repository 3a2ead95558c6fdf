import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeHeartbeat,
  encodeHeartbeat,
  FRESH_BEATS,
  Freshness,
  type Heard,
  type Heartbeat,
  MAX_HEARTBEAT_BYTES,
} from "#switch-filter/packet-filter/heartbeat.ts";
import { readPair } from "#switch-filter/packet-filter/pair-file.ts";
import { DEFAULT_TIMES, type HeldPhase, PairState } from "#switch-filter/packet-filter/pair-state.ts";

const { beatMs, takeOverMs } = DEFAULT_TIMES;
const HELD: HeldPhase = { phase: "normal", epoch: 7 };
const heard = (over: Partial<Heard> = {}): Heard => ({
  name: "b",
  priority: 100,
  role: "standby",
  phase: "normal",
  epoch: 7,
  ...over,
});

describe("who holds the links", () => {
  test("alone: after listening, not before", () => {
    const state = new PairState({ name: "a", priority: 100 }, DEFAULT_TIMES, 0);
    expect(state.look(HELD, takeOverMs - 1).role).toBe("standby");
    expect(state.look(HELD, takeOverMs).role).toBe("active");
  });

  test("the standby waits as long as the active one is heard, and takes over once it is silent", () => {
    const state = new PairState({ name: "a", priority: 200 }, DEFAULT_TIMES, 0);
    for (let at = 0; at <= 5000; at += beatMs) {
      state.heard(heard({ role: "active" }), at);
      expect(state.look(HELD, at).role).toBe("standby");
    }
    expect(state.look(HELD, 5000 + takeOverMs - 1).role).toBe("standby");
    expect(state.look(HELD, 5000 + takeOverMs).role).toBe("active");
  });

  test("one that resigns is followed at once", () => {
    const state = new PairState({ name: "a", priority: 1 }, DEFAULT_TIMES, 0);
    state.heard(heard({ role: "active" }), 90);
    state.heard(heard({ role: "resigned" }), 100);
    expect(state.look(HELD, 100).role).toBe("active");
  });

  test.each([
    { name: "no phase is held here", held: null, says: "no phase is held here" },
    {
      name: "an older epoch",
      held: { phase: "normal", epoch: 6 },
      says: "epoch 6 is held here, and the other filter had 7",
    },
  ])("nobody takes over while unsure: $name", ({ held, says }) => {
    const state = new PairState({ name: "a", priority: 200 }, DEFAULT_TIMES, 0);
    state.heard(heard({ role: "active", epoch: 7 }), 0);
    expect(state.look(held, 10 * takeOverMs)).toEqual({ role: "standby", waitsFor: says });
    expect(state.look(HELD, 10 * takeOverMs + 1)).toEqual({ role: "active", waitsFor: undefined });
  });

  test("the second in rank waits for the first, unless that one cannot", () => {
    const state = new PairState({ name: "a", priority: 50 }, DEFAULT_TIMES, 0);
    for (let at = 0; at < 5000; at += beatMs) {
      state.heard(heard(), at);
      expect(state.look(HELD, at).role).toBe("standby");
    }
    state.heard(heard({ epoch: null, phase: null }), 5000);
    expect(state.look(HELD, 5000 + takeOverMs).role).toBe("active");
  });

  test("of two that are active one yields, and the same one whoever is asked", () => {
    const rank = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(rank, rank, (one, two) => {
        const a = new PairState({ name: "a", priority: one }, DEFAULT_TIMES, 0);
        const b = new PairState({ name: "b", priority: two }, DEFAULT_TIMES, 0);
        a.look(HELD, takeOverMs);
        b.look(HELD, takeOverMs);
        a.heard(heard({ name: "b", priority: two, role: "active" }), takeOverMs);
        b.heard(heard({ name: "a", priority: one, role: "active" }), takeOverMs);
        expect([a.view.role, b.view.role].toSorted()).toEqual(["active", "standby"]);
      }),
    );
  });

  test("a hold that was lost is not taken back at once", () => {
    const state = new PairState({ name: "a", priority: 200 }, DEFAULT_TIMES, 0);
    state.look(HELD, takeOverMs);
    state.lost(1000);
    expect(state.look(HELD, 1000 + takeOverMs - 1).role).toBe("standby");
  });
});

const KEY = Buffer.alloc(32, 7);
const beat = (over: Partial<Heartbeat> = {}): Heartbeat => ({
  ...heard(),
  run: "00000000000000aa",
  seq: 1,
  answers: null,
  ...over,
});

describe("a heartbeat on the wire", () => {
  test("is read by whoever has the key, and by nobody else", () => {
    const datagram = encodeHeartbeat(beat(), KEY);
    expect(decodeHeartbeat(datagram, KEY)).toEqual(beat());
    expect(decodeHeartbeat(datagram, Buffer.alloc(32, 8))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(datagram.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const bent = Buffer.from(datagram);
        bent[at] = (bent[at] ?? 0) ^ bits;
        expect(decodeHeartbeat(bent, KEY)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeHeartbeat(Buffer.from(bytes), KEY)).toBeUndefined();
      }),
    );
  });

  test("has a largest size, and no other shape", () => {
    const signed = (text: string) => encodeHeartbeat(JSON.parse(text), KEY);
    expect(decodeHeartbeat(signed(JSON.stringify({ ...beat(), more: 1 })), KEY)).toBeUndefined();
    expect(decodeHeartbeat(signed("3"), KEY)).toBeUndefined();
    expect(encodeHeartbeat(beat({ name: "n".repeat(64), phase: "p".repeat(128) }), KEY).length).toBeLessThan(
      MAX_HEARTBEAT_BYTES,
    );
    expect(
      decodeHeartbeat(Buffer.concat([encodeHeartbeat(beat(), KEY), Buffer.alloc(MAX_HEARTBEAT_BYTES)]), KEY),
    ).toBeUndefined();
  });
});

describe("a heartbeat that was recorded", () => {
  const [A, B] = ["00000000000000aa", "00000000000000bb"] as const;
  const sides = () => ({ a: new Freshness(A), b: new Freshness(B) });
  const send = (from: Freshness) => beat(from.next());

  test("two that hear each other believe each other from the second exchange on, and go on doing so after an outage", () => {
    const { a, b } = sides();
    expect(b.hear(send(a))).toBe(false);
    expect(a.hear(send(b))).toBe(true);
    expect(b.hear(send(a))).toBe(true);
    for (let lost = 0; lost < 5 * FRESH_BEATS; lost += 1) {
      send(a);
      send(b);
    }
    const exchanges = Array.from({ length: 3 }, () => [b.hear(send(a)), a.hear(send(b))]);
    expect(exchanges.at(-1)).toEqual([true, true]);
  });

  test("is not believed again, neither in this run nor in a later one", () => {
    const { a, b } = sides();
    b.hear(send(a));
    a.hear(send(b));
    const recorded = send(a);
    expect(b.hear(recorded)).toBe(true);
    expect(b.hear(recorded)).toBe(false);
    expect(new Freshness("00000000000000cc").hear(recorded)).toBe(false);
    expect(a.hear(recorded)).toBe(false);
  });

  test(`held back for more than ${FRESH_BEATS} beats it is too old`, () => {
    const late = (beats: number) => {
      const { a, b } = sides();
      b.hear(send(a));
      a.hear(send(b));
      const held = send(a);
      for (let n = 0; n < beats; n += 1) send(b);
      return b.hear(held);
    };
    expect([late(FRESH_BEATS), late(FRESH_BEATS + 1)]).toEqual([true, false]);
  });
});

describe("the pair file", () => {
  const file = (over: object = {}) =>
    JSON.stringify({
      name: "a",
      links: ["gw-lan"],
      paths: [{ own: "10.255.0.1", peer: "10.255.0.2" }],
      key: "k",
      ...over,
    });
  const read = (over?: object, key = Buffer.alloc(32)) => readPair(file(over), () => key);

  test("with defaults", () => {
    expect(read()).toEqual({
      ok: true,
      value: {
        name: "a",
        priority: 100,
        links: ["gw-lan"],
        paths: [{ own: { host: "10.255.0.1", port: 7405 }, peer: { host: "10.255.0.2", port: 7405 } }],
        key: Buffer.alloc(32),
        times: DEFAULT_TIMES,
      },
    });
  });

  test.each([
    { name: "a short key", over: {}, key: Buffer.alloc(31), says: /31 bytes; 32 are needed/ },
    {
      name: "taken before it is given up",
      over: { holdMs: 450 },
      says: /one gives the links up before the other takes them/,
    },
    { name: "held for less than two beats", over: { holdMs: 199 }, says: /at least twice/ },
    { name: "no links", over: { links: [] }, says: /^`links` / },
    { name: "a key too many", over: { colour: "red" }, says: /./ },
  ])("refused: $name", ({ over, key, says }) => {
    expect(read(over, key)).toEqual({ ok: false, error: expect.stringMatching(says) });
  });
});
