import modbusSerial from "modbus-serial";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "#point/clock.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { runSwitchFilter } from "#switch-filter/main.ts";
import { framingOf, readFraming } from "#switch-filter/modbus-framing.ts";
import { ANSWER_TIMEOUT_MS } from "#switch-filter/modbus-limits.ts";
import { ModbusSession } from "#switch-filter/modbus-session.ts";
import { ModbusWatch } from "#switch-filter/modbus-watch.ts";
import { encodeRtu, unitId } from "#wire/modbus/index.ts";
import { hasTool } from "../support/tools.ts";
import { CANOPEN, IN_FORCE, LINK_OF, openPlant, READER, WRITER } from "./modbus-open-plant.ts";
import { hex, RawClient } from "./raw-client.ts";
import { RecordingOutput, recordingPoint } from "./recording-point.ts";
import { RTU_SERVER } from "./servers.ts";

/** modbus-serial cannot be told from which address to connect. */
const HERE = { writer: "127.0.0.1", reader: "127.253.1.112" };
const FILTER = { host: "127.253.2.111", port: 15_121 };
const PLC = { host: "127.253.3.111", port: 15_122 };
const where = { writer: [HERE.writer], reader: [HERE.reader], plc: [FILTER.host] };
const { plant, bundle } = openPlant(where, [CANOPEN]);
const tags = new ModbusTags(plant, DeviceId("plc-1"));
const framing = framingOf("rtu", tags);
const rtu = (pdu: string, unit = 1): Buffer => encodeRtu(unitId(unit), hex(pdu));
const READ = "03 0000 0001";
const WRITE = "06 0000 1234";

async function bench(source: typeof WRITER = WRITER) {
  const recorded = await recordingPoint(bundle, "enforce", IN_FORCE);
  const output = new RecordingOutput();
  const party = { source, sourceAddress: "", target: DeviceId("plc-1"), link: LINK_OF[source] };
  return { ...recorded, output, party, session: new ModbusSession(recorded.point, tags, party, output, { framing }) };
}

describe("one connection", () => {
  test("one request at a time: the next is sent when the one before is answered, and all are answered in order", async () => {
    const { session, output } = await bench();
    session.fromClient(Buffer.concat([rtu(READ), rtu(WRITE), rtu("03 0064 0001"), rtu(READ)]), 0);
    expect(output.up).toEqual([rtu(READ)]);
    expect(session.wantsMore).toBe(false);
    session.fromServer(rtu("03 02 0000"), 0);
    expect(output.up).toEqual([rtu(READ), rtu(WRITE)]);
    session.fromServer(rtu(WRITE), 0);
    session.fromServer(rtu("03 02 1234"), 0);
    expect(output.down).toEqual(["03 02 0000", WRITE, "83 02", "03 02 1234"].map((pdu) => rtu(pdu)));
  });

  test("an undeclared function, and a wrong CRC: closed after a notice", async () => {
    for (const bytes of [rtu("43 00 00"), Buffer.concat([rtu(WRITE).subarray(0, -1), hex("00")])]) {
      const { session, output, says } = await bench();
      session.fromClient(Buffer.concat([bytes, rtu(WRITE)]), 0);
      expect([output.up, output.down]).toEqual([[], []]);
      expect(output.ended).toBeDefined();
      expect(says).toEqual([expect.stringContaining("MALFORMED")]);
    }
  });

  test("a function of one declared length passes, one of a range cannot be framed", async () => {
    const { session, output } = await bench();
    session.fromClient(rtu("41 0102"), 0);
    session.fromServer(rtu("41 0304"), 0);
    expect([output.up, output.down]).toEqual([[rtu("41 0102")], [rtu("41 0304")]]);
    session.fromClient(rtu("42 0102"), 0);
    expect([output.up.length, output.ended]).toEqual([1, expect.stringContaining("MB_RTU_LENGTH")]);
  });

  test("function 43 is framed by the length that is declared for its MEI type, and by no other", async () => {
    const { session, output } = await bench();
    session.fromClient(rtu("2b 0d 0102"), 0);
    session.fromServer(rtu("2b 0d 030405"), 0);
    expect([output.up, output.down]).toEqual([[rtu("2b 0d 0102")], [rtu("2b 0d 030405")]]);
    session.fromClient(rtu("2b 0c 0102"), 0);
    expect([output.up.length, output.ended]).toEqual([1, expect.stringContaining("MB_RTU_LENGTH")]);
  });

  test("unit 0 is all units, and nobody answers it: a denied one is swallowed", async () => {
    const { session, output } = await bench();
    session.fromClient(Buffer.concat([rtu(WRITE, 0), rtu(READ)]), 0);
    expect([output.up, output.down]).toEqual([[rtu(READ)], []]);
  });

  test("an answer that does not come in time: told to the client, and the connection is closed, as a late one could not be told apart", async () => {
    const { session, output } = await bench();
    session.fromClient(rtu(READ), 0);
    session.expire(1 + ANSWER_TIMEOUT_MS);
    expect(output.down).toEqual([rtu("83 0b")]);
    expect(output.ended).toContain("did not answer");
  });

  test("of another unit, or nobody's: withheld", async () => {
    const { session, output, says } = await bench();
    session.fromServer(rtu("03 02 1111"), 0);
    session.fromClient(rtu(READ), 0);
    session.fromServer(Buffer.concat([rtu("03 02 1111", 2), rtu("03 02 2222")]), 0);
    expect(output.down).toEqual([rtu("03 02 2222")]);
    expect(says.length).toBe(2);
  });

  test("watched: every byte passes, answers are paired in order, unit 0 has none", async () => {
    const { point, party, settled, says } = await bench(READER);
    const output = new RecordingOutput();
    const watch = new ModbusWatch(point, tags, party, output, { framing });
    watch.fromClient(Buffer.concat([rtu(WRITE, 0), rtu(READ), rtu(WRITE)]), 0);
    watch.fromServer(Buffer.concat([rtu("03 02 0000"), rtu("86 03")]));
    expect(settled.map(({ judged, outcome }) => [judged.verdict.verdict, outcome])).toEqual([
      ["deny", "forwarded"],
      ["allow", "answered-ok"],
      ["deny", "answered-error"],
    ]);
    expect(Buffer.concat(output.up)).toEqual(Buffer.concat([rtu(WRITE, 0), rtu(READ), rtu(WRITE)]));
    expect(says).toEqual([]);
  });
});

