import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "#wire/modbus/index.ts";
import { exchanges } from "./arbitraries.ts";

test("decode(encode(request)) is the request, and its response decodes against it", () => {
  fc.assert(
    fc.property(exchanges, ({ request, response }) => {
      expect(decodeRequest(encodeRequest(request))).toEqual({ ok: true, value: request });
      const decoded = decodeResponse(encodeResponse(response), request);
      if (response.kind !== "exception") expect(decoded).toEqual({ ok: true, value: response });
      else expect(decoded).toMatchObject({ ok: true, value: { kind: "exception", code: response.code } });
    }),
    { numRuns: 400 },
  );
});

test("random bytes never throw, and what decodes encodes to the same bytes", () => {
  const pdus = fc
    .tuple(
      fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43, 99),
      fc.uint8Array({ maxLength: 255 }),
    )
    .map(([functionCode, rest]) => Buffer.from([functionCode, ...rest]));
  fc.assert(
    fc.property(pdus, (pdu) => {
      const result = decodeRequest(pdu);
      if (result.ok) expect(encodeRequest(result.value)).toEqual(pdu);
    }),
    { numRuns: 3000 },
  );
});

test("random bytes as a response never throw, and what decodes encodes to the same bytes", () => {
  fc.assert(
    fc.property(exchanges, fc.uint8Array({ maxLength: 255 }), ({ request }, rest) => {
      const pdu = Buffer.from([request.functionCode, ...rest]);
      const result = decodeResponse(pdu, request);
      if (result.ok) expect(encodeResponse(result.value)).toEqual(pdu);
    }),
    { numRuns: 1000 },
  );
});

test("a legal PDU with one byte changed never throws", () => {
  fc.assert(
    fc.property(exchanges, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ request, response }, where, flip) => {
      for (const pdu of [encodeRequest(request), encodeResponse(response)]) {
        const at = where % pdu.length;
        pdu.writeUInt8(pdu.readUInt8(at) ^ flip, at);
        decodeRequest(pdu);
        decodeResponse(pdu, request);
      }
    }),
    { numRuns: 1000 },
  );
});
