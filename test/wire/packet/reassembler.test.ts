import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TCP_FLAG, TcpReassembler } from "#wire/packet/index.ts";
import { delivered, HANDSHAKE, outline, run, SYN, SYN_ACK, segment } from "./conversation.ts";

const FIN = TCP_FLAG.FIN | TCP_FLAG.ACK;
const RST = TCP_FLAG.RST | TCP_FLAG.ACK;

/** Outline of what happens after a handshake. */
function afterHandshake(
  frames: readonly Buffer[],
  limits: ConstructorParameters<typeof TcpReassembler>[0] = {},
): string[] {
  return outline(run(new TcpReassembler(limits), [...HANDSHAKE, ...frames])).slice(1);
}

describe("one connection", () => {
  test("handshake, data both ways, FIN both ways", () => {
    const frames = [
      ...HANDSHAKE,
      segment({ data: "ask" }),
      segment({ from: "server", ack: 3, data: "answer" }),
      segment({ at: 3, ack: 6, flags: FIN }),
      segment({ from: "server", at: 6, ack: 4, flags: FIN }),
      segment({ at: 4, ack: 7 }),
    ];
    const events = run(new TcpReassembler(), frames);
    expect(outline(events)).toEqual(["open", "> ask", "< answer", "close fin"]);
    expect(events[1]).toMatchObject({
      flow: { id: 1, client: { ip: "10.0.0.10", port: 40000 }, server: { ip: "10.0.0.20", port: 502 } },
      timeMs: 3,
    });
  });

  test("sequence numbers wrap around", () => {
    // The client's first byte has sequence number 2^32-1.
    const frames = ["a", "b", "c", "d"].map((data, at) => segment({ at, data }));
    expect(afterHandshake(frames)).toEqual(["> a", "> b", "> c", "> d"]);
    expect(afterHandshake([...frames].reverse())).toEqual(["> a", "> b", "> c", "> d"]);
  });

  test("a retransmission is delivered once", () => {
    expect(afterHandshake([segment({ data: "abc" }), segment({ data: "abc" }), segment({ at: 3, data: "d" })])).toEqual(
      ["> abc", "> d"],
    );
  });

  test("a retransmission that reaches further delivers what is new", () => {
    expect(afterHandshake([segment({ data: "abc" }), segment({ at: 1, data: "bcde" })])).toEqual(["> abc", "> de"]);
  });

  test("first wins, and a differing overlap is reported", () => {
    expect(afterHandshake([segment({ data: "abc" }), segment({ data: "aXcd" })])).toEqual([
      "> abc",
      "overlap 1",
      "> d",
    ]);
  });

  test("first wins among segments that wait, too", () => {
    const frames = [segment({ at: 2, data: "cd" }), segment({ at: 1, data: "bXXe" }), segment({ data: "a" })];
    expect(afterHandshake(frames)).toEqual(["overlap 2", "> a", "> b", "> cd", "> e"]);
  });

  test("bytes beyond the history are taken as equal", () => {
    const frames = [segment({ data: "abcdef" }), segment({ data: "XXcdeX" })];
    expect(afterHandshake(frames, { historyBytes: 4 })).toEqual(["> abcdef", "overlap 1"]);
  });

  test("an unanswered SYN says nothing; a repeated SYN-ACK opens once", () => {
    expect(outline(run(new TcpReassembler(), [SYN, SYN]))).toEqual([]);
    expect(outline(run(new TcpReassembler(), [SYN, SYN_ACK, SYN_ACK]))).toEqual(["open"]);
  });

  test("data in the SYN is delivered", () => {
    const syn = segment({ at: -1, flags: TCP_FLAG.SYN, data: "abc" });
    expect(delivered(run(new TcpReassembler(), [syn, SYN_ACK, segment({ at: 3, data: "d" })]))).toBe("abcd");
  });
});

