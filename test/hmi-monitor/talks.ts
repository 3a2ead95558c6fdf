import fc from "fast-check";
import { ReadRequest, ReadResponse, StatusCodes, WriteRequest, WriteResponse } from "node-opcua";
import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { encodeHello } from "#wire/opcua/uacp-messages.ts";
import type { PcapRecord } from "#wire/pcap/index.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { openBody, opn, SIZES } from "../switch-filter/ua-bench.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";
import { Capture, type Watching, watching } from "./capture.ts";

/** Conversations of an operator station with each server, whose writes can be told apart. */
const PLC1 = { ip: "127.10.2.1", port: 1502 };
const PLC2_UA = { ip: "127.10.2.2", port: 4840 };
/** Frames of a TCP handshake, with which each begins. */
export const HANDSHAKE = 3;

/** A conversation, and what it writes: text with the value that no two writes have in common. */
export interface Talk {
  readonly capture: Capture;
  readonly writes: readonly string[];
}

/** How a conversation goes: for each request whether it writes, how many bytes its first segment has, and whether the next is asked before the answer. */
export interface Turn {
  readonly writes: boolean;
  readonly cut: number;
  readonly piped: boolean;
}
export const turns = fc.array(
  fc.record({
    writes: fc.boolean(),
    cut: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 11 })),
    piped: fc.boolean(),
  }),
  { minLength: 6, maxLength: 14 },
);

function say(send: (bytes: Buffer) => unknown, bytes: Buffer, cut: number): void {
  if (cut === 0) send(bytes);
  else for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) send(part);
}

/** A write of six registers that hold a whole other write, with a segment of its own: who begins to read there reads what nobody sent. */
const nested = (n: number) => `10 0000 0006 0c ${(0x7000 + n).toString(16)} 0000 0006 0106 0001 0320`;
const NESTED_AT = 13;

/** Something else that one side says before that turn. */
export interface Noise {
  readonly before: number;
  readonly up: boolean;
  readonly bytes: Buffer;
}

function disturb(capture: Capture, { up, bytes }: Noise): void {
  if (up) capture.up(bytes);
  else capture.down(bytes);
}

export function modbus(course: readonly Turn[], noise: readonly Noise[] = []): Talk {
  const capture = new Capture(PLC1, 40_001);
  const writes: string[] = [];
  const answers: Buffer[] = [];
  const ask = (n: number, isWrite: boolean, cut: number): void => {
    const up = (bytes: Buffer) => capture.up(bytes);
    if (!isWrite) {
      say(up, adu(n, "03 0000 0003"), cut);
      answers.push(adu(n, "03 06 012c 00c8 05dc"));
    } else if (n % 3 === 0) {
      writes.push(`FIC101.SP ${Math.round(0x7000 + n) / 10}`);
      say(up, adu(n, nested(n)), NESTED_AT);
      answers.push(adu(n, "10 0000 0006"));
    } else {
      const write = adu(n, `06 0001 ${(100 + n).toString(16).padStart(4, "0")}`);
      writes.push(`DOS201.SP ${(100 + n) / 100}`);
      say(up, write, cut);
      answers.push(write);
    }
  };
  for (const [n, { writes: isWrite, cut, piped }] of course.entries()) {
    for (const one of noise) if (one.before === n) disturb(capture, one);
    ask(n, isWrite, cut);
    if (!piped) for (const answer of answers.splice(0)) say((bytes) => capture.down(bytes), answer, cut);
  }
  for (const answer of answers) capture.down(answer);
  return { capture, writes };
}

const SP = { nodeId: "ns=1;s=FIC401.SP", attributeId: 13 };
const chunk = (sequenceNumber: number, requestId: number, body: Buffer) =>
  encodeMsgChunk({ channelId: 7, tokenId: 1, sequenceNumber, requestId, body });
const read = bodyOf(new ReadRequest({ nodesToRead: [SP] }));
const shown = bodyOf(new ReadResponse({ results: [{ value: { dataType: 11, value: 30 } }] }));
const written = bodyOf(new WriteResponse({ results: [StatusCodes.Good] }));

export function opcua(course: readonly Turn[], noise: readonly Noise[] = []): Talk {
  const capture = new Capture(PLC2_UA, 40_002)
    .up(encodeHello({ ...SIZES, endpointUrl: "opc.tcp://127.10.2.2:4840" }))
    .up(opn(1, openBody(0)));
  const writes: string[] = [];
  const answers: Buffer[] = [];
  for (const [n, { writes: isWrite, cut, piped }] of course.entries()) {
    for (const one of noise) if (one.before === n) disturb(capture, one);
    const value = 20 + n / 4;
    if (isWrite) writes.push(`FIC401.SP ${value}`);
    const write = () =>
      bodyOf(new WriteRequest({ nodesToWrite: [{ ...SP, value: { value: { dataType: 11, value } } }] }));
    say((bytes) => capture.up(bytes), chunk(n + 2, n + 2, isWrite ? write() : read), cut);
    answers.push(chunk(n + 2, n + 2, isWrite ? written : shown));
    if (!piped) for (const answer of answers.splice(0)) say((bytes) => capture.down(bytes), answer, cut);
  }
  for (const answer of answers) capture.down(answer);
  return { capture, writes };
}

/** A monitor to which all of it was shown, and two seconds more. */
export async function watch(records: readonly PcapRecord[]): Promise<Watching> {
  const watched = await watching();
  for (const record of records) watched.monitor.frame(record);
  watched.monitor.tick((records.at(-1)?.timeMs ?? 0) + 2000);
  return watched;
}

/** The writes, without their verdicts. */
export const judged = ({ writes }: Watching) => writes().map((text) => text.replace(/ (allow|deny)$/, ""));

/** Each of the one comes in the other, in the same order. */
export function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  return some.every((text) => {
    at = all.indexOf(text, at) + 1;
    return at > 0;
  });
}

/**
 * Watches a conversation of which a part is missing or unreadable: nothing may be judged that was not sent, or twice, or out of order.
 *
 * @returns how often it was read on from a place that its content confirms
 */
export async function readOn(records: readonly PcapRecord[], writes: readonly string[]): Promise<number> {
  const watched = await watch(records);
  const seen = judged(watched);
  if (!isWithin(seen, writes)) throw new Error(`judged ${seen.join(", ")}; sent ${writes.join(", ")}`);
  return watched.monitor.unread.resynchronised;
}
