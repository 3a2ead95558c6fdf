import { CaptureDecoder, type DecodeOptions } from "#hmi-monitor/decode/capture-decoder.ts";
import type { Counts } from "#hmi-monitor/decode/counts.ts";

export type Line = Readonly<Record<string, unknown>>;

export interface Decoded {
  readonly lines: readonly Line[];
  /** as they were written */
  readonly text: string;
  readonly wrong: string | undefined;
  readonly counts: Readonly<Counts>;
}

/** Decodes a capture in this process, in pieces of so many bytes. */
export function decoded(capture: Buffer, options: DecodeOptions = {}, pieceBytes = 65_536): Decoded {
  const blocks: Buffer[] = [];
  const decoder = new CaptureDecoder((block) => void blocks.push(Buffer.from(block)), options);
  for (let at = 0; at < capture.length; at += pieceBytes) decoder.push(capture.subarray(at, at + pieceBytes));
  const wrong = decoder.end();
  const text = Buffer.concat(blocks).toString("utf8");
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map(asLine);
  return { lines, text, wrong, counts: decoder.counts };
}

function asLine(text: string): Line {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`a line is no object: ${text}`);
  return Object.fromEntries(Object.entries(value));
}
