import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { FileSource } from "#hmi-monitor/file-source.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";

/** A capture on standard input that breaks off in other ways than by its bytes. */
const FRAME = encodePcapRecord(1_000_000, Buffer.alloc(60));
const frames = vi.fn();
const ended = vi.fn();
const nothing = (): void => undefined;
const sink = {
  frames,
  ended,
  sees: nothing,
  blind: nothing,
  dropped: nothing,
  quietUpTo: nothing,
  interrupted: nothing,
};
const own = Object.getOwnPropertyDescriptor(process, "stdin");
afterEach(() => {
  vi.clearAllMocks();
  if (own !== undefined) Object.defineProperty(process, "stdin", own);
});

async function input(): Promise<{ stream: PassThrough; source: FileSource }> {
  const stream = new PassThrough();
  Object.defineProperty(process, "stdin", { configurable: true, value: stream });
  stream.write(Buffer.concat([encodePcapHeader(), FRAME]));
  return { stream, source: await FileSource.open("-") };
}

test("what cannot be read to its end says so: everything before is handed on, and it is no whole capture", async () => {
  const { stream, source } = await input();
  source.read(sink);
  stream.write(FRAME);
  await turn();
  stream.destroy(Object.assign(new Error("input/output error"), { code: "EIO" }));
  await turn();
  expect(frames.mock.calls.flat(2)).toHaveLength(2);
  expect(ended.mock.calls).toEqual([["capture `standard input` cannot be read (EIO)"]]);
});

test("the same when it broke before anybody read it", async () => {
  const { stream, source } = await input();
  stream.destroy(Object.assign(new Error("input/output error"), { code: "EIO" }));
  await turn();
  source.read(sink);
  expect(ended.mock.calls).toEqual([["capture `standard input` cannot be read (EIO)"]]);
});
