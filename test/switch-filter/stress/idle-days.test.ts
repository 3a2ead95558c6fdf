import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId, LinkId } from "#specs/ids.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { ModbusWatch } from "#switch-filter/modbus-watch.ts";
import { Relay } from "#switch-filter/relay.ts";
import { waterTreatment } from "../../support/plant.ts";
import { adu, RawClient } from "../raw-client.ts";
import { RecordingOutput, recordingPoint } from "../recording-point.ts";
import { READ, WRITE } from "./filter-process.ts";

/** Sessions that are idle for days: nothing ends them, nothing piles up, and they are judged afterwards as on the first day. */
const DAY_S = 24 * 3600;
const DAYS = 7;
const { bundle, plant } = waterTreatment();
const tags = new ModbusTags(plant, DeviceId("plc-1"));
const READER = {
  source: DeviceId("test-1"),
  sourceAddress: "127.0.0.1:40000",
  target: DeviceId("plc-1"),
  link: LinkId("test-plc1"),
};

test.each([
  { name: "held to rules", Session: ModbusSession, denied: [adu(3, "86 01")] },
  { name: "watched", Session: ModbusWatch, denied: [] },
])(
  `a session that is $name says nothing for ${DAYS} days, asks once, and is silent again`,
  async ({ Session, denied }) => {
    const { point, says, settled } = await recordingPoint(bundle);
    const output = new RecordingOutput();
    const session = new Session(point, tags, READER, output);
    const ask = (n: number, atMs: number): void => {
      session.fromClient(adu(n, READ), atMs);
      session.fromServer(adu(n, "04 02 0000"), atMs);
    };
    ask(1, 0);
    for (let s = 1; s < DAYS * DAY_S; s += 1) session.expire(s * 1000);
    ask(2, DAYS * DAY_S * 1000);
    for (let s = 1; s < DAY_S; s += 1) session.expire((DAYS * DAY_S + s) * 1000);
    expect(output.down).toEqual([adu(1, "04 02 0000"), adu(2, "04 02 0000")]);
    expect([output.ended, session.unsettledSinceMs]).toEqual([undefined, undefined]);
    expect([says, settled.length]).toEqual([[], 2]);
    session.fromClient(adu(3, WRITE), (DAYS + 1) * DAY_S * 1000);
    expect(output.down.slice(2)).toEqual(denied);
  },
);

test("idle connections have no timers of their own", async () => {
  const FILTER = { host: "127.253.2.160", port: 15_258 };
  const SERVER = { host: "127.253.3.160", port: 15_259 };
  const LINKS = 30;
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    socket.pipe(socket);
  }).listen(SERVER);
  await once(server, "listening");
  const relay = new Relay({
    listen: FILTER,
    upstream: SERVER,
    session: (_, output) => ({
      fromClient: (bytes) => output.toServer(bytes),
      fromServer: (bytes) => output.toClient(bytes),
      expire: () => undefined,
      closed: () => undefined,
      wantsMore: true,
      unsettledSinceMs: undefined,
    }),
    onRefused: (_, says) => expect.fail(says),
    onUpstream: () => undefined,
    onFault: (_, says) => expect.fail(says),
  });
  await relay.listen();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const clients = await Promise.all(
    Array.from({ length: LINKS }, async () => {
      const client = await RawClient.open(FILTER, "127.253.1.160");
      client.say(adu(1, READ));
      await client.answers(1);
      return client;
    }),
  );
  expect(relay.connections).toBe(LINKS);
  // The runner has timers of its own that come and go; a timer for each connection would be so many more.
  expect(timers() - before).toBeLessThan(LINKS / 2);
  for (const client of clients) client.close();
  await relay.close();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
