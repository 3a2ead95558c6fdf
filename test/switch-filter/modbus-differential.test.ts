import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ModbusImage } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { Relay } from "#switch-filter/relay.ts";
import { seededDraw } from "../support/random-plant-draw.ts";
import { drawStream } from "./modbus-mutate.ts";
import {
  CELLS,
  IN_FORCE,
  LIMIT,
  LIMITED_END,
  LIMITED_START,
  LINK_OF,
  openPlant,
  READER,
  WRITER,
} from "./modbus-open-plant.ts";
import { adu, RawClient } from "./raw-client.ts";
import { SERVER_MAKES } from "./servers.ts";
import { WatchedPoint } from "./watched-point.ts";

/**
 * Meddled streams through the filter to real servers of three makes. Whatever one of them has written afterwards, read around the filter,
 * must have been judged as that write, and allowed.
 */
const STREAMS = 80;
/** A server that has been silent for so long has done what it was asked. */
const QUIET_MS = 10;
const WRITES_FROM = "127.253.1.80";
const READS_FROM = "127.253.1.81";
const DIRECT = "127.253.3.80";
const { plant, bundle } = openPlant();
const tags = new ModbusTags(plant, DeviceId("plc-1"));

describe.each(SERVER_MAKES.map((make, i) => ({ make, name: make.name, net: i })))("before $name", ({ make, net }) => {
  const FILTER = { host: `127.253.2.${net + 81}`, port: 15_080 + net };
  const PLC = { host: `127.253.3.${net + 81}`, port: 15_090 + net };
  const point = new WatchedPoint(bundle, IN_FORCE);
  let server: { stop(): Promise<void> } | undefined;
  let relay: Relay | undefined;
  let direct: RawClient | undefined;

  beforeAll(async () => {
    if (!make.here) return;
    await point.start();
    server = await make.start(PLC);
    const image = new ModbusImage(tags);
    relay = new Relay({
      listen: FILTER,
      upstream: PLC,
      localAddress: `127.253.3.${net + 181}`,
      session: ({ address, port }, output) => {
        const source = address === READS_FROM ? READER : WRITER;
        const party = { source, sourceAddress: `${address}:${port}`, target: DeviceId("plc-1"), link: LINK_OF[source] };
        return new ModbusSession(point, tags, party, output, { image });
      },
      onRefused: () => undefined,
      onUpstream: () => undefined,
      onFault: (_, says) => expect.fail(says),
    });
    await relay.listen();
    direct = await RawClient.open(PLC, DIRECT);
  }, 20_000);

  afterAll(async () => {
    direct?.close();
    await relay?.close();
    await server?.stop();
  });

  /** `unit 1 coil 3` to 1, and so on, as the server itself says. */
  async function memory(): Promise<ReadonlyMap<string, number>> {
    if (direct === undefined) throw new Error("there is no server");
    direct.received = Buffer.alloc(0);
    direct.say(Buffer.concat([adu(1, `01 0000 00${CELLS.toString(16)}`)]));
    await direct.answers(1);
    direct.say(adu(2, `03 0000 00${CELLS.toString(16)}`));
    const [coils = "", registers = ""] = await direct.answers(2);
    const [bits, words] = [Buffer.from(coils.slice(18), "hex"), Buffer.from(registers.slice(18), "hex")];
    const cells = new Map<string, number>();
    for (let i = 0; i < CELLS; i += 1) {
      cells.set(`unit 1 coil ${i}`, ((bits[i >> 3] ?? 0) >> (i & 7)) & 1);
      cells.set(`unit 1 holding register ${i}`, words.readUInt16BE(2 * i));
    }
    return cells;
  }

  async function send(from: string, bytes: Buffer): Promise<void> {
    const client = await RawClient.open(FILTER, from);
    client.say(bytes);
    for (let seen = -1; seen !== client.received.length && !client.closed; ) {
      seen = client.received.length;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    }
    client.close();
  }

  /** By cell, the values that were allowed. */
  function allowed(): ReadonlyMap<string, readonly number[]> {
    const found = new Map<string, number[]>();
    for (const { observation, action } of point.judged) {
      if (action !== "forwarded" || observation.operation !== "write") continue;
      for (const { address, value } of observation.items) {
        if (value !== undefined) found.set(address, [...(found.get(address) ?? []), value]);
      }
    }
    return found;
  }

  test.skipIf(!make.here)(
    `${STREAMS} streams: what it has written was judged as that write`,
    async () => {
      let before = await memory();
      let changes = 0;
      // A server may get round to the last write of a connection only after that has been closed.
      let late = allowed();
      for (let seed = 1; seed <= STREAMS; seed += 1) {
        point.judged = [];
        await send(WRITES_FROM, drawStream(seededDraw(seed), "mbap").bytes);
        const after = await memory();
        const may = allowed();
        for (const [cell, value] of after) {
          if (value === before.get(cell)) continue;
          changes += 1;
          const values = [...(may.get(cell) ?? []), ...(late.get(cell) ?? [])];
          expect(values, `${cell} became ${value}, seed ${seed}`).toContain(value);
        }
        for (let at = LIMITED_START; at < LIMITED_END; at += 1) {
          expect(after.get(`unit 1 holding register ${at}`)).toBeLessThanOrEqual(LIMIT);
        }
        before = after;
        late = may;
      }
      expect(changes).toBeGreaterThan(STREAMS / 4);
    },
    60_000,
  );

  test.skipIf(!make.here)(
    `${STREAMS} streams of a source that may only read: nothing is written`,
    async () => {
      const before = await memory();
      for (let seed = 1; seed <= STREAMS; seed += 1) await send(READS_FROM, drawStream(seededDraw(seed), "mbap").bytes);
      expect(await memory()).toEqual(before);
    },
    60_000,
  );
});
