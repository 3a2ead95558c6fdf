import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DIALOGUE_ERRORS } from "#hmi-monitor/decode/dialogue.ts";
import { summaryLines } from "#hmi-monitor/decode/summary.ts";
import { tableRows } from "#hmi-monitor/decode/table.ts";
import { encodeFrame, encodeRtu, transactionId, unitId } from "#wire/modbus/index.ts";
import { BuiltCapture, pcapOf } from "./capture-builder.ts";
import { decoded } from "./decoded.ts";

const adu = (transaction: number, hex: string): Buffer =>
  encodeFrame({ transactionId: transactionId(transaction), unitId: unitId(1) }, Buffer.from(hex, "hex"));
const rtu = (hex: string): Buffer => encodeRtu(unitId(1), Buffer.from(hex, "hex"));
const READ = "0300100002";
const TWO = "030400070008";

const ARP = Buffer.concat([Buffer.alloc(12, 2), Buffer.from("0806", "hex"), Buffer.alloc(28)]);

describe("a line", () => {
  test("of a request, and of its answer with what was asked", () => {
    const capture = new BuiltCapture().say("client", adu(9, READ)).say("server", adu(9, TWO));
    expect(decoded(capture.pcap()).text).toBe(
      '{"frame":4,"time":1750000000.031500,"src":"10.0.0.10:40000","dst":"10.0.0.20:502","protocol":"modbus","direction":"request","transaction":9,"unit":1,"function":3,"address":16,"quantity":2}\n' +
        '{"frame":5,"time":1750000000.042000,"src":"10.0.0.20:502","dst":"10.0.0.10:40000","protocol":"modbus","direction":"response","transaction":9,"unit":1,"function":3,"values":[7,8],"request":{"frame":4,"address":16,"quantity":2}}\n',
    );
  });

  test("of an answer without its request says so, with as many values as it has room for", () => {
    const { lines, counts } = decoded(
      new BuiltCapture().say("server", adu(9, TWO)).say("server", adu(8, "010105")).pcap(),
    );
    expect(lines).toMatchObject([
      { values: [7, 8], unsolicited: true },
      { values: [1, 0, 1, 0, 0, 0, 0, 0], unsolicited: true },
    ]);
    expect(counts.unread.unsolicited).toBe(2);
  });

  test("of an answer by another unit or function: it answers nothing, and the request waits on", () => {
    const other = encodeFrame({ transactionId: transactionId(9), unitId: unitId(2) }, Buffer.from(TWO, "hex"));
    const capture = new BuiltCapture()
      .say("client", adu(9, READ))
      .say("server", other)
      .say("server", adu(9, "040400070008"));
    const { lines } = decoded(capture.say("server", adu(9, TWO)).pcap());
    expect(lines.slice(1)).toMatchObject([
      { unit: 2, unsolicited: true },
      { function: 4, unsolicited: true },
      { unit: 1, function: 3, request: { frame: 4 } },
    ]);
  });

  test("of what breaks the standard: code, sentence and bytes; the connection is read on", () => {
    const capture = new BuiltCapture().say("client", adu(1, "0300100000")).say("client", adu(2, READ));
    expect(decoded(capture.pcap()).lines).toMatchObject([
      { function: 3, pdu: "0300100000", error: "MB_QUANTITY", says: expect.stringContaining("§6.3") },
      { function: 3, quantity: 2 },
    ]);
  });
});

