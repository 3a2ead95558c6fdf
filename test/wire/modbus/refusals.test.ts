import { expect, test } from "vitest";
import { decodeRequest, decodeResponse, exceptionForWireError } from "#wire/modbus/index.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const registers = (count: number): string => "0000".repeat(count);

test.each([
  { name: "read coils, quantity 0", hex: "0100000000", code: "MB_QUANTITY", offset: 3, exception: 3 },
  { name: "read coils, quantity 2001", hex: "01000007d1", code: "MB_QUANTITY", offset: 3, exception: 3 },
  { name: "read coils past 65535", hex: "01ffff0002", code: "MB_ADDRESS", offset: 1, exception: 2 },
  { name: "read coils, quantity judged before address", hex: "01ffff0000", code: "MB_QUANTITY", offset: 3 },
  { name: "read registers, quantity 126", hex: "030000007e", code: "MB_QUANTITY", offset: 3 },
  { name: "read registers past 65535", hex: "04fff00011", code: "MB_ADDRESS", offset: 1 },
  { name: "coil value neither 0000 nor FF00", hex: "0500ac0001", code: "MB_COIL_VALUE", offset: 3 },
  { name: "coil value FFFF", hex: "0500acffff", code: "MB_COIL_VALUE", offset: 3 },
  { name: "write coils, quantity 1969", hex: `0f000007b1f7${"00".repeat(247)}`, code: "MB_QUANTITY", offset: 3 },
  { name: "write coils, byte count one too many", hex: "0f0013000803cd0100", code: "MB_BYTE_COUNT", offset: 5 },
  { name: "write coils, padding set", hex: "0f0013000a02cd05", code: "MB_PADDING", offset: 7 },
  { name: "write coils past 65535", hex: "0fffff000201" + "03", code: "MB_ADDRESS", offset: 1 },
  { name: "write registers, quantity 0", hex: "100000000000", code: "MB_QUANTITY", offset: 3 },
  { name: "write registers, quantity 124", hex: `100000007cf8${registers(123)}`, code: "MB_QUANTITY", offset: 3 },
  { name: "write registers, byte count odd", hex: "10000100020300010002", code: "MB_BYTE_COUNT", offset: 5 },
  { name: "read/write, read quantity 126", hex: "170000007e00000001020000", code: "MB_QUANTITY", offset: 3 },
  {
    name: "read/write, write quantity 122",
    hex: `17000000010000007af4${registers(121)}`,
    code: "MB_QUANTITY",
    offset: 7,
  },
  { name: "read/write, read past 65535", hex: "17ffff000200000001020000", code: "MB_ADDRESS", offset: 1 },
  { name: "read/write, write past 65535", hex: "1700000001ffff0002040000" + "0000", code: "MB_ADDRESS", offset: 5 },
  { name: "diagnostics, restart with 0001", hex: "0800010001", code: "MB_SUB_FUNCTION", offset: 3 },
  { name: "diagnostics, clear counters with data", hex: "08000a0001", code: "MB_SUB_FUNCTION", offset: 3 },
  { name: "file record, reference type 7", hex: "140707000400010002", code: "MB_FILE_REFERENCE", offset: 2 },
  { name: "file record, file 0", hex: "140706000000010002", code: "MB_FILE_REFERENCE", offset: 3 },
  {
    name: "file record, record 10000",
    hex: "1407060001" + "27100001",
    code: "MB_FILE_REFERENCE",
    offset: 5,
    exception: 2,
  },
  { name: "file record, past record 9999", hex: "1407060001270f0002", code: "MB_ADDRESS", offset: 5, exception: 2 },
  { name: "file record, answer above a PDU", hex: "1407060001" + "0000007a", code: "MB_QUANTITY", offset: 7 },
  {
    name: "file record, byte count no multiple of 7",
    hex: "140806000400010002" + "00",
    code: "MB_BYTE_COUNT",
    offset: 1,
  },
  { name: "file write, records missing", hex: "150906000400070002" + "06af", code: "MB_BYTE_COUNT", offset: 1 },
  { name: "device identification, code 5", hex: "2b0e0500", code: "MB_DEVICE_ID", offset: 2 },
  { name: "device identification, code 0", hex: "2b0e0000", code: "MB_DEVICE_ID", offset: 2 },
  { name: "function 43 without MEI type", hex: "2b", code: "MB_PDU_LENGTH", offset: 1 },
  { name: "empty PDU", hex: "", code: "MB_PDU_LENGTH", offset: 0 },
  { name: "PDU of 254 bytes", hex: `63${"00".repeat(253)}`, code: "MB_PDU_LENGTH", offset: 253 },
])("request: $name", ({ hex, code, offset, exception }) => {
  const result = decodeRequest(bytes(hex));
  expect(result).toMatchObject({ ok: false, error: { code, offset } });
  if (result.ok || exception === undefined) return;
  expect(exceptionForWireError(result.error)).toBe(exception === 2 ? "illegal-data-address" : "illegal-data-value");
});

