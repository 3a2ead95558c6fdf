/** Differential: built-in types encoded by node-opcua, decoded by us; and what the decoder refuses. */
import {
  AccessLevelFlag,
  coerceExpandedNodeId,
  coerceInt64,
  coerceLocalizedText,
  coerceNodeId,
  coerceQualifiedName,
  coerceUInt64,
  DataType,
  DataValue,
  encodeDataValue,
  encodeExpandedNodeId,
  encodeNodeId,
  encodeVariant,
  ReadValueId,
  StatusCodes,
  Variant,
  VariantArrayType,
} from "node-opcua";
import { describe, expect, test } from "vitest";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { BinaryWriter } from "#wire/opcua/binary-writer.ts";
import { readDiagnosticInfo, readExtensionObject, readLocalizedText } from "#wire/opcua/builtin-types.ts";
import { DEFAULT_DECODE_LIMITS } from "#wire/opcua/decode-limits.ts";
import { parseNodeId, readExpandedNodeId, readNodeId, writeNodeId } from "#wire/opcua/node-id.ts";
import { readDataValue, readVariant } from "#wire/opcua/variant.ts";
import { bytesOf } from "./node-opcua-bytes.ts";

const decode = <T>(read: (reader: BinaryReader) => T, bytes: Buffer, limits = DEFAULT_DECODE_LIMITS): unknown => {
  const reader = new BinaryReader(bytes, limits);
  return reader.finish(read(reader));
};
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const NODE_IDS = [
  "i=0",
  "i=255",
  "i=256",
  "ns=255;i=65535",
  "ns=256;i=65535",
  "ns=1;i=65536",
  "ns=65535;i=4294967295",
  "s=",
  "ns=1;s=FIC201.SP",
  "ns=1;s=a;b=c",
  "ns=3;s=Röhre",
  "ns=2;g=72962b91-fa75-4ae6-8d28-b404dc7daf63",
  "ns=2;b=AQIDBA==",
];

describe("NodeId", () => {
  test.each(NODE_IDS.filter((text) => text !== "s="))("%s as node-opcua writes it", (text) => {
    const bytes = bytesOf((stream) => encodeNodeId(coerceNodeId(text), stream));
    expect(decode(readNodeId, bytes)).toMatchObject({ ok: true, value: { text } });
    const expanded = bytesOf((stream) => encodeExpandedNodeId(coerceExpandedNodeId(text), stream));
    expect(decode(readExpandedNodeId, expanded)).toMatchObject({
      ok: true,
      value: { text, serverIndex: 0, namespaceUri: null },
    });
  });

  test.each(NODE_IDS)("%s: text and bytes both ways", (text) => {
    const id = parseNodeId(text);
    expect(id).toMatchObject({ ok: true, value: { text } });
    if (!id.ok) return;
    const writer = new BinaryWriter();
    writeNodeId(writer, id.value);
    expect(decode(readNodeId, writer.toBuffer())).toEqual(id);
  });

  test.each([
    { name: "two byte", bytes: "00 48", text: "i=72" },
    { name: "four byte, example of §5.2.2.9", bytes: "01 05 0104", text: "ns=5;i=1025" },
    { name: "numeric for a small id has the same text", bytes: "02 0000 48000000", text: "i=72" },
    { name: "string, example of §5.2.2.9", bytes: "03 0100 06000000 486F74E6B0B4", text: "ns=1;s=Hot水" },
    { name: "null string is the empty one", bytes: "03 0100 FFFFFFFF", text: "ns=1;s=" },
  ])("$name", ({ bytes, text }) => {
    expect(decode(readNodeId, hex(bytes))).toMatchObject({ ok: true, value: { text } });
  });

  test.each([
    { name: "unknown encoding", bytes: "06 0000", code: "UA_NODE_ID" },
    { name: "namespace URI flag outside an ExpandedNodeId", bytes: "80 48 FFFFFFFF", code: "UA_NODE_ID" },
    { name: "string that is not UTF-8", bytes: "03 0100 02000000 C328", code: "UA_STRING" },
    { name: "string with an embedded null", bytes: "03 0100 02000000 4100", code: "UA_STRING" },
    { name: "string of length -2", bytes: "03 0100 FEFFFFFF", code: "UA_STRING" },
    { name: "one byte short", bytes: "01 05 01", code: "UA_SHORT" },
    { name: "one byte over", bytes: "00 48 00", code: "UA_TRAILING" },
  ])("refused: $name", ({ bytes, code }) => {
    expect(decode(readNodeId, hex(bytes))).toMatchObject({ ok: false, error: { code } });
  });

  test.each([
    "",
    "i=",
    "i=01",
    "i=4294967296",
    "ns=0;i=1",
    "ns=65536;i=1",
    "ns=01;i=1",
    "g=72962B91-fa75-4ae6-8d28-b404dc7daf63",
    "b=A",
    "x=1",
    "ns=1",
  ])("text `%s` is refused", (text) =>
    expect(parseNodeId(text)).toMatchObject({ ok: false, error: { code: "UA_NODE_ID" } }),
  );

  test("ExpandedNodeId with URI and server index", () => {
    expect(decode(readExpandedNodeId, hex("C0 48 07000000 75726E3A613B25 02000000"))).toMatchObject({
      ok: true,
      value: { nodeId: { text: "i=72" }, namespaceUri: "urn:a;%", serverIndex: 2, text: "svr=2;nsu=urn:a%3B%25;i=72" },
    });
  });
});