describe("what cannot be seen is reported", () => {
  test("joined late: from the first byte seen, the client found by the server port", () => {
    const events = run(new TcpReassembler(), [
      segment({ from: "server", at: 900, ack: 40, data: "answer" }),
      segment({ at: 40, ack: 906, data: "ask" }),
    ]);
    expect(outline(events)).toEqual(["open late", "< answer", "> ask"]);
    expect(events[0]).toMatchObject({ flow: { client: { port: 40000 }, server: { port: 502 } } });
  });

  test("a SYN-ACK without its SYN is joined late, with both starts known", () => {
    expect(outline(run(new TcpReassembler(), [SYN_ACK, segment({ data: "ask" })]))).toEqual(["open late", "> ask"]);
  });

  test("a gap that stays turns the direction blind; the other goes on", () => {
    const reassembler = new TcpReassembler();
    run(reassembler, [...HANDSHAKE, segment({ at: 5, data: "later" })]);
    expect(reassembler.tick(1003)).toEqual([]);
    expect(outline(reassembler.tick(1004))).toEqual(["blind gap"]);
    const rest = [
      segment({ data: "lost!" }),
      segment({ at: 10, data: "more" }),
      segment({ from: "server", data: "ok" }),
    ];
    expect(outline(run(reassembler, rest, 1100))).toEqual(["< ok"]);
  });

  test("an acknowledgement of bytes never seen is a gap", () => {
    const reassembler = new TcpReassembler();
    run(reassembler, [...HANDSHAKE, segment({ from: "server", ack: 12, data: "answer" })]);
    expect(outline(reassembler.tick(5000))).toEqual(["blind gap"]);
  });

  test("an acknowledgement mirrored before its bytes is none", () => {
    const reassembler = new TcpReassembler();
    run(reassembler, [...HANDSHAKE, segment({ from: "server", ack: 3 }), segment({ data: "ask" })]);
    expect(reassembler.tick(5000)).toEqual([]);
  });

  test("the acknowledgement of a FIN is no gap, in either order", () => {
    const fin = segment({ data: "ask", flags: FIN });
    const ack = segment({ from: "server", ack: 4 });
    for (const frames of [
      [fin, ack],
      [ack, fin],
    ]) {
      const reassembler = new TcpReassembler();
      run(reassembler, [...HANDSHAKE, ...frames]);
      expect(reassembler.tick(5000)).toEqual([]);
    }
  });

  test("a gap at the end of the connection is reported with it", () => {
    expect(afterHandshake([segment({ at: 5, data: "later" }), segment({ at: 10, flags: RST })])).toEqual([
      "blind gap",
      "close rst",
    ]);
  });

  test("held bytes: the limit is held, one more is too many", () => {
    const limits = { maxHeldBytes: 10 };
    expect(afterHandshake([segment({ at: 1, data: "0123456789" })], limits)).toEqual([]);
    expect(afterHandshake([segment({ at: 1, data: "0123456789a" })], limits)).toEqual(["blind out-of-order-limit"]);
  });

  test("held segments: the limit is held, one more is too many", () => {
    const limits = { maxHeldSegments: 3 };
    const scattered = (count: number) => Array.from({ length: count }, (_, i) => segment({ at: 2 + 2 * i, data: "x" }));
    expect(afterHandshake(scattered(3), limits)).toEqual([]);
    expect(afterHandshake(scattered(4), limits)).toEqual(["blind out-of-order-limit"]);
  });

  test("a segment implausibly far away is skipped; many of them mean that we are lost", () => {
    const limits = { windowBytes: 1000 };
    expect(afterHandshake([segment({ at: 1001, data: "x" }), segment({ data: "a" })], limits)).toEqual([
      "skipped out-of-window",
      "> a",
    ]);
    const many = Array.from({ length: 17 }, (_, i) => segment({ at: 2000 + i, data: "x" }));
    expect(afterHandshake(many, limits).at(-1)).toBe("blind gap");
  });

  test("fragments and malformed frames are skipped and counted", () => {
    const fragment = Buffer.from(segment({ data: "x" }));
    fragment.writeUInt8(0x20, 20);
    const reassembler = new TcpReassembler({ verifyChecksums: false });
    const events = run(reassembler, [fragment, Buffer.alloc(3)]);
    expect(outline(events)).toEqual(["skipped fragment", "skipped malformed"]);
    expect(events[1]).toMatchObject({ error: { code: "PK_SHORT" } });
    expect(reassembler.stats).toMatchObject({ frames: 2, fragments: 1, malformed: 1, segments: 0 });
  });

  test("a segment the receiver would drop for its checksum is not delivered", () => {
    const forged = Buffer.from(segment({ data: "abc" }));
    forged.writeUInt8(0x58, forged.length - 1);
    expect(afterHandshake([forged, segment({ data: "abc" })])).toEqual(["skipped malformed", "> abc"]);
    expect(afterHandshake([forged], { verifyChecksums: false })).toEqual(["> abX"]);
  });
});

