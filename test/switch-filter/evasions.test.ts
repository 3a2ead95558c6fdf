import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import { type RunningFilter, runSwitchFilter } from "#switch-filter/main.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu, hex, RawClient } from "./raw-client.ts";
import { SERVER_MAKES } from "./servers.ts";

/**
 * Evasions of the inline filter. The source may only read; an evasion has succeeded when the real server behind has executed a
 * write, which is asked of the server itself, around the filter.
 */
const READER = "127.253.1.1";
const DIRECT = "127.253.3.254";
const READ = "04 0000 0002";
const COIL_ON = "05 0001 ff00";
const REGISTER = "06 0001 1234";
/** What a forwarded request needs to reach the server and be executed there. */
const SETTLE_MS = 20;

const WRITES = [
  { name: "FC05", pdu: COIL_ON },
  { name: "FC06", pdu: REGISTER },
  { name: "FC15", pdu: "0f 0000 0002 01 03" },
  { name: "FC16", pdu: "10 0000 0002 04 1234 5678" },
  { name: "FC21 write file record", pdu: "15 09 06 0004 0007 0001 1234" },
  { name: "FC22 mask write", pdu: "16 0001 0000 ffff" },
  { name: "FC23, allowed read range, forbidden write range", pdu: "17 0000 0002 0001 0001 02 1234" },
  { name: "FC23, the same range for both", pdu: "17 0001 0001 0001 0001 02 1234" },
  { name: "FC43/14 device identification", pdu: "2b 0e 01 00" },
  { name: "FC43/13 CANopen", pdu: "2b 0d 0001" },
  { name: "FC08 restart communications", pdu: "08 0001 0000" },
  { name: "FC08 force listen only", pdu: "08 0004 0000" },
  { name: "FC90, as one vendor programs its PLCs", pdu: "5a 00 29 01" },
];

const clock = systemClock();
afterAll(() => clock.close());

