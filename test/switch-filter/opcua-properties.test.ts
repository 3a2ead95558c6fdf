import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { item, opened, publish, rawBody, read, write } from "./ua-bench.ts";

/** Properties of the OPC UA session, over whole services and over noise. */
describe("properties", () => {
  const bodies: readonly Buffer[] = [read, publish, write(item(0)), write(item(99)), rawBody(1), read.subarray(0, 30)];
  const service = fc.constantFrom(...bodies);
  const cuts = fc.array(fc.nat(), { maxLength: 20 });

  test("however the bytes are cut, the same reaches the server and the verdicts are the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(service, fc.integer({ min: 1, max: 4 })), { maxLength: 12 }),
        cuts,
        async (list, at) => {
          const run = async (piecesOf: (bytes: Buffer) => readonly Buffer[]) => {
            const bench = await opened();
            const bytes = Buffer.concat(
              list.flatMap(([body, parts], i) => {
                const size = Math.ceil(body.length / parts);
                return Array.from({ length: parts }, (_, part) =>
                  bench.chunk(10 + i, body.subarray(part * size, (part + 1) * size), {
                    chunkType: part === parts - 1 ? "F" : "C",
                  }),
                );
              }),
            );
            for (const piece of piecesOf(bytes)) bench.say(piece);
            const verdicts = bench.recorded.judged.map((j) => `${j.observation.message} ${j.action}`);
            return { reached: bench.reached, bodies: bench.bodies.map(({ body }) => body.toString("hex")), verdicts };
          };
          const whole = await run((bytes) => [bytes]);
          const pieces = await run((bytes) => {
            const places = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
            return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
          });
          expect(pieces).toEqual(whole);
          for (const name of whole.reached) expect(["HEL", "OPN", "Read", "Publish"]).toContain(name);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("random bytes from either side never throw, and never bring a forbidden service through", async () => {
    const noise = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const deed = fc.oneof(
      fc.tuple(fc.constant("client"), noise),
      fc.tuple(fc.constant("server"), noise),
      fc.tuple(fc.constant("chunk"), fc.oneof(noise, service)),
      fc.tuple(fc.constant("answer"), noise),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 12 }), fc.nat(30_000), async (deeds, realMs) => {
        const bench = await opened();
        let requestId = 1;
        for (const [kind, bytes] of deeds) {
          requestId += 1;
          bench.nowMs += realMs / 12;
          if (kind === "client") bench.say(bytes);
          else if (kind === "server") bench.fromServer(bytes);
          else if (kind === "chunk") bench.ask(requestId, bytes);
          else bench.answer(requestId - 1, bytes);
          bench.session.expire(bench.nowMs);
        }
        const allowed = bench.recorded.judged.filter(({ action }) => action === "forwarded");
        expect(allowed.every(({ verdict }) => verdict.verdict === "allow")).toBe(true);
        for (const name of bench.reached) expect(["HEL", "OPN", "Read", "Publish"]).toContain(name);
      }),
      { numRuns: 200 },
    );
  });
});