test("`--framing` is mbap or rtu", () => {
  expect(["mbap", "rtu"].map(readFraming)).toEqual(["mbap", "rtu"]);
  expect(() => readFraming("ascii")).toThrow("framing `ascii` is none of mbap, rtu");
});

describe.skipIf(!hasTool("pymodbus"))("modbus-serial over RTU, through the filter, to pymodbus", () => {
  let close: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const server = await RTU_SERVER.start(PLC);
    const clock = systemClock();
    const filter = await runSwitchFilter({
      bundle,
      listeners: [{ link: "writer-plc1", listen: FILTER, upstream: PLC, framing: "rtu" }],
      localAddress: "127.253.3.112",
      mode: "enforce",
      clock,
      standalonePhase: IN_FORCE,
    });
    close = async () => {
      await filter.close();
      await server.stop();
      clock.close();
    };
  }, 20_000);

  afterAll(() => close?.());

  test("reads, writes within its rules, and is told when it is denied; the server has what was allowed", async () => {
    const client = new modbusSerial.default();
    // Its "telnet" port is RTU over a plain TCP connection.
    await client.connectTelnet(FILTER.host, { port: FILTER.port });
    client.setTimeout(2000);
    client.setID(1);
    await client.writeRegister(3, 77);
    await client.writeCoil(5, true);
    await expect(client.writeRegister(16, 1001)).rejects.toThrow("Illegal data value");
    await expect(client.writeRegister(200, 1)).rejects.toThrow("Illegal data address");
    expect((await client.readHoldingRegisters(0, 17)).data).toEqual([0, 0, 0, 77, ...Array(13).fill(0)]);
    expect((await client.readCoils(5, 1)).data[0]).toBe(true);
    await new Promise<void>((resolve) => client.close(() => resolve()));
  });

  test("a source that may only read: no write, also not behind a read in one piece, nor with a frame cut in two", async () => {
    const direct = await RawClient.open(PLC, "127.253.3.113");
    const client = await RawClient.open(FILTER, HERE.reader);
    client.say(Buffer.concat([rtu(READ), rtu("06 0007 0001"), rtu("10 0007 0001 02 0001")]));
    await client.until(() => client.received.length >= 7 + 5 + 5 || client.closed);
    expect(client.received.toString("hex")).toBe(
      Buffer.concat([rtu("03 02 0000"), rtu("86 01"), rtu("90 01")]).toString("hex"),
    );
    client.say(rtu("06 0007 0001").subarray(0, 3));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.say(rtu("06 0007 0001").subarray(3));
    await client.until(() => client.received.length >= 7 + 5 + 5 + 5 || client.closed);
    direct.say(rtu("03 0007 0001"));
    await direct.until(() => direct.received.length >= 7);
    expect(direct.received).toEqual(rtu("03 02 0000"));
    client.close();
    direct.close();
  });
});
