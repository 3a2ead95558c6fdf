import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LEAST_VISIBLE_MS } from "#hmi-monitor/half-seen.ts";
import type { SeenFrame } from "#hmi-monitor/monitor.ts";
import { buildBundle, relocatePlant } from "#specs/bundle.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { waterTreatment } from "../support/plant.ts";
import { watching } from "./capture.ts";
import { HANDSHAKE, isWithin, judged, modbus, opcua, readOn, turns, watch } from "./talks.ts";

/** Frames that the mirror loses: what is judged is what was sent, and the connection is read again. */
/** Which connection a command came on. What is behind a gap of one waits, and that of another does not. */
const portOf = (command: string): string => command.split(" ")[0] ?? "";

describe.each([
  { protocol: "Modbus", talk: modbus },
  { protocol: "OPC UA", talk: opcua },
])("$protocol", ({ talk }) => {
  test("frames lost anywhere: no command is invented, none is judged twice, and their order is kept", async () => {
    let resumed = 0;
    await fc.assert(
      fc.asyncProperty(turns, fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }), async (course, losses) => {
        const { capture, writes } = talk(course);
        const lost = new Set(losses.map((at) => HANDSHAKE + (at % (capture.records.length - HANDSHAKE))));
        const kept = capture.records.filter((_, n) => !lost.has(n));
        resumed += await readOn(kept, writes);
      }),
      { numRuns: 250 },
    );
    expect(resumed).toBeGreaterThan(60);
  });

  test("one lost frame, wherever it is: the connection is read again, and the last write of all is seen", async () => {
    const plain = Array.from({ length: 12 }, (_, n) => ({
      writes: n % 2 === 1,
      cut: n % 3 === 0 ? 9 : 0,
      piped: false,
    }));
    const { capture, writes } = talk(plain);
    const { length } = capture.records;
    for (let at = HANDSHAKE; at < length - 8; at += 1) {
      const { monitor, says, ...watched } = await watch(capture.records.filter((_, n) => n !== at));
      const seen = judged({ monitor, says, ...watched });
      expect(isWithin(seen, writes)).toBe(true);
      // A lost handshake message of OPC UA has no answer that confirms it; what follows is read all the same.
      expect([at, seen.at(-1)]).toEqual([at, writes.at(-1)]);
      expect(seen.length).toBeGreaterThanOrEqual(writes.length - 2);
      expect(says.join("\n")).toMatch(
        /bytes are missing from the mirror \(gap\): blind until .*[\s\S]*judged from now on; \d+ bytes/,
      );
      expect([monitor.unread.gaps, monitor.unread.resynchronised, monitor.unread.blind]).toEqual([1, 1, 0]);
    }
  });
});

test("a recorded start-up of real clients and servers, frames lost anywhere: every command judged was sent, in its order", async () => {
  const reader = new CaptureReader();
  const records = reader.push(
    gunzipSync(readFileSync(new URL("replay/captures/simulated-startup.pcap.gz", import.meta.url))),
  );
  const { plant, lifecycle } = waterTreatment();
  const there = buildBundle(relocatePlant(plant, "127.10.", "127.44."), lifecycle);
  const play = async (kept: readonly SeenFrame[]) => {
    const watched = await watching(there);
    for (const record of kept) watched.monitor.frame(record);
    watched.monitor.tick((records.at(-1)?.timeMs ?? 0) + 2000);
    const commands = watched.judged
      .filter(({ observation: { operation } }) => operation === "write" || operation === "call")
      .map(
        ({ observation: { sourceAddress, items } }) =>
          `${sourceAddress.replace(/^.*@/, "")} ${items.map(({ tag, value }) => `${tag} ${value}`)}`,
      );
    return { commands, unread: watched.monitor.unread };
  };
  const whole = await play(records);
  expect(whole.commands.length).toBeGreaterThan(10);
  const draw = fc.sample(fc.array(fc.nat(records.length - 1), { minLength: 1, maxLength: 12 }), 40);
  let [lost, seen, resumed] = [0, 0, 0];
  for (const losses of draw) {
    const { commands, unread } = await play(records.filter((_, n) => !losses.includes(n)));
    for (const connection of new Set(whole.commands.map(portOf))) {
      const of = (all: readonly string[]) => all.filter((one) => portOf(one) === connection);
      if (!isWithin(of(commands), of(whole.commands))) throw new Error(`judged ${of(commands).join("; ")}`);
    }
    expect(new Set(whole.commands.map(portOf)).isSupersetOf(new Set(commands.map(portOf)))).toBe(true);
    lost += whole.commands.length - commands.length;
    seen += commands.length;
    resumed += unread.resynchronised;
  }
  process.stdout.write(
    `${seen} commands judged, ${lost} not, of ${draw.length} start-ups with up to 12 frames lost; ${resumed} times read again\n`,
  );
  expect(resumed).toBeGreaterThan(20);
  expect(seen).toBeGreaterThan(lost);
}, 120_000);

test("until it is read again the layer is blind, and vouches for nothing behind the gap", async () => {
  const { capture } = modbus([0, 1, 2, 3].map(() => ({ writes: false, cut: 0, piped: false })));
  const { monitor } = await watching();
  const [lost, ...rest] = capture.records.slice(HANDSHAKE);
  for (const record of capture.records.slice(0, HANDSHAKE)) monitor.frame(record);
  const before = capture.records[HANDSHAKE - 1]?.timeMs ?? 0;
  expect(monitor.seenUpToMs).toBe(before);
  const [answer, request, its] = rest;
  if (lost === undefined || answer === undefined || request === undefined || its === undefined)
    throw new Error("short");
  monitor.frame(answer);
  monitor.quietUpTo(answer.timeMs + 500);
  expect(monitor.seenUpToMs).toBe(answer.timeMs);
  monitor.frame(request);
  expect(monitor.blindUntil(request.timeMs)).toBe(
    "blind until a request and its answer fit in a connection of which a part was not seen",
  );
  monitor.frame(its);
  // In one heap with the hole or not: the coordinator hears of it.
  expect(monitor.blindUntil(its.timeMs)).toBe("a part of a connection was not seen a moment ago");
  expect(monitor.blindUntil(request.timeMs + LEAST_VISIBLE_MS)).toBeUndefined();
});

test("a segment that is only overtaken is waited for, and what is behind it is not vouched for", async () => {
  const { capture, writes } = modbus([0, 1].map(() => ({ writes: true, cut: 5, piped: true })));
  const watched = await watching();
  const [head, ...rest] = capture.records.slice(HANDSHAKE);
  for (const record of capture.records.slice(0, HANDSHAKE)) watched.monitor.frame(record);
  const [tail, next] = rest;
  if (head === undefined || tail === undefined || next === undefined) throw new Error("short");
  watched.monitor.frame(tail);
  watched.monitor.frame({ ...next, timeMs: next.timeMs + 500 });
  expect(watched.monitor.seenUpToMs).toBe(tail.timeMs);
  watched.monitor.frame({ ...head, timeMs: next.timeMs + 600 });
  expect(watched.monitor.seenUpToMs).toBe(next.timeMs + 600);
  expect(judged(watched)).toEqual(writes.slice(0, 1));
  expect(watched.monitor.unread.gaps).toBe(0);
});
