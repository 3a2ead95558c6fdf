import { type TObject, type TSchema, type TSchemaOptions, Type } from "typebox";

/** The parts of which the published JSON Schemas are made. Draft-07, which every editor knows. */
export const DRAFT = "http://json-schema.org/draft-07/schema#";

const NAME = "^[A-Za-z][A-Za-z0-9_.-]{0,127}$";
const PLAIN_NAME = "^[A-Za-z][A-Za-z0-9_-]{0,127}$";

export const text = (description: string) => Type.String({ description });
export const name = (description: string) => Type.String({ pattern: NAME, description });
export const flag = (description: string) => Type.Boolean({ description });
export const number = (description: string) => Type.Number({ minimum: -1e9, maximum: 1e9, description });
export const positive = (description: string) => Type.Number({ exclusiveMinimum: 0, maximum: 1e9, description });
export const integer = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description });
export const words = (list: readonly string[], description: string) => Type.Enum([...list], { description });
export const duration = (description: string) =>
  Type.String({
    pattern: "^[0-9]{1,9}(\\.[0-9]{1,3})?(ms|s|m|h)$",
    description: `${description} \`500ms\`, \`3s\`, \`2m\`, \`1h\`.`,
  });

/** At least one. */
export const some = (items: TSchema, description: string) => Type.Array(items, { minItems: 1, description });
export const any = (items: TSchema, description: string) => Type.Array(items, { description });
export const pair = (items: TSchema, description: string) =>
  Type.Array(items, { minItems: 2, maxItems: 2, description });

/** A number, or the name of a state of a tag that stands for states. */
export const value = (description: string) =>
  Type.Unsafe<number | string>({ type: ["number", "string"], minimum: -1e9, maximum: 1e9, description });

/** A map with these keys and no others; all of them must be there but those made with `Type.Optional`. */
export const closed = (properties: Record<string, TSchema>, options: TSchemaOptions = {}): TObject =>
  Type.Object(properties, { additionalProperties: false, ...options });

/** A map keyed by names. */
export const byName = (items: TSchema, description: string, options: TSchemaOptions = {}) =>
  Type.Unsafe<Record<string, unknown>>({
    type: "object",
    propertyNames: { pattern: NAME },
    additionalProperties: items,
    description,
    ...options,
  });

/** The same, where a dot in a name would be taken for a path. */
export const byPlainName = (items: TSchema, description: string) =>
  Type.Unsafe<Record<string, unknown>>({
    type: "object",
    propertyNames: { pattern: PLAIN_NAME },
    additionalProperties: items,
    description,
  });

export const ref = (definition: string) => Type.Unsafe<unknown>({ $ref: `#/definitions/${definition}` });

/** One of two shapes by a condition: better messages in editors than trying both. */
export const choose = (condition: object, then: object, otherwise: object) => ({
  if: condition,
  then,
  else: otherwise,
});

export const ifHas = (key: string, then: TSchema, otherwise: TSchema) =>
  Type.Unsafe<unknown>(choose({ type: "object", required: [key] }, then, otherwise));

export const ifIs = (key: string, constants: readonly string[], then: TSchema, otherwise: TSchema, more: object = {}) =>
  Type.Unsafe<unknown>({
    ...choose({ type: "object", properties: { [key]: { enum: constants } }, required: [key] }, then, otherwise),
    ...more,
  });

/** A text, or a map or list. */
export const ifType = (type: string, then: TSchema, otherwise: TSchema, description: string) =>
  Type.Unsafe<unknown>({ description, ...choose({ type }, then, otherwise) });

/** Exactly one of these keys. */
export const oneOfKeys = (...keys: readonly string[]) => ({ oneOf: keys.map((key) => ({ required: [key] })) });

/** What most things in a file begin with. */
export const says = text("In a sentence, shown to people.");
