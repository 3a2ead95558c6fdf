import { expect, test } from "vitest";
import {
  decodeRequest,
  encodeFrame,
  type MbapFrame,
  MbapFramer,
  type ModbusRequest,
  RequestTable,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";

function frame(transaction: number, pduHex: string, unit = 1): MbapFrame {
  const header = { transactionId: transactionId(transaction), unitId: unitId(unit) };
  const [only] = new MbapFramer().push(encodeFrame(header, Buffer.from(pduHex, "hex")));
  if (only === undefined) throw new Error("one frame expected");
  return only;
}

function request(pduHex: string): ModbusRequest {
  const result = decodeRequest(Buffer.from(pduHex, "hex"));
  if (!result.ok) throw new Error("the request must decode");
  return result.value;
}

const READ = "0300000001";
const ANSWER = "03020005";

function tableWith(...transactions: readonly number[]): RequestTable<string> {
  const table = new RequestTable<string>();
  for (const id of transactions) table.add(frame(id, READ), request(READ), id * 10, `request ${id}`);
  return table;
}

test("a response finds its request once", () => {
  const table = tableWith(7);
  const want = { transactionId: 7, unitId: 1, timeMs: 70, context: "request 7", outOfOrder: false };
  expect(table.match(frame(7, ANSWER))).toMatchObject({ ok: true, value: { ...want, request: request(READ) } });
  expect(table.match(frame(7, ANSWER))).toMatchObject({ ok: false, error: { code: "MB_UNSOLICITED", offset: 0 } });
});

test("an exception answers too", () => {
  expect(tableWith(7).match(frame(7, "8302")).ok).toBe(true);
});

test("responses out of order are told", () => {
  const table = tableWith(1, 2);
  expect(table.match(frame(2, ANSWER))).toMatchObject({ ok: true, value: { outOfOrder: true } });
  expect(table.match(frame(1, ANSWER))).toMatchObject({ ok: true, value: { outOfOrder: false } });
});

test.each([
  { name: "unsolicited", response: frame(8, ANSWER), code: "MB_UNSOLICITED", offset: 0 },
  { name: "wrong unit", response: frame(7, ANSWER, 2), code: "MB_PAIR_UNIT", offset: 6 },
  { name: "wrong function", response: frame(7, "04020005"), code: "MB_PAIR_FUNCTION", offset: 7 },
  { name: "exception to a wrong function", response: frame(7, "8402"), code: "MB_PAIR_FUNCTION", offset: 7 },
])("$name leaves the request pending", ({ response, code, offset }) => {
  const table = tableWith(7);
  expect(table.match(response)).toMatchObject({ ok: false, error: { code, offset } });
  expect(table.match(frame(7, ANSWER)).ok).toBe(true);
});

test("a pending transaction identifier is not reused", () => {
  const again = tableWith(7).add(frame(7, READ), request(READ), 0, "again");
  expect(again).toMatchObject({ ok: false, error: { code: "MB_DUPLICATE_TRANSACTION" } });
});

test("16 requests fit, the 17th does not", () => {
  const table = tableWith(...Array.from({ length: 16 }, (_, i) => i));
  expect(table.size).toBe(16);
  const over = table.add(frame(16, READ), request(READ), 0, "over");
  expect(over).toMatchObject({ ok: false, error: { code: "MB_TABLE_FULL" } });
});

test("the limit is an option", () => {
  const table = new RequestTable({ limit: 1 });
  expect(table.add(frame(1, READ), request(READ), 0, undefined).ok).toBe(true);
  expect(table.add(frame(2, READ), request(READ), 0, undefined).ok).toBe(false);
  expect(() => new RequestTable({ limit: 0 })).toThrow("pending limit 0 is not a whole number from 1");
});

test("old requests expire, the rest drain", () => {
  const table = tableWith(1, 2, 3);
  expect(table.expire(20).map((pending) => pending.context)).toEqual(["request 1"]);
  expect(table.drain().map((pending) => pending.context)).toEqual(["request 2", "request 3"]);
  expect(table.size).toBe(0);
});
