import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTermination } from "#switch-filter/opcua-identity.ts";
import { peerSecurity } from "../../bench/switch-filter/opcua-pki.ts";
import { Authority } from "./opcua-authority.ts";
import type { FuzzSecurity } from "./opcua-fuzz-run.ts";
import { fuzzSecurity } from "./opcua-fuzz-security.ts";
import { COMMAND_BODIES, OTHER_BODIES } from "./opcua-golden.ts";
import { PLC } from "./opcua-plant.ts";
import { openBody, opn } from "./ua-bench.ts";
import { UaTerminatedBench } from "./ua-terminated-bench.ts";

/** Channels that end in the filter, between two ends in memory: what is under the signature, and how the bytes come. */
const folder = mkdtempSync(join(tmpdir(), "sekisho-ua-terminated-"));
let security: FuzzSecurity;

beforeAll(async () => {
  security = await fuzzSecurity(folder);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cutAt = (bytes: Buffer, places: readonly number[]): readonly Buffer[] => {
  const sorted = [...new Set(places.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length));
};

describe.each(["Sign", "SignAndEncrypt"] as const)("mode %s", (mode) => {
  test("a cut at any one byte, and bytes one by one, change nothing", async () => {
    const bench = await UaTerminatedBench.open(security, mode);
    const list = COMMAND_BODIES.slice(0, 5);
    const round = (piecesOf: (bytes: Buffer) => readonly Buffer[]) => {
      for (const [i, body] of list.entries()) bench.say(10 + i, body, i === 1 ? 3 : 1);
      bench.exchange(piecesOf);
      return bench.news();
    };
    let bytes = 0;
    const whole = round((stream) => {
      bytes = Math.max(bytes, stream.length);
      return [stream];
    });
    expect(whole.judged).toContain("WriteRequest blocked");
    expect(whole.judged).toContain("WriteRequest forwarded");
    expect(whole.reached.length).toBeGreaterThan(0);
    expect(whole.answers).toHaveLength(list.length);
    expect(bytes).toBeGreaterThan(500);
    for (let at = 1; at < bytes; at += 1) expect(round((stream) => cutAt(stream, [at]))).toEqual(whole);
    expect(round((stream) => Array.from({ length: stream.length }, (_, i) => stream.subarray(i, i + 1)))).toEqual(
      whole,
    );
  }, 60_000);

  test("however messages are split into chunks, merged and cut, the same reaches the server and is judged alike", async () => {
    const bench = await UaTerminatedBench.open(security, mode);
    const other = await UaTerminatedBench.open(security, mode);
    const body = fc.constantFrom(
      ...COMMAND_BODIES,
      ...OTHER_BODIES.filter((b) => b.readUInt16LE(2) !== 446 && b.readUInt16LE(2) !== 452),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(body, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (list, places) => {
          for (const [i, [said, parts]] of list.entries()) bench.say(10 + i, said, parts);
          bench.exchange((stream) => cutAt(stream, places));
          for (const [i, [said, , parts]] of list.entries()) other.say(10 + i, said, parts);
          other.exchange();
          const [here, there] = [bench.news(), other.news()];
          expect({ ...here, answers: here.answers.toSorted() }).toEqual({
            ...there,
            answers: there.answers.toSorted(),
          });
          expect(here.error).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  test("a byte changed anywhere behind the signature ends the channel, and reaches nobody", async () => {
    for (const at of [3, 9, 13, 17, 21, 40, 90, -1, -20, -33]) {
      const bench = await UaTerminatedBench.open(security, mode);
      bench.news();
      bench.say(10, COMMAND_BODIES[0] ?? Buffer.alloc(0), 1);
      bench.exchange((stream) => {
        const changed = Buffer.from(stream);
        const place = at < 0 ? stream.length + at : at;
        changed[place] = (changed[place] ?? 0) ^ 1;
        return [changed];
      });
      const { error, reached, judged } = bench.news();
      expect(error).toMatch(/^ERR/);
      expect([...reached, ...judged]).toEqual([]);
    }
  }, 60_000);
});

describe("a renewal is no place for a downgrade", () => {
  test.each([
    { from: "SignAndEncrypt", to: "Sign" },
    { from: "Sign", to: "SignAndEncrypt" },
  ] as const)("from mode $from to $to", async ({ from, to }) => {
    const bench = await UaTerminatedBench.open(security, from);
    bench.client.open(to);
    bench.exchange();
    expect(bench.error).toMatch(/^ERR 80540000: renews a channel of mode/);
  });

  test("nor to no mode, or no policy", async () => {
    const bench = await UaTerminatedBench.open(security, "Sign");
    bench.session.fromClient(opn(bench.client.next(), openBody(1), bench.client.channelId), 0);
    expect(bench.error).toMatch(/^ERR 80550000: the channel is renewed under None instead of Basic256Sha256/);
  });

  test("and one that is none goes through, as does what is said under the token before", async () => {
    const bench = await UaTerminatedBench.open(security, "Sign");
    bench.client.open();
    bench.exchange();
    bench.say(10, COMMAND_BODIES[0] ?? Buffer.alloc(0), 1);
    bench.exchange();
    expect(bench.news()).toMatchObject({ answers: ["10"], error: undefined });
  });
});

test("a client whose certificate was revoked is told so", async () => {
  const authority = new Authority(join(folder, "ca"));
  const filter = join(folder, "filter");
  for (const name of ["good", "stolen"]) authority.issue(name);
  mkdirSync(join(filter, "clients", "crl"), { recursive: true });
  copyFileSync(authority.certificate, join(filter, "clients", "authority.pem"));
  writeFileSync(join(filter, "clients", "crl", "authority.crl"), authority.revoke("PEM", "stolen"));
  const termination = loadTermination(filter, PLC);
  const errorOf = async (name: string): Promise<string | undefined> => {
    const client = peerSecurity(join(folder, "ca", name), join(filter, "own", "clients.pem"), "Sign");
    return (await UaTerminatedBench.open({ ...security, termination, client }, "Sign")).error;
  };
  expect(await errorOf("good")).toBeUndefined();
  expect(await errorOf("stolen")).toMatch(/^ERR 801d0000: .*CN=stolen was revoked/);
}, 60_000);
