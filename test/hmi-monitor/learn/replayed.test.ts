import { describe, expect, test } from "vitest";
import { learnBytes, replayed } from "./learned.ts";
import { randomTraffic } from "./random-traffic.ts";

const PORTS = new Map([[502, "modbus" as const]]);

describe("what is learned of a capture allows all of it, and passes the check", () => {
  test.each(Array.from({ length: 25 }, (_, seed) => seed))("random traffic %i, phases marked", (seed) => {
    const { bytes, marks, exchanges } = randomTraffic({ seed });
    const options = { ports: PORTS, marks };
    const { draft, errors, evidence } = learnBytes(bytes, options);
    expect(errors).toEqual([]);
    expect(evidence.messages).toBeGreaterThanOrEqual(exchanges);
    for (const layer of ["switch", "hmi"] as const) {
      const judged = replayed(bytes, draft, options, layer);
      expect(judged.denials).toEqual([]);
      expect(judged.allowed).toBeGreaterThanOrEqual(exchanges);
    }
  });

  test.each([
    { name: "of IPv6 alone", traffic: { v6: true } },
    { name: "in which nobody writes", traffic: { readsOnly: true } },
  ])("traffic $name", ({ traffic }) => {
    const { bytes, exchanges } = randomTraffic({ seed: 50, ...traffic });
    const { draft, errors } = learnBytes(bytes, { ports: PORTS });
    expect(errors).toEqual([]);
    const judged = replayed(bytes, draft, { ports: PORTS });
    expect([judged.denials, judged.allowed >= exchanges]).toEqual([[], true]);
  });

  test("but not of another: a capture of other writes is denied where the draft has no rule", () => {
    const { draft } = learnBytes(randomTraffic({ seed: 51, readsOnly: true }).bytes, { ports: PORTS });
    expect(replayed(randomTraffic({ seed: 51 }).bytes, draft, { ports: PORTS }).denials.length).toBeGreaterThan(0);
  });

  test("of mask writes it allows those whose register was known", () => {
    const { bytes } = randomTraffic({ seed: 52, masks: true });
    const { draft, errors } = learnBytes(bytes, { ports: PORTS });
    const others = replayed(bytes, draft, { ports: PORTS }).denials.filter((denial) => !denial.includes("Mask Write"));
    expect([errors, others]).toEqual([[], []]);
  });
});

describe("frames that come twice", () => {
  test("teach once: each frame, and the whole capture behind itself", () => {
    const { bytes } = randomTraffic({ seed: 53 });
    const [head, records] = [bytes.subarray(0, 24), bytes.subarray(24)];
    const doubled: Buffer[] = [head];
    for (let at = 0; at < records.length; ) {
      const record = records.subarray(at, at + 16 + records.readUInt32LE(at + 8));
      doubled.push(record, record);
      at += record.length;
    }
    const counts = (of: Buffer) => {
      const { evidence } = learnBytes(of, { ports: PORTS });
      return [evidence.messages, evidence.commands.map(({ id, sightings }) => [id, sightings.count])];
    };
    expect(counts(Buffer.concat(doubled))).toEqual(counts(bytes));
    expect(counts(Buffer.concat([bytes, records]))).toEqual(counts(bytes));
  });
});
