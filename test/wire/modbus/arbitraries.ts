import fc from "fast-check";
import {
  coilAddress,
  discreteInputAddress,
  holdingRegisterAddress,
  inputRegisterAddress,
  type ModbusRequest,
  type ModbusResponse,
} from "#wire/modbus/index.ts";

/** A request and a response that answers it. */
export interface Exchange {
  readonly request: ModbusRequest;
  readonly response: ModbusResponse;
}

const word = fc.integer({ min: 0, max: 0xffff });
const byte = fc.integer({ min: 0, max: 0xff });
const words = (length: number) => fc.array(word, { minLength: length, maxLength: length });
const bits = (length: number) => fc.array(fc.boolean(), { minLength: length, maxLength: length });
const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
/** An address from which `quantity` still fits the table. */
const startFor = (quantity: number) => fc.integer({ min: 0, max: 65536 - quantity });
const spans = (max: number) =>
  fc.integer({ min: 1, max }).chain((quantity) => startFor(quantity).map((start) => ({ start, quantity })));

const same = (message: ModbusRequest & ModbusResponse): Exchange => ({ request: message, response: message });

const readBits = spans(2000).chain(({ start, quantity }) =>
  fc.tuple(bits(quantity), fc.boolean()).map(([values, coils]): Exchange => {
    if (coils) {
      return {
        request: { kind: "read-coils", functionCode: 1, address: coilAddress(start), quantity },
        response: { kind: "read-coils", functionCode: 1, values },
      };
    }
    return {
      request: { kind: "read-discrete-inputs", functionCode: 2, address: discreteInputAddress(start), quantity },
      response: { kind: "read-discrete-inputs", functionCode: 2, values },
    };
  }),
);

const readRegisters = spans(125).chain(({ start, quantity }) =>
  fc.tuple(words(quantity), fc.boolean()).map(([values, holding]): Exchange => {
    if (holding) {
      return {
        request: { kind: "read-holding-registers", functionCode: 3, address: holdingRegisterAddress(start), quantity },
        response: { kind: "read-holding-registers", functionCode: 3, values },
      };
    }
    return {
      request: { kind: "read-input-registers", functionCode: 4, address: inputRegisterAddress(start), quantity },
      response: { kind: "read-input-registers", functionCode: 4, values },
    };
  }),
);

const singles = fc.tuple(word, word, word, fc.boolean()).chain(([at, a, b, on]) =>
  fc.constantFrom<Exchange>(
    same({ kind: "write-single-coil", functionCode: 5, address: coilAddress(at), on }),
    same({ kind: "write-single-register", functionCode: 6, address: holdingRegisterAddress(at), value: a }),
    same({
      kind: "mask-write-register",
      functionCode: 22,
      address: holdingRegisterAddress(at),
      andMask: a,
      orMask: b,
    }),
  ),
);

const writeCoils = spans(1968).chain(({ start, quantity }) =>
  bits(quantity).map(
    (values): Exchange => ({
      request: { kind: "write-multiple-coils", functionCode: 15, address: coilAddress(start), values },
      response: { kind: "write-multiple-coils", functionCode: 15, address: coilAddress(start), quantity },
    }),
  ),
);

const writeRegisters = spans(123).chain(({ start, quantity }) =>
  words(quantity).map(
    (values): Exchange => ({
      request: { kind: "write-multiple-registers", functionCode: 16, address: holdingRegisterAddress(start), values },
      response: {
        kind: "write-multiple-registers",
        functionCode: 16,
        address: holdingRegisterAddress(start),
        quantity,
      },
    }),
  ),
);

const readWrite = fc.tuple(spans(125), spans(121)).chain(([read, write]) =>
  fc.tuple(words(read.quantity), words(write.quantity)).map(
    ([answer, values]): Exchange => ({
      request: {
        kind: "read-write-multiple-registers",
        functionCode: 23,
        readAddress: holdingRegisterAddress(read.start),
        readQuantity: read.quantity,
        writeAddress: holdingRegisterAddress(write.start),
        values,
      },
      response: { kind: "read-write-multiple-registers", functionCode: 23, values: answer },
    }),
  ),
);