describe("resets, reuse and forgery", () => {
  test("an exact RST closes; what follows is joined late", () => {
    const frames = [segment({ data: "abc" }), segment({ at: 3, flags: RST }), segment({ at: 3, data: "d" })];
    expect(afterHandshake(frames)).toEqual(["> abc", "close rst", "open late", "> d"]);
  });

  test("a RST that its receiver would not accept does not close", () => {
    const frames = [segment({ data: "abc" }), segment({ at: 9, flags: RST }), segment({ at: 3, data: "d" })];
    expect(afterHandshake(frames)).toEqual(["> abc", "skipped unexpected-rst", "> d"]);
  });

  test("a late retransmission after the end is quiet", () => {
    const frames = [segment({ data: "abc" }), segment({ at: 3, flags: RST }), segment({ data: "abc" })];
    expect(afterHandshake(frames)).toEqual(["> abc", "close rst"]);
  });

  test("a forged SYN within an open connection changes nothing", () => {
    const forged = segment({ at: -1, flags: TCP_FLAG.SYN, clientIsn: 77 });
    expect(afterHandshake([forged, segment({ data: "abc" })])).toEqual(["skipped unexpected-syn", "> abc"]);
  });

  test("a SYN that the server answers is a new connection", () => {
    const clientIsn = 77;
    const frames = [
      segment({ data: "abc" }),
      segment({ at: -1, flags: TCP_FLAG.SYN, clientIsn }),
      segment({ from: "server", at: -1, flags: TCP_FLAG.SYN | TCP_FLAG.ACK, clientIsn }),
      segment({ data: "new", clientIsn }),
    ];
    expect(afterHandshake(frames)).toEqual(["> abc", "skipped unexpected-syn", "close reused", "open", "> new"]);
  });

  test("ports may be reused after the end", () => {
    const events = run(new TcpReassembler(), [
      ...HANDSHAKE,
      segment({ flags: RST }),
      ...HANDSHAKE,
      segment({ data: "a" }),
    ]);
    expect(outline(events)).toEqual(["open", "close rst", "open", "> a"]);
    expect(events.at(-1)).toMatchObject({ flow: { id: 2 } });
  });
});

describe("the table of connections", () => {
  const open = (port: number) => [
    segment({ port, at: -1, flags: TCP_FLAG.SYN }),
    segment({ port, from: "server", at: -1, flags: TCP_FLAG.SYN | TCP_FLAG.ACK }),
  ];

  test("the limit fits, one more evicts the longest silent", () => {
    const reassembler = new TcpReassembler({ maxFlows: 2 });
    run(reassembler, [...open(1001), ...open(1002), segment({ port: 1001, data: "still here" })]);
    const events = run(reassembler, open(1003));
    expect(outline(events)).toEqual(["close evicted", "open"]);
    expect(events[0]).toMatchObject({ flow: { client: { port: 1002 } } });
    expect(reassembler.stats.flows).toBe(2);
  });

  test("a flood of SYNs evicts itself and not the connections", () => {
    const reassembler = new TcpReassembler({ maxFlows: 3 });
    run(reassembler, open(1001));
    const flood = Array.from({ length: 50 }, (_, i) => segment({ port: 2000 + i, at: -1, flags: TCP_FLAG.SYN }));
    expect(run(reassembler, flood)).toEqual([]);
    expect(outline(run(reassembler, [segment({ port: 1001, data: "a" })]))).toEqual(["> a"]);
  });

  test("silent connections are forgotten", () => {
    const reassembler = new TcpReassembler({ idleTimeoutMs: 100 });
    run(reassembler, open(1001));
    expect(reassembler.tick(101)).toEqual([]);
    expect(outline(reassembler.tick(102))).toEqual(["close idle"]);
    expect(reassembler.stats.flows).toBe(0);
  });
});

describe("properties", () => {
  const text = "The quick brown fox jumps over the lazy dog, 0123456789 times.";

  test("cut, repeated and reordered in any way, each byte comes once and in order", () => {
    const piece = fc.tuple(fc.nat(text.length - 1), fc.integer({ min: 1, max: 20 }));
    const whole = Array.from({ length: text.length }, (_, at) => [at, 3] as [number, number]);
    const pieces = fc
      .array(piece, { maxLength: 30 })
      .chain((extra) => fc.shuffledSubarray([...whole, ...extra], { minLength: whole.length + extra.length }));
    fc.assert(
      fc.property(pieces, (order) => {
        const frames = order.map(([at, length]) => segment({ at, data: text.slice(at, at + length) }));
        const events = run(new TcpReassembler(), [...HANDSHAKE, ...frames]);
        expect(delivered(events)).toBe(text);
        expect(events.every((event) => event.kind === "data" || event.kind === "open")).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("any segments at all never throw and never deliver past a blind event", () => {
    const sketch = fc.record({
      from: fc.constantFrom("client" as const, "server" as const),
      at: fc.integer({ min: -5, max: 40 }),
      ack: fc.integer({ min: -5, max: 40 }),
      flags: fc.nat(63),
      data: fc.string({ maxLength: 10 }),
      port: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(sketch, { maxLength: 40 }), (sketches) => {
        const reassembler = new TcpReassembler({ maxFlows: 2, maxHeldBytes: 30, maxHeldSegments: 3, gapTimeoutMs: 5 });
        const events = run(reassembler, sketches.map(segment));
        const blind = new Set<string>();
        for (const event of events) {
          if (event.kind === "blind") blind.add(`${event.flow.id} ${event.direction}`);
          if (event.kind === "data") expect(blind).not.toContain(`${event.flow.id} ${event.direction}`);
        }
        expect(reassembler.stats.flows).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });
});
