import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DecodeOptions } from "#hmi-monitor/decode/capture-decoder.ts";
import { encodeFrame, encodeRtu, transactionId, unitId } from "#wire/modbus/index.ts";
import { hasTool } from "../../support/tools.ts";
import { GOLDEN } from "../../wire/modbus/golden.ts";
import { BuiltCapture, type BuiltOptions } from "./capture-builder.ts";
import { decoded } from "./decoded.ts";
import { compare } from "./differences.ts";
import { type Facts, factsOfLine, modbusFactsOfTshark } from "./modbus-facts.ts";
import { tsharkFrames } from "./pdml.ts";
import { MODBUS_DIFFERENCES, RTU_DIFFERENCES, RTU_MISSING, SHARED_TRANSACTION } from "./tshark-differences.ts";

const adu = (transaction: number, unit: number, hex: string): Buffer =>
  encodeFrame({ transactionId: transactionId(transaction), unitId: unitId(unit) }, Buffer.from(hex, "hex"));

/** Requests and answers of every public function, and of what more there is to be told apart. */
const EXCHANGES: readonly (readonly [request: string, response: string])[] = [
  ...GOLDEN.map(({ request, response }) => [request, response] as const),
  ["0800010000", "0800010000"],
  ["0800020000", "0800020000"],
  ["08000a0000", "08000a0000"],
  ["08000b0000", "08000b0007"],
  ["0300000001", "8303"],
  ["1000000001020001", "9002"],
  ["170000000100000001020001", "9704"],
  ["2b0e0100", "ab01"],
  ["05000a0000", "05000a0000"],
  ["2b0e0202", "2b0e020100" + "00" + "01" + "02054d6f64656c"],
  ["4101020304", "410506"],
  ["0f0000000201" + "03", "0f00000002"],
  ["06ffffffff", "06ffffffff"],
];

