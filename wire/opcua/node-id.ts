/**
 * NodeId and ExpandedNodeId: all encodings (OPC 10000-6 v1.05 §5.2.2.9, §5.2.2.10) and one canonical text for each
 * identifier (§5.1.12), whichever of the encodings carried it. Policies compare the text.
 */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import type { BinaryReader } from "./binary-reader.ts";
import type { BinaryWriter } from "./binary-writer.ts";
import { GUID_TEXT, guidBytes } from "./guid.ts";

const SPEC = "OPC 10000-6 v1.05 §5.2.2.9";
const SPEC_TEXT = "OPC 10000-6 v1.05 §5.1.12";

const ENCODING = {
  TWO_BYTE: 0x00,
  FOUR_BYTE: 0x01,
  NUMERIC: 0x02,
  STRING: 0x03,
  GUID: 0x04,
  BYTE_STRING: 0x05,
} as const;
const FLAG = { NAMESPACE_URI: 0x80, SERVER_INDEX: 0x40 } as const;
const ENCODING_MASK = 0x3f;

/** Smallest encoding: encoding byte and one byte of identifier. */
export const MIN_NODE_ID_BYTES = 2;

const MAX_U8 = 0xff;
const MAX_U16 = 0xffff;
const MAX_U32 = 0xffff_ffff;
const DECIMAL_TEXT = /^(0|[1-9][0-9]{0,9})$/;
const BASE64_TEXT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const NAMESPACE_TEXT = /^ns=(0|[1-9][0-9]{0,4});/;

/** Identifier of a NodeId: a guid in lower case, an opaque one in base64; a null string is the empty one. */
type NodeIdentifier =
  | { readonly idType: "numeric"; readonly identifier: number }
  | { readonly idType: "string" | "guid" | "opaque"; readonly identifier: string };

/** A node within a server: namespace index 0..65535 and identifier. `text` is canonical: `i=85`, `ns=1;s=FIC201.SP`. */
export type NodeId = NodeIdentifier & { readonly namespace: number; readonly text: string };

/** A NodeId that may name its namespace by URI and its server by index. `text` adds `svr=` and `nsu=` where present. */
export interface ExpandedNodeId {
  readonly nodeId: NodeId;
  readonly namespaceUri: string | null;
  readonly serverIndex: number;
  readonly text: string;
}

const PREFIX = { numeric: "i", string: "s", guid: "g", opaque: "b" } as const;

function make(namespace: number, id: NodeIdentifier): NodeId {
  return {
    ...id,
    namespace,
    text: `${namespace === 0 ? "" : `ns=${namespace};`}${PREFIX[id.idType]}=${id.identifier}`,
  };
}

/** Every message begins with one or two NodeIds of the standard's own, always of these few: each is made once. */
const STANDARD_COUNT = 1_024;
const standard: (NodeId | undefined)[] = Array.from({ length: STANDARD_COUNT });

/** A numeric NodeId; namespace 0 unless given. */
export function numericNodeId(identifier: number, namespace = 0): NodeId {
  const isStandard = namespace === 0 && identifier < STANDARD_COUNT;
  const known = isStandard ? standard[identifier] : undefined;
  if (known !== undefined) return known;
  const made = make(namespace, { idType: "numeric", identifier });
  if (isStandard) standard[identifier] = made;
  return made;
}

/** The null NodeId, `i=0`. */
export const NULL_NODE_ID: NodeId = numericNodeId(0);

/** The NodeId that a canonical text names; refuses texts that `NodeId.text` would write differently. */
export function parseNodeId(text: string): Result<NodeId, WireError> {
  const refuse = err(wireError("UA_NODE_ID", 0, SPEC_TEXT));
  const prefix = NAMESPACE_TEXT.exec(text);
  const namespace = prefix === null ? 0 : Number(prefix[1]);
  const rest = prefix === null ? text : text.slice(prefix[0].length);
  const identifier = rest.slice(2);
  if (namespace > MAX_U16 || (prefix !== null && namespace === 0)) return refuse;
  switch (rest.slice(0, 2)) {
    case "i=":
      if (!DECIMAL_TEXT.test(identifier) || Number(identifier) > MAX_U32) return refuse;
      return ok(make(namespace, { idType: "numeric", identifier: Number(identifier) }));
    case "s=":
      return ok(make(namespace, { idType: "string", identifier }));
    case "g=":
      return GUID_TEXT.test(identifier) ? ok(make(namespace, { idType: "guid", identifier })) : refuse;
    case "b=":
      return BASE64_TEXT.test(identifier) ? ok(make(namespace, { idType: "opaque", identifier })) : refuse;
    default:
      return refuse;
  }
}

