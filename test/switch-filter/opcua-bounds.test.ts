import { WriteResponse } from "node-opcua";
import { describe, expect, test } from "vitest";
import { ANSWER_TIMEOUT_MS, MAX_PENDING } from "#switch-filter/opcua-judgement.ts";
import { PARTIAL_TIMEOUT_MS } from "#switch-filter/opcua-session.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { decodeErrorMessage, encodeAcknowledge } from "#wire/opcua/uacp-messages.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { answered, OPENED } from "./ua-answers.ts";
import {
  CHANNEL,
  HELLO,
  item,
  opened,
  openedBody,
  opn,
  publish,
  read,
  readAnswer,
  SIZES,
  UaBench,
  write,
} from "./ua-bench.ts";

/** What an OPC UA session keeps, how long it waits, and what it makes of a server that does not answer as it should. */
describe("bounds", () => {
  test(`${MAX_PENDING} requests wait for their answers, the next is refused, and an answer makes room`, async () => {
    const bench = await opened();
    for (let i = 0; i < MAX_PENDING; i += 1) bench.ask(10 + i, publish);
    expect(bench.bodies.length).toBe(1 + MAX_PENDING);
    bench.ask(500, read);
    expect(bench.bodies.length).toBe(1 + MAX_PENDING);
    expect(answered(bench).at(-1)).toBe("ServiceFault");
    expect(bench.recorded.settled.at(-1)).toMatchObject({
      outcome: "denied",
      judged: { action: "blocked", verdict: { verdict: "deny", reason: "OVERLOADED" } },
    });
    bench.answer(10, readFault());
    bench.ask(501, read);
    expect(bench.bodies.length).toBe(2 + MAX_PENDING);
  });

  test("a request id in use is refused", async () => {
    const bench = await opened();
    bench.ask(2, read);
    bench.ask(2, write(item(31)));
    expect(bench.reached).toEqual([...OPENED, "Read", "Read"]);
  });

  test("a connection that opens no channel is given up", async () => {
    const silent = await UaBench.make();
    const greeting = await UaBench.make();
    greeting.say(HELLO);
    for (const bench of [silent, greeting]) {
      bench.session.expire(0);
      bench.session.expire(PARTIAL_TIMEOUT_MS);
      expect(bench.ended).toBeUndefined();
      bench.session.expire(PARTIAL_TIMEOUT_MS + 1);
      expect(bench.ended).toContain("no channel");
    }
  });

  test("one byte per second, or one chunk and never the next: the message is given up", async () => {
    const bytes = await opened();
    for (const byte of bytes.chunk(2, read).subarray(0, 20)) {
      bytes.nowMs += 1000;
      bytes.say(Buffer.from([byte]));
      bytes.session.expire(bytes.nowMs);
    }
    const chunks = await opened();
    chunks.ask(2, read.subarray(0, 9), { chunkType: "C" });
    chunks.session.expire(PARTIAL_TIMEOUT_MS + 1);
    for (const bench of [bytes, chunks]) {
      expect(bench.ended).toContain("incomplete");
      expect(bench.reached).toEqual([...OPENED, "Read"]);
    }
  });

  test("an answer may take its time; that to Publish as much as it likes", async () => {
    const bench = await opened();
    bench.ask(2, publish);
    bench.session.expire(100 * ANSWER_TIMEOUT_MS);
    expect(bench.ended).toBeUndefined();
    bench.nowMs = 100 * ANSWER_TIMEOUT_MS;
    bench.ask(3, write(item(31)));
    expect(bench.session.unsettledSinceMs).toBe(1_000_000);
    bench.session.expire(101 * ANSWER_TIMEOUT_MS);
    expect(bench.ended).toBeUndefined();
    bench.session.expire(101 * ANSWER_TIMEOUT_MS + 1);
    expect(bench.ended).toContain("did not answer");
    expect(bench.session.unsettledSinceMs).toBeUndefined();
  });
});

describe("a malicious server", () => {
  const cases: readonly { readonly name: string; readonly does: (bench: UaBench) => void }[] = [
    { name: "answers what nobody asked", does: (bench) => bench.answer(9, readAnswer(1)) },
    {
      name: "answers twice",
      does: (bench) => {
        bench.answer(2, readAnswer(1));
        bench.answer(2, readAnswer(1));
      },
    },
    {
      name: "answers by another service",
      does: (bench) => bench.answer(2, bodyOf(new WriteResponse({ results: [] }))),
    },
    { name: "answers by a request", does: (bench) => bench.answer(2, write(item(0))) },
    { name: "answers by noise", does: (bench) => bench.answer(2, Buffer.from("noise")) },
    {
      name: "puts more behind its answer",
      does: (bench) => bench.answer(2, Buffer.concat([readAnswer(1), readAnswer(2)])),
    },
    { name: "skips a sequence number", does: (bench) => bench.answer(2, readAnswer(1), { sequenceNumber: 4000 }) },
    { name: "opens a channel by itself", does: (bench) => bench.fromServer(opn(102, openedBody(), CHANNEL)) },
    { name: "acknowledges again", does: (bench) => bench.fromServer(encodeAcknowledge(SIZES)) },
    { name: "closes the channel", does: (bench) => bench.answer(2, readAnswer(1), { type: "CLO" }) },
    { name: "speaks another protocol", does: (bench) => bench.fromServer(Buffer.from("HTTP/1.1 200 OK")) },
    { name: "says hello", does: (bench) => bench.fromServer(HELLO) },
  ];
  test.each(cases)("$name: withheld, said, and the connection closed", async ({ does }) => {
    const bench = await opened();
    bench.ask(2, read);
    does(bench);
    expect(bench.ended).toBeDefined();
    expect(bench.recorded.says.length).toBe(1);
    const [, , ...services] = answered(bench);
    expect(services.filter((name) => name !== "Read")).toEqual(["ERR"]);
    const error = decodeErrorMessage(bench.output.down.at(-1) ?? Buffer.alloc(0));
    expect(error.ok).toBe(true);
  });
});

/** A server's own refusal. */
function readFault(): Buffer {
  return encodeServiceFault({ requestHandle: 1, statusCode: STATUS_CODES.BadTimeout, timestamp: 0 });
}