describe.skipIf(!hasTool("tshark"))("decode says of Modbus what tshark says", () => {
  let folder = "";
  const met = new Set<string>();
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-decode-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function differences(capture: Buffer, args: readonly string[] = [], options: DecodeOptions = {}) {
    const file = join(folder, "capture.pcap");
    writeFileSync(file, capture);
    const { lines } = decoded(capture, options);
    const theirs = modbusFactsOfTshark(tsharkFrames(file, args));
    const compared = compare(lines, lines.map(factsOfLine), theirs, MODBUS_DIFFERENCES);
    for (const name of compared.met) met.add(name);
    return { messages: lines.length, unexplained: compared.unexplained };
  }

  /** All exchanges on one connection; `say` decides how they lie in segments. */
  function conversation(
    options: BuiltOptions,
    say: (capture: BuiltCapture, request: Buffer, response: Buffer) => void,
  ) {
    const capture = new BuiltCapture(options);
    EXCHANGES.forEach(([request, response], i) => {
      say(capture, adu(0x100 + i, 1 + (i % 5), request), adu(0x100 + i, 1 + (i % 5), response));
    });
    return capture.close().pcap();
  }
  const simple = (capture: BuiltCapture, request: Buffer, response: Buffer) =>
    capture.say("client", request).say("server", response);
  const all = { messages: 2 * EXCHANGES.length, unexplained: [] };

  test("every public function code, exceptions, functions nobody knows", () => {
    expect(differences(conversation({}, simple))).toEqual(all);
  });

  test("the same in VLANs, stacked", () => {
    expect(differences(conversation({ vlans: [7, 1200] }, simple))).toEqual(all);
  });

  test("messages split over segments, down to single bytes", () => {
    const split = (bytes: number) => (capture: BuiltCapture, request: Buffer, response: Buffer) => {
      for (let at = 0; at < request.length; at += bytes) capture.say("client", request.subarray(at, at + bytes));
      for (let at = 0; at < response.length; at += bytes) capture.say("server", response.subarray(at, at + bytes));
    };
    expect(differences(conversation({}, split(9)))).toEqual(all);
    expect(differences(conversation({}, split(8)))).toEqual(all);
  });

  test("several messages in one segment, pipelined", () => {
    const capture = new BuiltCapture();
    const requests = EXCHANGES.map(([request], i) => adu(0x200 + i, 1, request));
    const responses = EXCHANGES.map(([, response], i) => adu(0x200 + i, 1, response));
    for (let i = 0; i < requests.length; i += 7) {
      capture.say("client", Buffer.concat(requests.slice(i, i + 7)));
      capture.say("server", Buffer.concat(responses.slice(i, i + 7)));
    }
    expect(differences(capture.close().pcap())).toEqual(all);
  });

  test("the largest reads and writes, and answers in another order than the requests", () => {
    const capture = new BuiltCapture();
    const registers = Buffer.alloc(250, 0x5a);
    const bits = Buffer.alloc(250, 0xa5);
    capture.say("client", adu(1, 1, "030000007d"));
    capture.say("client", adu(2, 1, "01000007d0"));
    capture.say("client", adu(3, 1, `100000007bf6${registers.subarray(0, 246).toString("hex")}`));
    capture.say("client", adu(4, 1, `0f000007b0f6${bits.subarray(0, 246).toString("hex")}`));
    capture.say("server", adu(4, 1, "0f000007b0"));
    capture.say("server", adu(2, 1, `01fa${bits.toString("hex")}`));
    capture.say("server", adu(1, 1, `03fa${registers.toString("hex")}`));
    capture.say("server", adu(3, 1, "100000007b"));
    expect(differences(capture.close().pcap())).toEqual({ messages: 8, unexplained: [] });
  });

  test("requests that break the standard, and what they are answered", () => {
    const capture = new BuiltCapture();
    const broken = ["030010007e", "01fffe0003", "0400000000", "0500011234", "0f000000000100", "180000ff"];
    for (const [i, pdu] of broken.entries()) {
      capture.say("client", adu(i, 1, pdu));
      capture.say("server", adu(i, 1, `${(Number.parseInt(pdu.slice(0, 2), 16) | 0x80).toString(16)}03`));
    }
    expect(differences(capture.close().pcap())).toEqual({ messages: 2 * broken.length, unexplained: [] });
  });

  test("segments that the capture missed: what is there is read, as tshark reads it", () => {
    const capture = new BuiltCapture();
    EXCHANGES.slice(0, 30).forEach(([request, response], i) => {
      const [ask, answer] = [adu(i, 1, request), adu(i, 1, response)];
      if (i % 7 === 3) capture.lose("client", ask).say("server", answer);
      else if (i % 7 === 5) capture.say("client", ask).lose("server", answer);
      else capture.say("client", ask).say("server", answer);
    });
    const file = join(folder, "capture.pcap");
    writeFileSync(file, capture.close().pcap());
    const { lines, counts } = decoded(capture.pcap());
    const read = lines.filter(({ error }) => error !== "TCP_GAP");
    const theirs = modbusFactsOfTshark(tsharkFrames(file));
    expect(counts.blind).toEqual({ gap: 8 });
    // An answer whose request is missing tells neither of us how many bits were asked for: ours are what there is room for.
    const facts = (all: readonly Facts[]) =>
      all.map(({ frame, time, src, transaction, unit, function: code }) => ({
        frame,
        time,
        src,
        transaction,
        unit,
        code,
      }));
    expect(facts(read.map(factsOfLine))).toEqual(facts(theirs));
  });

  test("several requests with one transaction", () => {
    const capture = new BuiltCapture();
    for (const address of ["00", "01", "02"]) capture.say("client", adu(SHARED_TRANSACTION, 1, `0300${address}0001`));
    for (const value of ["07", "08", "09"]) capture.say("server", adu(SHARED_TRANSACTION, 1, `030200${value}`));
    expect(differences(capture.close().pcap())).toEqual({ messages: 6, unexplained: [] });
  });

  test("another port", () => {
    const capture = conversation({ serverPort: 5020 }, simple);
    expect(differences(capture, ["-o", "mbtcp.tcp.port:5020"], { modbusPorts: [5020] })).toEqual(all);
  });

  test("RTU frames over TCP, where the standard says how long they are", () => {
    const capture = new BuiltCapture({ serverPort: 5021 });
    const known = EXCHANGES.filter(([request]) => !/^(2b0d|41)/.test(request));
    for (const [request, response] of known) {
      capture.say("client", encodeRtu(unitId(7), Buffer.from(request, "hex")));
      capture.say("server", encodeRtu(unitId(7), Buffer.from(response, "hex")));
    }
    const file = join(folder, "rtu.pcap");
    writeFileSync(file, capture.close().pcap());
    const { lines } = decoded(capture.pcap(), { modbusPorts: [5021], modbusFraming: "rtu" });
    const theirs = modbusFactsOfTshark(
      tsharkFrames(file, ["-d", "tcp.port==5021,mbrtu", "-o", "mbrtu.tcp.port:5021"]),
      "mbrtu",
    );
    const seen = lines.filter((line) => !RTU_MISSING.about(line));
    const compared = compare(seen, seen.map(factsOfLine), theirs, RTU_DIFFERENCES);
    expect({ messages: lines.length, unexplained: compared.unexplained }).toEqual({
      messages: 2 * known.length,
      unexplained: [],
    });
    expect(seen.length).toBe(lines.length - 4);
    expect(compared.met).toContain("answers to RTU frames of four bytes");
  });

  test("each difference on the list is still one", () => {
    expect([...met].sort()).toEqual(MODBUS_DIFFERENCES.map(({ name }) => name).sort());
  });
});
