/**
 * The smaller structured built-in types: QualifiedName, LocalizedText, ExtensionObject, DiagnosticInfo
 * (OPC 10000-6 v1.05 §5.2.2.12 – §5.2.2.15).
 */
import type { BinaryReader } from "./binary-reader.ts";
import { type NodeId, readNodeId } from "./node-id.ts";

const SPEC_LOCALIZED_TEXT = "OPC 10000-6 v1.05 §5.2.2.14";
const SPEC_EXTENSION_OBJECT = "OPC 10000-6 v1.05 §5.2.2.15";
const SPEC_DIAGNOSTIC_INFO = "OPC 10000-6 v1.05 §5.2.2.12";

const LOCALIZED_TEXT = { LOCALE: 0x01, TEXT: 0x02, ALL: 0x03 } as const;
const BODY = { NONE: 0x00, BYTE_STRING: 0x01, XML: 0x02 } as const;
const DIAGNOSTIC = {
  SYMBOLIC_ID: 0x01,
  NAMESPACE_URI: 0x02,
  LOCALIZED_TEXT: 0x04,
  LOCALE: 0x08,
  ADDITIONAL_INFO: 0x10,
  INNER_STATUS_CODE: 0x20,
  INNER_DIAGNOSTIC_INFO: 0x40,
  ALL: 0x7f,
} as const;

/** A name with its namespace index. Smallest encoding: 2 + 4 bytes. */
export interface QualifiedName {
  readonly namespace: number;
  readonly name: string | null;
}

export interface LocalizedText {
  readonly locale: string | null;
  readonly text: string | null;
}

/** A value of a type that only its type id names; the body stays as it is on the wire. */
export interface ExtensionObject {
  readonly typeId: NodeId;
  readonly encoding: "none" | "binary" | "xml";
  readonly body: Buffer | null;
}

/** Vendor diagnostics; the numbers are indexes into the string table of the response header. */
export interface DiagnosticInfo {
  readonly symbolicId?: number;
  readonly namespaceUri?: number;
  readonly locale?: number;
  readonly localizedText?: number;
  readonly additionalInfo?: string | null;
  readonly innerStatusCode?: number;
  readonly innerDiagnosticInfo?: DiagnosticInfo;
}

export function readQualifiedName(reader: BinaryReader): QualifiedName {
  const namespace = reader.u16();
  return { namespace, name: reader.string() };
}

export function readLocalizedText(reader: BinaryReader): LocalizedText {
  const at = reader.offset;
  const mask = reader.u8();
  if ((mask & ~LOCALIZED_TEXT.ALL) !== 0) reader.fail("UA_ENCODING", at, SPEC_LOCALIZED_TEXT);
  const locale = (mask & LOCALIZED_TEXT.LOCALE) === 0 ? null : reader.string();
  const text = (mask & LOCALIZED_TEXT.TEXT) === 0 ? null : reader.string();
  return { locale, text };
}

export function readExtensionObject(reader: BinaryReader): ExtensionObject {
  const typeId = readNodeId(reader);
  const at = reader.offset;
  switch (reader.u8()) {
    case BODY.NONE:
      return { typeId, encoding: "none", body: null };
    case BODY.BYTE_STRING:
      return { typeId, encoding: "binary", body: reader.byteString() };
    case BODY.XML:
      return { typeId, encoding: "xml", body: reader.byteString() };
    default:
      reader.fail("UA_ENCODING", at, SPEC_EXTENSION_OBJECT);
      return { typeId, encoding: "none", body: null };
  }
}

export function readDiagnosticInfo(reader: BinaryReader): DiagnosticInfo {
  return reader.nested(readDiagnosticFields, {});
}

function readDiagnosticFields(reader: BinaryReader): DiagnosticInfo {
  const at = reader.offset;
  const mask = reader.u8();
  if ((mask & ~DIAGNOSTIC.ALL) !== 0) reader.fail("UA_ENCODING", at, SPEC_DIAGNOSTIC_INFO);
  const has = (bit: number): boolean => (mask & bit) !== 0;
  return {
    ...(has(DIAGNOSTIC.SYMBOLIC_ID) ? { symbolicId: reader.i32() } : {}),
    ...(has(DIAGNOSTIC.NAMESPACE_URI) ? { namespaceUri: reader.i32() } : {}),
    ...(has(DIAGNOSTIC.LOCALE) ? { locale: reader.i32() } : {}),
    ...(has(DIAGNOSTIC.LOCALIZED_TEXT) ? { localizedText: reader.i32() } : {}),
    ...(has(DIAGNOSTIC.ADDITIONAL_INFO) ? { additionalInfo: reader.string() } : {}),
    ...(has(DIAGNOSTIC.INNER_STATUS_CODE) ? { innerStatusCode: reader.u32() } : {}),
    ...(has(DIAGNOSTIC.INNER_DIAGNOSTIC_INFO) ? { innerDiagnosticInfo: readDiagnosticInfo(reader) } : {}),
  };
}