const date = new Date("2024-05-06T07:08:09.123Z");
const guid = "72962B91-FA75-4AE6-8D28-B404DC7DAF63";

/** The same value in node-opcua's words and in ours. */
const SCALARS = [
  { type: "Boolean", theirs: true, ours: true },
  { type: "SByte", theirs: -128, ours: -128 },
  { type: "Byte", theirs: 255, ours: 255 },
  { type: "Int16", theirs: -32768, ours: -32768 },
  { type: "UInt16", theirs: 65535, ours: 65535 },
  { type: "Int32", theirs: -2147483648, ours: -2147483648 },
  { type: "UInt32", theirs: 4294967295, ours: 4294967295 },
  { type: "Int64", theirs: coerceInt64(-42), ours: -42n },
  { type: "UInt64", theirs: coerceUInt64(42), ours: 42n },
  { type: "Float", theirs: 0.5, ours: 0.5 },
  { type: "Double", theirs: -1e300, ours: -1e300 },
  { type: "String", theirs: "水位", ours: "水位" },
  { type: "DateTime", theirs: date, ours: date.getTime() },
  { type: "Guid", theirs: guid, ours: guid.toLowerCase() },
  { type: "ByteString", theirs: Buffer.from([1, 2]), ours: Buffer.from([1, 2]) },
  { type: "XmlElement", theirs: "<a/>", ours: "<a/>" },
  { type: "NodeId", theirs: coerceNodeId("ns=1;s=A"), ours: { text: "ns=1;s=A" } },
  { type: "ExpandedNodeId", theirs: coerceExpandedNodeId("ns=1;i=7"), ours: { text: "ns=1;i=7" } },
  { type: "StatusCode", theirs: StatusCodes.BadNotWritable, ours: 0x803b_0000 },
  {
    type: "QualifiedName",
    theirs: coerceQualifiedName({ namespaceIndex: 1, name: "Q" }),
    ours: { namespace: 1, name: "Q" },
  },
  {
    type: "LocalizedText",
    theirs: coerceLocalizedText({ locale: "de", text: "Höhe" }),
    ours: { locale: "de", text: "Höhe" },
  },
  {
    type: "ExtensionObject",
    theirs: new ReadValueId({ nodeId: "i=5" }),
    ours: { typeId: { text: "i=628" }, encoding: "binary" },
  },
  {
    type: "DataValue",
    theirs: new DataValue({ value: { dataType: DataType.Byte, value: 3 } }),
    ours: { value: { type: "Byte", value: 3 } },
  },
] as const;

describe("Variant", () => {
  test.each(SCALARS)("$type: scalar, array and matrix", ({ type, theirs, ours }) => {
    const dataType = DataType[type];
    const encode = (options: object): Buffer =>
      bytesOf((stream) => encodeVariant(new Variant({ dataType, ...options }), stream));
    expect(decode(readVariant, encode({ arrayType: VariantArrayType.Scalar, value: theirs }))).toMatchObject({
      ok: true,
      value: { type, isArray: false, value: ours },
    });
    expect(decode(readVariant, encode({ arrayType: VariantArrayType.Array, value: [theirs, theirs] }))).toMatchObject({
      ok: true,
      value: { type, isArray: true, value: [ours, ours], dimensions: [] },
    });
    expect(
      decode(readVariant, encode({ arrayType: VariantArrayType.Matrix, dimensions: [2, 1], value: [theirs, theirs] })),
    ).toMatchObject({
      ok: true,
      value: { type, isArray: true, value: [ours, ours], dimensions: [2, 1] },
    });
  });

  test.each([
    { name: "null", bytes: "00", want: { type: "Null", value: null } },
    { name: "null array", bytes: "86 FFFFFFFF", want: { type: "Int32", isArray: true, value: [] } },
    {
      name: "variants in a variant",
      bytes: "98 02000000 0105 0300",
      want: { type: "Variant", value: [{ value: true }, { value: 0 }] },
    },
    { name: "empty matrix", bytes: "C3 00000000 02000000 00000000 05000000", want: { dimensions: [0, 5], value: [] } },
  ])("$name", ({ bytes, want }) => {
    expect(decode(readVariant, hex(bytes))).toMatchObject({ ok: true, value: want });
  });

  test.each([
    { name: "type 26", bytes: "1A 00000000", code: "UA_VARIANT" },
    { name: "type 63", bytes: "3F", code: "UA_VARIANT" },
    { name: "dimensions without an array", bytes: "43 01", code: "UA_VARIANT" },
    { name: "a variant directly in a variant", bytes: "18 00", code: "UA_VARIANT" },
    { name: "diagnostic info in a variant", bytes: "19 01 07000000", code: "UA_VARIANT" },
    { name: "an array of nulls", bytes: "80 FFFFFF7F", code: "UA_VARIANT" },
    {
      name: "dimensions that do not hold the elements",
      bytes: "C3 02000000 0102 01000000 03000000",
      code: "UA_VARIANT",
    },
    { name: "negative dimensions", bytes: "C3 01000000 01 02000000 FFFFFFFF FFFFFFFF", code: "UA_VARIANT" },
    { name: "array length -2", bytes: "83 FEFFFFFF", code: "UA_ARRAY" },
    { name: "array length above its bytes", bytes: "86 02000000 00000000 000000", code: "UA_SHORT" },
  ])("refused: $name", ({ bytes, code }) => {
    expect(decode(readVariant, hex(bytes))).toMatchObject({ ok: false, error: { code } });
  });
});

