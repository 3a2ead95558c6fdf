import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildTcpFrame, TCP_FLAG, TcpReassembler } from "#wire/packet/index.ts";
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

  test("what was said is remembered while it fits its bound, in pieces of any size", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 });
    const changes = fc.array(fc.nat(299), { maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.nat(1500), changes, (pieces, bound, places) => {
        const said = Buffer.from(
          pieces.flatMap((size, i) => Array.from({ length: size }, (_, k) => (7 * k + 31 * i) & 0xff)),
        );
        let at = 0;
        const frames = pieces.map((size) => {
          at += size;
          return segment({ at: at - size, data: said.subarray(at - size, at) });
        });
        // All of it again, some bytes near the end another.
        const again = Buffer.from(said);
        const changed = new Set(places.map((back) => said.length - 1 - back).filter((place) => place >= 0));
        for (const place of changed) again.writeUInt8(again.readUInt8(place) ^ 1, place);
        const reassembler = new TcpReassembler({ historyBytes: bound, unacknowledgedBytes: 0 });
        const events = run(reassembler, [...HANDSHAKE, ...frames, segment({ data: again })]);
        const differing = events.flatMap((event) => (event.kind === "overlap" ? [event.differingBytes] : []));
        const known = [...changed].filter((place) => place >= said.length - bound).length;
        expect(differing).toEqual(known === 0 ? [] : [known]);
      }),
      { numRuns: 200 },
    );
  });

  test("bytes beyond the history are taken as equal", () => {
    const [said, acked, again] = [segment({ data: "abcdef" }), segment({ from: "server", ack: 6 }), "XXcdeX"];
    const frames = [said, acked, segment({ data: again })];
    expect(afterHandshake(frames, { historyBytes: 4, unacknowledgedBytes: 0 })).toEqual(["> abcdef", "overlap 1"]);
  });

  test("what the server has not acknowledged is compared further back, and beyond that taken as other content", () => {
    const piece = (at: number, data: string) => segment({ at, data: data.repeat(100) });
    const said = Array.from({ length: 20 }, (_, i) => piece(100 * i, "a"));
    const seen = (again: Buffer, unacknowledgedBytes: number) =>
      afterHandshake([...said, again], { historyBytes: 64, unacknowledgedBytes }).slice(20);
    expect(seen(piece(0, "a"), 2000)).toEqual([]);
    expect(seen(piece(0, "b"), 2000)).toEqual(["overlap 100"]);
    expect(seen(piece(0, "a"), 500)).toEqual(["overlap 100"]);
    expect(seen(piece(1800, "a"), 500)).toEqual([]);
    const half = segment({ from: "server", ack: 950 });
    expect(afterHandshake([...said, half, piece(900, "b")], { historyBytes: 64 }).slice(20)).toEqual(["overlap 100"]);
  });

  test("what is remembered of it counts as held, up to half of what all may hold, and is given back", () => {
    const reassembler = new TcpReassembler({ historyBytes: 64, maxTotalHeldBytes: 2000 });
    run(reassembler, [
      ...HANDSHAKE,
      ...Array.from({ length: 30 }, (_, i) => segment({ at: 100 * i, data: Buffer.alloc(100) })),
    ]);
    expect(reassembler.stats.heldBytes).toBeGreaterThan(0);
    expect(reassembler.stats.heldBytes).toBeLessThanOrEqual(1000);
    run(reassembler, [segment({ at: 3000, flags: RST })]);
    expect(reassembler.stats.heldBytes).toBe(0);
  });

  test("bytes before the first one of the connection are reported, and what reaches further is delivered", () => {
    expect(afterHandshake([segment({ at: -5, data: "?????abc" })])).toEqual(["overlap 5", "> abc"]);
    expect(afterHandshake([segment({ at: -50, data: "abc" })])).toEqual(["overlap 3"]);
    // A keep-alive probe.
    expect(afterHandshake([segment({ at: -1, data: "?" }), segment({ data: "abc" })])).toEqual(["> abc"]);
  });

  test("an unanswered SYN says nothing; a repeated SYN-ACK opens once", () => {
    expect(outline(run(new TcpReassembler(), [SYN, SYN]))).toEqual([]);
    expect(outline(run(new TcpReassembler(), [SYN, SYN_ACK, SYN_ACK]))).toEqual(["open"]);
  });

  test("data in the SYN is delivered when the SYN-ACK takes it; when not, what becomes of it is not known", () => {
    const syn = segment({ at: -1, flags: TCP_FLAG.SYN, data: "abc" });
    const taken = segment({ from: "server", at: -1, ack: 3, flags: TCP_FLAG.SYN | TCP_FLAG.ACK });
    const next = segment({ at: 3, data: "d" });
    expect(outline(run(new TcpReassembler(), [syn, taken, next]))).toEqual(["open", "> abc", "> d"]);
    const instead = segment({ data: "xyz" });
    expect(outline(run(new TcpReassembler(), [syn, SYN_ACK, instead]))).toEqual(["open late", "> xyz"]);
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

  test("an acknowledgement of bytes of a connection that never opened keeps nobody waiting", () => {
    for (const afterGap of ["blind", "resume"] as const) {
      const reassembler = new TcpReassembler({ afterGap });
      const seen = run(reassembler, [SYN, segment({ from: "server", ack: 50 })]);
      expect(reassembler.gapSinceMs).toBeUndefined();
      expect([...seen, ...reassembler.tick(5000), ...reassembler.end()]).toEqual([]);
    }
  });

  test("what came before the handshake told where the direction begins is no gap, and no end, of it", () => {
    const early = [segment({ from: "server", ack: 5 }), segment({ flags: FIN })];
    for (const first of early) {
      const reassembler = new TcpReassembler();
      expect(outline(run(reassembler, [SYN, first, SYN_ACK]))).toEqual(["open"]);
      expect(reassembler.tick(5000)).toEqual([]);
      expect(outline(run(reassembler, [segment({ data: "abc" })], 5001))).toEqual(["> abc"]);
    }
  });

  test("bytes behind a FIN that is not acknowledged: which of the two its receiver takes is not known", () => {
    const fin = segment({ at: 3, flags: FIN });
    const frames = [segment({ data: "abc" }), fin, segment({ at: 2, data: "cde" }), segment({ at: 5, data: "fg" })];
    expect(afterHandshake(frames)).toEqual(["> abc", "blind gap"]);
    expect(afterHandshake(frames, { afterGap: "resume" })).toEqual(["> abc", "blind gap", "> de", "> fg"]);
    const other = [segment({ data: "abc" }), fin, segment({ at: 2, data: "Xde" })];
    expect(afterHandshake(other)).toEqual(["> abc", "overlap 1", "blind gap"]);
    const acked = segment({ from: "server", ack: 4 });
    const [said, , ...behind] = frames;
    const ignored = afterHandshake([said ?? fin, fin, acked, ...behind], { afterGap: "resume" });
    expect(ignored).toEqual(["> abc", "skipped out-of-window", "skipped out-of-window"]);
  });

  test("what comes again after the FIN is compared as before it, and a keep-alive probe is none of it", () => {
    const said = [segment({ data: "abc" }), segment({ at: 3, flags: FIN })];
    const acked = segment({ from: "server", ack: 4 });
    const probe = segment({ at: 3, data: "?" });
    expect(afterHandshake([...said, segment({ data: "abc", flags: FIN })])).toEqual(["> abc"]);
    expect(afterHandshake([...said, segment({ data: "abX" })])).toEqual(["> abc", "overlap 1"]);
    expect(afterHandshake([...said, acked, ...Array.from({ length: 20 }, () => probe)])).toEqual(["> abc"]);
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

  test("malformed frames are skipped and counted", () => {
    const reassembler = new TcpReassembler();
    const events = run(reassembler, [Buffer.alloc(3)]);
    expect(outline(events)).toEqual(["skipped malformed"]);
    expect(events[0]).toMatchObject({ error: { code: "PK_SHORT" } });
    expect(reassembler.stats).toMatchObject({ frames: 1, malformed: 1, segments: 0 });
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

  test("a late retransmission after the end is quiet, of what the server has; it may hear the rest for the first time", () => {
    const [said, reset] = [segment({ data: "abc" }), segment({ at: 3, flags: RST })];
    const acked = segment({ from: "server", ack: 3 });
    expect(afterHandshake([said, acked, reset, said])).toEqual(["> abc", "close rst"]);
    expect(afterHandshake([said, reset, segment({ data: "xyz" })])).toEqual([
      "> abc",
      "close rst",
      "open late",
      "> xyz",
    ]);
  });

  test("a SYN-ACK to a server's port is none; a SYN with FIN or RST opens nothing", () => {
    const { SYN: syn, ACK, FIN: fin, RST: rst } = TCP_FLAG;
    const forged = segment({ at: -1, ack: -1, flags: syn | ACK });
    for (const first of [forged, segment({ at: -1, flags: syn | fin }), segment({ at: -1, flags: syn | rst })]) {
      const seen = outline(run(new TcpReassembler(), [first, ...HANDSHAKE, segment({ data: "abc" })]));
      expect(seen).toEqual(["skipped unexpected-syn", "open", "> abc"]);
    }
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

describe("probes and what receivers drop", () => {
  test("a keep-alive probe with one byte of any content is no overlap", () => {
    const acked = segment({ from: "server", ack: 3 });
    const probe = segment({ at: 2, data: "?" });
    expect(afterHandshake([segment({ data: "abc" }), acked, probe, segment({ at: 3, data: "d" })])).toEqual([
      "> abc",
      "> d",
    ]);
    // Before its acknowledgement the receiver may not have the byte, and could take the other one.
    expect(afterHandshake([segment({ data: "abc" }), probe])).toEqual(["> abc", "overlap 1"]);
    expect(afterHandshake([segment({ data: "abc" }), acked, segment({ at: 1, data: "?c" })])).toEqual([
      "> abc",
      "overlap 1",
    ]);
  });

  test("a zero-window probe is the next byte, sent again with the rest once there is room", () => {
    const frames = [segment({ data: "abc" }), segment({ at: 3, data: "d" }), segment({ at: 3, data: "def" })];
    expect(afterHandshake(frames)).toEqual(["> abc", "> d", "> ef"]);
  });

  test("bytes without ACK are not delivered, and open nothing", () => {
    const forged = segment({ data: "abc", flags: TCP_FLAG.PSH });
    expect(afterHandshake([forged, segment({ data: "abc" })])).toEqual(["skipped no-ack", "> abc"]);
    expect(outline(new TcpReassembler().push(forged, 0))).toEqual(["skipped no-ack"]);
    const fin = segment({ flags: TCP_FLAG.FIN });
    expect(afterHandshake([fin, segment({ data: "abc" })])).toEqual(["skipped no-ack", "> abc"]);
  });

  test("urgent bytes make their direction blind, once; with `resume` each time, and it goes on", () => {
    const urgent = segment({ data: "abc", flags: TCP_FLAG.ACK | TCP_FLAG.URG });
    // The pointer may come first, and mean a byte that comes later.
    const pointer = segment({ flags: TCP_FLAG.ACK | TCP_FLAG.URG });
    const after = segment({ from: "server", ack: 3, data: "ok" });
    expect(afterHandshake([urgent, urgent, after])).toEqual(["blind urgent", "< ok"]);
    expect(afterHandshake([pointer, segment({ data: "abc" })])).toEqual(["blind urgent"]);
    expect(afterHandshake([urgent, segment({ at: 3, data: "d" })], { afterGap: "resume" })).toEqual([
      "blind urgent",
      "> abc",
      "> d",
    ]);
  });
});

describe("capture time and frame numbers", () => {
  test("an event carries the number of the frame that completed it", () => {
    const reassembler = new TcpReassembler();
    const frames = [...HANDSHAKE, segment({ at: 3, data: "d" }), segment({ data: "abc" })];
    const events = frames.flatMap((frame, i) => reassembler.push(frame, i, { number: i + 1 }));
    expect(events.map(({ kind, frame }) => [kind, frame])).toEqual([
      ["open", 2],
      ["data", 5],
      ["data", 5],
    ]);
  });

  test("passing time is noticed without a tick: gaps and silence of connections that say nothing more", () => {
    const reassembler = new TcpReassembler({ idleTimeoutMs: 5000 });
    run(reassembler, [...HANDSHAKE, segment({ at: 5, data: "later" })]);
    const other = (timeMs: number) =>
      outline(reassembler.push(segment({ port: 9, at: -1, flags: TCP_FLAG.SYN }), timeMs));
    expect(other(900)).toEqual([]);
    expect(other(2100)).toEqual(["blind gap"]);
    expect(other(5000)).toEqual([]);
    expect(other(6200)).toEqual(["close idle"]);
  });

  test("a clock that is set back does not stop the noticing", () => {
    const reassembler = new TcpReassembler();
    run(reassembler, [SYN], 1_000_000_000);
    run(reassembler, [...HANDSHAKE, segment({ at: 5, data: "later" })], 5);
    expect(outline(reassembler.push(SYN, 3000))).toContain("blind gap");
  });

  test("at the end of the capture open gaps are said once, and connections stay open", () => {
    const reassembler = new TcpReassembler();
    run(reassembler, [...HANDSHAKE, segment({ at: 5, data: "later" })]);
    expect(outline(reassembler.end())).toEqual(["blind gap"]);
    expect(reassembler.end()).toEqual([]);
    expect(reassembler.stats.flows).toBe(1);
  });

  test("a frame that the capture cut is said to be cut, not malformed", () => {
    const whole = segment({ data: "abcdef" });
    const reassembler = new TcpReassembler();
    const events = reassembler.push(whole.subarray(0, -2), 0, { originalLength: whole.length });
    expect(outline(events)).toEqual(["skipped cut"]);
    expect(reassembler.stats).toMatchObject({ cut: 1, malformed: 0 });
  });
});

describe("checksums that were never filled in", () => {
  /** The frame as its sender's own kernel shows it before the network card: the sum of the pseudo header, or zero. */
  function unfilled(frame: Buffer, value: "pseudo" | "zero"): Buffer {
    const copy = Buffer.from(frame);
    let sum = value === "zero" ? 0 : 6 + copy.length - 34;
    if (value === "pseudo") for (let i = 26; i < 34; i += 2) sum += copy.readUInt16BE(i);
    copy.writeUInt16BE((sum & 0xffff) + (sum >>> 16), 50);
    return copy;
  }
  const auto = () => new TcpReassembler({ verifyChecksums: "auto" });
  const said = [SYN, SYN_ACK, segment({}), segment({ data: "ask" }), segment({ from: "server", data: "answer" })];

  test.each(["pseudo", "zero"] as const)(
    "auto: a direction that never fills them in is taken, counted and said (%s)",
    (value) => {
      const frames = said.map((frame, i) => (i === 1 || i === 4 ? frame : unfilled(frame, value)));
      const reassembler = auto();
      expect(outline(run(reassembler, frames))).toEqual(["open", "> ask", "< answer"]);
      expect(reassembler.stats.unfilledChecksums).toBe(3);
      expect(reassembler.checksumNote).toMatch(/^3 segments have wrong checksums, as their whole direction has/);
      const strict = new TcpReassembler();
      expect(outline(run(strict, frames)).filter((line) => line === "skipped malformed")).toHaveLength(3);
    },
  );

  test("auto: a segment that begins a connection anew is counted once", () => {
    const reset = segment({ flags: RST });
    const reassembler = auto();
    const frames = [...HANDSHAKE, reset, ...HANDSHAKE].map((frame) => unfilled(frame, "pseudo"));
    expect(outline(run(reassembler, frames))).toEqual(["open", "close rst", "open"]);
    expect(reassembler.stats).toMatchObject({ segments: 7, unfilledChecksums: 7 });
  });

  test("auto: one that filled one in is held to it; another wrong checksum is wrong", () => {
    const reassembler = auto();
    expect(outline(run(reassembler, [...said, unfilled(segment({ at: 3, data: "forged" }), "pseudo")])).at(-1)).toBe(
      "skipped malformed",
    );
    const wrong = Buffer.from(segment({ data: "ask" }));
    wrong.writeUInt16BE(0x1234, 50);
    expect(outline(run(auto(), [...HANDSHAKE, wrong]))).toEqual(["open", "skipped malformed"]);
    expect(auto().checksumNote).toBeUndefined();
  });
});

describe("the table of connections", () => {
  test("a sender who chooses among his IPv6 addresses cannot make the table slow", () => {
    const group = (word: number) => (word & 0xffff).toString(16);
    const groups = (word: number) => `${group(word >>> 16)}:${group(word)}`;
    // What made an address one number without a secret is undone by its last four bytes.
    const last = { chosen: (i: number) => Math.imul(i, 0x85ebca6b), plain: (i: number) => i };
    const cpuMs = { chosen: 0, plain: 0 };
    for (const kind of ["plain", "chosen"] as const) {
      const frames = Array.from({ length: 4096 }, (_, i) =>
        buildTcpFrame({
          ...{
            srcMac: "02:00:00:00:00:0a",
            dstMac: "02:00:00:00:00:0b",
            dstIp: "fd00::1",
            srcPort: 40_000,
            dstPort: 502,
          },
          ...{ srcIp: `fd00:0:${groups(i)}:0:0:${groups(last[kind](i))}`, payload: Buffer.alloc(0) },
          ...{ seq: 1, ack: 0, flags: TCP_FLAG.SYN },
        }),
      );
      const reassembler = new TcpReassembler();
      const before = process.cpuUsage();
      for (const frame of frames) reassembler.push(frame, 0);
      const { user, system } = process.cpuUsage(before);
      cpuMs[kind] = (user + system) / 1000;
      expect(reassembler.stats.flows).toBe(4096);
    }
    expect(cpuMs.chosen).toBeLessThan(50 + 5 * cpuMs.plain);
  });

  test("connections with segments far away, and without a gap, are not looked through for one", () => {
    const reassembler = new TcpReassembler({ afterGap: "resume" });
    for (let port = 1024; port < 9216; port += 1) {
      reassembler.push(segment({ port, data: "abc" }), 0);
      reassembler.push(segment({ port, at: 50_000_000, data: "abc" }), 0);
    }
    const before = process.cpuUsage();
    let found = 0;
    for (let n = 0; n < 2000; n += 1) if (reassembler.gapSinceMs !== undefined) found += 1;
    const { user, system } = process.cpuUsage(before);
    expect(found).toBe(0);
    expect((user + system) / 1000).toBeLessThan(100);
  });

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

  test("who is evicted, against a slow list", () => {
    interface Known {
      readonly port: number;
      readonly state: "closed" | "opening" | "open";
    }
    const step = fc.tuple(
      // Only who is open is seen to be evicted.
      fc.constantFrom("open", "open", "open", "ack", "ack", "ack", "ack", "syn", "rst"),
      fc.integer({ min: 1, max: 7 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const reassembler = new TcpReassembler({ maxFlows: 4 });
        let list: Known[] = [];
        const evicted: number[] = [];
        const put = (port: number, state: Known["state"]): void => {
          if (list.length === 4 && !list.some((known) => known.port === port)) {
            const order = ["closed", "opening", "open"] as const;
            const out = order.flatMap((wanted) => list.filter((known) => known.state === wanted))[0];
            if (out?.state === "open") evicted.push(out.port);
            list = list.filter((known) => known !== out);
          }
          list = [...list.filter((known) => known.port !== port), { port, state }];
        };
        const frames = steps.flatMap(([deed, port]) => {
          const known = list.find((one) => one.port === port);
          switch (deed) {
            case "syn":
              if (known?.state !== "open") put(port, "opening");
              return [segment({ port, at: -1, flags: TCP_FLAG.SYN })];
            case "open":
              if (known?.state !== "open") put(port, "open");
              return open(port);
            case "ack":
              if (known !== undefined) put(port, known.state);
              return [segment({ port })];
            default:
              if (known !== undefined) put(port, "closed");
              return [segment({ port, flags: RST })];
          }
        });
        const events = run(reassembler, frames);
        const ours = events.flatMap((e) => (e.kind === "close" && e.reason === "evicted" ? [e.flow.client.port] : []));
        expect(ours).toEqual(evicted);
        expect(reassembler.stats.flows).toBe(list.length);
      }),
      { numRuns: 300 },
    );
  });

  test("IPv6 addresses that fold to the same number are told apart", () => {
    const fold = (word: number) => Math.imul(word, 0xc2b2ae35);
    const groups = (word: number) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
    const address = (third: number) => `2001:db8::${groups(third)}:${groups((fold(third) ^ fold(1) ^ 7) >>> 0)}`;
    const reassembler = new TcpReassembler();
    const ends = { srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b", srcPort: 502, dstPort: 502, ack: 1 };
    const push = (from: number, to: number, seq: number, data: string) => {
      const fields = { ...ends, srcIp: address(from), dstIp: address(to), seq, flags: TCP_FLAG.ACK };
      return outline(reassembler.push(buildTcpFrame({ ...fields, payload: Buffer.from(data) }), 0));
    };
    expect(push(1, 2, 10, "a")).toEqual(["open late", "> a"]);
    expect(push(2, 1, 10, "b")).toEqual(["< b"]);
    expect(push(3, 2, 10, "c")).toEqual(["open late", "> c"]);
    expect(push(1, 3, 10, "d")).toEqual(["open late", "> d"]);
    expect(push(3, 1, 10, "e")).toEqual(["< e"]);
    expect(push(1, 2, 11, "f")).toEqual(["> f"]);
  });

  test("bytes behind gaps are bounded over all connections together", () => {
    const reassembler = new TcpReassembler({ maxTotalHeldBytes: 100 });
    const gap = (port: number) => [...open(port), segment({ port, at: 5, data: "x".repeat(50) })];
    const bytes = () => reassembler.stats.heldBytes;
    expect(outline(run(reassembler, [...gap(1), ...gap(2)]))).toEqual(["open", "open"]);
    expect(bytes()).toBe(100);
    expect(outline(run(reassembler, gap(3)))).toEqual(["open", "blind out-of-order-limit"]);
    expect(bytes()).toBe(100);
    // What a connection held is free again once it ends.
    run(reassembler, [segment({ port: 1, at: 55, flags: RST })]);
    expect(bytes()).toBe(50);
  });

  test("10,000 connections at once, in IPv4 and IPv6, cost little while they are silent", () => {
    const reassembler = new TcpReassembler();
    globalThis.gc?.();
    const before = process.memoryUsage();
    const ends = { srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b", dstPort: 502, seq: 1, ack: 1 };
    const frames = (i: number) => {
      const address = `${i >> 8}.${i & 255}`;
      const [srcIp, dstIp] =
        i % 2 === 0 ? [`10.1.${address}`, "10.0.0.1"] : [`2001:db8::${i.toString(16)}`, "2001:db8::"];
      const frame = { ...ends, srcIp, dstIp, srcPort: 40_000 + (i % 7), flags: TCP_FLAG.ACK };
      return buildTcpFrame({ ...frame, payload: Buffer.from(`${i}`) });
    };
    let bytes = "";
    for (let i = 0; i < 10_000; i += 1) bytes += delivered(reassembler.push(frames(i), 0));
    const after = process.memoryUsage();
    expect(bytes).toBe(Array.from({ length: 10_000 }, (_, i) => i).join(""));
    expect(reassembler.stats.flows).toBe(10_000);
    const perFlow = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 10_000;
    expect(perFlow).toBeLessThan(8192);
    // Each is found again, and nothing is opened twice.
    for (let i = 0; i < 10_000; i += 997) expect(outline(reassembler.push(frames(i), 1))).toEqual([]);
  });

  test("16384 connections by default, one more evicts", () => {
    const reassembler = new TcpReassembler();
    const syn = (port: number) => segment({ port, at: -1, flags: TCP_FLAG.SYN });
    for (let port = 1; port <= 16_384; port += 1) reassembler.push(syn(port), 0);
    expect(reassembler.stats.flows).toBe(16_384);
    reassembler.push(syn(20_000), 0);
    expect(reassembler.stats.flows).toBe(16_384);
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
      fc.property(fc.array(sketch, { maxLength: 40, size: "max" }), (sketches) => {
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
