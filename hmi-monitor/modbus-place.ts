import {
  decodeRequest,
  decodeResponse,
  type MbapFrame,
  MbapFramer,
  type ModbusRequest,
  type TransactionId,
} from "#wire/modbus/index.ts";
import type { Segment } from "./conversation.ts";

/**
 * Frames that are decoded, and answers that are held against a request, in one look. Ordinary traffic takes some hundreds; a sender who has
 * hundreds of requests answered that fit almost would keep the monitor busy for minutes.
 */
export const MAX_STEPS = 20_000;

interface Steps {
  left: number;
}

interface Asked {
  readonly request: ModbusRequest;
  readonly unitId: number;
  /** Which segment completed it. */
  readonly at: number;
  isAnswered: boolean;
}

/** In the order in which they came; several clients give every request the same identifier. */
type AskedBy = ReadonlyMap<TransactionId, readonly Asked[]>;

/**
 * Where a Modbus connection of which a part was not seen can be read from: a segment of the client and a later one of the server such that
 * everything since is whole frames, every answer fits a request, and the first request has its answer. One answer is enough: sixteen bits
 * of transaction identifier, function, length and, of a write, what was written must agree. A request that is not answered confirms nothing of where
 * it begins: it may be what a longer write holds within.
 *
 * A client that is out to mislead can build writes that hold a further valid one within, and have the server answer such a one as well. The join
 * is said, and a connection begun anew is read from its first byte.
 */
export function modbusPlace(held: readonly Segment[]): readonly Segment[] | undefined {
  // Only an answer can confirm anything.
  if (held.at(-1)?.direction !== "server-to-client") return undefined;
  const steps: Steps = { left: MAX_STEPS };
  for (let up = 0; up < held.length && steps.left > 0; up += 1) {
    if (held[up]?.direction !== "client-to-server") continue;
    const asked = requestsFrom(held, up, steps);
    if (asked === undefined || asked.size === 0) continue;
    for (let down = up + 1; down < held.length && steps.left > 0; down += 1) {
      if (held[down]?.direction === "server-to-client" && answersFit(held, down, asked, steps))
        return cut(held, up, down);
    }
  }
  return undefined;
}

function cut(held: readonly Segment[], up: number, down: number): readonly Segment[] {
  return held.filter(({ direction }, n) => n >= (direction === "client-to-server" ? up : down));
}

/** Every request from a segment of the client on; undefined: that is not where one begins. */
function requestsFrom(held: readonly Segment[], up: number, steps: Steps): AskedBy | undefined {
  const asked = new Map<TransactionId, Asked[]>();
  const whole = eachFrame(held, up, steps, ({ pdu, transactionId, unitId }, at) => {
    const request = decodeRequest(pdu);
    if (!request.ok || isReserved(request.value.functionCode)) return false;
    const one = { request: request.value, unitId, at, isAnswered: false };
    const same = asked.get(transactionId);
    if (same === undefined) asked.set(transactionId, [one]);
    else same.push(one);
    return true;
  });
  return whole ? asked : undefined;
}

function answersFit(held: readonly Segment[], down: number, asked: AskedBy, steps: Steps): boolean {
  for (const same of asked.values()) for (const one of same) one.isAnswered = false;
  const whole = eachFrame(held, down, steps, ({ pdu, transactionId, unitId }, at) => {
    const to = asked.get(transactionId)?.find((one) => {
      steps.left -= 1;
      if (steps.left < 0 || one.isAnswered || one.unitId !== unitId || one.at >= at) return false;
      return decodeResponse(pdu, one.request).ok;
    });
    if (to === undefined) return false;
    to.isAnswered = true;
    return true;
  });
  // The map keeps the order of insertion.
  const [first] = asked.values();
  return whole && first?.[0]?.isAnswered === true;
}

/** False: what lies there in one direction is not frames, or one of them is refused. */
function eachFrame(
  held: readonly Segment[],
  from: number,
  steps: Steps,
  take: (frame: MbapFrame, at: number) => boolean,
): boolean {
  const framer = new MbapFramer();
  const direction = held[from]?.direction;
  for (let at = from; at < held.length; at += 1) {
    const segment = held[at];
    if (segment === undefined || segment.direction !== direction) continue;
    const frames = framer.push(segment.bytes);
    steps.left -= frames.length;
    if (steps.left < 0 || !frames.every((frame) => take(frame, at))) return false;
    if (framer.state.kind === "failed") return false;
  }
  return true;
}

/** 0, and what stands for exceptions. @see MODBUS AP V1.1b3 §4.1 */
function isReserved(functionCode: number): boolean {
  return functionCode === 0 || functionCode > 127;
}
