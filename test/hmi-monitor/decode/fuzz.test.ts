import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "#sim/random.ts";
import { encodeFrame, transactionId, unitId } from "#wire/modbus/index.ts";
import { CaptureReader, PcapngWriter } from "#wire/pcap/index.ts";
import { writeOpcuaCapture } from "../../../bench/decode/opcua-traffic.ts";
import { GOLDEN } from "../../wire/modbus/golden.ts";
import { BuiltCapture } from "./capture-builder.ts";
import { decoded } from "./decoded.ts";

// Any capture, however broken, ends with a sentence or with none, and with lines that are JSON.

const ROUNDS = 2500;
const PROCESSES = 12;
const LAUNCHER = fileURLToPath(new URL("../../../bin/sekisho.js", import.meta.url));
const seed = Number(process.env["SEKISHO_FUZZ_SEED"] ?? 5);

describe(`mutated captures (seed ${seed})`, () => {
  let folder = "";
  let captures: readonly Buffer[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-decode-fuzz-"));
    const opcua = join(folder, "opcua.pcap");
    writeOpcuaCapture(opcua, { packets: 60, flows: 3 });
    const modbus = modbusCapture({});
    captures = [
      modbus,
      modbusCapture({ late: true, vlans: [5] }),
      readFileSync(opcua),
      lossyCapture(),
      asPcapng(modbus),
    ];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function modbusCapture(options: { readonly late?: boolean; readonly vlans?: readonly number[] }): Buffer {
    const capture = new BuiltCapture(options);
    GOLDEN.forEach(({ request, response }, i) => {
      const header = { transactionId: transactionId(i), unitId: unitId(1) };
      capture.say("client", encodeFrame(header, Buffer.from(request, "hex")));
      capture.say("server", encodeFrame(header, Buffer.from(response, "hex")));
    });
    return capture.close().pcap();
  }

  /** Gaps of both directions, and a FIN: what is given up, and what is resumed, changes with every sequence number. */
  function lossyCapture(): Buffer {
    const capture = new BuiltCapture();
    GOLDEN.forEach(({ request, response }, i) => {
      const header = { transactionId: transactionId(i % 3), unitId: unitId(1) };
      const [ask, answer] = [request, response].map((pdu) => encodeFrame(header, Buffer.from(pdu, "hex")));
      if (ask === undefined || answer === undefined) return;
      if (i % 4 === 1) capture.lose("client", ask);
      else capture.say("client", ask);
      if (i % 4 === 2) capture.lose("server", answer);
      else capture.say("server", answer);
    });
    return capture.close().pcap();
  }

  function asPcapng(pcap: Buffer): Buffer {
    const writer = new PcapngWriter();
    return Buffer.concat([writer.header(), ...new CaptureReader().push(pcap).map((frame) => writer.frame(frame))]);
  }

  /** Bytes flipped, a piece dropped, doubled, overwritten or swapped, the end cut off. */
  function mutate(capture: Buffer, rng: () => number): Buffer {
    let bytes: Buffer = Buffer.from(capture);
    const whole = (below: number): number => Math.floor(rng() * below);
    for (let n = 1 + whole(4); n > 0; n -= 1) {
      const at = whole(bytes.length);
      const length = 1 + whole(60);
      const piece = bytes.subarray(at, at + length);
      switch (whole(6)) {
        case 0:
          bytes[at] = whole(256);
          break;
        case 1:
          bytes[at] = [0, 0xff, 0x7f, 0x80][whole(4)] ?? 0;
          break;
        case 2:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
          break;
        case 3:
          bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
          break;
        case 4:
          piece.copy(bytes, whole(bytes.length));
          break;
        default:
          if (rng() < 0.2) bytes = bytes.subarray(0, at);
      }
      if (bytes.length === 0) return bytes;
    }
    return bytes;
  }

  test(`${ROUNDS} of them in this process: never an exception, always JSON, nothing uncounted`, {
    timeout: 120_000,
  }, () => {
    const rng = random(seed, "decode");
    const said = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const capture = mutate(captures[round % captures.length] ?? Buffer.alloc(0), rng);
      // Most that is changed would else be passed over for its checksum.
      const verifyChecksums = rng() < 0.6 ? false : ("auto" as const);
      const options = { modbusFraming: rng() < 0.2 ? ("rtu" as const) : ("mbap" as const), verifyChecksums };
      const { lines, wrong, counts } = decoded(capture, options, 1 + Math.floor(rng() * 4000));
      for (const line of lines) expect(line).toMatchObject({ frame: expect.any(Number), src: expect.any(String) });
      expect(counts.messages).toBe(lines.length);
      expect(counts.errors).toBe(lines.filter(({ error }) => error !== undefined).length);
      for (const count of Object.values(counts.unread)) expect(count).toBeGreaterThanOrEqual(0);
      if (wrong !== undefined) {
        expect(wrong).toMatch(/^the capture .{20,}$/);
        said.add(wrong.slice(0, 30));
      }
    }
    expect(said.size).toBeGreaterThanOrEqual(2);
  });

  test("the same capture gives the same lines, however it comes in pieces", () => {
    for (const capture of captures) {
      const whole = decoded(capture, {}, capture.length).text;
      for (const bytes of [1, 7, 1000]) expect(decoded(capture, {}, bytes).text).toBe(whole);
    }
  });

  test("the command itself ends with 0 or 2, and then with a sentence", { timeout: 120_000 }, () => {
    const rng = random(seed, "processes");
    for (let round = 0; round < PROCESSES; round += 1) {
      const file = join(folder, `mutated-${round}.pcap`);
      writeFileSync(file, mutate(captures[round % captures.length] ?? Buffer.alloc(0), rng));
      const ran = spawnSync(process.execPath, [LAUNCHER, "decode", file, "--json"], {
        encoding: "utf8",
        timeout: 60_000,
      });
      expect([0, 2]).toContain(ran.status);
      expect(ran.stderr).not.toMatch(/\n\s+at /);
      if (ran.status === 2) expect(ran.stderr.trimEnd().split("\n").at(-1)).toMatch(/^sekisho: .{20,}/);
      for (const line of ran.stdout.split("\n").filter((text) => text !== "")) JSON.parse(line);
    }
  });
});
