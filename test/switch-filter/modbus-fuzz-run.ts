import { ModbusImage } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { framingOf } from "#switch-filter/modbus-framing.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import type { SessionOutput } from "#switch-filter/session.ts";
import { encodeFrame, encodeRtu, transactionId, unitId } from "#wire/modbus/index.ts";
import { between, type Draw, seededDraw } from "../support/random-plant-draw.ts";
import { CarelessServer } from "./modbus-careless-server.ts";
import { drawPieces, drawStream, type Framing } from "./modbus-mutate.ts";
import { IN_FORCE, LINK_OF, openPlant, READER, WRITER } from "./modbus-open-plant.ts";
import { WatchedPoint } from "./watched-point.ts";

const { plant, bundle } = openPlant();
const tags = new ModbusTags(plant, DeviceId("plc-1"));
const FRAMINGS = { mbap: framingOf("mbap", tags), rtu: framingOf("rtu", tags) } as const;

export interface FuzzCounts {
  streams: number;
  frames: number;
  forwarded: number;
  writes: number;
  closed: number;
}

export const noCounts = (): FuzzCounts => ({ streams: 0, frames: 0, forwarded: 0, writes: 0, closed: 0 });

/** What goes out of the session, held against what was judged, and given to a server that checks nothing. */
class Checked implements SessionOutput {
  readonly server = new CarelessServer();
  readonly #point: WatchedPoint;
  readonly #framing: Framing;
  readonly #counts: FuzzCounts;
  answers: Buffer[] = [];
  ended = false;

  constructor(point: WatchedPoint, framing: Framing, counts: FuzzCounts) {
    this.#point = point;
    this.#framing = framing;
    this.#counts = counts;
  }

  toServer(bytes: Buffer): void {
    if (this.ended) throw new Error("bytes were forwarded after the end");
    const [unit, pdu] = this.#framing === "rtu" ? [bytes[0], bytes.subarray(1, -2)] : [bytes[6], bytes.subarray(7)];
    if (this.#framing === "mbap" && bytes.readUInt16BE(4) !== bytes.length - 6) {
      throw new Error("what was forwarded is not one ADU");
    }
    const judged = this.#point.judged.slice(pdu[0] === 23 ? -2 : -1);
    this.#point.judged = [];
    if (
      judged.length === 0 ||
      judged.some(({ action, verdict }) => action !== "forwarded" || verdict.verdict !== "allow")
    ) {
      throw new Error("what was forwarded was not allowed");
    }
    const answer = this.server.execute(unit ?? 0, pdu);
    const allowed = judged.flatMap(({ observation: { operation, items } }) =>
      operation === "write" ? items.map(({ address, value }) => `${address} = ${value}`) : [],
    );
    if (this.server.written.join() !== allowed.join()) {
      throw new Error(`the server writes ${this.server.written.join()}, and judged was ${allowed.join()}`);
    }
    if (this.server.broken !== undefined) throw new Error(this.server.broken);
    this.#counts.forwarded += 1;
    this.#counts.writes += allowed.length;
    this.answers.push(
      this.#framing === "rtu"
        ? encodeRtu(unitId(unit ?? 0), answer)
        : encodeFrame({ transactionId: transactionId(bytes.readUInt16BE(0)), unitId: unitId(unit ?? 0) }, answer),
    );
  }

  toClient(): void {
    if (this.ended) throw new Error("bytes were sent to the client after the end");
  }

  close(): void {
    this.ended = true;
  }
}

/** One stream through one session. @throws Error: something was forwarded that must not have been */
function runOne(draw: Draw, point: WatchedPoint, counts: FuzzCounts): void {
  const framing: Framing = between(draw, 0, 3) === 0 ? "rtu" : "mbap";
  const source = between(draw, 0, 3) === 0 ? READER : WRITER;
  const output = new Checked(point, framing, counts);
  const party = { source, sourceAddress: "127.0.0.2:1", target: DeviceId("plc-1"), link: LINK_OF[source] };
  const how = { framing: FRAMINGS[framing], image: new ModbusImage(tags) };
  const session = new ModbusSession(point, tags, party, output, how);
  const { bytes, frames } = drawStream(draw, framing);
  for (const piece of drawPieces(draw, bytes)) {
    session.fromClient(piece, 0);
    while (output.answers.length > 0) {
      for (const answer of output.answers.splice(0)) session.fromServer(meddled(draw, answer, framing), 0);
    }
  }
  session.expire(20_000);
  session.closed();
  if (source === READER && output.server.coils.size + output.server.holding.size > 0)
    throw new Error("a reader has written");
  counts.streams += 1;
  counts.frames += frames;
  if (output.ended) counts.closed += 1;
}

/** As far as nobody could have read another value from it: MBAP header, function code, byte count. In RTU the CRC covers all. */
const MEDDLED_BYTES = { mbap: 9, rtu: Number.POSITIVE_INFINITY };

/**
 * Now and then a server's answer is not what it should be. That it shows a false value cannot be seen here, and a mask write is then
 * judged by that value: the layers above compare what is told.
 */
function meddled(draw: Draw, answer: Buffer, framing: Framing): Buffer {
  if (between(draw, 0, 19) !== 0) return answer;
  const changed = Buffer.from(answer);
  const at = between(draw, 0, Math.min(changed.length, MEDDLED_BYTES[framing]) - 1);
  changed[at] = (changed[at] ?? 0) ^ (1 << between(draw, 0, 7));
  return changed;
}

/** So many frames at least, from this seed on. The seed of a stream that fails is named. */
export async function fuzz(seed: number, frames: number, counts: FuzzCounts, point?: WatchedPoint): Promise<number> {
  const watched = point ?? new WatchedPoint(bundle, IN_FORCE);
  if (point === undefined) await watched.start();
  const until = counts.frames + frames;
  let next = seed;
  for (; counts.frames < until; next += 1) {
    watched.judged = [];
    try {
      runOne(seededDraw(next), watched, counts);
    } catch (error) {
      throw new Error(`seed ${next}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return next;
}
