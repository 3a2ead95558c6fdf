import { beforeEach, describe, expect, test } from "vitest";
import { GIVEN_UP_MS } from "#hmi-monitor/modbus-conversation.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { Capture, type Watching, watching } from "./capture.ts";

/** What one command is, where several messages or registers make it. */
const PLC1 = { ip: "127.10.2.1", port: 1502 };
let watched: Watching;
let capture: Capture;
let shown = 0;

beforeEach(async () => {
  watched = await watching();
  capture = new Capture(PLC1, 40_001);
  shown = 0;
});

function see(): Watching {
  for (const record of capture.records.slice(shown)) watched.monitor.frame(record);
  shown = capture.records.length;
  return watched;
}

const reasons = () =>
  watched.judged.flatMap(({ verdict, observation }) =>
    observation.operation === "write" ? (verdict.verdict === "deny" ? verdict.reason : "") : [],
  );

describe("a mask write is the value that it comes to", () => {
  const mask = adu(9, "16 0001 ff00 0032");

  test("where the register was read a moment ago", () => {
    capture.up(adu(1, "03 0001 0001")).down(adu(1, "03 02 00c8")).up(mask);
    // (0x00c8 AND 0xff00) OR (0x0032 AND NOT 0xff00) is 0x32: 0.5 mg/L, below the phase's 1.
    expect(see().writes()).toEqual(["DOS201.SP 0.5 deny"]);
    expect(reasons()).not.toContain("MASK_REFERENCE_UNKNOWN");
  });

  test("where it was written, and the write was answered", () => {
    capture.up(adu(1, "06 0001 00c8")).down(adu(1, "06 0001 00c8")).up(adu(2, "16 0001 fff0 0000"));
    expect(see().writes().at(-1)).toMatch(/^DOS201.SP 1.92 /);
  });

  test("where a client that gives all requests one identifier read it, after a read that nobody answered", () => {
    capture.up(adu(0, "03 0000 0001"));
    const { length } = capture.records;
    capture.up(adu(0, "03 0001 0001")).down(adu(0, "03 02 00c8")).up(adu(0, "16 0001 ff00 0032"));
    const later = capture.records.splice(length).map((record) => ({ ...record, timeMs: record.timeMs + GIVEN_UP_MS }));
    capture.records.push(...later);
    expect(see().writes()).toEqual(["DOS201.SP 0.5 deny"]);
    expect(watched.monitor.unread).toMatchObject({ unreadable: 0, answers: 0 });
  });

  test.each([
    { name: "nothing was read", before: (c: Capture) => c },
    { name: "its write is not answered yet", before: (c: Capture) => c.up(adu(1, "06 0001 00c8")) },
    {
      name: "two reads of one identifier were under way at once, and the first answer is that of the other register",
      before: (c: Capture) => c.up(adu(0, "03 0000 0001")).up(adu(0, "03 0001 0001")).down(adu(0, "03 02 00c8")),
    },
    {
      name: "its write was refused after a read",
      before: (c: Capture) =>
        c.up(adu(1, "03 0001 0001")).down(adu(1, "03 02 00c8")).up(adu(2, "06 0001 0064")).down(adu(2, "86 04")),
    },
    {
      name: "two writes of it were under way at once",
      before: (c: Capture) =>
        c
          .up(Buffer.concat([adu(1, "06 0001 00c8"), adu(2, "06 0001 0064")]))
          .down(Buffer.concat([adu(2, "06 0001 0064"), adu(1, "06 0001 00c8")])),
    },
  ])("unless $name: then no value can be judged", ({ before }) => {
    before(capture).up(mask);
    expect(see().writes().at(-1)).toBe("DOS201.SP ? deny");
    expect(reasons().at(-1)).toBe("MASK_REFERENCE_UNKNOWN");
  });

  test("two masks of one register at once leave it unknown until it is read", () => {
    capture.up(adu(1, "03 0001 0001")).down(adu(1, "03 02 00c8"));
    capture.up(Buffer.concat([adu(2, "16 0001 ff00 0032"), adu(3, "16 0001 ff00 0064")]));
    capture.down(Buffer.concat([adu(2, "16 0001 ff00 0032"), adu(3, "16 0001 ff00 0064")]));
    capture.up(adu(4, "16 0001 ff00 0064")).down(adu(4, "16 0001 ff00 0064"));
    expect(see().writes()).toEqual(["DOS201.SP 0.5 deny", "DOS201.SP ? deny", "DOS201.SP ? deny"]);
    capture.up(adu(5, "03 0001 0001")).down(adu(5, "03 02 00c8")).up(adu(6, "16 0001 ff00 0064"));
    expect(see().writes().at(-1)).toMatch(/^DOS201.SP 1 /);
  });
});

test("a write of several registers is one command with each of its tags", () => {
  capture.up(adu(1, "10 0000 0003 06 0140 00c8 05dc"));
  see();
  expect(watched.judged).toHaveLength(1);
  expect(watched.judged[0]?.observation.items.map(({ tag, value }) => `${tag} ${value}`)).toEqual([
    "FIC101.SP 32",
    "DOS201.SP 2",
    "LIT101.SP 1.5",
  ]);
});

test("function 23 is one command, and the read that comes with it is judged beside", () => {
  capture.up(adu(1, "17 0000 0001 0001 0001 02 00c8"));
  see();
  expect(watched.judged.map(({ observation }) => observation.operation)).toEqual(["write", "read"]);
  expect(watched.writes()).toEqual(["DOS201.SP 2 deny"]);
});

test("an answer to nothing that was asked is counted", () => {
  capture.up(adu(1, "03 0000 0001")).down(adu(7, "03 02 0000")).down(adu(1, "03 02 0000"));
  expect(see().monitor.unread.answers).toBe(1);
});

test("what goes to a server that the plant does not name is counted", async () => {
  const stranger = new Capture({ ip: "127.10.2.99", port: 1502 }, 40_009).up(adu(1, "06 0001 00c8"));
  for (const record of stranger.records) watched.monitor.frame(record);
  expect(watched.monitor.unread.strangerBytes).toBe(12);
  watched.monitor.tick(2_000_000);
  expect(watched.says).toEqual([
    "not judged since the last such notice: 12 bytes of servers that the plant does not name",
  ]);
  watched.monitor.tick(2_100_000);
  expect(watched.says).toHaveLength(1);
});
