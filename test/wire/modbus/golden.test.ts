import { describe, expect, test } from "vitest";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "#wire/modbus/index.ts";
import { GOLDEN } from "./golden.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const LENGTH_CODES = ["MB_PDU_LENGTH", "MB_BYTE_COUNT"];

describe.each(GOLDEN)("$name", (golden) => {
  const request = decodeRequest(bytes(golden.request));

  test("request and its encoding", () => {
    expect(request).toEqual({ ok: true, value: golden.asks });
    if (request.ok) expect(encodeRequest(request.value).toString("hex")).toBe(golden.request);
  });

  test("response and its encoding", () => {
    if (!request.ok) throw new Error("the request must decode");
    const response = decodeResponse(bytes(golden.response), request.value);
    expect(response).toMatchObject({ ok: true, value: golden.answers });
    if (response.ok) expect(encodeResponse(response.value).toString("hex")).toBe(golden.response);
  });
});

test.each(GOLDEN.filter((golden) => golden.openEnded !== true))(
  "$name: one byte short and one byte over are refused, both ways",
  (golden) => {
    const request = decodeRequest(bytes(golden.request));
    if (!request.ok) throw new Error("the request must decode");
    const cut = (hex: string): Buffer => bytes(hex).subarray(0, -1);
    const over = (hex: string): Buffer => bytes(`${hex}00`);
    const results = [
      decodeRequest(cut(golden.request)),
      decodeRequest(over(golden.request)),
      decodeResponse(cut(golden.response), request.value),
      decodeResponse(over(golden.response), request.value),
    ];
    for (const result of results) {
      expect(result.ok).toBe(false);
      if (!result.ok) expect(LENGTH_CODES).toContain(result.error.code);
    }
  },
);