function readEncoded(reader: BinaryReader, encoding: number, at: number): NodeId {
  switch (encoding) {
    case ENCODING.TWO_BYTE:
      return numericNodeId(reader.u8());
    case ENCODING.FOUR_BYTE: {
      const namespace = reader.u8();
      return numericNodeId(reader.u16(), namespace);
    }
    case ENCODING.NUMERIC: {
      const namespace = reader.u16();
      return numericNodeId(reader.u32(), namespace);
    }
    case ENCODING.STRING: {
      const namespace = reader.u16();
      return make(namespace, { idType: "string", identifier: reader.string() ?? "" });
    }
    case ENCODING.GUID: {
      const namespace = reader.u16();
      return make(namespace, { idType: "guid", identifier: reader.guid() });
    }
    case ENCODING.BYTE_STRING: {
      const namespace = reader.u16();
      return make(namespace, { idType: "opaque", identifier: reader.byteString()?.toString("base64") ?? "" });
    }
    default:
      reader.fail("UA_NODE_ID", at, SPEC);
      return NULL_NODE_ID;
  }
}

/** Reads a NodeId. The flags of an ExpandedNodeId (§5.2.2.10) are refused here. */
export function readNodeId(reader: BinaryReader): NodeId {
  const at = reader.offset;
  return readEncoded(reader, reader.u8(), at);
}

/** Reads an ExpandedNodeId (§5.2.2.10). */
export function readExpandedNodeId(reader: BinaryReader): ExpandedNodeId {
  const at = reader.offset;
  const encoding = reader.u8();
  const nodeId = readEncoded(reader, encoding & ENCODING_MASK, at);
  const namespaceUri = (encoding & FLAG.NAMESPACE_URI) === 0 ? null : reader.string();
  const serverIndex = (encoding & FLAG.SERVER_INDEX) === 0 ? 0 : reader.u32();
  return { nodeId, namespaceUri, serverIndex, text: expandedText(nodeId, namespaceUri, serverIndex) };
}

function expandedText(nodeId: NodeId, namespaceUri: string | null, serverIndex: number): string {
  const server = serverIndex === 0 ? "" : `svr=${serverIndex};`;
  if (namespaceUri === null) return server + nodeId.text;
  // §5.1.12: "%" and ";" within the URI are escaped, so that the text has one reading.
  const uri = namespaceUri.replaceAll("%", "%25").replaceAll(";", "%3B");
  return `${server}nsu=${uri};${PREFIX[nodeId.idType]}=${nodeId.identifier}`;
}

/** Writes a NodeId in its shortest encoding. */
export function writeNodeId(writer: BinaryWriter, id: NodeId): void {
  switch (id.idType) {
    case "numeric":
      writeNumeric(writer, id.namespace, id.identifier);
      return;
    case "string":
      writer.u8(ENCODING.STRING).u16(id.namespace).string(id.identifier);
      return;
    case "guid":
      writer.u8(ENCODING.GUID).u16(id.namespace).raw(guidBytes(id.identifier));
      return;
    case "opaque":
      writer.u8(ENCODING.BYTE_STRING).u16(id.namespace).byteString(Buffer.from(id.identifier, "base64"));
  }
}

function writeNumeric(writer: BinaryWriter, namespace: number, identifier: number): void {
  if (namespace === 0 && identifier <= MAX_U8) writer.u8(ENCODING.TWO_BYTE).u8(identifier);
  else if (namespace <= MAX_U8 && identifier <= MAX_U16) writer.u8(ENCODING.FOUR_BYTE).u8(namespace).u16(identifier);
  else writer.u8(ENCODING.NUMERIC).u16(namespace).u32(identifier);
}
