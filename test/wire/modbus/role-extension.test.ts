import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_ROLE_BYTES, roleOf } from "#wire/modbus/role-extension.ts";

/** A certificate in as much as a reader of extensions looks at it. */
const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? Buffer.from([content.length])
      : Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, content]);
};
const OID = Buffer.from("060b2b0601040183890c862201", "hex");
const text = (role: string | Buffer, tag = 0x0c): Buffer => der(tag, Buffer.from(role));
const extension = (...parts: readonly Buffer[]): Buffer => der(0x30, OID, ...parts);
const role = (value: Buffer): Buffer => extension(der(0x04, value));
const other = der(0x30, Buffer.from("0603551d13", "hex"), Buffer.from("0101ff", "hex"), der(0x04, der(0x30)));
const body = (...fields: readonly Buffer[]): Buffer => der(0x30, der(0xa0, der(0x02, Buffer.from([2]))), ...fields);
const certificate = (...extensions: readonly Buffer[]): Buffer =>
  der(0x30, body(der(0xa3, der(0x30, ...extensions))), der(0x30), der(0x03, Buffer.alloc(9)));

describe("the role in a client's certificate", () => {
  test.each([
    { name: "an operator", of: certificate(other, role(text("operator"))), want: "operator" },
    { name: "critical", of: certificate(extension(Buffer.from("0101ff", "hex"), der(0x04, text("op")))), want: "op" },
    { name: "beyond ASCII", of: certificate(role(text("führung"))), want: "führung" },
    {
      name: "of the longest",
      of: certificate(role(text("r".repeat(MAX_ROLE_BYTES)))),
      want: "r".repeat(MAX_ROLE_BYTES),
    },
    { name: "none", of: certificate(other), want: undefined },
    { name: "none, and no extensions", of: der(0x30, body(), der(0x30)), want: undefined },
  ])("$name", ({ of, want }) => expect(roleOf(of)).toEqual({ ok: true, value: want }));

  test.each([
    { name: "twice", of: certificate(role(text("a")), role(text("b"))), says: "names its role twice" },
    { name: "twice the same", of: certificate(role(text("a")), role(text("a"))), says: "names its role twice" },
    { name: "empty", of: certificate(role(text(""))), says: "has 0 bytes" },
    { name: "one byte too long", of: certificate(role(text("r".repeat(65)))), says: "has 65 bytes" },
    { name: "a PrintableString", of: certificate(role(text("a", 0x13))), says: "not a UTF8String" },
    {
      name: "with more behind it",
      of: certificate(role(Buffer.concat([text("a"), text("b")]))),
      says: "not a UTF8String",
    },
    { name: "not UTF-8", of: certificate(role(text(Buffer.from([0xc0, 0xaf])))), says: "not UTF-8" },
    { name: "with a NUL", of: certificate(role(text("operator\0admin"))), says: "blanks or control characters" },
    { name: "with a line break", of: certificate(role(text("a\nb"))), says: "blanks or control characters" },
    { name: "without a value", of: certificate(extension()), says: "not a UTF8String" },
    {
      name: "in a certificate that is cut",
      of: certificate(role(text("a"))).subarray(0, -1),
      says: "not a DER certificate",
    },
    { name: "of an indefinite length", of: Buffer.from("3080a0800000", "hex"), says: "not a DER certificate" },
    { name: "of nothing", of: Buffer.alloc(0), says: "not a DER certificate" },
    { name: "in a certificate too long", of: Buffer.alloc(16 * 1024 + 1), says: "longer than 16384 bytes" },
    { name: "among too many", of: certificate(...Array<Buffer>(65).fill(other)), says: "more than 64 extensions" },
  ])("$name: refused", ({ of, says }) =>
    expect(roleOf(of)).toEqual({ ok: false, error: expect.stringContaining(says) }),
  );

  test("random bytes, and a certificate with any byte changed, never throw", () => {
    const whole = certificate(other, role(text("operator")));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void roleOf(Buffer.from(bytes))));
    for (let at = 0; at < whole.length; at += 1) {
      for (const value of [0, 0x7f, 0x80, 0x84, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = value;
        roleOf(changed);
      }
    }
  });
});