const fifo = fc.tuple(word, fc.array(word, { maxLength: 31 })).map(
  ([at, values]): Exchange => ({
    request: { kind: "read-fifo-queue", functionCode: 24, address: holdingRegisterAddress(at) },
    response: { kind: "read-fifo-queue", functionCode: 24, values },
  }),
);

const serialLine = fc
  .tuple(byte, fc.boolean(), word, word, bytes(0, 64), bytes(1, 251))
  .chain(([outputs, busy, eventCount, messageCount, events, data]) =>
    fc.constantFrom<Exchange>(
      {
        request: { kind: "read-exception-status", functionCode: 7 },
        response: { kind: "read-exception-status", functionCode: 7, outputs },
      },
      {
        request: { kind: "get-comm-event-counter", functionCode: 11 },
        response: { kind: "get-comm-event-counter", functionCode: 11, busy, eventCount },
      },
      {
        request: { kind: "get-comm-event-log", functionCode: 12 },
        response: { kind: "get-comm-event-log", functionCode: 12, busy, eventCount, messageCount, events },
      },
      {
        request: { kind: "report-server-id", functionCode: 17 },
        response: { kind: "report-server-id", functionCode: 17, data },
      },
    ),
  );

const diagnostics = fc.tuple(fc.integer({ min: 1, max: 125 }), word).chain(([count, value]) => {
  const answer = Buffer.from([value >> 8, value & 0xff]);
  return bytes(2 * count, 2 * count)
    .map((data) => data)
    .chain((data) =>
      fc.constantFrom<Exchange>(
        same({ kind: "diagnostics", functionCode: 8, subFunction: 0, data }),
        same({ kind: "diagnostics", functionCode: 8, subFunction: 999, data }),
        {
          request: { kind: "diagnostics", functionCode: 8, subFunction: 11, data: Buffer.alloc(2) },
          response: { kind: "diagnostics", functionCode: 8, subFunction: 11, data: answer },
        },
      ),
    );
});

const recordGroup = fc.record({
  file: fc.integer({ min: 1, max: 0xffff }),
  record: fc.integer({ min: 0, max: 9990 }),
  values: fc.array(word, { minLength: 1, maxLength: 10 }),
});

const fileRecords = fc.array(recordGroup, { minLength: 1, maxLength: 9 }).chain((groups) =>
  fc.constantFrom<Exchange>(same({ kind: "write-file-record", functionCode: 21, groups }), {
    request: {
      kind: "read-file-record",
      functionCode: 20,
      groups: groups.map(({ file, record, values }) => ({ file, record, length: values.length })),
    },
    response: { kind: "read-file-record", functionCode: 20, groups: groups.map(({ values }) => values) },
  }),
);

const deviceObjects = fc.array(fc.record({ id: byte, value: bytes(0, 30) }), { maxLength: 7 });
const identification = fc
  .record({ readCode: fc.integer({ min: 1, max: 3 }), objectId: byte, objects: deviceObjects, next: fc.option(byte) })
  .map(
    ({ readCode, objectId, objects, next }): Exchange => ({
      request: { kind: "encapsulated-interface", functionCode: 43, meiType: 14, readCode, objectId },
      response: {
        kind: "encapsulated-interface",
        functionCode: 43,
        meiType: 14,
        readCode,
        conformityLevel: 0x82,
        nextObjectId: next,
        objects,
      },
    }),
  );

const canopen = bytes(0, 251).map((data) =>
  same({ kind: "encapsulated-interface", functionCode: 43, meiType: 13, data }),
);

const unknown = fc
  .tuple(fc.constantFrom(0, 9, 19, 65, 90, 127), bytes(0, 252))
  .map(([functionCode, data]) => same({ kind: "unknown", functionCode, data }));

const exception = fc.tuple(readRegisters, byte).map(
  ([{ request }, code]): Exchange => ({
    request,
    response: { kind: "exception", functionCode: request.functionCode, code, name: "unknown" },
  }),
);

/** Any legal exchange, all function codes. */
export const exchanges: fc.Arbitrary<Exchange> = fc.oneof(
  readBits,
  readRegisters,
  singles,
  writeCoils,
  writeRegisters,
  readWrite,
  fifo,
  serialLine,
  diagnostics,
  fileRecords,
  identification,
  canopen,
  unknown,
  exception,
);
