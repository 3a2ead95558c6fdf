import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import modbusSerial from "modbus-serial";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  decodeRequest,
  encodeException,
  encodeFrame,
  encodeResponse,
  MbapFramer,
  type ModbusRequest,
  type ModbusResponse,
} from "#wire/modbus/index.ts";

// A client of another make speaks to a server made of our codecs, on loopback.

const NO_REGISTERS_FROM = 60000;
const seen: ModbusRequest[] = [];
let server: Server;
let client: InstanceType<typeof modbusSerial.default>;

function answer(request: ModbusRequest): ModbusResponse | undefined {
  switch (request.kind) {
    case "read-coils":
    case "read-discrete-inputs":
      return { ...request, values: Array.from({ length: request.quantity }, (_, i) => i % 3 === 0) };
    case "read-holding-registers":
    case "read-input-registers":
      if (request.address >= NO_REGISTERS_FROM) return undefined;
      return { ...request, values: Array.from({ length: request.quantity }, (_, i) => 1000 + i) };
    case "write-single-coil":
    case "write-single-register":
    case "mask-write-register":
      return request;
    case "write-multiple-coils":
    case "write-multiple-registers":
      return { ...request, quantity: request.values.length };
    default:
      return undefined;
  }
}

function serve(socket: Socket): void {
  const framer = new MbapFramer();
  socket.on("data", (chunk) => {
    for (const frame of framer.push(Buffer.from(chunk))) {
      const request = decodeRequest(frame.pdu);
      if (!request.ok) throw new Error(`${request.error.code} in ${frame.pdu.toString("hex")}`);
      seen.push(request.value);
      const response = answer(request.value);
      const pdu = response
        ? encodeResponse(response)
        : encodeException(request.value.functionCode, "illegal-data-address");
      socket.write(encodeFrame(frame, pdu));
    }
  });
}

beforeEach(async () => {
  seen.length = 0;
  server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP address is expected");
  client = new modbusSerial.default();
  client.setTimeout(2000);
  await client.connectTCP("127.0.0.1", { port: address.port });
  client.setID(17);
});

afterEach(async () => {
  await new Promise<void>((done) => client.close(done));
  await new Promise<void>((done) => server.close(() => done()));
});

test("reads and writes of modbus-serial decode, and it takes our answers", async () => {
  expect((await client.readCoils(19, 13)).data.slice(0, 4)).toEqual([true, false, false, true]);
  expect((await client.readDiscreteInputs(5, 1)).data[0]).toBe(true);
  expect((await client.readHoldingRegisters(107, 125)).data.at(-1)).toBe(1124);
  expect((await client.readInputRegisters(8, 2)).data).toEqual([1000, 1001]);
  await client.writeCoil(172, true);
  await client.writeRegister(1, 65535);
  await client.writeCoils(19, [true, false, true, true, false, false, true, true, true, false]);
  await client.writeRegisters(1, [10, 258]);
  await client.maskWriteRegister(4, 0xf2, 0x25);
  expect(seen.map((request) => request.functionCode)).toEqual([1, 2, 3, 4, 5, 6, 15, 16, 22]);
  expect(seen[6]).toMatchObject({ values: [true, false, true, true, false, false, true, true, true, false] });
  expect(seen[7]).toMatchObject({ address: 1, values: [10, 258] });
});

test("it takes our exception for what it is", async () => {
  await expect(client.readHoldingRegisters(NO_REGISTERS_FROM, 1)).rejects.toMatchObject({ modbusCode: 2 });
});