describe.each(SERVER_MAKES.map((make, i) => ({ make, name: make.name, net: i })))("before $name", ({ make, net }) => {
  const FILTER = { host: `127.253.2.${net + 1}`, port: 15_030 + net };
  const PLC = { host: `127.253.3.${net + 1}`, port: 15_040 + net };
  let server: { stop(): Promise<void> } | undefined;
  let filter: RunningFilter | undefined;

  beforeAll(async () => {
    if (!make.here) return;
    server = await make.start(PLC);
    filter = await runSwitchFilter({
      bundle: waterTreatment({ "test-1": [READER], "plc-1": [FILTER.host] }).bundle,
      listeners: [{ link: "hmi-plc1", listen: FILTER, upstream: PLC }],
      localAddress: `127.253.3.${net + 101}`,
      mode: "enforce",
      clock,
      standalonePhase: PhaseId("normal"),
    });
  }, 20_000);

  afterAll(async () => {
    await filter?.close();
    await server?.stop();
  });

  /** The tables of the server, read around the filter. */
  async function memory(): Promise<readonly string[]> {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const direct = await RawClient.open(PLC, DIRECT);
    direct.say(adu(1, "01 0000 0008"));
    await direct.answers(1);
    direct.say(adu(2, "03 0000 0008"));
    const answers = await direct.answers(2);
    direct.close();
    return answers;
  }
  const UNTOUCHED = [adu(1, "01 01 00").toString("hex"), adu(2, `03 10 ${"0000".repeat(8)}`).toString("hex")];
  const open = (): Promise<RawClient> => RawClient.open(FILTER, READER);
  const it = test.skipIf(!make.here);

  it("the server does execute writes: the judge is not blind", async () => {
    const direct = await RawClient.open(PLC, DIRECT);
    direct.say(adu(1, REGISTER));
    await direct.answers(1);
    expect(await memory()).not.toEqual(UNTOUCHED);
    direct.say(adu(2, "06 0001 0000"));
    await direct.answers(2);
    direct.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("reads come through", async () => {
    const client = await open();
    client.say(adu(7, READ));
    expect(await client.answers(1)).toEqual([adu(7, "04 04 0000 0000").toString("hex")]);
    client.close();
  });

  it.each(WRITES)("$name: first in the session, after a read, in one segment with reads", async ({ pdu }) => {
    const code = ((hex(pdu)[0] ?? 0) | 0x80).toString(16);
    const denied = (transaction: number): unknown =>
      expect.stringMatching(`^${adu(transaction, `${code} 00`).toString("hex").slice(0, -2)}0[1-4]$`);
    const first = await open();
    first.say(adu(1, pdu));
    expect(await first.answers(1)).toEqual([denied(1)]);
    first.close();
    const second = await open();
    second.say(adu(2, READ));
    await second.answers(1);
    second.say(adu(3, pdu));
    expect((await second.answers(2))[1]).toEqual(denied(3));
    second.say(Buffer.concat([adu(4, READ), adu(5, pdu), adu(6, READ), adu(7, pdu)]));
    const answers = await second.answers(6);
    expect(answers.map((answer) => Number.parseInt(answer.slice(0, 4), 16))).toEqual([2, 3, 4, 5, 6, 7]);
    second.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("a write split after every byte", async () => {
    for (const pdu of [COIL_ON, "10 0000 0002 04 1234 5678"]) {
      const bytes = adu(9, pdu);
      const clients = await Promise.all([...bytes.keys()].slice(1).map(() => open()));
      for (const [i, client] of clients.entries()) client.say(bytes.subarray(0, i + 1));
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      for (const [i, client] of clients.entries()) client.say(bytes.subarray(i + 1));
      for (const client of clients) expect((await client.answers(1)).length).toBe(1);
      for (const client of clients) client.close();
    }
    const slow = await open();
    for (const byte of adu(10, REGISTER)) {
      slow.say(Buffer.from([byte]));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await slow.answers(1)).toEqual([adu(10, "86 01").toString("hex")]);
    slow.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it.each([
    {
      name: "longer than the read needs, a write behind it",
      bytes: "0001 0000 0012 01 04 0000 0002 0002 0000 0006 01 05 0001 ff00",
    },
    { name: "longer, the write's PDU alone behind the read", bytes: "0001 0000 000b 01 04 0000 0002 05 0001 ff00" },
    { name: "shorter than the write", bytes: "0001 0000 0005 01 05 0001 ff00 0002 0000 0006 01 05 0001 ff00" },
    {
      name: "shorter than the read, so that its tail starts a write",
      bytes: "0001 0000 0002 01 04 0000 0000 0006 01 05 0001 ff00",
    },
    { name: "65535 bytes", bytes: "0001 0000 ffff 01 05 0001 ff00" },
    { name: "255 bytes, one more than an ADU may have", bytes: "0001 0000 00ff 01 05 0001 ff00" },
    { name: "1 byte", bytes: "0001 0000 0001 01 05 0001 ff00" },
    { name: "0 bytes", bytes: "0001 0000 0000 01 05 0001 ff00" },
    { name: "another protocol identifier", bytes: "0001 0001 0006 01 05 0001 ff00" },
    { name: "FC16 with a byte count that is longer", bytes: "0001 0000 000b 01 10 0000 0002 06 1234 5678" },
    { name: "FC16 with a byte count that is shorter", bytes: "0001 0000 000b 01 10 0000 0002 02 1234 5678" },
    { name: "FC16 of no registers", bytes: "0001 0000 0007 01 10 0000 0000 00" },
    { name: "FC05 of a value that is neither on nor off", bytes: "0001 0000 0006 01 05 0001 0001" },
  ])("header length: $name", async ({ bytes }) => {
    const client = await open();
    client.say(Buffer.concat([hex(bytes), adu(3, REGISTER), Buffer.alloc(300), adu(4, COIL_ON)]));
    await client.ended();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("100 pipelined requests, every second one a write: in order, and no write", async () => {
    const client = await open();
    const requests = Array.from({ length: 100 }, (_, i) => adu(i, i % 2 === 0 ? READ : COIL_ON));
    client.say(Buffer.concat(requests));
    const answers = await client.answers(100);
    expect(answers.map((answer) => Number.parseInt(answer.slice(0, 4), 16))).toEqual([...requests.keys()]);
    client.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("duplicate transaction identifiers: each request has its own answer", async () => {
    const client = await open();
    client.say(Buffer.concat([adu(5, READ), adu(5, COIL_ON), adu(5, "04 0000 0001"), adu(5, REGISTER)]));
    expect((await client.answers(4)).map((answer) => answer.slice(14))).toEqual([
      "040400000000",
      "8501",
      "04020000",
      "8601",
    ]);
    client.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("another unit, the broadcast unit, the unit of the gateway itself", async () => {
    const client = await open();
    client.say(Buffer.concat([0, 2, 247, 255].map((unit, i) => adu(i, COIL_ON, unit))));
    expect((await client.answers(4)).length).toBe(4);
    client.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("every function code from 0 to 255, with the fields of a write behind it", async () => {
    for (const fields of ["0001 ff00", "0000 0001 02 1234", "0000 0001 01 01"]) {
      const clients: RawClient[] = [];
      for (let code = 0; code < 256; code += 1) {
        if (clients.length === 16) for (const client of clients.splice(0)) client.close();
        const client = await open();
        clients.push(client);
        if (code >= 1 && code <= 4) continue;
        client.say(adu(code, `${code.toString(16).padStart(2, "0")} ${fields}`));
        const [answer] = await client.answers(1);
        if (answer !== undefined) expect(Number.parseInt(answer.slice(14, 16), 16)).toBe(code | 0x80);
        else expect(client.closed).toBe(true);
      }
      for (const client of clients) client.close();
    }
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("a half-closed connection: a write and the end of the sending side", async () => {
    const client = await open();
    client.socket.end(adu(1, COIL_ON));
    await client.ended();
    const second = await open();
    second.socket.end(Buffer.concat([adu(1, READ), adu(2, COIL_ON)]));
    await second.ended();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("a client that answers: a response in the place of a request", async () => {
    const client = await open();
    client.say(Buffer.concat([adu(1, "84 02"), adu(2, COIL_ON)]));
    await client.ended();
    expect(await memory()).toEqual(UNTOUCHED);
  });

  it("all connections that one source may have, each with a write at its limit of waiting requests", async () => {
    const clients = await Promise.all(Array.from({ length: 32 }, () => open()));
    const flood = Buffer.concat(Array.from({ length: 40 }, (_, i) => adu(i, i === 39 ? COIL_ON : READ)));
    for (const client of clients) client.say(flood);
    for (const client of clients) expect((await client.answers(40)).at(-1)).toBe(adu(39, "85 01").toString("hex"));
    for (const client of clients) client.close();
    expect(await memory()).toEqual(UNTOUCHED);
  });
});
