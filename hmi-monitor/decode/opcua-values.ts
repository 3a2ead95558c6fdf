import type { LocalizedText, QualifiedName } from "#wire/opcua/builtin-types.ts";
import type { DataValue, Variant } from "#wire/opcua/variant.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";

const NULL = ascii("null");
const TRUE = ascii("true");
const FALSE = ascii("false");
const OPEN_LIST = ascii("[");
const CLOSE_LIST = ascii("]");
const COMMA = ascii(",");
const TYPE_ID = ascii('{"typeId":');
const BODY = ascii(',"body":');
const CLOSE = ascii("}");

type Value = Extract<Variant, { readonly isArray: false }>["value"];

/** A list, `write` for each element. */
export function uaList<T>(json: JsonBytes, items: readonly T[], write: (json: JsonBytes, item: T) => unknown): void {
  json.raw(OPEN_LIST);
  for (let i = 0; i < items.length; i += 1) {
    if (i > 0) json.raw(COMMA);
    const item = items[i];
    if (item !== undefined) write(json, item);
  }
  json.raw(CLOSE_LIST);
}

/** Text, or null. */
export function uaText(json: JsonBytes, text: string | null): void {
  if (text === null) json.raw(NULL);
  else json.text(text);
}

/** A value as plain JSON, without its type; absent is null. docs/decode.md has the table. */
export function uaDataValue(json: JsonBytes, data: DataValue): void {
  if (data.value === undefined) json.raw(NULL);
  else uaVariant(json, data.value);
}

export function uaVariant(json: JsonBytes, variant: Variant): void {
  if (!variant.isArray) uaValue(json, variant.type, variant.value);
  else uaList(json, variant.value, (to, value) => uaValue(to, variant.type, value));
}

function uaValue(json: JsonBytes, type: Variant["type"], value: Value): void {
  switch (typeof value) {
    case "number":
      if (type === "DateTime") json.text(dateText(value));
      else if (type === "Float") json.float32(value);
      else json.float(value);
      return;
    case "boolean":
      json.raw(value ? TRUE : FALSE);
      return;
    case "string":
      json.text(value);
      return;
    case "bigint":
      // JSON numbers are doubles to most readers.
      if (Number.isSafeInteger(Number(value))) json.int(Number(value));
      else json.text(String(value));
      return;
    default:
      if (value === null) json.raw(NULL);
      else uaStructure(json, value);
  }
}

function uaStructure(json: JsonBytes, value: Exclude<Value, null | boolean | number | bigint | string>): void {
  if (Buffer.isBuffer(value)) json.text(value.toString("base64"));
  else if ("typeId" in value) {
    json.raw(TYPE_ID).text(value.typeId.text).raw(BODY);
    uaText(json, value.body === null ? null : value.body.toString("base64"));
    json.raw(CLOSE);
  } else if ("isArray" in value) uaVariant(json, value);
  else if ("locale" in value && "text" in value) uaText(json, (value satisfies Partial<LocalizedText>).text ?? null);
  else if ("name" in value) json.text(qualifiedName(value));
  else if ("text" in value) json.text(value.text);
  else if ("value" in value) uaDataValue(json, value);
  else json.raw(NULL);
}

/** `2:Pump`, and without an index in the standard's own namespace. */
export function qualifiedName({ namespace, name }: QualifiedName): string {
  return namespace === 0 ? (name ?? "") : `${namespace}:${name ?? ""}`;
}

/** Years that a Date has no text for are told in ms since 1970. */
function dateText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