describe("what is not read is told and counted", () => {
  test("a capture that begins within a connection, in the middle of a message", () => {
    const whole = adu(1, TWO);
    const capture = new BuiltCapture({ late: true })
      .say("server", whole.subarray(5))
      .say("server", whole.subarray(0, 4))
      .say("server", adu(2, TWO));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines).toMatchObject([
      { frame: 1, error: "JOINED_LATE" },
      { frame: 3, values: [7, 8] },
    ]);
    expect(counts).toMatchObject({ joinedLate: 1, unread: { bytes: whole.length - 5 + 4, resynchronised: 1 } });
    expect(summaryLines(counts)).toContain("joined late: 1 connection");
  });

  test("a segment that is not whole messages to its end is no place to begin at", () => {
    const whole = adu(1, TWO);
    const capture = new BuiltCapture({ late: true })
      .say("server", Buffer.concat([whole, whole.subarray(0, 4)]))
      .say("server", Buffer.concat([whole, adu(2, TWO)]));
    expect(decoded(capture.pcap()).lines).toMatchObject([
      { frame: 1, error: "JOINED_LATE" },
      { frame: 2, transaction: 1 },
      { frame: 2, transaction: 2 },
    ]);
  });

  test("an answer that is missing: said where its receiver has it, and what follows is read with its own frame", () => {
    const capture = new BuiltCapture()
      .say("client", adu(1, READ))
      .lose("server", adu(1, TWO))
      .say("server", adu(2, TWO))
      .say("client", adu(2, READ))
      .say("server", adu(3, TWO));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines).toMatchObject([
      { frame: 4, direction: "request" },
      { frame: 6, direction: "response", error: "TCP_GAP" },
      { frame: 5, direction: "response", transaction: 2 },
      { frame: 6, direction: "request", transaction: 2 },
      { frame: 7, direction: "response", transaction: 3 },
    ]);
    expect(lines[2]).toMatchObject({ time: 1750000000.042 });
    expect(counts).toMatchObject({ blind: { gap: 1 }, unread: { unanswered: 2, unsolicited: 2, resynchronised: 1 } });
    expect(summaryLines(counts)).toContain("bytes missing: 1 gap (1 not in the capture)");
  });

  test("behind missing bytes only a segment that is whole messages is read", () => {
    const whole = adu(3, READ);
    const capture = new BuiltCapture()
      .say("client", adu(1, READ).subarray(0, 5))
      .lose("client", adu(2, READ))
      .say("client", whole.subarray(7))
      .say("client", whole.subarray(0, 4))
      .say("server", adu(1, TWO))
      .say("client", adu(4, READ));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines.filter(({ direction }) => direction === "request")).toMatchObject([
      { frame: 7, error: "TCP_GAP" },
      { frame: 8, transaction: 4 },
    ]);
    expect(counts.unread.bytes).toBe(5 + whole.length - 7 + 4);
  });

  test("a segment that is sent again seconds later fills its gap", () => {
    const capture = new BuiltCapture().lose("client", adu(1, READ)).say("client", adu(2, READ));
    const late = new BuiltCapture().say("client", adu(1, READ));
    const frames = [...capture.frames, ...Array.from({ length: 400 }, () => ARP), ...late.frames.slice(3)];
    expect(decoded(pcapOf(frames)).lines).toMatchObject([
      { frame: 405, transaction: 1 },
      { frame: 405, transaction: 2 },
    ]);
  });

  test("checksums that are all wrong are taken and said; a wrong one among right ones is passed over", () => {
    const damage = (frames: readonly Buffer[]) => frames.map((frame) => Buffer.from(frame).fill(0x55, 50, 52));
    const capture = new BuiltCapture().say("client", adu(1, READ)).say("client", adu(2, READ));
    const all = decoded(pcapOf(damage(capture.frames)));
    expect(all.lines).toHaveLength(2);
    expect(all.counts.checksumNote).toMatch(/^5 segments have wrong checksums/);
    expect(decoded(pcapOf(damage(capture.frames)), { verifyChecksums: true }).lines).toEqual([]);
    const [last] = damage(capture.frames.slice(-1));
    const one = decoded(pcapOf([...capture.frames.slice(0, -1), ...(last === undefined ? [] : [last])]));
    expect(one.lines).toHaveLength(1);
    expect(one.counts.skipped).toEqual({ malformed: 1 });
  });

  test("addresses that were rewritten without the header's checksum: taken as a whole, and said", () => {
    const capture = new BuiltCapture().say("client", adu(1, READ));
    const frames = capture.frames.map((frame) => Buffer.from(frame).fill(0x55, 24, 26));
    const { lines, counts } = decoded(pcapOf(frames));
    expect(lines).toHaveLength(1);
    expect(counts.checksumNote).toMatch(/^4 segments/);
  });

  test("a port that is said to be OPC UA's is not Modbus's by default", () => {
    const capture = new BuiltCapture().say("client", adu(1, READ));
    expect(decoded(capture.pcap(), { opcuaPorts: [502] }).lines).toMatchObject([{ protocol: "opcua" }]);
  });

  test("VLAN tags of old switches, and raw IP by the numbers of two systems", () => {
    const capture = new BuiltCapture().say("client", adu(1, READ));
    const tagged = capture.frames.map((frame) =>
      Buffer.concat([frame.subarray(0, 12), Buffer.from("91000005", "hex"), frame.subarray(12)]),
    );
    expect(decoded(pcapOf(tagged)).lines).toMatchObject([{ transaction: 1 }]);
    for (const linkType of [12, 14]) {
      const raw = Buffer.from(pcapOf(capture.frames.map((frame) => frame.subarray(14))));
      raw.writeUInt32BE(linkType, 20);
      expect(decoded(raw).lines).toMatchObject([{ transaction: 1 }]);
    }
  });

  test("what may carry TCP in a way that is not read is said", () => {
    const mpls = Buffer.concat([Buffer.alloc(12, 2), Buffer.from("8847", "hex"), Buffer.alloc(40)]);
    const { counts } = decoded(pcapOf([ARP, mpls]));
    expect(summaryLines(counts)).toEqual(
      expect.arrayContaining(["2 frames without TCP", expect.stringMatching(/^of these in a tunnel .*: 1 frame$/)]),
    );
  });

  test("a bad header, and the next segment that is whole messages again", () => {
    const bad = Buffer.from("000100070006010300100002", "hex");
    const capture = new BuiltCapture().say("client", bad).say("client", bad).say("client", adu(3, READ));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines).toMatchObject([
      { frame: 4, error: "MB_PROTOCOL" },
      { frame: 6, transaction: 3 },
    ]);
    expect(counts.unread).toMatchObject({ bytes: 2 * bad.length, resynchronised: 1 });
  });

  test("a message that the capture ends within", () => {
    const { lines, counts } = decoded(new BuiltCapture().say("client", adu(1, READ).subarray(0, 9)).pcap());
    expect(lines).toMatchObject([{ error: "UNFINISHED", says: expect.stringContaining("9 bytes") }]);
    expect(counts.unread.bytes).toBe(9);
  });

  test("other ports, and the protocols that seem to be spoken there", () => {
    const capture = new BuiltCapture({ serverPort: 5020 }).say("client", adu(1, READ));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines).toEqual([]);
    expect(summaryLines(counts)).toEqual(
      expect.arrayContaining([
        "connections on other ports: 5020 (1); 12 bytes",
        "looks like modbus, not decoded: port 5020; decode it with --modbus-port 5020",
      ]),
    );
    expect(decoded(capture.pcap(), { modbusPorts: [5020] }).lines).toHaveLength(1);
  });

  test("1024 other ports are told apart, and those beyond are counted", () => {
    const ports = Array.from({ length: 1025 }, (_, i) => new BuiltCapture({ serverPort: 20_000 + i }).frames);
    const { counts } = decoded(pcapOf(ports.flat()));
    expect(counts.otherPorts.size).toBe(1024);
    expect(counts.otherPortsBeyond).toBe(1);
    expect(summaryLines(counts)).toContain("connections on ports beyond the 1024 that are told apart: 1");
  });

  test("frames that are no TCP", () => {
    expect(summaryLines(decoded(pcapOf([ARP])).counts)).toContain("1 frame without TCP");
  });

  test("requests beyond those that may wait: the oldest are given up, and counted", () => {
    const capture = new BuiltCapture();
    for (let i = 0; i < 65; i += 1) capture.say("client", adu(i, READ));
    capture.say("server", adu(0, TWO)).say("server", adu(1, TWO));
    const { lines, counts } = decoded(capture.pcap());
    expect(lines.slice(-2)).toMatchObject([{ unsolicited: true }, { request: { frame: 5 } }]);
    expect(counts.unread).toMatchObject({ unanswered: 64, unsolicited: 1 });
  });
});