describe("DataValue and the smaller types", () => {
  test("all parts of a DataValue, as node-opcua writes them", () => {
    const bytes = bytesOf((stream) =>
      encodeDataValue(
        new DataValue({
          value: { dataType: DataType.Byte, value: AccessLevelFlag.CurrentRead },
          statusCode: StatusCodes.UncertainInitialValue,
          sourceTimestamp: date,
          sourcePicoseconds: 120,
          serverTimestamp: date,
          serverPicoseconds: 340,
        }),
        stream,
      ),
    );
    expect(decode(readDataValue, bytes)).toMatchObject({
      ok: true,
      value: {
        value: { type: "Byte", value: 1 },
        statusCode: StatusCodes.UncertainInitialValue.value,
        sourceTimestampMs: date.getTime(),
        sourcePicoseconds: 12,
        serverTimestampMs: date.getTime(),
        serverPicoseconds: 34,
      },
    });
  });

  test.each([
    { name: "DataValue", read: readDataValue, bytes: "40" },
    { name: "LocalizedText", read: readLocalizedText, bytes: "04" },
    { name: "ExtensionObject", read: readExtensionObject, bytes: "00 00 03" },
    { name: "DiagnosticInfo", read: readDiagnosticInfo, bytes: "80" },
  ])("refused: $name with an unknown mask", ({ read, bytes }) => {
    expect(decode<unknown>(read, hex(bytes))).toMatchObject({ ok: false, error: { code: "UA_ENCODING" } });
  });

  test("ExtensionObject bodies", () => {
    expect(decode(readExtensionObject, hex("00 05 00"))).toMatchObject({
      ok: true,
      value: { encoding: "none", body: null },
    });
    expect(decode(readExtensionObject, hex("00 05 02 01000000 3C"))).toMatchObject({
      ok: true,
      value: { encoding: "xml", body: Buffer.from("<") },
    });
  });
});

describe("limits: at the limit and one above", () => {
  const limits = { maxStringBytes: 4, maxByteStringBytes: 4, maxArrayLength: 4, maxDepth: 4 };
  const length = (n: number): Buffer => {
    const bytes = Buffer.alloc(4 + n, 0x41);
    bytes.writeInt32LE(n);
    return bytes;
  };

  test.each([
    { name: "string", read: (r: BinaryReader) => r.string(), bytes: length, code: "UA_STRING" },
    { name: "byte string", read: (r: BinaryReader) => r.byteString(), bytes: length, code: "UA_STRING" },
    { name: "array", read: (r: BinaryReader) => r.array(1, (e) => e.u8()), bytes: length, code: "UA_ARRAY" },
    {
      name: "nested DiagnosticInfo",
      read: readDiagnosticInfo,
      bytes: (n: number) => Buffer.concat([Buffer.alloc(n - 1, 0x40), Buffer.alloc(1)]),
      code: "UA_DEPTH",
    },
  ])("$name", ({ read, bytes, code }) => {
    expect(decode<unknown>(read, bytes(4), limits)).toMatchObject({ ok: true });
    expect(decode<unknown>(read, bytes(5), limits)).toMatchObject({ ok: false, error: { code } });
  });

  test("the default depth is the 100 levels of the standard", () => {
    const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth - 1, 0x40), Buffer.alloc(1)]);
    expect(decode(readDiagnosticInfo, nested(100))).toMatchObject({ ok: true });
    expect(decode(readDiagnosticInfo, nested(101))).toMatchObject({ ok: false, error: { code: "UA_DEPTH" } });
  });
});
