import { describe, expect, test } from "vitest";
import { decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { CHANNEL, item, opened, read, readAnswer, TOKEN, UaBench, write } from "./ua-bench.ts";

/** What passes unchanged passes in the bytes it came in, under a number of our own; all else is written anew. */
const chunkOf = (bytes: Buffer | undefined) => {
  const chunk = decodeSymmetricChunk(bytes ?? Buffer.alloc(0));
  if (!chunk.ok) throw new Error(chunk.error.code);
  return chunk.value;
};
const withNumber = (bytes: Buffer, sequenceNumber: number): string => {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(sequenceNumber, 16);
  return copy.toString("hex");
};

describe("a request", () => {
  test("that is denied leaves no gap in the numbers that the server sees", async () => {
    const bench = await opened();
    const chunks = [bench.chunk(10, read), bench.chunk(11, write(item(0))), bench.chunk(12, read)];
    const came = chunks.map((chunk) => Buffer.from(chunk));
    for (const chunk of chunks) bench.say(chunk);
    const before = chunkOf(came[0]).sequenceNumber;
    const passed = bench.output.up.slice(-2).map((bytes) => bytes.toString("hex"));
    expect(passed).toEqual([came[0], came[2]].map((chunk, i) => withNumber(chunk ?? Buffer.alloc(0), before + i)));
  });

  test("in many chunks goes on as one message, in as few as the server takes", async () => {
    const bench = await opened();
    const parts = [read.subarray(0, 20), read.subarray(20, 40), read.subarray(40)];
    parts.forEach((body, i) => {
      bench.ask(10, body, { chunkType: i === 2 ? "F" : "C" });
    });
    expect(chunkOf(bench.output.up.at(-1))).toMatchObject({ chunkType: "F", requestId: 10, body: read });
  });
});

describe("an answer", () => {
  test.each([
    { name: "as it was asked", fields: {} },
    { name: "under another channel", fields: { channelId: CHANNEL + 1 } },
    { name: "under another token", fields: { tokenId: TOKEN + 1 } },
  ])("$name reaches the client under its own channel and token", async ({ fields }) => {
    const bench = await UaBench.open();
    bench.ask(2, read);
    const body = readAnswer(31);
    bench.answer(2, body, fields);
    const told = chunkOf(bench.output.down.at(-1));
    expect(told).toMatchObject({ channelId: CHANNEL, tokenId: TOKEN, requestId: 2, body });
  });
});