test("RTU over TCP: no transaction, the answer belongs to the request that waits", () => {
  const capture = new BuiltCapture()
    .say("client", rtu(READ))
    .say("server", rtu(TWO))
    .say("client", rtu("0300100002").fill(0, 7));
  const { lines } = decoded(capture.pcap(), { modbusFraming: "rtu" });
  expect(lines).toMatchObject([
    { unit: 1, function: 3, address: 16 },
    { values: [7, 8], request: { frame: 4 } },
    { error: "MB_CRC" },
  ]);
  expect(lines[0]).not.toHaveProperty("transaction");
});

test("the table for people: a head, a row for each line, nothing that moves a cursor", () => {
  const capture = new BuiltCapture().say("client", adu(9, READ)).say("client", adu(1, "0300100000"));
  const rows = tableRows()(Buffer.from(decoded(capture.pcap()).text)).split("\n");
  expect(rows[0]).toMatch(/frame.*time.*message/);
  expect(rows[1]).toMatch(
    /^ {7}4 {2}15:06:40\.031500 +10\.0\.0\.10:40000 → 10\.0\.0\.20:502 .*function=3 address=16 quantity=2$/,
  );
  expect(rows[2]).toContain("MB_QUANTITY: quantity is outside");
  const odd = Buffer.from(
    `{"frame":1,"time":1,"src":"a","dst":"b","protocol":"opcua","direction":"request","reason":"\\u001b[2J"}\n`,
  );
  expect(tableRows()(odd)).not.toContain("\u001b");
  const late = odd.toString().replace('"time":1', '"time":1750000000.999999700');
  expect(tableRows()(Buffer.from(late))).toContain("15:06:40.999999");
});

test("nanoseconds are kept, and times are written as tshark writes them", () => {
  const nano = Buffer.from(new BuiltCapture().say("client", adu(9, READ)).pcap());
  nano.writeUInt32BE(0xa1b23c4d, 0);
  expect(decoded(nano).text).toContain('"time":1750000000.000031500,');
});

test("each error of a dialogue stands in the documentation, and no other", () => {
  const text = readFileSync(new URL("../../../docs/decode.md", import.meta.url), "utf8");
  const section = text.split("## Errors that are no wire errors")[1]?.split("## ")[0] ?? "";
  const named = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(named).toEqual(Object.keys(DIALOGUE_ERRORS));
});