test.each([
  { name: "read coils, 2000", hex: "01000007d0" },
  { name: "read coils, the last one", hex: "01ffff0001" },
  { name: "read registers, 125", hex: "030000007d" },
  { name: "write coils, 1968", hex: `0f000007b0f6${"00".repeat(246)}` },
  { name: "write registers, 123", hex: `100000007bf6${registers(123)}` },
  { name: "read/write, 125 and 121", hex: `170000007d00000079f2${registers(121)}` },
  { name: "diagnostics, 125 words", hex: `080000${registers(125)}` },
  { name: "file record, the largest answer", hex: "1407060001" + "00000079" },
])("request at its limit: $name", ({ hex }) => expect(decodeRequest(bytes(hex)).ok).toBe(true));

test.each([0, 9, 10, 13, 14, 18, 19, 25, 42, 44, 65, 72, 90, 100, 110, 127, 128, 129, 255])(
  "function code %i is a value, not an error",
  (functionCode) => {
    const want = { kind: "unknown", functionCode, data: Buffer.from([1, 2]) };
    expect(decodeRequest(Buffer.from([functionCode, 1, 2]))).toEqual({ ok: true, value: want });
  },
);

test("an MEI type other than 13 and 14 is an unknown function 43", () => {
  const want = { kind: "unknown", functionCode: 43, data: Buffer.from([15, 1]) };
  expect(decodeRequest(bytes("2b0f01"))).toEqual({ ok: true, value: want });
});

test.each([
  { name: "other function", ask: "0100000008", answer: "020101", code: "MB_FUNCTION", offset: 0 },
  { name: "exception to another function", ask: "0100000008", answer: "8202", code: "MB_FUNCTION", offset: 0 },
  { name: "exception one byte over", ask: "0100000008", answer: "810200", code: "MB_PDU_LENGTH", offset: 2 },
  { name: "coils for 16, asked 8", ask: "0100000008", answer: "01020101", code: "MB_BYTE_COUNT", offset: 1 },
  { name: "coils, padding set", ask: "0100000003", answer: "010108", code: "MB_PADDING", offset: 2 },
  { name: "two registers, asked one", ask: "0300000001", answer: "030400010002", code: "MB_BYTE_COUNT", offset: 1 },
  { name: "coil echo with the other value", ask: "0500acff00", answer: "0500ac0000", code: "MB_ECHO", offset: 3 },
  { name: "register echo at another address", ask: "0600010003", answer: "0600020003", code: "MB_ECHO", offset: 2 },
  {
    name: "write echo with another quantity",
    ask: "1000010001020005",
    answer: "1000010002",
    code: "MB_ECHO",
    offset: 3,
  },
  { name: "mask echo", ask: "16000400f20025", answer: "16000400f20024", code: "MB_ECHO", offset: 6 },
  { name: "diagnostics, other sub-function", ask: "08000b0000", answer: "08000c0001", code: "MB_ECHO", offset: 1 },
  { name: "diagnostics, query data changed", ask: "080000a537", answer: "080000a538", code: "MB_ECHO", offset: 3 },
  { name: "answer to force listen only", ask: "0800040000", answer: "0800040000", code: "MB_SUB_FUNCTION", offset: 1 },
  { name: "event counter, status 0001", ask: "0b", answer: "0b00010108", code: "MB_COMM_STATUS", offset: 1 },
  { name: "event log of 65 events", ask: "0c", answer: `0c47${"00".repeat(71)}`, code: "MB_BYTE_COUNT", offset: 1 },
  { name: "server ID without a byte", ask: "11", answer: "1100", code: "MB_BYTE_COUNT", offset: 1 },
  { name: "FIFO of 32", ask: "180000", answer: `1800420020${registers(32)}`, code: "MB_QUANTITY", offset: 3 },
  { name: "FIFO byte count", ask: "180000", answer: "1800040000", code: "MB_BYTE_COUNT", offset: 1 },
  { name: "other MEI type", ask: "2b0e0100", answer: "2b0d", code: "MB_ECHO", offset: 1 },
  {
    name: "next object though nothing follows",
    ask: "2b0e0100",
    answer: "2b0e0101000100",
    code: "MB_DEVICE_ID",
    offset: 5,
  },
  {
    name: "individual access, other object",
    ask: "2b0e0401",
    answer: "2b0e0481000001020141",
    code: "MB_DEVICE_ID",
    offset: 7,
  },
])("response: $name", ({ ask, answer, code, offset }) => {
  const request = decodeRequest(bytes(ask));
  if (!request.ok) throw new Error("the request must decode");
  expect(decodeResponse(bytes(answer), request.value)).toMatchObject({ ok: false, error: { code, offset } });
});

test("an exception code the standard does not define is a value", () => {
  const request = decodeRequest(bytes("0100000008"));
  if (!request.ok) throw new Error("the request must decode");
  const want = { kind: "exception", functionCode: 1, code: 7, name: "unknown" };
  expect(decodeResponse(bytes("8107"), request.value)).toEqual({ ok: true, value: want });
});
