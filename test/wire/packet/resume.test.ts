import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ReassemblerOptions, type ReassemblyEvent, TCP_FLAG, TcpReassembler } from "#wire/packet/index.ts";
import { delivered, HANDSHAKE, outline, SYN, segment } from "./conversation.ts";

// `afterGap: "resume"`: a gap is said, and what lies behind it is delivered.

const FIN = TCP_FLAG.FIN | TCP_FLAG.ACK;

/** Frames are numbered from 1 and one ms apart. */
function resumed(frames: readonly Buffer[], options: ReassemblerOptions = {}): ReassemblyEvent[] {
  const reassembler = new TcpReassembler({ afterGap: "resume", ...options });
  const events = frames.flatMap((frame, i) => reassembler.push(frame, i, { number: i + 1 }));
  return [...events, ...reassembler.end()];
}

function afterHandshake(frames: readonly Buffer[], options: ReassemblerOptions = {}): string[] {
  return outline(resumed([...HANDSHAKE, ...frames], options)).slice(1);
}

describe("gaps that do not make a direction blind", () => {
  test("what its receiver has will not be sent again: delivered at once, of the frame and time it came in", () => {
    const frames = [
      ...HANDSHAKE,
      segment({ at: 0, data: "ab" }),
      segment({ at: 5, data: "fg" }),
      segment({ from: "server", ack: 7, data: "ok" }),
      segment({ at: 7, data: "hi" }),
    ];
    const events = resumed(frames);
    expect(outline(events)).toEqual(["open", "> ab", "blind gap", "> fg", "< ok", "> hi"]);
    expect(events[3]).toMatchObject({ frame: 5, timeMs: 4 });
  });

  test("what its receiver does not have yet is waited for", () => {
    const frames = [segment({ at: 2, data: "cd" }), segment({ from: "server" }), segment({ data: "ab" })];
    expect(afterHandshake(frames)).toEqual(["> ab", "> cd"]);
  });

  test("without a word of the receiver, the time-out and the end of the capture decide", () => {
    const frames = [segment({ at: 2, data: "cd" }), segment({ at: 8, data: "ij" }), segment({ at: 4, data: "ef" })];
    expect(afterHandshake(frames)).toEqual(["blind gap", "> cd", "> ef", "blind gap", "> ij"]);
    const silence = Array.from({ length: 8 }, () => segment({}));
    expect(
      afterHandshake([...frames.slice(0, 1), ...silence, segment({ at: 4, data: "ef" })], { gapTimeoutMs: 5 }),
    ).toEqual(["blind gap", "> cd", "> ef"]);
  });

  test("what is behind a second gap has waited since it came, and not since the first was given up", () => {
    const reassembler = new TcpReassembler({ afterGap: "resume", gapTimeoutMs: 100 });
    for (const frame of HANDSHAKE) reassembler.push(frame, 0);
    reassembler.push(segment({ at: 2, data: "cd" }), 0);
    reassembler.push(segment({ at: 6, data: "gh" }), 60);
    expect(outline(reassembler.tick(120))).toEqual(["blind gap", "> cd"]);
    expect(reassembler.gapSinceMs, "nobody is told that what came at 60 ms is judged").toBe(60);
    reassembler.push(segment({ at: 12, data: "mn" }), 130);
    expect(outline(reassembler.tick(500))).toEqual(["blind gap", "> gh", "blind gap", "> mn"]);
    expect(reassembler.gapSinceMs).toBeUndefined();
  });

  test("more held than the bounds allow: it goes on behind the gap", () => {
    const frames = [2, 4, 6].map((at) => segment({ at, data: "xy" }));
    expect(afterHandshake(frames, { maxHeldSegments: 3 })).toEqual(["blind gap", "> xy", "> xy", "> xy"]);
    expect(afterHandshake(frames, { maxHeldSegments: 2 })).toEqual([
      "blind out-of-order-limit",
      "> xy",
      "> xy",
      "> xy",
    ]);
  });

  test("what was given up is not compared with what lies behind it, and does not come again", () => {
    const frames = [
      segment({ data: "ab" }),
      segment({ at: 4, data: "ef" }),
      segment({ from: "server", ack: 6 }),
      segment({ at: 2, data: "cd" }),
      segment({ at: 4, data: "eX" }),
    ];
    expect(afterHandshake(frames)).toEqual(["> ab", "blind gap", "> ef", "overlap 1"]);
  });

  test("an acknowledgement beyond the FIN ends it: one gap, and no more", () => {
    const frames = [segment({ at: 3, flags: FIN }), segment({ from: "server", ack: 40 })];
    expect(afterHandshake(frames)).toEqual(["blind gap"]);
  });

  test("a new connection whose SYN-ACK was missed is one joined late: its client alone says that it began", () => {
    const clientIsn = 9_000_000;
    const frames = [
      segment({ data: "ab" }),
      segment({ at: -1, flags: TCP_FLAG.SYN, clientIsn }),
      segment({ clientIsn, data: "new", ack: 70_000_000 }),
    ];
    expect(afterHandshake(frames)).toEqual(["> ab", "skipped unexpected-syn", "close reused", "open late", "> new"]);
    const reassembler = new TcpReassembler();
    const blind = [...HANDSHAKE, ...frames].flatMap((frame, i) => reassembler.push(frame, i));
    expect(outline(blind).slice(1)).toEqual(["> ab", "skipped unexpected-syn", "skipped out-of-window"]);
  });

  test("many segments far from what was expected: it is we who lost the thread", () => {
    const far = 50_000_000;
    const frames = Array.from({ length: 19 }, (_, i) => segment({ at: far + i, data: "x" }));
    const seen = afterHandshake([segment({ data: "ab" }), ...frames]);
    expect(seen.slice(-3)).toEqual(["blind gap", "> x", "> x"]);
    expect(seen.filter((event) => event === "skipped out-of-window")).toHaveLength(17);
  });

  test("whatever comes: it ends, nothing comes twice, and nothing before what it follows", () => {
    const part = fc.record({
      at: fc.integer({ min: 0, max: 30 }),
      length: fc.integer({ min: 0, max: 12 }),
      ack: fc.integer({ min: -2, max: 40 }),
      up: fc.boolean(),
      flags: fc.constantFrom(TCP_FLAG.ACK, TCP_FLAG.ACK, TCP_FLAG.ACK, FIN, TCP_FLAG.SYN),
    });
    const text = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), (parts, maxHeldSegments) => {
        const frames = parts.map(({ at, length, ack, up, flags }) =>
          segment({ from: up ? "client" : "server", at, ack, flags, data: text.slice(at, at + length) }),
        );
        const events = resumed([SYN, ...HANDSHAKE.slice(1), ...frames], { maxHeldSegments, gapTimeoutMs: 9 });
        const first = events.findIndex(({ kind }) => kind === "close");
        for (const direction of ["client-to-server", "server-to-client"] as const) {
          const got = delivered(first === -1 ? events : events.slice(0, first), direction);
          expect([...got]).toEqual([...new Set(got)].sort((a, b) => text.indexOf(a) - text.indexOf(b)));
        }
      }),
      { numRuns: 400 },
    );
  });
});
